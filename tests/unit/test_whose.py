"""Whose a purchase is: a mistyped address, a new one, news, the access email once more, one's data, and being erased."""

from __future__ import annotations

from dataclasses import astuple, is_dataclass, replace

import pytest

from adapters.memory.store import MemoryStore
from adapters.memory.tables import Tables
from domain.access import Opens, access
from domain.address_change import ChangeKind, MayNotCorrect
from domain.keys import Keyring
from domain.magic_link import LinkPurpose
from domain.mail import Delivery, MailKind, MailState
from domain.ports import DeliveryReport, InvalidWebhook, MailUnknown, OtherReport, StoreUnavailable
from domain.product import GoodsFile, Licences
from domain.purchase import FactKind
from domain.usecases.change_outcomes import CheckYourNewEmail, NotSignedIn, SameAddress
from domain.usecases.erase_again import ErasedAgain
from domain.usecases.erase_me import Erased
from domain.usecases.handle_email_webhook import EmailWebhookHandled, HandleEmailWebhook
from domain.usecases.link_outcomes import LinkError, LinkRejected, LinkValid, SignedIn
from domain.usecases.open_purchase import OpenPurchase
from domain.usecases.resend_access_link import Resent
from domain.usecases.show_receipt import ShowReceipt
from domain.values import CheckoutId, EmailAddress, ProductId, ProviderRef
from entrypoints.testing import BASE_URL, BOOK, PHOTOS, Browser, Shop, a_product, an_edition
from testkit.stepping import run

ANNA, WRONG, NEW, BEN = "anna@example.com", "anan@example.com", "anna@new.example", "ben@example.com"


def order_of(shop: Shop, ref: ProviderRef) -> CheckoutId:
    [found] = [c.id for c in shop.memory.tables.checkouts.values() if c.provider_ref == ref]
    return found


def owner_of(shop: Shop, ref: ProviderRef) -> str | None:
    mailbox = shop.memory.tables.purchases[order_of(shop, ref)].mailbox
    return None if mailbox is None else str(mailbox)


def correct(shop: Shop, browser: Browser, ref: ProviderRef, typed: str) -> object:
    answer = run(shop.change_address.correct(browser.visitor, order_of(shop, ref), typed))
    shop.deliver_mail()
    return answer


def change(shop: Shop, browser: Browser, typed: str) -> object:
    answer = run(shop.change_address.change(browser.visitor, typed))
    shop.deliver_mail()
    return answer


def opens(browser: Browser, product: ProductId = BOOK) -> bool:
    viewer = browser.viewer
    return isinstance(
        access(viewer.session, product=product, holdings=viewer.holdings, now=browser.shop.clock.now()),
        Opens,
    )


def error_of(came: object) -> LinkError | None:
    return came.error if isinstance(came, LinkRejected) else None


def signed_in(shop: Shop, email: str = ANNA) -> tuple[Browser, ProviderRef]:
    anna = Browser(shop)
    ref = anna.buy_and_pay(email)
    assert isinstance(anna.press(shop.last_link(email)), SignedIn)
    return anna, ref


# ------------------------------------------------------------------ the wrong address


def test_a_mistyped_address_is_corrected_once_the_right_one_is_proved() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy_and_pay(WRONG)
    assert correct(shop, anna, ref, ANNA) == CheckYourNewEmail(ChangeKind.CORRECTION)
    assert owner_of(shop, ref) == WRONG, "the old address keeps it until the new one is proved"
    assert "Undo the change" in shop.letters_to(WRONG)[-1].text
    assert ANNA not in shop.letters_to(WRONG)[-1].text
    assert isinstance(anna.press(shop.last_link(ANNA)), SignedIn)
    assert owner_of(shop, ref) == ANNA
    assert opens(anna)
    assert [str(u.mailbox) for u in shop.memory.tables.users.values()] == [ANNA], (
        "nobody is left at the wrong one"
    )


def test_the_code_of_the_proof_works_in_the_browser_that_asked() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy_and_pay(WRONG)
    correct(shop, anna, ref, ANNA)
    assert isinstance(anna.type_code(shop.last_code(ANNA)), SignedIn)
    assert owner_of(shop, ref) == ANNA


def test_a_correction_is_for_the_browser_that_paid_once_and_soon() -> None:
    shop = Shop()
    anna, other = Browser(shop), Browser(shop)
    ref = anna.buy_and_pay(WRONG)
    other.buy_and_pay(BEN, PHOTOS)
    assert correct(shop, other, ref, "eve@example.com") is MayNotCorrect.NOT_HERE
    assert correct(shop, Browser(shop), ref, "eve@example.com") is MayNotCorrect.NOT_HERE
    assert correct(shop, anna, ref, WRONG) == SameAddress()
    assert correct(shop, anna, ref, ANNA) == CheckYourNewEmail(ChangeKind.CORRECTION)
    assert correct(shop, anna, ref, "third@example.com") is MayNotCorrect.ONCE
    shop.clock.tick(minutes=31)
    late = anna.buy_and_pay(WRONG, again=True)
    shop.clock.tick(minutes=30)
    assert correct(shop, anna, late, ANNA) is MayNotCorrect.TOO_LATE


def test_nothing_is_corrected_once_somebody_proved_the_old_mailbox() -> None:
    shop = Shop()
    anna, owner = Browser(shop), Browser(shop)
    ref = anna.buy_and_pay(BEN)
    owner.press(shop.last_link(BEN))
    assert correct(shop, anna, ref, ANNA) == CheckYourNewEmail(ChangeKind.CORRECTION), (
        "the payer must not learn it"
    )
    assert shop.letters_to(ANNA) == []
    assert correct(shop, anna, ref, NEW) is MayNotCorrect.ONCE, "as of an address that nobody verified"


def test_a_proof_comes_too_late_when_the_old_mailbox_was_proved_meanwhile() -> None:
    shop = Shop()
    anna, ben = Browser(shop), Browser(shop)
    ref = anna.buy_and_pay(BEN)
    correct(shop, anna, ref, ANNA)
    ben.press(shop.letters_to(BEN)[0].text.partition(f"{BASE_URL}/login/")[2].split()[0])
    assert error_of(anna.press(shop.last_link(ANNA))) is LinkError.WITHDRAWN
    assert owner_of(shop, ref) == BEN
    assert opens(anna), "the browser that paid still sees it"


@pytest.mark.parametrize("done", [False, True])
def test_the_old_address_can_undo_it_for_72_hours(done: bool) -> None:
    shop = Shop()
    anna, old = Browser(shop), Browser(shop)
    ref = anna.buy_and_pay(WRONG)
    correct(shop, anna, ref, ANNA)
    proof, undo = shop.last_link(ANNA), shop.last_link(WRONG)
    if done:
        anna.press(proof)
    shop.clock.tick(hours=71)
    assert isinstance(old.press(undo), SignedIn)
    assert owner_of(shop, ref) == WRONG
    assert opens(old)
    if not done:
        assert error_of(anna.press(proof)) in (LinkError.EXPIRED, LinkError.WITHDRAWN)
    assert error_of(old.press(undo)) is LinkError.USED
    assert correct(shop, anna, ref, ANNA) in (MayNotCorrect.ONCE, MayNotCorrect.NOT_HERE)


def test_after_72_hours_it_stays() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy_and_pay(WRONG)
    correct(shop, anna, ref, ANNA)
    anna.press(shop.last_link(ANNA))
    shop.clock.tick(hours=73)
    assert error_of(Browser(shop).press(shop.last_link(WRONG))) is LinkError.EXPIRED
    assert owner_of(shop, ref) == ANNA


def test_a_buyer_who_is_signed_in_and_pays_with_another_address_keeps_it_in_the_account() -> None:
    shop = Shop()
    anna, _ = signed_in(shop)
    ref = anna.buy(PHOTOS)
    shop.payments.sessions[ref] = replace(shop.payments.sessions[ref], email=None)
    shop.payments.pay(ref, email="company@example.com")
    shop.hear_of(ref, event="evt_company")
    purchase = shop.memory.tables.purchases[order_of(shop, ref)]
    assert (str(purchase.mailbox), str(purchase.paid_email)) == (ANNA, "company@example.com")
    assert [str(u.mailbox) for u in shop.memory.tables.users.values()] == [ANNA]
    assert correct(shop, anna, ref, BEN) is MayNotCorrect.NOT_HERE


# ------------------------------------------------------------------ a new address


def test_everything_moves_to_a_new_address_once_it_is_proved() -> None:
    shop = Shop()
    anna, ref = signed_in(shop)
    phone = Browser(shop)
    phone.ask_for_link(ANNA)
    shop.deliver_mail()
    phone.press(shop.last_link(ANNA))
    assert change(shop, anna, NEW) == CheckYourNewEmail(ChangeKind.CHANGE)
    assert owner_of(shop, ref) == ANNA
    assert isinstance(anna.press(shop.last_link(NEW)), SignedIn)
    assert owner_of(shop, ref) == NEW
    assert opens(anna)
    assert phone.viewer.session is None, "browsers signed in with the old address are out"
    assert [str(u.mailbox) for u in shop.memory.tables.users.values()] == [NEW]
    anna.ask_for_link(ANNA)
    shop.deliver_mail()
    assert shop.letters_to(ANNA)[-1].subject != "Sign in to A Shop", (
        "the old address signs nobody in any more"
    )


def test_a_change_completes_only_in_the_browser_that_asked_and_elsewhere_uses_nothing_up() -> None:
    shop = Shop()
    anna, ref = signed_in(shop)
    change(shop, anna, NEW)
    phone, link = Browser(shop), shop.last_link(NEW)
    assert error_of(phone.press(link)) is LinkError.ELSEWHERE
    assert phone.viewer.session is None
    assert owner_of(shop, ref) == ANNA
    shown = run(shop.redeem.look(phone.visitor, link))
    assert isinstance(shown, LinkValid)
    assert shown.moving is not None
    assert (str(shown.moving.old), shown.moving.asked_here) == (ANNA, False)
    assert isinstance(anna.type_code(shown.moving.code), SignedIn), "typed where it was asked for"
    assert owner_of(shop, ref) == NEW


def test_two_accounts_become_one_and_an_undo_takes_only_back_what_moved() -> None:
    shop = Shop()
    anna, book = signed_in(shop)
    other, photos = Browser(shop), None
    photos = other.buy_and_pay(NEW, PHOTOS)
    change(shop, anna, NEW)
    anna.press(shop.last_link(NEW))
    assert (owner_of(shop, book), owner_of(shop, photos)) == (NEW, NEW)
    assert len(shop.memory.tables.users) == 1
    owner = Browser(shop)
    assert isinstance(owner.press(shop.last_link(ANNA)), SignedIn)
    assert (owner_of(shop, book), owner_of(shop, photos)) == (ANNA, NEW)
    assert sorted(str(u.mailbox) for u in shop.memory.tables.users.values()) == [ANNA, NEW]


def test_a_thief_with_a_session_cannot_keep_what_the_owner_takes_back() -> None:
    shop = Shop()
    anna, ref = signed_in(shop)
    thief = Browser(shop, token=anna.token)
    change(shop, thief, "thief@example.com")
    thief.press(shop.last_link("thief@example.com"))
    assert owner_of(shop, ref) == "thief@example.com"
    owner = Browser(shop)
    owner.press(shop.last_link(ANNA))
    assert owner_of(shop, ref) == ANNA
    thief.press(shop.last_link("thief@example.com"))
    assert owner_of(shop, ref) == ANNA


def test_only_who_is_signed_in_changes_an_address() -> None:
    shop = Shop()
    buyer = Browser(shop)
    buyer.buy_and_pay(ANNA)
    for browser in (buyer, Browser(shop)):
        assert change(shop, browser, NEW) == NotSignedIn()


# ------------------------------------------------------------------ the access email, the receipt


def test_an_access_email_is_sent_again_to_its_owner_and_to_nobody_else() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy_and_pay(ANNA)
    order = order_of(shop, ref)
    answers = [run(shop.resend(anna.visitor, order)) for _ in range(4)]
    assert answers == [Resent.QUEUED] * 3 + [Resent.ENOUGH]
    shop.deliver_mail()
    assert [m.subject for m in shop.letters_to(ANNA)] == ["Your purchase: The book"] * 4
    assert isinstance(Browser(shop).press(shop.last_link(ANNA)), SignedIn)
    assert run(shop.resend(Browser(shop).visitor, order)) is Resent.NOT_YOURS
    shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=900))
    shop.clock.tick(hours=1)
    assert run(shop.resend(anna.visitor, order)) is Resent.NOT_YOURS


def test_a_receipt_is_for_those_who_may_know_of_the_order() -> None:
    shop = Shop()
    anna, thief = Browser(shop), Browser(shop)
    order = order_of(shop, anna.buy_and_pay(ANNA))
    thief.buy_and_pay(BEN)
    show = ShowReceipt(store=shop.store, payments=shop.payments, clock=shop.clock)
    found = run(show(anna.visitor, order))
    assert found is not None
    assert found.holding.purchase.checkout == order
    assert run(show(thief.visitor, order)) is None
    assert run(show(Browser(shop).visitor, order)) is None
    assert run(show(anna.visitor, CheckoutId("nothing"))) is None


# ------------------------------------------------------------------ what the carrier reports


class Reports:
    """Reports as they were given."""

    def __init__(self) -> None:
        self.next: DeliveryReport | OtherReport | InvalidWebhook = InvalidWebhook(reason="nothing")

    def parse_webhook(
        self, body: bytes, headers: object, *, shop: str
    ) -> DeliveryReport | OtherReport | InvalidWebhook:
        return self.next


def reported(shop: Shop, key: str, delivery: Delivery) -> str:
    reports = Reports()
    reports.next = DeliveryReport(key=key, delivery=delivery)
    hear = HandleEmailWebhook(store=shop.store, reports=reports, catalogue=shop.catalogue, clock=shop.clock)
    heard = run(hear(b"", {}))
    assert isinstance(heard, EmailWebhookHandled)
    return heard.outcome.value


def test_reports_commute_and_the_weightiest_stays() -> None:
    for order in ([Delivery.ACCEPTED, Delivery.DELIVERED, Delivery.BOUNCED],
                  [Delivery.BOUNCED, Delivery.DELIVERED, Delivery.ACCEPTED],
                  [Delivery.DELIVERED, Delivery.BOUNCED, Delivery.DELIVERED]):  # fmt: skip
        shop = Shop()
        Browser(shop).buy_and_pay(ANNA)
        [key] = shop.memory.tables.outbox
        for delivery in order:
            reported(shop, key, delivery)
        assert shop.memory.tables.outbox[key].delivery is Delivery.BOUNCED
        assert run(shop.report()).tally.bounced == 1


def test_an_access_email_that_bounced_is_told_to_the_browser_that_paid_and_to_the_merchant() -> None:
    shop = Shop()
    anna = Browser(shop)
    order = order_of(shop, anna.buy_and_pay(WRONG))
    page = OpenPurchase(identify_viewer=shop.identify_viewer, store=shop.store, clock=shop.clock)
    before = run(page(anna.visitor, BOOK))
    assert before.access_email is not None
    assert (before.access_email.arrived, before.access_email.returned, before.correctable) == (
        True,
        False,
        True,
    )
    assert reported(shop, f"access:{order}", Delivery.BOUNCED) == "bounced"
    assert reported(shop, f"access:{order}", Delivery.BOUNCED) == "known"
    after = run(page(anna.visitor, BOOK))
    assert after.access_email is not None
    assert (after.access_email.returned, after.correctable) == (True, True)
    shop.deliver_mail()
    assert [m.subject for m in shop.letters_to("help@shop.example")] == ["An access email bounced"]
    shop.clock.tick(hours=1)
    assert run(page(anna.visitor, BOOK)).correctable is False


def test_a_report_settles_a_mail_whose_outcome_was_unknown() -> None:
    shop = Shop()
    shop.mailer.failing = MailUnknown("the line broke")
    Browser(shop).buy_and_pay(ANNA)
    [key] = shop.memory.tables.outbox
    assert shop.memory.tables.outbox[key].state is MailState.QUEUED
    shop.mailer.failing = None
    reported(shop, key, Delivery.DELIVERED)
    assert shop.memory.tables.outbox[key].state is MailState.SENT
    shop.clock.tick(hours=2)
    shop.deliver_mail()
    assert not shop.mailer.handed, "not sent again"


def test_a_report_on_a_mail_we_do_not_have_changes_nothing() -> None:
    shop = Shop()
    assert reported(shop, "access:nothing", Delivery.BOUNCED) == "known"


# ------------------------------------------------------------------ news


def announce(shop: Shop) -> tuple[int, int, int]:
    found = run(shop.announce(BOOK))
    assert found is not None
    shop.deliver_mail()
    return found.queued, found.known, found.left_out


def test_owners_hear_of_a_new_version_once_unless_they_said_no() -> None:
    shop = Shop(
        edition=an_edition(a_product(BOOK), a_product(PHOTOS), a_product(ProductId("pack"), contains=(BOOK,)))
    )
    Browser(shop).buy_and_pay(ANNA)
    Browser(shop).buy_and_pay(BEN, ProductId("pack"))
    Browser(shop).buy_and_pay("cy@example.com", PHOTOS)
    refunded = Browser(shop).buy_and_pay("dora@example.com")
    shop.hear_fact(shop.payments.tell(refunded, FactKind.REFUND, "succeeded", amount=900))
    assert announce(shop) == (2, 0, 1)
    assert announce(shop) == (0, 2, 1), "run again, nobody hears of the same files twice"
    letter = shop.letters_to(ANNA)[-1]
    assert letter.subject == "A new version: The book"
    token = letter.no_more_url.rpartition("/")[2]
    assert letter.no_more_url in letter.text
    assert run(shop.news.no_more(token)) is True
    assert run(shop.news.no_more(token[:-1] + ("0" if token[-1] != "0" else "1"))) is False
    shop.catalogue.edition = _new_files(shop)
    assert announce(shop) == (1, 0, 2)
    assert shop.letters_to(ANNA)[-1] == letter


def _new_files(shop: Shop) -> object:
    book = replace(
        shop.edition.products[BOOK], files=(GoodsFile(name="it.txt", title="It", size=6, sha256="00"),)
    )
    return replace(shop.edition, products={**shop.edition.products, BOOK: book})


def test_saying_no_between_announcement_and_delivery_counts() -> None:
    shop = Shop()
    anna, _ = signed_in(shop)
    run(shop.announce(BOOK))
    assert run(shop.news.here(anna.visitor, wanted=False))
    shop.deliver_mail()
    assert not [m for m in shop.letters_to(ANNA) if "new version" in m.subject]
    assert run(shop.news.here(Browser(shop).visitor, wanted=True)) is False


def test_mailboxes_that_bounce_or_complain_hear_no_news() -> None:
    shop = Shop()
    Browser(shop).buy_and_pay(ANNA)
    [key] = shop.memory.tables.outbox
    reported(shop, key, Delivery.COMPLAINED)
    assert announce(shop) == (0, 0, 1)


def test_nothing_is_announced_of_a_product_that_is_not_there() -> None:
    assert run(Shop().announce(ProductId("nothing"))) is None


# ------------------------------------------------------------------ one's data, and its end


def names_anywhere(shop: Shop, text: str) -> list[str]:
    """Where in the store a text still stands."""
    found: list[str] = []
    tables = shop.memory.tables
    for name in tables.__slots__:
        for key, row in getattr(tables, name).items():
            flat = repr(astuple(row)) if is_dataclass(row) and not isinstance(row, type) else repr(row)
            if text in flat or text in repr(key):
                found.append(f"{name}: {key}")
    return found


def test_ones_data_is_everything_that_is_held() -> None:
    shop = Shop()
    anna, ref = signed_in(shop)
    offered = run(shop.fetch_file(anna.visitor, BOOK, "it.txt"))
    run(shop.fetch_file.open(offered, start=0, stop=5))  # type: ignore[arg-type]
    run(shop.fetch_file.open(offered, start=2, stop=5))  # type: ignore[arg-type]
    own = run(shop.own_data(anna.visitor))
    assert own is not None
    assert own.user is not None
    assert [h.purchase.checkout for h in own.holdings] == [order_of(shop, ref)]
    assert [(d.name, d.times) for d in own.downloads] == [("it.txt", 1)], "not once a range"
    assert [m.kind for m in own.mails] == [MailKind.ACCESS]
    assert run(shop.own_data(Browser(shop).visitor)) is None
    payer = Browser(shop)
    payer.buy_and_pay(ANNA, PHOTOS)
    assert run(shop.own_data(payer.visitor)) is None, "a payment proves no mailbox"
    shop.clock.tick(days=1)
    run(shop.fetch_file.open(offered, start=0, stop=5))  # type: ignore[arg-type]
    own = run(shop.own_data(anna.visitor))
    assert own is not None
    assert own.downloads[0].times == 2


def an_erased_shop() -> tuple[Shop, Browser, ProviderRef]:
    shop = Shop(edition=an_edition(a_product(BOOK, licences=Licences(listed=None)), a_product(PHOTOS)))
    anna, ref = signed_in(shop)
    anna.ask_for_link(ANNA)
    change(shop, anna, NEW)
    change(shop, anna, "other@example.com")
    ben, _ = signed_in(shop, BEN)
    mixed = ben.buy(PHOTOS)
    shop.payments.sessions[mixed] = replace(shop.payments.sessions[mixed], email=None)
    shop.payments.pay(mixed, email=ANNA)
    shop.hear_of(mixed, event="evt_mixed")
    anna.buy(PHOTOS)
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    return shop, anna, ref


def test_what_cannot_be_scrubbed_at_once_is_later_and_once() -> None:
    """Somebody reads an older state when a buyer is erased: they are erased all the same, and the store is told again."""
    store = ReadByOthers(MemoryStore())
    shop = Shop(given_store=store)
    anna, _ = signed_in(shop)
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    assert store.scrubbed == 0
    with pytest.raises(StoreUnavailable):
        run(shop.erase.scrub_what_waits())
    store.read_by_others = False
    for _ in range(3):
        shop.clock.tick(minutes=30)
        run(shop.erase.scrub_what_waits())
    assert store.scrubbed == 1
    ben, _ = signed_in(shop, BEN)
    assert run(shop.erase(ben.visitor)) is Erased.DONE
    run(shop.erase.scrub_what_waits())
    assert store.scrubbed == 2


class ReadByOthers:
    """A store of which others read an older state."""

    def __init__(self, store: MemoryStore) -> None:
        self.transact, self.read = store.transact, store.read
        self.read_by_others, self.scrubbed = True, 0

    async def scrub(self) -> None:
        if self.read_by_others:
            raise StoreUnavailable("another program reads an older state")
        self.scrubbed += 1


def test_after_erasing_no_row_names_the_address_and_the_books_keep_the_sale() -> None:
    shop, anna, ref = an_erased_shop()
    assert names_anywhere(shop, ANNA) == []
    assert names_anywhere(shop, NEW) == [], "nor the address it was to be changed to"
    purchase = shop.memory.tables.purchases[order_of(shop, ref)]
    assert (purchase.user, purchase.mailbox, purchase.paid_email, purchase.session) == (None,) * 4
    assert purchase.paid.amount == 900
    assert order_of(shop, ref) in shop.memory.tables.erasures
    assert anna.viewer.session is None
    assert run(shop.report()).tally.purchases == 3


def test_after_erasing_late_news_make_no_user_and_no_mail() -> None:
    shop, _, ref = an_erased_shop()
    mails = len(shop.memory.tables.outbox)
    assert shop.hear_of(ref, event="evt_late") == "known"
    assert shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=900)) == "noted"
    run(shop.reconcile())
    assert names_anywhere(shop, ANNA) == []
    assert len(shop.memory.tables.outbox) == mails


def test_a_sale_that_is_claimed_after_its_buyer_was_erased_makes_no_user_and_no_mail() -> None:
    """A debit that was under way; and the store of last night, with the erasures that are carried apart."""
    shop = Shop()
    anna, _ = signed_in(shop)
    backup = shop.memory.tables.copy()
    debit = anna.buy(PHOTOS)
    shop.payments.pay(debit, email=ANNA, status="unpaid")
    shop.hear_of(debit, event="evt_debit")
    lost = anna.buy_and_pay(ANNA, again=True)
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    shop.payments.pay(debit, email=ANNA)
    assert shop.hear_of(debit, event="evt_paid") == "booked"
    assert names_anywhere(shop, ANNA) == []
    erased = list(shop.memory.tables.erasures), list(shop.memory.tables.erased_addresses.values())
    shop.memory.tables = backup
    assert run(shop.erase_again(*erased)).orders > 0
    run(shop.reconcile())
    assert names_anywhere(shop, ANNA) == []
    assert owner_of(shop, lost) is None
    assert len(shop.memory.tables.purchases) == 3
    assert not shop.memory.tables.outbox


def test_who_was_erased_may_come_again_as_somebody_new() -> None:
    shop, _, ref = an_erased_shop()
    again = Browser(shop).buy_and_pay(ANNA)
    assert owner_of(shop, again) == ANNA
    assert owner_of(shop, ref) is None


def test_only_who_is_signed_in_can_be_erased() -> None:
    shop = Shop()
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    assert run(shop.erase(anna.visitor)) is Erased.NOT_SIGNED_IN
    assert EmailAddress(ANNA) in {u.mailbox for u in shop.memory.tables.users.values()}


def test_what_cannot_be_undone_takes_a_fresh_proof() -> None:
    shop = Shop()
    anna, _ = signed_in(shop)
    shop.clock.tick(hours=2)
    assert run(shop.erase(anna.visitor)) is Erased.PROVE_AGAIN
    anna.ask_for_link(ANNA)
    shop.deliver_mail()
    anna.press(shop.last_link(ANNA))
    assert run(shop.erase(anna.visitor)) is Erased.DONE


def test_a_thief_with_a_session_cannot_move_everything_away_and_erase_it() -> None:
    shop = Shop()
    anna, ref = signed_in(shop)
    thief = Browser(shop, token=anna.token)
    change(shop, thief, "thief@example.com")
    thief.press(shop.last_link("thief@example.com"))
    assert run(shop.erase(thief.visitor)) is Erased.TOO_SOON
    Browser(shop).press(shop.last_link(ANNA))
    assert owner_of(shop, ref) == ANNA
    assert run(shop.erase(thief.visitor)) is Erased.NOT_SIGNED_IN, (
        "undoing ends the session that the change signed in"
    )
    assert owner_of(shop, ref) == ANNA


def test_an_address_that_was_changed_long_ago_can_be_erased() -> None:
    shop = Shop()
    anna, ref = signed_in(shop)
    change(shop, anna, NEW)
    shop.clock.tick(minutes=10)
    anna.press(shop.last_link(NEW))
    shop.clock.tick(days=4)
    anna.ask_for_link(NEW)
    shop.deliver_mail()
    anna.press(shop.last_link(NEW))
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    assert owner_of(shop, ref) is None
    assert names_anywhere(shop, ANNA) == []


def restored(shop: Shop, backup: Tables) -> None:
    """The books of then, with the erasures of now, which are carried apart."""
    erased = list(shop.memory.tables.erasures), list(shop.memory.tables.erased_addresses.values())
    shop.memory.tables = backup.copy()
    run(shop.erase_again(*erased))


def a_changed_shop() -> tuple[Shop, Browser, ProviderRef, Tables, Tables]:
    """Anna bought, began something else, and changed her address; the store before and after that."""
    shop = Shop()
    anna, ref = signed_in(shop)
    second = anna.buy_and_pay(ANNA, PHOTOS)
    before = shop.memory.tables.copy()
    change(shop, anna, NEW)
    anna.press(shop.last_link(NEW))
    assert owner_of(shop, ref) == owner_of(shop, second) == NEW
    return shop, anna, ref, before, shop.memory.tables.copy()


def test_who_has_a_former_address_now_erases_nothing_of_who_had_it_not_even_by_a_restore() -> None:
    shop, _, ref, before, after = a_changed_shop()
    stranger = Browser(shop)
    stranger.ask_for_link(ANNA)
    shop.deliver_mail()
    shop.clock.tick(minutes=1)
    mine = Browser(shop).buy_and_pay(ANNA)
    shop.deliver_mail()
    stranger.press(shop.last_link(ANNA))
    assert owner_of(shop, mine) == ANNA
    assert run(shop.erase(stranger.visitor)) is Erased.DONE
    assert (owner_of(shop, mine), owner_of(shop, ref)) == (None, NEW)
    restored(shop, after)
    assert owner_of(shop, ref) == NEW
    restored(shop, before)
    assert owner_of(shop, ref) == ANNA, "it was hers then"
    assert shop.memory.tables.users


def test_a_restore_erases_who_changed_their_address_under_both() -> None:
    shop, anna, _, before, _ = a_changed_shop()
    shop.clock.tick(days=4)
    anna.ask_for_link(NEW)
    shop.deliver_mail()
    anna.press(shop.last_link(NEW))
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    restored(shop, before)
    assert names_anywhere(shop, ANNA) == names_anywhere(shop, NEW) == []


def test_a_change_takes_along_what_was_begun_and_undoing_it_brings_that_back() -> None:
    shop = Shop()
    anna, _ = signed_in(shop)
    debit = anna.buy(PHOTOS)
    change(shop, anna, NEW)
    undo = shop.last_link(ANNA)
    anna.press(shop.last_link(NEW))
    begun = shop.memory.tables.checkouts[order_of(shop, debit)]
    assert begun.mailbox == EmailAddress(NEW)
    Browser(shop).press(undo)
    assert shop.memory.tables.checkouts[order_of(shop, debit)].mailbox == EmailAddress(ANNA)


def test_who_came_again_after_being_erased_stays_when_an_older_backup_is_restored() -> None:
    shop, _, ref = an_erased_shop()
    again = Browser(shop).buy_and_pay(ANNA)
    restored(shop, shop.memory.tables)
    assert (owner_of(shop, again), owner_of(shop, ref)) == (ANNA, None)


def test_who_was_erased_twice_is_erased_by_the_backup_between() -> None:
    shop, _, _ = an_erased_shop()
    shop.clock.tick(minutes=20)
    Browser(shop).buy_and_pay(ANNA)
    between = shop.memory.tables.copy()
    anna = Browser(shop)
    anna.ask_for_link(ANNA)
    shop.deliver_mail()
    anna.press(shop.last_link(ANNA))
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    restored(shop, between)
    assert names_anywhere(shop, ANNA) == []


def test_without_the_secret_of_then_the_orders_are_erased_and_the_rest_is_said_to_be_missing() -> None:
    shop = Shop()
    anna, ref = signed_in(shop)
    backup = shop.memory.tables.copy()
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    erased = list(shop.memory.tables.erasures), list(shop.memory.tables.erased_addresses.values())
    assert "anna" not in repr(erased)
    shop.memory.tables = backup
    other = replace(shop.erase_again, keyring=Keyring.of(("another secret of thirty-two characters",)))
    assert run(other(*erased)) == ErasedAgain(orders=1, unknown=1)
    assert owner_of(shop, ref) is None
    assert not shop.memory.tables.users
    assert run(shop.erase_again(*erased)) == ErasedAgain(orders=0, unknown=0)
    assert names_anywhere(shop, ANNA) == [], "with that secret again, it is made up for"


def test_a_thief_cannot_hide_the_notice_of_a_change_by_deleting_an_account_of_his() -> None:
    shop = Shop()
    anna, _ = signed_in(shop)
    thief, _ = signed_in(shop, "thief@example.com")
    change(shop, Browser(shop, token=anna.token), NEW)
    change(shop, thief, ANNA)
    notices = [
        m
        for m in shop.memory.tables.outbox.values()
        if m.kind is MailKind.ADDRESS and m.to == EmailAddress(ANNA)
    ]
    assert len(notices) == 2
    assert run(shop.erase(thief.visitor)) is Erased.DONE
    left = [
        m
        for m in shop.memory.tables.outbox.values()
        if m.kind is MailKind.ADDRESS and m.to == EmailAddress(ANNA)
    ]
    assert len(left) == 1, "the one about Anna's own address"
    assert left[0].link is not None
    assert shop.memory.tables.links[left[0].link].purpose is LinkPurpose.UNDO
