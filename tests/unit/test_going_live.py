"""A shop sells with a test key and goes live: test purchases then open nothing, count nowhere and hold nothing."""

from __future__ import annotations

from domain.access import Opens, access
from domain.fact import CheckoutStatus, Fact, FactKind
from domain.product import Licences
from domain.usecases.checkout_outcomes import AlreadyYours, RedirectToPayment
from domain.usecases.erase_refusal import Erased
from domain.usecases.import_sales import ImportSales
from domain.usecases.imported_sale import OldSale
from domain.usecases.link_outcomes import LinkRejected
from domain.usecases.own_address import OwnAddress
from domain.usecases.return_outcomes import Claimed, UnknownCheckout
from domain.usecases.show_person import ShowPerson
from domain.values import EmailAddress, Money, ProductId
from entrypoints.run.address_watch import AddressWatch
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop, a_product, an_edition
from testkit.stepping import run

ANNA, BEN = "anna@example.com", "ben@example.com"
FREE = ProductId("free")


def a_shop() -> Shop:
    book = a_product(BOOK, stock=2, licences=Licences(listed=("k1", "k2")))
    shop = Shop(edition=an_edition(book, a_product(PHOTOS), a_product(FREE, price=0)))
    start(shop, live=False)
    return shop


def start(shop: Shop, *, live: bool) -> int:
    """The shop starts again with a key of this mode."""
    shop.clock.tick(minutes=1)
    shop.payments.livemode = live
    ended = run(shop.go_live())
    run(shop.supply_licences())
    return ended


def opens(browser: Browser, product: ProductId = BOOK) -> bool:
    viewer = browser.viewer
    found = access(viewer.session, product=product, holdings=viewer.holdings, now=browser.shop.clock.now())
    return isinstance(found, Opens)


def keys_of(shop: Shop) -> list[list[str]]:
    return [[item.key for item in p.licences] for p in shop.memory.tables.purchases.values()]


def sold(shop: Shop) -> int:
    return run(shop.store.read(lambda tx: tx.purchases.count_sold(BOOK)))


def test_a_test_purchase_opens_nothing_and_signs_nobody_in_with_a_live_key() -> None:
    shop = a_shop()
    guest, anna = Browser(shop), Browser(shop)
    ref = guest.buy_and_pay(ANNA)
    link = shop.last_link(ANNA)
    anna.buy_and_pay(ANNA)
    anna.press(shop.last_link(ANNA))
    assert opens(guest)
    assert opens(anna)
    assert start(shop, live=True) == 2
    assert not opens(guest)
    assert not opens(anna)
    assert not anna.viewer.signed_in
    other = Browser(shop)
    assert isinstance(other.press(link), LinkRejected)
    run(shop.request_login(other.visitor, ANNA))
    before = len(shop.letters_to(ANNA))
    shop.deliver_mail()
    assert len(shop.letters_to(ANNA)) == before, "nobody of that address is a customer"
    assert isinstance(run(shop.come_back(guest.visitor, BOOK, ref)), UnknownCheckout)


def test_the_stock_and_the_licence_keys_that_test_purchases_hold_return_at_the_first_start_with_a_live_key() -> (
    None
):
    shop = a_shop()
    Browser(shop).buy_and_pay(ANNA)
    Browser(shop).buy_and_pay(BEN)
    assert (sold(shop), keys_of(shop)) == (2, [["k1"], ["k2"]])
    start(shop, live=True)
    assert (sold(shop), keys_of(shop)) == (0, [[], []])
    cy = Browser(shop)
    cy.buy_and_pay("cy@example.com")
    assert (sold(shop), keys_of(shop)[2]) == (1, ["k1"])
    assert "k1" in shop.letters_to("cy@example.com")[-1].text


def test_a_test_purchase_in_line_for_a_key_waits_no_longer_once_the_shop_is_live() -> None:
    shop = a_shop()
    shop.catalogue.edition = an_edition(a_product(BOOK, licences=Licences(listed=())))
    run(shop.supply_licences())
    Browser(shop).buy_and_pay(ANNA)
    start(shop, live=True)
    Browser(shop).buy_and_pay(BEN)
    shop.catalogue.edition = an_edition(a_product(BOOK, licences=Licences(listed=("k1",))))
    assert run(shop.supply_licences()) == 1
    assert keys_of(shop) == [[], ["k1"]]


def test_test_purchases_count_until_the_shop_is_live_and_then_nowhere() -> None:
    shop = a_shop()
    Browser(shop).buy_and_pay(ANNA)
    tally = run(shop.report()).tally
    assert (tally.purchases, tally.takings, tally.users, tally.test) == (1, (Money(900, "usd"),), 1, 0)
    start(shop, live=True)
    tally = run(shop.report()).tally
    assert (tally.purchases, tally.takings, tally.users, tally.test) == (0, (), 0, 1)


def test_with_a_test_key_again_live_purchases_stay_open_and_test_sales_take_neither_stock_nor_keys() -> None:
    shop = a_shop()
    start(shop, live=True)
    anna, ben = Browser(shop), Browser(shop)
    ref = anna.buy_and_pay(ANNA)
    start(shop, live=False)
    assert opens(anna)
    assert isinstance(run(shop.come_back(anna.visitor, BOOK, ref)), Claimed)
    for _ in range(3):
        ben.buy_and_pay(BEN, again=True)
    assert opens(ben), "test mode goes on"
    assert (sold(shop), keys_of(shop)) == (1, [["k1"], [], [], []])
    assert not any("icence key" in mail.text for mail in shop.letters_to(BEN))
    assert not shop.letters_to("help@shop.example"), "no key is missing"
    tally = run(shop.report()).tally
    assert (tally.purchases, tally.takings, tally.test) == (1, (Money(900, "usd"),), 3)
    assert start(shop, live=True) == 3
    assert opens(anna)
    assert not opens(ben)


def test_what_never_went_to_stripe_has_no_mode_and_stays() -> None:
    shop = a_shop()
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    anna.press(shop.last_link(ANNA))
    run(shop.order_free(anna.visitor, FREE, currency="", amount="", email=None, again=False))
    old = OldSale(row="1", email=BEN, product=BOOK, ref="cs_test_old", amount=900)
    run(ImportSales(store=shop.store, catalogue=shop.catalogue, clock=shop.clock)([old], renamed={}))
    assert [p.livemode for p in shop.memory.tables.purchases.values()] == [False, None, None]
    assert start(shop, live=True) == 1
    assert anna.viewer.signed_in, "a customer still"
    assert (opens(anna, FREE), opens(anna)) == (True, False)
    assert [h.purchase.product for h in run(shop.store.read(
        lambda tx: tx.purchases.of_address(EmailAddress(BEN))))] == [BOOK]  # fmt: skip
    assert sold(shop) == 1


def test_a_start_with_a_live_key_after_another_does_nothing() -> None:
    shop = a_shop()
    Browser(shop).buy_and_pay(ANNA)
    assert [start(shop, live=True) for _ in range(3)] == [1, 0, 0]
    assert [start(shop, live=False) for _ in range(2)] == [0, 0]


def test_more_test_purchases_than_fit_one_transaction_all_end() -> None:
    shop = a_shop()
    for number in range(105):
        shop.clock.tick(minutes=5)
        Browser(shop).buy_and_pay(f"anna{number % 60}@example.com", PHOTOS)
    assert start(shop, live=True) == 105
    assert not shop.memory.tables.users
    assert not any(p.mailbox or p.user for p in shop.memory.tables.purchases.values())


def test_a_test_debit_under_way_is_not_under_way_in_the_live_shop() -> None:
    shop = a_shop()
    anna = Browser(shop)
    anna.ask_for_link(ANNA)
    anna.take(FREE, email=ANNA)
    shop.deliver_mail()
    anna.press(shop.last_link(ANNA))
    for _ in range(52):
        Browser(shop).buy(PHOTOS)
        shop.clock.tick(minutes=5)
    shop.payments.pay(debit := anna.buy(), email=ANNA, status=CheckoutStatus.UNPAID)
    shop.hear_of(debit)
    assert isinstance(run(shop.start_checkout(anna.visitor, BOOK, again=False)), AlreadyYours)
    assert start(shop, live=True) == 0
    assert not [c for c in shop.memory.tables.checkouts.values() if c.livemode is False]
    assert isinstance(run(shop.start_checkout(anna.visitor, BOOK, again=False)), RedirectToPayment)
    assert anna.viewer.signed_in
    anna.ask_for_link(ANNA)
    shop.deliver_mail()
    anna.press(shop.last_link(ANNA))
    assert run(shop.erase(anna.visitor)) is Erased.DONE


def test_a_debit_that_never_settled_keeps_nobody_from_deleting_for_ever() -> None:
    shop = a_shop()
    start(shop, live=True)
    anna = Browser(shop)
    anna.buy_and_pay(ANNA, PHOTOS)
    anna.press(shop.last_link(ANNA))
    shop.payments.pay(debit := anna.buy(), email=ANNA, status=CheckoutStatus.UNPAID)
    shop.hear_of(debit)
    assert run(shop.erase(anna.visitor)) is Erased.PAYMENT_PENDING
    shop.clock.tick(days=31)
    anna.ask_for_link(ANNA)
    shop.deliver_mail()
    anna.press(shop.last_link(ANNA))
    assert run(shop.erase(anna.visitor)) is Erased.DONE


def test_a_copy_beside_the_real_shop_keeps_the_test_purchases_until_its_address_is_confirmed() -> None:
    """A live key on a copy of the database of staging shows pages, and nothing more."""
    shop = a_shop()
    there, here = "https://staging.example", "https://shop.example"
    run(shop.store.transact(lambda tx: tx.shop.open(shop.edition.shop.id)))
    run(shop.store.transact(lambda tx: tx.shop.serve(there)))
    Browser(shop).buy_and_pay(ANNA)
    shop.payments.livemode = True
    watch = AddressWatch(
        OwnAddress(store=shop.store, catalogue=shop.catalogue, base_url=here), go_live=shop.go_live
    )
    run(watch.begin(serving=True))
    run(watch.look())
    assert watch.elsewhere is not None
    assert (len(shop.memory.tables.users), keys_of(shop)) == (1, [["k1"]])
    run(shop.store.transact(lambda tx: tx.shop.confirm_address(here)))
    run(watch.look())
    assert watch.elsewhere is None
    assert (len(shop.memory.tables.users), keys_of(shop)) == (0, [[]])


def test_a_command_ends_no_test_purchases() -> None:
    shop = a_shop()
    run(shop.store.transact(lambda tx: tx.shop.open(shop.edition.shop.id)))
    Browser(shop).buy_and_pay(ANNA)
    shop.payments.livemode = True
    own = OwnAddress(store=shop.store, catalogue=shop.catalogue, base_url="https://shop.example")
    run(AddressWatch(own, go_live=shop.go_live).begin(serving=False))
    assert len(shop.memory.tables.users) == 1
    run(AddressWatch(own, go_live=shop.go_live).begin(serving=True))
    assert len(shop.memory.tables.users) == 0


def test_what_a_node_that_kept_the_test_key_books_ends_at_the_next_start_with_the_live_one() -> None:
    shop = a_shop()
    start(shop, live=True)
    shop.payments.livemode = False  # this node was not started again
    Browser(shop).buy_and_pay(ANNA)
    Browser(shop).buy(PHOTOS)
    assert start(shop, live=True) == 1
    assert not shop.memory.tables.users
    assert not [c for c in shop.memory.tables.checkouts if c not in shop.memory.tables.purchases]
    assert start(shop, live=True) == 0


def test_the_page_of_a_customer_explains_no_access_with_what_a_node_with_the_test_key_booked_later() -> None:
    shop = a_shop()
    explained = ShowPerson(shop.store, shop.clock)

    def opening() -> bool:
        person = run(explained(EmailAddress(ANNA)))
        assert person is not None
        [book] = [one for one in person.access if one.product == BOOK]
        return isinstance(book.access, Opens)

    Browser(shop).buy_and_pay(ANNA)
    assert opening(), "a shop that sells with a test key"
    start(shop, live=True)
    shop.payments.livemode = False  # this node was not started again
    Browser(shop).buy_and_pay(ANNA)
    assert not opening()
    shop.payments.livemode = True
    Browser(shop).buy_and_pay(ANNA)
    assert opening()


def test_disputes_and_fraud_warnings_of_test_purchases_wait_for_nobody_in_the_live_shop() -> None:
    """The live key is never told how they end, so they would stay on the list for ever."""
    shop = Shop()
    shop.payments.livemode = False
    run(shop.go_live())
    for name in ("anna", "ben"):
        Browser(shop).buy_and_pay(f"{name}@example.com")
    disputed, warned = shop.memory.tables.purchases.values()
    for purchase, kind, status in (
        (disputed, FactKind.DISPUTE, "needs_response"), (warned, FactKind.WARNING, "actionable"),
    ):  # fmt: skip
        fact = Fact(
            object_id=f"x_{status}", kind=kind, payment=purchase.payment,
            as_of=int(shop.clock.now().timestamp()), status=status, amount=900,
        )  # fmt: skip
        run(shop.store.transact(shop.note.work(fact)))
    waiting = [row.task for row in run(shop.report()).todo.rows]
    assert sorted(task.name for task in waiting) == ["DISPUTE", "FRAUD_WARNING"]
    shop.payments.livemode = True
    run(shop.go_live())
    assert run(shop.report()).todo.rows == []
