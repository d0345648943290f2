"""Promotion codes that links carry: what they take off, when they are read, and what happens when one ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ports import PaymentsRefused, PaymentsUnreachable
from domain.product import PaymentTerms
from domain.promotion import PromotionCode, reduced_price
from domain.usecases.checkout_outcomes import CodeNotTaken, RedirectToPayment
from domain.values import Money
from entrypoints.testing import BOOK, Browser, Shop, a_product, an_edition
from testkit.stepping import run

ANNA = "anna@example.com"
NOW = datetime(2026, 5, 1, tzinfo=UTC)
TENTH = PromotionCode(code="SPRING", ref="promo_1", percent_off=Decimal(10))


def a_shop(*links: str, promotion_codes: bool = False) -> Shop:
    edition = an_edition(a_product(BOOK))
    terms = PaymentTerms(code_links=links, promotion_codes=promotion_codes)
    shop = Shop(edition=replace(edition, shop=replace(edition.shop, payment=terms)))
    shop.payments.promotions["SPRING"] = TENTH
    run(shop.code_links.refresh())
    return shop


def dollars(amount: int) -> Money:
    return Money(amount, "usd")


@pytest.mark.parametrize(
    ("terms", "price", "left"),
    [
        ({"percent_off": Decimal(10)}, Money(900, "usd"), 810),
        ({"percent_off": Decimal("33.3")}, Money(1999, "usd"), 1333),
        ({"percent_off": Decimal(50)}, Money(101, "usd"), 50),
        ({"percent_off": Decimal(10)}, Money(1001, "jpy"), 901),
        ({"percent_off": Decimal(10)}, Money(10_010, "kwd"), 9010),
        ({"percent_off": Decimal(100)}, Money(900, "usd"), 0),
        ({"amount_off": Money(500, "usd")}, Money(900, "usd"), 400),
        ({"amount_off": Money(500, "usd")}, Money(400, "usd"), 0),
        ({"amount_off": Money(500, "usd")}, Money(900, "eur"), None),
        ({"amount_off": Money(860, "usd")}, Money(900, "usd"), None),
        ({"percent_off": Decimal("0.01")}, Money(100, "usd"), None),
        ({"percent_off": Decimal(10), "minimum": Money(900, "usd")}, Money(900, "usd"), 810),
        ({"percent_off": Decimal(10), "minimum": Money(901, "usd")}, Money(900, "usd"), None),
        ({"percent_off": Decimal(10), "minimum": Money(100, "usd")}, Money(900, "eur"), None),
        ({"percent_off": Decimal(10), "restricted": True}, Money(900, "usd"), None),
        ({"percent_off": Decimal(10), "expires_at": NOW + timedelta(seconds=1)}, Money(900, "usd"), 810),
        ({"percent_off": Decimal(10), "expires_at": NOW}, Money(900, "usd"), None),
        ({"percent_off": Decimal(10)}, Money(0, "usd"), None),
        ({}, Money(900, "usd"), None),
    ],
)  # fmt: skip
def test_what_a_code_leaves_to_pay(terms: dict[str, object], price: Money, left: int | None) -> None:
    code = PromotionCode(code="C", ref="promo_c", **terms)  # type: ignore[arg-type]  # its fields
    found = reduced_price(code, a_product(BOOK), price, now=NOW)
    assert found == (None if left is None else Money(left, price.currency))


def test_what_a_buyer_names_is_not_reduced() -> None:
    product = replace(a_product(BOOK), pay_what_you_want=True)
    assert reduced_price(TENTH, product, dollars(900), now=NOW) is None


@given(
    amount=st.integers(0, 99_999_999),
    percent=st.decimals(min_value="0.01", max_value=100, places=2),
    currency=st.sampled_from(["usd", "jpy", "kwd", "isk"]),
)
def test_what_is_left_is_nothing_or_less_than_the_price_and_can_be_charged(
    amount: int, percent: Decimal, currency: str
) -> None:
    code = PromotionCode(code="C", ref="promo_c", percent_off=percent)
    price = Money(amount, currency)
    left = reduced_price(code, a_product(BOOK), price, now=NOW)
    if left is not None:
        least = {"usd": 50, "jpy": 50, "kwd": 10, "isk": 100}[currency]
        assert left.amount == 0 or least <= left.amount < amount


# ------------------------------------------------------------------ what is known of them


def test_only_listed_codes_are_read_and_found_in_any_letters() -> None:
    shop = a_shop("SPRING")
    shop.payments.promotions["OTHER"] = replace(TENTH, code="OTHER", ref="promo_2")
    assert shop.code_links.find(" spring ") == TENTH
    assert shop.code_links.find("OTHER") is None
    assert shop.payments.calls == ["promotion"]


def test_codes_are_read_every_five_minutes_and_at_once_when_their_list_changes() -> None:
    shop = a_shop("SPRING")
    shop.clock.tick(minutes=4, seconds=59)
    run(shop.code_links.refresh())
    assert shop.payments.calls == ["promotion"]
    shop.payments.promotions["MAY"] = replace(TENTH, code="MAY", ref="promo_2")
    terms = PaymentTerms(code_links=("SPRING", "MAY"))
    edition = shop.catalogue.edition
    shop.catalogue.edition = replace(edition, version="2", shop=replace(edition.shop, payment=terms))
    run(shop.code_links.refresh())
    assert shop.code_links.find("may") is not None
    assert shop.payments.calls == ["promotion"] * 3
    del shop.payments.promotions["MAY"]
    shop.clock.tick(minutes=5)
    run(shop.code_links.refresh())
    assert shop.code_links.find("may") is None
    shop.catalogue.edition = replace(edition, version="3", shop=replace(edition.shop, payment=PaymentTerms()))
    run(shop.code_links.refresh())
    assert shop.code_links.find("spring") is None


def test_while_the_provider_does_not_answer_the_codes_are_as_they_were() -> None:
    shop = a_shop("SPRING")
    shop.payments.failing = True
    shop.clock.tick(minutes=5)
    with pytest.raises(PaymentsUnreachable):
        run(shop.code_links.refresh())
    assert shop.code_links.find("SPRING") == TENTH
    shop.payments.failing = False
    shop.payments.promotions["SPRING"] = fifth = replace(TENTH, percent_off=Decimal(20))
    shop.clock.tick(seconds=59)
    run(shop.code_links.refresh())
    assert shop.code_links.find("SPRING") == TENTH, "the next try is in a minute"
    shop.clock.tick(seconds=1)
    run(shop.code_links.refresh())
    assert shop.code_links.find("SPRING") == fifth
    calls = len(shop.payments.calls)
    shop.clock.tick(minutes=4, seconds=59)
    run(shop.code_links.refresh())
    assert len(shop.payments.calls) == calls


# ------------------------------------------------------------------ buying with one


def press(browser: Browser, code: str) -> object:
    return run(browser.shop.start_checkout(browser.visitor, BOOK, again=False, code=code))


@pytest.mark.parametrize("promotion_codes", [False, True])
def test_the_payment_page_begins_with_the_code_and_its_discount_is_a_sale(promotion_codes: bool) -> None:
    shop = a_shop("SPRING", promotion_codes=promotion_codes)
    anna = Browser(shop)
    ref = anna.buy(code="spring")
    [checkout] = shop.memory.tables.checkouts.values()
    assert (checkout.promotion, checkout.discounts, checkout.price) == ("promo_1", True, dollars(900))
    shop.payments.pay(ref, email=ANNA)
    shop.payments.sessions[ref] = replace(shop.payments.sessions[ref], discount=90, total=810)
    assert shop.hear_of(ref) == "booked"
    [purchase] = shop.memory.tables.purchases.values()
    assert (purchase.paid, purchase.breakdown.discount) == (dollars(810), 90)


@pytest.mark.parametrize("code", ["OTHER", "%", "SPRING\0", "x" * 10_000, " "])
def test_a_code_that_is_not_listed_begins_no_checkout(code: str) -> None:
    shop = a_shop("SPRING")
    assert isinstance(press(Browser(shop), code), CodeNotTaken)
    assert not shop.memory.tables.checkouts
    assert "start" not in shop.payments.calls


def test_a_code_that_was_used_up_a_moment_ago_charges_nothing_and_the_next_try_can_do_without() -> None:
    shop = a_shop("SPRING")
    anna = Browser(shop)
    del shop.payments.promotions["SPRING"]
    assert isinstance(press(anna, "SPRING"), CodeNotTaken)
    assert run(shop.report()).all_well, "that is no problem of the merchant's"
    run(shop.code_links.refresh())
    assert shop.code_links.find("SPRING") is None, "the next buyer sees the usual price"
    [ended] = shop.memory.tables.checkouts
    assert all(ref != ended for *_, ref in shop.memory.tables.limits), "it takes no place"
    started = press(anna, "")
    assert isinstance(started, RedirectToPayment)
    assert [c.promotion for c in shop.memory.tables.checkouts.values()] == ["promo_1", ""]


def test_any_other_refusal_is_the_merchants_problem_as_ever() -> None:
    shop = a_shop("SPRING")
    shop.payments.refusing = "the key may not"
    with pytest.raises(PaymentsRefused):
        press(Browser(shop), "SPRING")
    assert not run(shop.report()).all_well


def test_pressed_twice_it_is_one_page_and_with_another_code_another() -> None:
    shop = a_shop("SPRING", "MAY")
    shop.payments.promotions["MAY"] = replace(TENTH, code="MAY", ref="promo_2")
    shop.clock.tick(minutes=5)
    run(shop.code_links.refresh())
    anna = Browser(shop)
    pages = [anna.buy(code=code) for code in ("SPRING", "SPRING", "MAY", "")]
    assert [pages.index(page) for page in pages] == [0, 0, 2, 3]
