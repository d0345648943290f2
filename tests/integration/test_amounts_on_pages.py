"""Amounts that customers type, and prices that changed while a page was open, as the pages answer them."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import pytest

from domain.product import Product
from domain.values import Money, ProductId
from entrypoints.testing import a_product, an_edition
from testkit.pages_in_memory import Client, Town

WISH = ProductId("wish")
ANNA = "anna@example.com"


def a_town(folder: Path, *products: Product) -> Town:
    return Town(folder, an_edition(*products), lambda where, html: None)


def field(client: Client, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', client.html)
    assert found is not None, client.html
    return found[1]


def alert(client: Client) -> str:
    found = re.search(r'role="alert">([^<]*)<', client.html)
    assert found is not None, client.html
    return found[1]


def begun(town: Town) -> list[tuple[int, str]]:
    return [(session.total, session.currency) for session in town.shop.payments.sessions.values()]


@pytest.mark.parametrize(
    ("currency", "typed", "answer"),
    [
        ("usd", "1,000", "without a thousands separator, for example 10.00."),
        ("eur", "1.000", "without a thousands separator, for example 10.00."),
        ("jpy", "12.5", "Amounts in JPY must be multiples of 1. Please write an amount such as 1200."),
        ("jpy", "10", "The minimum is ¥1,200."),
        ("kwd", "1.005", "Amounts in KWD must be multiples of 0.010. Please write an amount such as 10.000."),
        ("isk", "500.50", "Amounts in ISK must be multiples of 1."),
        ("idr", "99999999999", "The maximum is IDR\N{NO-BREAK SPACE}9,999,999,999.99."),
    ],
)
def test_an_amount_that_cannot_be_charged_is_asked_again_in_its_own_currency(
    tmp_path: Path, currency: str, typed: str, answer: str
) -> None:
    others = (
        Money(800, "eur"),
        Money(1200, "jpy"),
        Money(1000, "kwd"),
        Money(50000, "isk"),
        Money(100, "idr"),
    )
    town = a_town(tmp_path, a_product(WISH, price=500, pay_what_you_want=True, other_prices=others))

    async def visit() -> None:
        guest = town.client()
        await guest.post("/buy/wish", status=400, currency=currency, amount=typed)
        assert answer in alert(guest)
        assert (field(guest, "currency"), field(guest, "amount")) == (currency, typed)
        assert begun(town) == []

    asyncio.run(visit())


@pytest.mark.parametrize(
    ("currency", "typed", "charged"),
    [
        ("usd", "1,000.00", 100_000), ("eur", "1.000,00", 100_000), ("eur", "1 000", 100_000), ("jpy", "1,500", 1500),
        ("kwd", "1.500", 1500), ("isk", "5.000", 500_000), ("idr", "1.500.000", 150_000_000), ("idr", "1500000", 150_000_000),
    ],
)  # fmt: skip
def test_an_amount_with_one_meaning_is_charged(
    tmp_path: Path, currency: str, typed: str, charged: int
) -> None:
    others = (
        Money(800, "eur"),
        Money(1200, "jpy"),
        Money(1000, "kwd"),
        Money(50000, "isk"),
        Money(100, "idr"),
    )
    town = a_town(tmp_path, a_product(WISH, price=500, pay_what_you_want=True, other_prices=others))
    asyncio.run(town.client().post("/buy/wish", status=303, currency=currency, amount=typed))
    assert begun(town) == [(charged, currency)]


@pytest.mark.parametrize("pay_what_you_want", [True, False])
def test_a_currency_that_was_removed_while_its_page_was_open_is_refused_and_the_page_shown_again(
    tmp_path: Path, pay_what_you_want: bool
) -> None:
    before = a_product(
        WISH, price=500, pay_what_you_want=pay_what_you_want, other_prices=(Money(800, "eur"),)
    )
    town = a_town(tmp_path, before)

    async def visit() -> None:
        guest = town.client()
        await guest.post("/currency", status=303, currency="eur", back="wish")
        await guest.get("/products/wish")
        assert field(guest, "currency") == "eur"
        town.shop.catalogue.edition = an_edition(replace(before, other_prices=()))
        await guest.post("/buy/wish", status=400, currency="eur", amount="12,50")
        assert "no longer offered in the currency you saw" in alert(guest)
        assert field(guest, "currency") == "usd"
        if pay_what_you_want:
            assert field(guest, "amount") == "5.00", "what was typed meant euros"
        assert begun(town) == []
        await guest.post("/buy/wish", status=303, currency="usd", amount="12,50")
        assert begun(town) == [(1250 if pay_what_you_want else 500, "usd")]

    asyncio.run(visit())


def test_the_shops_own_currency_is_not_exchanged_under_an_open_page_either(tmp_path: Path) -> None:
    before = a_product(WISH, price=500)
    town = a_town(tmp_path, before)

    async def visit() -> None:
        guest = town.client()
        town.shop.catalogue.edition = an_edition(replace(before, price=Money(100_000, "jpy")))
        for posted in ("usd", "USD", "xyz", "'><b>"):
            await guest.post("/buy/wish", status=400, currency=posted)
            assert "Buy<span" in guest.html
            assert "¥100,000" in guest.html
        assert begun(town) == []

    asyncio.run(visit())


def test_an_owner_who_buys_again_is_not_charged_in_another_currency_either(tmp_path: Path) -> None:
    before = a_product(WISH, price=500, other_prices=(Money(800, "eur"),))
    town = a_town(tmp_path, before)

    async def visit() -> None:
        client = town.client()
        await town.bought(client, "anna@mail.test", "wish", currency="eur")
        await client.get(f"/view/wish?session_id={next(iter(town.shop.payments.sessions))}", status=303)
        town.shop.catalogue.edition = an_edition(replace(before, other_prices=()))
        await client.post("/buy/wish", status=400, currency="eur", again="yes")
        assert "no longer offered in the currency you saw" in alert(client)
        assert len(begun(town)) == 1

    asyncio.run(visit())


@pytest.mark.parametrize(
    ("price", "pay_what_you_want", "as_guest", "signed_in"),
    [
        (500, False, "Opens at once, and", "Opens at once, and"),
        (500, True, "Opens at once, and", "Opens at once, and"),
        (0, False, "Opens once you confirm your email address.", "Opens at once, and"),
        (
            0,
            True,
            "If you pay, it opens at once. For nothing, it opens once you confirm",
            "Opens at once, and",
        ),
    ],
)
def test_the_line_under_the_button_promises_what_will_happen(
    tmp_path: Path, price: int, pay_what_you_want: bool, as_guest: str, signed_in: str
) -> None:
    """What is free opens once the address is confirmed; whoever is signed in has done that."""
    town = a_town(tmp_path, a_product(WISH, price=price, pay_what_you_want=pay_what_you_want), a_product())

    async def visit() -> None:
        visitor = town.client()
        assert f'<p class="hint">{as_guest}' in await visitor.get("/products/wish")
        await town.bought(visitor, ANNA)
        await town.follow(visitor, ANNA)
        assert f'<p class="hint">{signed_in}' in await visitor.get("/products/wish")

    asyncio.run(visit())


def a_bundle(price: int, *, gift: bool = False, pay_what_you_want: bool = False) -> list[Product]:
    """Of two books, of 9.00 and 14.00 dollars; only the first has a price in euros, too."""
    first = a_product(ProductId("first"), price=900, other_prices=(Money(800, "eur"),))
    second = a_product(ProductId("second"), price=0 if gift else 1400)
    contains = (first.id, second.id)
    both = replace(a_product(WISH, price=price, other_prices=(Money(price, "eur"),)), contains=contains)
    return [first, second, replace(both, pay_what_you_want=pay_what_you_want)]


@pytest.mark.parametrize(
    ("price", "gift", "pay_what_you_want", "saved"),
    [(1900, False, False, "Save $4.00,"), (800, True, False, "Save $1.00,"), (2300, False, False, None),
     (2400, False, False, None), (1900, False, True, None)],
)  # fmt: skip
def test_a_bundle_says_what_it_saves(
    tmp_path: Path, price: int, gift: bool, pay_what_you_want: bool, saved: str | None
) -> None:
    town = a_town(tmp_path, *a_bundle(price, gift=gift, pay_what_you_want=pay_what_you_want))
    page = asyncio.run(town.client().get("/products/wish"))
    assert (re.search(r"Save [^ ]+,", page) or [None])[0] == saved


def test_where_there_is_no_price_in_the_chosen_currency_the_pages_say_so(tmp_path: Path) -> None:
    """Nor is a saving shown that mixes currencies."""
    town = a_town(tmp_path, *a_bundle(1900))

    async def visit() -> None:
        guest = town.client()
        assert "no price in" not in await guest.get("/")
        await guest.post("/currency", status=303, currency="eur")
        assert (await guest.get("/")).count("no price in EUR") == 1
        assert "This has no price in EUR; it is sold in USD." in await guest.get("/products/second")
        assert "has no price" not in await guest.get("/products/first")
        page = await guest.get("/products/wish")
        assert "€19.00" in page
        assert "Save" not in page

    asyncio.run(visit())
