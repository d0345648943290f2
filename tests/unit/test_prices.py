"""What is free, discounted, named by the buyer, sold in other currencies, bundled, or comes with a key."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.access import Opens, access
from domain.amounts import AmountProblem
from domain.claim import RejectReason
from domain.mail import MailKind
from domain.product import BadAmount, CatalogueEdition, Licences, PaymentTerms, asked_price
from domain.purchase import Breakdown, LicenceKey, Purchase, Source
from domain.usecases.checkout_outcomes import (
    AddressNeeded,
    AlreadyYours,
    ConfirmationEmailed,
    FreeOrderBooked,
    NotForSale,
    NotFree,
    NothingToPay,
    RedirectToPayment,
    TooManyOrders,
    WrongAmount,
)
from domain.usecases.link_outcomes import LinkError, LinkRejected, SignedIn, SignedInAlready
from domain.values import EmailProblem, Money, ProductId, ProviderRef
from entrypoints.http.form_errors import amount_error
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop, a_product, an_edition
from testkit.stepping import run

ANNA, BEN = "anna@example.com", "ben@example.com"
FREE, PACK = ProductId("free"), ProductId("pack")


def a_shop(*products: object, payment: PaymentTerms | None = None) -> Shop:
    edition = an_edition(*products)  # type: ignore[arg-type]
    return Shop(edition=_with_terms(edition, payment or PaymentTerms()))


def _with_terms(edition: CatalogueEdition, payment: PaymentTerms) -> CatalogueEdition:
    return replace(edition, shop=replace(edition.shop, payment=payment))


def purchases(shop: Shop) -> list[Purchase]:
    return list(shop.memory.tables.purchases.values())


def opens(browser: Browser, product: ProductId) -> bool:
    viewer = browser.viewer
    return isinstance(
        access(viewer.session, product=product, holdings=viewer.holdings, now=browser.shop.clock.now()),
        Opens,
    )


# ------------------------------------------------------------------ free


def test_what_is_free_is_at_once_in_a_browser_that_proved_its_mailbox() -> None:
    shop = a_shop(a_product(BOOK), a_product(FREE, price=0))
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    anna.press(shop.last_link(ANNA))
    calls = len(shop.payments.calls)
    assert isinstance(anna.take(FREE), FreeOrderBooked)
    assert opens(anna, FREE)
    assert len(shop.payments.calls) == calls, "nothing goes to the payment provider"
    [free] = [p for p in purchases(shop) if p.product == FREE]
    assert [p.source for p in purchases(shop)] == [Source.SALE, Source.FREE]
    assert (free.provider_ref, free.payment, free.paid) == (None, None, Money(0, "usd"))
    shop.deliver_mail()
    assert shop.letters_to(ANNA)[-1].subject == "Your purchase: The free"


def test_anybody_else_gets_it_by_a_mail_that_proves_the_mailbox() -> None:
    shop = a_shop(a_product(FREE, price=0))
    anna = Browser(shop)
    assert isinstance(anna.take(FREE), AddressNeeded)
    assert isinstance(anna.take(FREE, email=ANNA), ConfirmationEmailed)
    assert not purchases(shop), "booked when the mailbox is proved, not before"
    shop.deliver_mail()
    came = anna.press(shop.last_link(ANNA))
    assert isinstance(came, SignedIn)
    assert came.product == FREE
    assert opens(anna, FREE)
    assert [str(u.mailbox) for u in shop.memory.tables.users.values()] == [ANNA]
    assert anna.press(shop.last_link(ANNA)) == SignedInAlready(product=FREE)
    used = Browser(shop).press(shop.last_link(ANNA))
    assert isinstance(used, LinkRejected)
    assert len(purchases(shop)) == 1


def test_the_code_of_the_mail_does_the_same_in_the_browser_that_asked() -> None:
    shop = a_shop(a_product(FREE, price=0))
    anna = Browser(shop)
    anna.take(FREE, email=ANNA)
    shop.deliver_mail()
    code = shop.last_code(ANNA)
    assert isinstance(Browser(shop).type_code(code), LinkRejected)
    assert isinstance(anna.type_code(code), SignedIn)
    assert opens(anna, FREE)
    assert error_of(Browser(shop).press(shop.last_link(ANNA))) is LinkError.USED


def error_of(came: object) -> LinkError | None:
    return came.error if isinstance(came, LinkRejected) else None


def test_who_types_a_victims_address_gets_nothing_by_it_even_after_the_victim_confirms() -> None:
    shop = a_shop(a_product(FREE, price=0, licences=Licences(listed=None)))
    thief, victim = Browser(shop), Browser(shop)
    thief.take(FREE, email=ANNA)
    shop.deliver_mail()
    victim.press(shop.last_link(ANNA))
    assert opens(victim, FREE)
    assert not opens(thief, FREE)
    assert thief.viewer.holdings == []


def test_orders_of_free_things_are_limited_like_logins() -> None:
    shop = a_shop(a_product(FREE, price=0))
    anna = Browser(shop)
    answers = []
    for _ in range(6):
        shop.clock.tick(minutes=2)
        answers += [anna.take(FREE, email=ANNA), anna.take(FREE, email=ANNA)]
    assert all(isinstance(answer, ConfirmationEmailed) for answer in answers), (
        "the limit of an address never shows"
    )
    shop.deliver_mail()
    assert len(shop.letters_to(ANNA)) == 3
    others = [anna.take(FREE, email=f"x{n}@example.com") for n in range(20)]
    assert isinstance(others[-1], TooManyOrders)


def test_a_bad_address_a_price_and_an_empty_shelf_are_answered() -> None:
    shop = a_shop(a_product(FREE, price=0), a_product(BOOK), a_product(PACK, price=0, stock=0))
    anna = Browser(shop)
    answer = anna.take(FREE, email="nobody")
    assert isinstance(answer, AddressNeeded)
    assert answer.problem is EmailProblem.NOT_ONE_AT
    assert isinstance(anna.take(BOOK, email=ANNA), NotFree)
    assert isinstance(anna.take(PACK, email=ANNA), NotForSale)
    assert isinstance(run(shop.start_checkout(anna.visitor, FREE, again=False)), NothingToPay)


def test_an_owner_is_asked_before_taking_it_twice() -> None:
    shop = a_shop(a_product(FREE, price=0))
    anna = Browser(shop)
    anna.take(FREE, email=ANNA)
    shop.deliver_mail()
    anna.press(shop.last_link(ANNA))
    assert isinstance(anna.take(FREE), AlreadyYours)
    assert isinstance(anna.take(FREE, again=True), FreeOrderBooked)


def test_an_order_that_was_never_confirmed_is_forgotten() -> None:
    shop = a_shop(a_product(FREE, price=0))
    Browser(shop).take(FREE, email=ANNA)
    shop.deliver_mail()
    shop.clock.tick(days=10)
    now = shop.clock.now()
    run(shop.store.transact(lambda tx: tx.retention.prune(now=now)))
    tables = shop.memory.tables
    assert not tables.checkouts
    assert not tables.links
    assert not tables.outbox


# ------------------------------------------------------------------ prices


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", 500), ("5", 500), ("5.00", 500), ("7.5", 750), ("12,50", 1250), (" $ 9 ", 900), ("9 USD", 900),
        ("4.99", "minimum"), ("0.30", "minimum"), ("-9", "digits"), ("nine", "digits"), ("1,000,00", "digits"),
        ("1e9", "digits"), ("9.999", "ambiguous"), ("9.9999", "multiples of 0.01"), ("99999999", "$999,999.99"),
        ("٣٣", "digits"), ("€9", "in USD"),
    ],
)  # fmt: skip
def test_what_a_buyer_may_type_as_their_price(typed: str, expected: int | str) -> None:
    product = a_product(price=500, pay_what_you_want=True)
    found = asked_price(product, currency="usd", amount=typed)
    if isinstance(found, BadAmount):
        assert isinstance(expected, str)
        assert expected in amount_error(found)
    else:
        assert found == Money(int(expected), "usd")


def test_nothing_or_at_least_what_stripe_takes() -> None:
    product = a_product(price=0, pay_what_you_want=True)
    assert asked_price(product, currency="usd", amount="0") == Money(0, "usd")
    found = asked_price(product, currency="usd", amount="0.30")
    assert isinstance(found, BadAmount)
    assert "$0.50, or nothing" in amount_error(found)


def test_an_amount_is_ignored_where_the_price_is_fixed() -> None:
    assert asked_price(a_product(), currency="usd", amount="0.01") == Money(900, "usd")


def test_a_price_named_by_the_buyer_is_what_is_charged_and_claimed() -> None:
    shop = a_shop(a_product(BOOK, price=500, pay_what_you_want=True))
    anna = Browser(shop)
    assert isinstance(run(shop.start_checkout(anna.visitor, BOOK, again=False, amount="1")), WrongAmount)
    started = run(shop.start_checkout(anna.visitor, BOOK, again=False, amount="12,50"))
    assert isinstance(started, RedirectToPayment)
    ref = ProviderRef(started.url.rpartition("/")[2])
    assert shop.payments.sessions[ref].total == 1250
    shop.payments.pay(ref, email=ANNA)
    assert shop.hear_of(ref) == "booked"
    assert purchases(shop)[0].paid == Money(1250, "usd")


def test_another_currency_is_charged_as_it_was_shown() -> None:
    shop = a_shop(a_product(BOOK, other_prices=(Money(850, "eur"), Money(1200, "jpy"))))
    assert shop.edition.currencies == ("usd", "eur", "jpy")
    for currency, price in (
        ("eur", Money(850, "eur")),
        ("EUR", Money(850, "eur")),
        ("jpy", Money(1200, "jpy")),
        ("", Money(900, "usd")),
    ):
        started = run(shop.start_checkout(Browser(shop).visitor, BOOK, again=False, currency=currency))
        assert isinstance(started, RedirectToPayment)
        session = shop.payments.sessions[ProviderRef(started.url.rpartition("/")[2])]
        assert (session.total, session.currency) == (price.amount, price.currency)
    for currency in ("gbp", "usd ", "eu"):
        started = run(shop.start_checkout(Browser(shop).visitor, BOOK, again=False, currency=currency))
        assert isinstance(started, WrongAmount)
        assert started.why.problem is AmountProblem.NOT_OFFERED


def test_a_price_that_changes_while_a_checkout_is_open_is_honoured_at_its_snapshot() -> None:
    shop = a_shop(a_product(BOOK))
    anna = Browser(shop)
    ref = anna.buy()
    shop.catalogue.edition = an_edition(a_product(BOOK, price=1900))
    shop.payments.pay(ref, email=ANNA)
    assert shop.hear_of(ref) == "booked"
    assert purchases(shop)[0].paid == Money(900, "usd")


# ------------------------------------------------------------------ discounts and taxes


def change(shop: Shop, ref: ProviderRef, **fields: object) -> str:
    shop.payments.sessions[ref] = replace(shop.payments.sessions[ref], **fields)  # type: ignore[arg-type]
    return shop.hear_of(ref)


@pytest.mark.parametrize("allowed", [True, False])
def test_a_discount_is_taken_only_if_this_checkout_allowed_one(allowed: bool) -> None:
    shop = a_shop(a_product(BOOK), payment=PaymentTerms(promotion_codes=allowed))
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=ANNA)
    outcome = change(shop, ref, discount=100, total=800)
    assert outcome == ("booked" if allowed else "quarantined: unasked discount")


def test_a_tax_on_top_of_the_greatest_price_is_a_sale_like_any_other() -> None:
    shop = a_shop(a_product(BOOK, price=99_999_999))
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=ANNA)
    assert change(shop, ref, tax=10_000_000, total=109_999_999) == "booked"
    assert purchases(shop)[0].paid == Money(109_999_999, "usd")


def test_a_code_over_everything_delivers_without_a_payment() -> None:
    shop = a_shop(a_product(BOOK), payment=PaymentTerms(promotion_codes=True))
    anna = Browser(shop)
    ref = anna.buy()
    shop.payments.pay(ref, email=ANNA)
    assert change(shop, ref, discount=900, total=0, payment=None) == "booked"
    assert opens(anna, BOOK)


@pytest.mark.parametrize(
    ("discount", "tax", "total", "outcome"),
    [
        (0, 90, 990, "booked"), (0, 82, 900, "booked"), (100, 80, 880, "booked"), (100, 73, 800, "booked"),
        (0, 90, 899, "quarantined: wrong amount"), (0, 90, 991, "quarantined: wrong amount"),
        (100, 0, 799, "quarantined: wrong amount"), (0, 90, 945, "quarantined: wrong amount"),
    ],
)  # fmt: skip
def test_taxes_come_on_top_or_are_in_the_price_and_nothing_between(
    discount: int, tax: int, total: int, outcome: str
) -> None:
    shop = a_shop(a_product(BOOK), payment=PaymentTerms(promotion_codes=True))
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=ANNA)
    assert change(shop, ref, discount=discount, tax=tax, total=total) == outcome


@pytest.mark.parametrize(
    ("discount", "tax", "total", "breakdown", "lines"),
    [
        (0, 0, 900, Breakdown(), ["Total: $9.00"]),
        (100, 0, 800, Breakdown(discount=100), ["Price: $9.00", "Discount: −$1.00", "Total: $8.00"]),
        (0, 90, 990, Breakdown(tax=90, tax_on_top=True), ["Price: $9.00", "Tax: $0.90", "Total: $9.90"]),
        (0, 82, 900, Breakdown(tax=82), ["Price: $9.00", "Tax included: $0.82", "Total: $9.00"]),
        (100, 80, 880, Breakdown(discount=100, tax=80, tax_on_top=True),
         ["Price: $9.00", "Discount: −$1.00", "Tax: $0.80", "Total: $8.80"]),
        (900, 0, 0, Breakdown(discount=900), ["Price: $9.00", "Discount: −$9.00", "Total: $0.00"]),
    ],
)  # fmt: skip
def test_a_sale_keeps_its_discount_and_its_tax_and_the_email_shows_them(
    discount: int, tax: int, total: int, breakdown: Breakdown, lines: list[str]
) -> None:
    shop = a_shop(a_product(BOOK), payment=PaymentTerms(promotion_codes=True))
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=ANNA)
    assert change(shop, ref, discount=discount, tax=tax, total=total) == "booked"
    [purchase] = purchases(shop)
    assert (purchase.breakdown, purchase.price, purchase.paid) == (
        breakdown,
        Money(900, "usd"),
        Money(total, "usd"),
    )
    shop.deliver_mail()
    text = shop.letters_to(ANNA)[0].text
    assert text.partition("Product: The book\n")[2].partition("\n\n")[0].splitlines() == lines


def test_a_restored_shop_knows_from_the_seal_whether_a_discount_was_allowed_and_what_was_bundled() -> None:
    terms = PaymentTerms(promotion_codes=True)
    shop = a_shop(a_product(BOOK), a_product(PACK, contains=(BOOK,)), payment=terms)
    ref = Browser(shop).buy(PACK)
    shop.payments.pay(ref, email=ANNA)
    shop.payments.sessions[ref] = replace(shop.payments.sessions[ref], discount=100, total=800)
    shop.memory.tables.checkouts.clear()
    for forged in ({"contents": (BOOK, PHOTOS)}, {"discounts": False}):
        reading = replace(shop.payments.sessions[ref], **forged)  # type: ignore[arg-type]
        delivery = shop.payments.sign(event="evt_f", kind="checkout.session.completed", reading=reading)
        heard = run(shop.hear(delivery.body, delivery.signature))
        assert "quarantined" in getattr(heard, "name", ""), forged
    assert shop.hear_of(ref) == "booked"
    assert purchases(shop)[0].contents == (BOOK,)
    assert RejectReason.UNKNOWN_CHECKOUT


# ------------------------------------------------------------------ bundles and licence keys


def test_a_bundle_opens_everything_it_contained_when_it_was_bought() -> None:
    shop = a_shop(a_product(BOOK), a_product(PHOTOS), a_product(PACK, contains=(BOOK, PHOTOS)))
    anna = Browser(shop)
    anna.buy_and_pay(ANNA, PACK)
    assert anna.owned == {PACK, BOOK, PHOTOS}
    shop.catalogue.edition = an_edition(a_product(BOOK), a_product(PHOTOS), a_product(PACK, contains=(BOOK,)))
    assert opens(anna, PHOTOS), "what was bought stays bought"
    started = run(shop.start_checkout(anna.visitor, BOOK, again=False))
    assert isinstance(started, AlreadyYours)


def test_a_generated_key_is_in_the_mail_and_the_same_for_the_same_purchase() -> None:
    shop = a_shop(a_product(BOOK, licences=Licences(listed=None)))
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    [licence] = purchases(shop)[0].licences
    assert licence.product == BOOK
    assert [len(group) for group in licence.key.split("-")] == [4] * 5
    assert licence.key in shop.letters_to(ANNA)[-1].text
    again = shop.keyring.signing.licence_of(purchases(shop)[0].checkout, BOOK)
    assert again == licence.key
    anna.buy_and_pay(ANNA, again=True)
    assert len({item.key for p in purchases(shop) for item in p.licences}) == 2


def test_listed_keys_go_out_in_order_once_each_and_a_bundle_brings_those_of_its_contents() -> None:
    shop = a_shop(
        a_product(BOOK, licences=Licences(listed=("k1", "k2", "k3"))), a_product(PACK, contains=(BOOK,))
    )
    run(shop.supply_licences())
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    anna.buy_and_pay(ANNA, PACK)
    assert [p.licences for p in purchases(shop)] == [(LicenceKey(BOOK, "k1"),), (LicenceKey(BOOK, "k2"),)]
    run(shop.supply_licences())
    anna.buy_and_pay(ANNA, again=True)
    assert purchases(shop)[-1].licences == (LicenceKey(BOOK, "k3"),)


def test_a_list_that_runs_out_refuses_nobody_and_serves_those_who_wait_in_their_order() -> None:
    shop = a_shop(a_product(BOOK, licences=Licences(listed=("k1",))))
    run(shop.supply_licences())
    for number, email in enumerate((ANNA, BEN, "cy@example.com")):
        shop.clock.tick(seconds=1 + number)
        Browser(shop).buy_and_pay(email)
    assert [len(p.licences) for p in purchases(shop)] == [1, 0, 0]
    assert [m.subject for m in shop.letters_to("help@shop.example")] == ["Out of licence keys"]
    shop.catalogue.edition = an_edition(a_product(BOOK, licences=Licences(listed=("k1", "k2"))))
    assert run(shop.supply_licences()) == 1
    shop.deliver_mail()
    assert "k2" in shop.letters_to(BEN)[-1].text
    assert [len(p.licences) for p in purchases(shop)] == [1, 1, 0]
    assert run(shop.supply_licences()) == 0


def test_a_key_taken_off_the_list_is_not_given_any_more_and_a_given_one_is_kept() -> None:
    shop = a_shop(a_product(BOOK, licences=Licences(listed=("k1", "k2", "k3"))))
    run(shop.supply_licences())
    Browser(shop).buy_and_pay(ANNA)
    shop.catalogue.edition = an_edition(a_product(BOOK, licences=Licences(listed=("k3", "k1"))))
    run(shop.supply_licences())
    shop.clock.tick(seconds=1)
    Browser(shop).buy_and_pay(BEN)
    assert [p.licences[0].key for p in purchases(shop)] == ["k1", "k3"]


def test_a_sale_in_a_restored_shop_gets_its_generated_key_again() -> None:
    shop = a_shop(a_product(BOOK, licences=Licences(listed=None)))
    backup = shop.memory.tables.copy()
    Browser(shop).buy_and_pay(ANNA)
    before = purchases(shop)[0].licences
    shop.memory.tables = backup
    # Nothing was in those books, so the first sweep has to be told where to begin.
    since = shop.clock.now() - timedelta(days=1)
    run(shop.store.transact(lambda tx: tx.shop.advance_cursor("completed checkouts", to=since)))
    run(shop.reconcile())
    assert purchases(shop)[0].licences == before
    assert [m.kind for m in shop.memory.tables.outbox.values()] == [MailKind.ACCESS]
