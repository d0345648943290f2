"""The two boxes of the waiver on every form that starts a paid checkout."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.templates.emails import PackagedTemplates
from domain.product import CatalogueEdition
from domain.promotion import PromotionCode
from domain.values import ProductId
from entrypoints.testing import a_product, an_edition
from testkit.pages_in_memory import Client, Town
from testkit.waivers import GERMAN, TEXT, an_edition_with_waiver

BOTH = {"waiver_text": TEXT.hash, "waiver_wants": "yes", "waiver_knows": "yes"}
TIP, FREE, ALL = ProductId("tip"), ProductId("free"), ProductId("all")


def an_edition_of_all_kinds() -> CatalogueEdition:
    return an_edition_with_waiver(
        a_product(),
        a_product(TIP, price=0, pay_what_you_want=True),
        a_product(FREE, price=0),
        a_product(ALL, price=2000, contains=(ProductId("book"), FREE)),
    )


def visit(edition: CatalogueEdition, scene: Callable[[Town, Client], Coroutine[Any, Any, None]]) -> None:
    town = Town(Path("/nowhere"), edition, look=lambda where, html: None)
    asyncio.run(scene(town, town.client()))


def boxes(html: str) -> list[str]:
    return re.findall(r'<input type="checkbox"[^>]*>', html)


def test_the_page_of_a_paid_product_and_of_a_bundle_has_two_unticked_required_boxes() -> None:
    async def scene(town: Town, client: Client) -> None:
        for pid in ("book", ALL):
            html = await client.get(f"/products/{pid}")
            assert len(boxes(html)) == 2
            for box, name in zip(boxes(html), ("waiver_wants", "waiver_knows"), strict=True):
                assert f'name="{name}"' in box
                assert " required" in box
                assert " checked" not in box
            assert all(sentence in html for sentence in TEXT.sentences)
            assert html.index("<fieldset") > html.index('id="buy"'), "they are in the form"
            assert html.index("</fieldset>") < html.index("<button><span>Buy")

    visit(an_edition_of_all_kinds(), scene)


def test_what_is_free_has_none_and_what_may_be_free_does_not_require_them() -> None:
    async def scene(town: Town, client: Client) -> None:
        assert not boxes(await client.get(f"/products/{FREE}"))
        html = await client.get(f"/products/{TIP}")
        assert len(boxes(html)) == 2
        assert not any("required" in box for box in boxes(html))
        assert "Needed only if you pay something." in html
        assert "email address" in await client.post(f"/buy/{TIP}", amount="0")
        html = await client.post(f"/buy/{TIP}", status=422, amount="3.50", currency="usd")
        assert 'value="3.50"' in html

    visit(an_edition_of_all_kinds(), scene)


def test_without_the_switch_pages_and_checkout_are_as_they_were() -> None:
    async def scene(town: Town, client: Client) -> None:
        assert not boxes(await client.get("/products/book"))
        assert '<form method="post" action="/buy/book">' in await client.get("/")
        await client.post("/buy/book", status=303)

    visit(an_edition(), scene)


def test_the_front_leads_to_the_page_that_has_the_boxes() -> None:
    async def scene(town: Town, client: Client) -> None:
        html = await client.get("/")
        assert 'href="/products/book#buy"' in html
        assert 'action="/buy/book"' not in html
        assert f'action="/buy/{FREE}"' in html

    visit(an_edition_of_all_kinds(), scene)


def test_a_missing_box_is_named_described_and_in_focus_and_the_other_stays_ticked() -> None:
    async def scene(town: Town, client: Client) -> None:
        sent = {"waiver_text": TEXT.hash, "waiver_wants": "yes", "currency": "usd"}
        wants, knows = boxes(await client.post("/buy/book", status=422, **sent))
        assert " checked" in wants
        assert "aria-invalid" not in wants
        assert " checked" not in knows
        assert 'aria-invalid="true" aria-describedby="waiver_knows-problem" autofocus' in knows
        assert re.search(
            '<p class="error" id="waiver_knows-problem" role="alert">Please tick this box', client.html
        )
        assert 'id="waiver_wants-problem"' not in client.html
        assert not town.shop.memory.tables.checkouts

    visit(an_edition_of_all_kinds(), scene)


def test_yesterdays_text_is_asked_again_unticked() -> None:
    async def scene(town: Town, client: Client) -> None:
        html = await client.post("/buy/book", status=422, **(BOTH | {"waiver_text": "ab" * 16}))
        assert "has changed since you opened the page" in html
        assert not any("checked" in box for box in boxes(html))
        assert TEXT.hash in html

    visit(an_edition_of_all_kinds(), scene)


def test_with_both_boxes_the_form_leads_to_the_payment() -> None:
    async def scene(town: Town, client: Client) -> None:
        await client.post("/buy/book", status=303, **BOTH)
        [checkout] = town.shop.memory.tables.checkouts.values()
        assert checkout.waiver is not None
        assert checkout.waiver.text == TEXT.hash

    visit(an_edition_of_all_kinds(), scene)


def test_the_code_of_a_link_and_the_currency_are_kept() -> None:
    edition = an_edition_with_waiver(a_product())
    payment = replace(edition.shop.payment, code_links=("SPRING",))
    edition = replace(edition, shop=replace(edition.shop, payment=payment))

    async def scene(town: Town, client: Client) -> None:
        code = PromotionCode(ref="promo_1", code="SPRING", percent_off=50)
        town.shop.payments.promotions["SPRING"] = code
        await town.container.code_links().refresh()
        assert len(boxes(await client.get("/products/book?code=SPRING"))) == 2
        html = await client.post("/buy/book", status=422, code="SPRING", currency="usd")
        assert '<input type="hidden" name="code" value="SPRING">' in html
        assert "Buy<span" in html
        assert "4.50" in html

    visit(edition, scene)


def test_the_page_that_asks_whether_to_buy_again_has_the_boxes_too_as_they_were_ticked() -> None:
    async def scene(town: Town, client: Client) -> None:
        await town.bought(client, "anna@example.com", **BOTH)
        html = await client.post("/buy/book", currency="usd")
        assert "You own The book already" in html
        assert len(boxes(html)) == 2
        assert not any("checked" in box for box in boxes(html))
        html = await client.post("/buy/book", status=422, again="yes", currency="usd", waiver_knows="yes")
        assert "You own The book already" in html
        assert [' aria-invalid="true"' in box for box in boxes(html)] == [True, True]
        html = await client.post("/buy/book", **BOTH)
        assert all("checked" in box for box in boxes(html))
        await client.post("/buy/book", status=303, again="yes", **BOTH)

    visit(an_edition_of_all_kinds(), scene)


def test_a_german_shop_shows_the_german_text_and_repeats_it_in_the_email() -> None:
    edition = an_edition_with_waiver()
    edition = replace(edition, shop=replace(edition.shop, languages=("de",)))

    async def scene(town: Town, client: Client) -> None:
        html = await client.get("/products/book")
        assert GERMAN.wants in html
        assert '<span lang="de">' in html
        ref = await town.started(client, **(BOTH | {"waiver_text": GERMAN.hash}))
        [checkout] = town.shop.memory.tables.checkouts.values()
        assert checkout.waiver is not None
        assert checkout.waiver.language == "de"
        town.shop.payments.pay(ref, email="anna@example.com")
        town.shop.hear_of(ref)
        [mail] = town.shop.memory.tables.outbox.values()
        languages = town.container.languages()
        templates = PackagedTemplates(languages.language)
        letter = templates.render(mail.email, language="", shop=edition.shop, base_url="https://shop.example")
        assert "Am 1. März 2026, 12:00 UTC haben Sie Folgendem zugestimmt:" in letter.text
        assert GERMAN.knows in letter.text

    visit(edition, scene)
