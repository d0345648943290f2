"""Links that carry a promotion code, from the product's page to Stripe's page and the receipt."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from domain.product import CatalogueEdition, PaymentTerms
from domain.promotion import PromotionCode
from domain.values import Money, ProductId
from entrypoints.testing import BOOK, a_product, an_edition
from testkit.catalogues import a_catalogue, load, problems_of
from testkit.pages_in_memory import Client, Town
from testkit.servers import BOOK as LAST_CLOAKROOM
from testkit.servers import Shopper, ShopServer
from testkit.stripe_schema import ask_raw, form
from testkit.waiting import wait_until

USUAL = "<s>$9.00</s>"
IGNORED = "The promotion code in this link does not apply here, so this is the usual price."
NAMED = ProductId("named")


def an_offer() -> CatalogueEdition:
    book = replace(a_product(BOOK), other_prices=(Money(800, "eur"),))
    edition = an_edition(book, replace(a_product(NAMED), pay_what_you_want=True))
    return replace(edition, shop=replace(edition.shop, payment=PaymentTerms(code_links=("SPRING",))))


async def a_town(folder: Path) -> Town:
    town = Town(folder, an_offer(), lambda where, html: None)
    code = PromotionCode(code="SPRING", ref="promo_1", percent_off=Decimal(10))
    town.shop.payments.promotions["SPRING"] = code
    await town.container.code_links().refresh()
    return town


def buttons(html: str) -> list[str]:
    """What the buttons of the page say, without tags."""
    return [re.sub("<[^>]+>", "", text) for text in re.findall(r"<button[^>]*>(.*?)</button>", html)]


def test_the_link_shows_both_prices_and_buys_at_the_lower_one(tmp_path: Path) -> None:
    async def story() -> None:
        town = await a_town(tmp_path)
        guest = town.client()
        html = await guest.get("/products/book?code=spring")
        assert USUAL in html
        assert "<b>$8.10</b>" in html
        assert "The code SPRING is applied at checkout." in html
        assert buttons(html) == ["Buy The book for $8.10", "EUR", "Buy · $8.10"]
        assert '<input type="hidden" name="code" value="SPRING">' in html
        assert '"price": "9.00"' in html or '"price":"9.00"' in html, "search engines see the usual price"
        assert await guest.get("/products/book?code=SPRING") == html
        plain = await guest.get("/products/book")
        assert USUAL not in plain
        assert 'name="code"' not in plain
        await town.started(guest, currency="usd", code="SPRING")
        [checkout] = town.shop.memory.tables.checkouts.values()
        assert checkout.promotion == "promo_1"

    asyncio.run(story())


@pytest.mark.parametrize(
    "query",
    ["code=OTHER", "code=", "code=%25", "code=" + "x" * 2000, "code=%3Cb%3E"],
)
def test_any_other_code_is_ignored_with_one_sentence(tmp_path: Path, query: str) -> None:
    async def story() -> None:
        town = await a_town(tmp_path)
        pages = {client: await client.get(f"/products/book?{query}") for client in await both(town)}
        for html in pages.values():
            assert html.count(IGNORED) == 1
            assert 'name="code"' not in html
            assert "Buy The book for $9.00" in buttons(html)

    async def both(town: Town) -> list[_Hashable]:
        known = _Hashable(town.app, lambda where, html: None)
        await town.started(known, "named", amount="9", currency="usd")
        return [_Hashable(town.app, lambda where, html: None), known]

    asyncio.run(story())


class _Hashable(Client):
    __hash__ = object.__hash__


def test_a_code_takes_nothing_off_what_a_buyer_names(tmp_path: Path) -> None:
    async def story() -> None:
        html = await (await a_town(tmp_path)).client().get("/products/named?code=SPRING")
        assert html.count(IGNORED) == 1
        assert 'name="code"' not in html

    asyncio.run(story())


def test_another_currency_keeps_the_code(tmp_path: Path) -> None:
    async def story() -> None:
        guest = (await a_town(tmp_path)).client()
        await guest.post("/currency", status=303, back="book", currency="eur", code="spring")
        assert guest.headers["location"] == "/products/book?code=SPRING"
        assert "<b>€7.20</b>" in await guest.get("/products/book?code=SPRING")
        await guest.post("/currency", status=303, back="book", currency="usd", code="https://evil.example")
        assert guest.headers["location"] == "/products/book"

    asyncio.run(story())


def test_a_code_of_one_currency_comes_back_with_that_currency(tmp_path: Path) -> None:
    async def story() -> None:
        town = await a_town(tmp_path)
        fiver = PromotionCode(code="SPRING", ref="promo_5", amount_off=Money(500, "usd"))
        town.shop.payments.promotions["SPRING"] = fiver
        town.container.code_links().read_soon()
        await town.container.code_links().refresh()
        guest = town.client()
        await guest.post("/currency", status=303, back="book", currency="eur", code="SPRING")
        html = await guest.get(guest.headers["location"])
        assert (html.count(IGNORED), "Buy The book for €8.00" in buttons(html)) == (1, True)
        [currencies] = re.findall(r'<form class="currencies".*?</form>', html, re.DOTALL)
        assert '<input type="hidden" name="code" value="SPRING">' in currencies
        assert html.count('name="code"') == 1, "the form of Buy has none"
        await guest.post("/currency", status=303, back="book", currency="usd", code="SPRING")
        assert "Buy The book for $4.00" in buttons(await guest.get(guest.headers["location"]))

    asyncio.run(story())


def test_what_a_code_makes_free_is_got_for_free(tmp_path: Path) -> None:
    async def story() -> None:
        town = await a_town(tmp_path)
        gift = PromotionCode(code="SPRING", ref="promo_6", percent_off=Decimal(100))
        town.shop.payments.promotions["SPRING"] = gift
        town.container.code_links().read_soon()
        await town.container.code_links().refresh()
        html = await town.client().get("/products/book?code=SPRING")
        assert buttons(html) == ["Get The book for free", "EUR", "Get for free"]

    asyncio.run(story())


def test_a_code_that_ended_is_told_before_anything_is_charged(tmp_path: Path) -> None:
    async def story() -> None:
        town = await a_town(tmp_path)
        guest = town.client()
        await guest.get("/products/book?code=SPRING")
        town.shop.payments.promotions.clear()
        html = await guest.post("/buy/book", status=409, currency="usd", code="SPRING")
        assert "This promotion code cannot be used any more. Nothing was charged." in html
        assert "Buy The book for $9.00" in buttons(html)
        assert 'name="code"' not in html
        assert not town.shop.payments.sessions

    asyncio.run(story())


def test_owners_who_buy_it_again_keep_the_code(tmp_path: Path) -> None:
    async def story() -> None:
        town = await a_town(tmp_path)
        anna = await town.signed_in("anna@mail.test")
        html = await anna.post("/buy/book", currency="usd", code="SPRING")
        assert "Buy it again for $8.10" in buttons(html)
        assert '<input type="hidden" name="code" value="SPRING">' in html

    asyncio.run(story())


# ------------------------------------------------------------------ the catalogue


def test_codes_of_links_are_read_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    shop = a_catalogue(tmp_path, "a") / "shop.toml"
    text = shop.read_text()
    shop.write_text(text + '\n[payment]\ncode_links = ["SPRING", "may-26", "SPRING"]\n')
    assert load(tmp_path).current().shop.payment.code_links == ("SPRING", "may-26")
    shop.write_text(text + '\n[payment]\ncode_links = ["SPRING", "20 %"]\n')
    assert load(tmp_path).current().shop.payment.code_links == ("SPRING",)
    [problem] = problems_of(tmp_path)
    assert "shop.toml:6" in problem
    assert "code_links has '20 %': a promotion code is letters (a to z), digits and hyphens" in problem
    codes = ", ".join(f'"C{number}"' for number in range(21))
    shop.write_text(text + f"\n[payment]\ncode_links = [{codes}]\n")
    [problem] = problems_of(tmp_path)
    assert "code_links has more than 20 codes" in problem


# ------------------------------------------------------------------ with Stripe


def payment_table(shop: ShopServer, lines: str) -> None:
    toml = shop.catalogue / "shop.toml"
    toml.write_text(toml.read_text() + f"\n[payment]\n{lines}\n")


def test_a_sale_by_a_link_costs_what_the_page_said(own_shop: ShopServer) -> None:
    payment_table(own_shop, 'code_links = ["TENOFF"]')
    guest, path = Shopper(own_shop), f"/products/{LAST_CLOAKROOM}?code=TENOFF"
    wait_until(lambda: "The code TENOFF is applied" in guest.get(path).text)
    price = re.search(r"<b>\$(\d+\.\d\d)</b>", guest.get(path).text)
    assert price is not None
    paying = guest.post(f"/buy/{LAST_CLOAKROOM}", {"currency": "usd", "code": "TENOFF"})
    assert paying.status_code == 303
    page = guest.get(paying.headers["location"]).text
    assert price[1] in page
    assert "Remove it" not in page
    ref = paying.headers["location"].rpartition("/")[2]
    session = ask_raw(own_shop.sandbox, "GET", f"/v1/checkout/sessions/{ref}")
    assert session["cancel_url"].endswith(path)
    own_shop.sandbox.pay(ref)
    assert guest.get(f"/view/{LAST_CLOAKROOM}?session_id={ref}").status_code == 303
    [purchase] = own_shop.export()["purchase"]
    assert f"{purchase['amount'] / 100:.2f}" == price[1]
    assert "TENOFF takes 10% off" in own_shop.cli("doctor").stdout


@pytest.mark.long
def test_stripe_refuses_a_code_that_was_used_up_since_it_was_read(own_shop: ShopServer) -> None:
    payment_table(own_shop, 'code_links = ["TENOFF"]')
    guest, path = Shopper(own_shop), f"/products/{LAST_CLOAKROOM}?code=TENOFF"
    wait_until(lambda: "The code TENOFF is applied" in guest.get(path).text)
    [code] = ask_raw(own_shop.sandbox, "GET", "/v1/promotion_codes?code=TENOFF")["data"]
    ask_raw(own_shop.sandbox, "POST", f"/v1/promotion_codes/{code['id']}", {"active": "false"})
    told = guest.post(f"/buy/{LAST_CLOAKROOM}", {"currency": "usd", "code": "TENOFF"})
    assert (told.status_code, "Nothing was charged" in told.text) == (409, True)
    assert guest.post(f"/buy/{LAST_CLOAKROOM}", {"currency": "usd"}).status_code == 303
    said = own_shop.cli("doctor").stdout
    assert (
        "TENOFF is no active promotion code at Stripe: create it there, or remove it from code_links" in said
    )


@pytest.mark.long
@pytest.mark.parametrize(
    ("coupon", "rules"),
    [
        ({"applies_to": {"products": ["prod_1"]}}, {}),
        ({}, {"restrictions": {"first_time_transaction": "true"}}),
    ],
    ids=["products", "first orders"],
)
def test_a_code_that_is_for_certain_products_or_first_orders_is_not_used_and_doctor_names_it(
    own_shop: ShopServer, coupon: dict[str, object], rules: dict[str, object]
) -> None:
    made = ask_raw(own_shop.sandbox, "POST", "/v1/coupons", form({"percent_off": "20", **coupon}))["id"]
    told = {"promotion": {"type": "coupon", "coupon": made}, "code": "SOME", **rules}
    ask_raw(own_shop.sandbox, "POST", "/v1/promotion_codes", form(told))
    payment_table(own_shop, 'code_links = ["SOME", "TENOFF"]')
    guest, path = Shopper(own_shop), f"/products/{LAST_CLOAKROOM}?code="
    wait_until(lambda: "The code TENOFF is applied" in guest.get(f"{path}TENOFF").text)
    assert IGNORED in guest.get(f"{path}SOME").text
    said = own_shop.cli("doctor").stdout
    assert "SOME is limited to certain products or first orders at Stripe, so it cannot be used here" in said
