"""What a tax return asks of a sale: the buyer's country and tax number, and the invoice, as Stripe sends them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from contracts.samples import ANNA, a_purchase

from adapters.sql import purchases
from adapters.stripe.wire import news_of
from domain.access import Holding
from domain.claim import ProviderCheckout
from domain.export import ADDRESSES, sale_values
from domain.ports import CheckoutEvent
from domain.purchase import Purchase
from domain.sale_list import SaleRow
from domain.values import CheckoutId
from entrypoints.testing import Browser, Shop
from testkit.stepping import run

TAXED: dict[str, Any] = {
    "automatic_tax": {"enabled": True, "status": "complete"},
    "customer_details": {
        "email": "anna@example.com",
        "address": {"country": "CH", "city": "Bern", "line1": "Marktgasse 1"},
        "tax_ids": [{"type": "ch_vat", "value": "CHE-123.456.789  MWST"}],
    },
    "invoice": "in_1Abc",
}


def read(**fields: Any) -> ProviderCheckout:
    """The session of a webhook with these fields."""
    session = {"id": "cs_test_1", "created": 1, "livemode": False, **fields}
    event = {
        "object": "event", "id": "evt_1", "type": "checkout.session.completed", "created": 1,
        "data": {"object": session},
    }  # fmt: skip
    news = news_of(json.dumps(event).encode())
    assert isinstance(news, CheckoutEvent), news
    return news.reading


def papers(thing: ProviderCheckout | Purchase) -> tuple[str, str, str]:
    return thing.tax_country, thing.tax_number, thing.invoice


def test_a_webhook_brings_them() -> None:
    assert papers(read(**TAXED)) == ("CH", "CHE-123.456.789 MWST", "in_1Abc")


def test_an_untaxed_sale_says_nothing_of_where_its_buyer_lives() -> None:
    untaxed = {**TAXED, "automatic_tax": {"enabled": False, "status": None}}
    assert papers(read(**untaxed))[0] == ""
    assert papers(read()) == ("", "", "")


@pytest.mark.parametrize(
    ("details", "invoice"),
    [
        ({"address": {"country": "<b>"}, "tax_ids": [{"type": "x", "value": None}]}, "https://evil.example"),
        ({"address": {"country": None}, "tax_ids": None}, None),
        ({"address": None, "tax_ids": []}, "in_"),
        (None, {"id": "cs_1"}),
    ],
)
def test_what_is_none_of_these_is_left_out(details: Any, invoice: Any) -> None:
    read_ = read(automatic_tax={"enabled": True}, customer_details=details, invoice=invoice)
    assert papers(read_) == ("", "", "")


def test_a_number_is_as_long_as_a_number() -> None:
    long = {"tax_ids": [{"type": "x", "value": "9" * 500}] * 9}
    assert len(read(customer_details=long).tax_number) == 120
    two = {"tax_ids": [{"type": "eu_vat", "value": "DE1"}, {"type": "ch_vat", "value": "CHE-2 MWST"}]}
    assert read(customer_details=two).tax_number == "DE1, CHE-2 MWST"


def test_they_are_kept_with_the_sale_exported_and_the_number_is_erased() -> None:
    shop = Shop()
    browser = Browser(shop)
    ref = browser.buy()
    shop.payments.pay(ref, email=ANNA.canonical)
    session = shop.payments.sessions[ref]
    shop.payments.sessions[ref] = replace(session, tax_country="DE", tax_number="DE123", invoice="in_1")
    shop.hear_of(ref, event="evt_1")
    shop.deliver_mail()
    [sold] = shop.memory.tables.purchases.values()
    assert papers(sold) == ("DE", "DE123", "in_1")
    row = sale_values(SaleRow(Holding(purchase=sold, facts=()), verified=True, bounced=False), None)
    assert (row["tax_country"], row["tax_number"], row["invoice"]) == ("DE", "DE123", "in_1")
    assert "tax_number" in ADDRESSES
    browser.press(shop.last_link(ANNA.canonical))
    run(shop.erase(browser.visitor))
    assert papers(shop.memory.tables.purchases[CheckoutId(sold.checkout)]) == ("DE", "", "in_1")


@pytest.mark.parametrize(
    ("fields", "stored"),
    [
        ({}, None),
        ({"invoice": "in_1"}, "0 0 = - in_1 -"),
        ({"tax_country": "DE", "tax_number": "DE 1 - 2"}, "0 0 = DE - DE 1 - 2"),
    ],
)
def test_a_sale_without_them_is_stored_as_before(fields: dict[str, str], stored: str | None) -> None:
    sold = replace(a_purchase("c1"), **fields)
    row = purchases.to_row(sold)
    assert row[15] == stored
    assert purchases.from_row(row) == sold
