"""Amounts as people read them, over every class of currencies that Stripe has."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.purchase import Purchase, Source
from domain.usecases.send_email import access_email
from domain.values import CheckoutId, Money
from entrypoints.http.page import price_value, price_words
from entrypoints.sandbox.stripe.money import money
from entrypoints.testing import BASE_URL, BOOK, EMAIL_TEMPLATES, a_product, an_edition

ZERO = ["bif", "clp", "djf", "gnf", "kmf", "mga", "pyg", "rwf", "vuv", "xaf", "xof", "xpf"]


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (120000, "usd", "$1,200.00"), (900, "usd", "$9.00"), (5, "usd", "$0.05"), (0, "usd", "$0.00"),
        (99_999_999, "eur", "€999,999.99"), (500, "gbp", "£5.00"), (150, "cad", "CA$1.50"), (150, "aud", "A$1.50"),
        (1234567, "inr", "₹12,345.67"), (500, "chf", "CHF\N{NO-BREAK SPACE}5.00"), (500, "pln", "PLN\N{NO-BREAK SPACE}5.00"),
        (1200, "jpy", "¥1,200"), (15000, "krw", "₩15,000"), (99_999_999, "vnd", "₫99,999,999"),
        *((1200, code, f"{code.upper()}\N{NO-BREAK SPACE}1,200") for code in ZERO),
        (1234, "kwd", "KWD\N{NO-BREAK SPACE}1.234"), (1200500, "bhd", "BHD\N{NO-BREAK SPACE}1,200.500"),
        (5, "jod", "JOD\N{NO-BREAK SPACE}0.005"), (1000, "omr", "OMR\N{NO-BREAK SPACE}1.000"),
        (10990, "tnd", "TND\N{NO-BREAK SPACE}10.990"),
        (120000, "isk", "ISK\N{NO-BREAK SPACE}1,200"), (500000, "ugx", "UGX\N{NO-BREAK SPACE}5,000"),
        (120050, "isk", "ISK\N{NO-BREAK SPACE}1,200.50"),
        (3000, "twd", "NT$30.00"), (120050, "huf", "HUF\N{NO-BREAK SPACE}1,200.50"),
    ],
)  # fmt: skip
def test_an_amount_is_written_with_the_digits_of_its_currency(
    amount: int, currency: str, written: str
) -> None:
    assert str(Money(amount, currency)) == written
    number = written.lstrip(f"{currency.upper()}ACNT$€£₹¥₩₫\N{NO-BREAK SPACE}").replace(",", "")
    assert price_value(Money(amount, currency)) == number


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (120000, "usd", "1,200.00 USD"), (-81, "usd", "-0.81 USD"), (1200, "jpy", "1,200 JPY"), (-1200, "xpf", "-1,200 XPF"),
        (1234, "kwd", "1.234 KWD"), (-5, "tnd", "-0.005 TND"), (120000, "isk", "1,200 ISK"), (-500000, "ugx", "-5,000 UGX"),
        (50, "ugx", "0.50 UGX"), (3000, "twd", "30.00 TWD"),
    ],
)  # fmt: skip
def test_the_stand_in_writes_amounts_with_the_same_digits(amount: int, currency: str, written: str) -> None:
    assert money(amount, currency) == written


@pytest.mark.parametrize(
    ("price", "written"),
    [(Money(1200, "jpy"), "¥1,200"), (Money(1234, "kwd"), "KWD\N{NO-BREAK SPACE}1.234"), (Money(120000, "isk"), "ISK\N{NO-BREAK SPACE}1,200"),
     (Money(120000, "usd"), "$1,200.00")],
)  # fmt: skip
def test_pages_receipts_and_letters_write_the_same(price: Money, written: str) -> None:
    product = replace(a_product(BOOK), price=price)
    purchase = Purchase(
        checkout=CheckoutId("0" * 32), provider_ref=None, payment=None, user=None, mailbox=None, paid_email=None,
        product=BOOK, product_name=product.name, paid=price, livemode=False, session=None,
        booked_at=datetime(2026, 3, 1, tzinfo=UTC), source=Source.SALE,
    )  # fmt: skip
    edition = an_edition(product)
    assert price_words(price, product) == written
    letter = EMAIL_TEMPLATES.render(
        access_email(purchase, (), edition=edition), language="en", shop=edition.shop, base_url=BASE_URL
    )
    assert f"({written})" in letter.text
    assert f"({written})" in letter.html
