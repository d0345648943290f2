"""A sale that begins at a moment: no Buy before, Buy from that moment on, without an edit or a restart."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.product import Status
from domain.values import Money, ProductId
from entrypoints.testing import a_product, an_edition
from testkit.catalogues import a_catalogue, load
from testkit.pages_in_memory import Client, Town
from testkit.statuses import FREE, LAMP, a_lamp, a_town, an_owner, become

OPENS = datetime(2026, 12, 24, 18, 0, tzinfo=UTC)
WORDS = "On sale from 24 December 2026, 18:00 UTC"
JUST_BEFORE = OPENS - timedelta(microseconds=1)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def a_waiting_town(folder: Path, **more: object) -> Town:
    return a_town(folder, available_from=OPENS, **more)


def offer_of(html: str) -> dict[str, str]:
    found = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', html)[0])
    return found["offers"]  # type: ignore[no-any-return]


async def may_buy(client: Client, *, home: bool = True) -> bool:
    """Every page that offers it says the same; whether they offer Buy."""
    page = await client.get(f"/products/{LAMP}")
    again = await client.get(f"/buy/{LAMP}")
    pages = [page, again, *([await client.get("/")] if home else [])]
    found = {f'action="/buy/{LAMP}"' in html for html in pages}
    assert {WORDS not in html for html in pages} == found
    [offers_buy] = found
    return offers_buy


@pytest.mark.parametrize("status", [Status.ON_SALE, Status.UNLISTED])
@pytest.mark.parametrize("known", [False, True])
def test_pages_that_were_kept_change_at_that_second(tmp_path: Path, status: Status, *, known: bool) -> None:
    async def work() -> None:
        town = a_waiting_town(tmp_path, status=status)
        client, home = town.client(), status is Status.ON_SALE
        if known:
            client = await town.signed_in("bert@mail.test", "book")
        for moment, expected in ((JUST_BEFORE, False), (OPENS, True)):
            town.shop.clock.time = moment - timedelta(minutes=1) * (not expected)
            assert await may_buy(client, home=home) is expected
            town.shop.clock.time = moment
            assert await may_buy(client, home=home) is expected

    run(work())


def test_buy_is_refused_with_that_sentence_until_then(tmp_path: Path) -> None:
    async def work() -> None:
        town = a_waiting_town(tmp_path, pay_what_you_want=True)
        guest = town.client()
        town.shop.clock.time = JUST_BEFORE
        for pid in (LAMP, FREE):
            for amount in ("20", "not a price", ""):
                page = await guest.post(f"/buy/{pid}", status=409, amount=amount, email="anna@mail.test")
                assert WORDS in page
                assert "Nothing was charged." in page
        assert town.shop.payments.calls == []
        assert town.shop.memory.tables.checkouts == {}
        town.shop.clock.time = OPENS
        await guest.post(f"/buy/{LAMP}", status=303, amount="20")
        await guest.post(f"/buy/{FREE}", email="anna@mail.test")

    run(work())


def test_a_price_that_cannot_be_charged_is_said_on_a_page_with_buy(tmp_path: Path) -> None:
    async def work() -> None:
        town = a_waiting_town(tmp_path, pay_what_you_want=True)
        town.shop.clock.time = OPENS
        page = await town.client().post(f"/buy/{LAMP}", status=400, amount="not a price")
        assert f'action="/buy/{LAMP}"' in page
        assert WORDS not in page

    run(work())


def test_search_engines_read_when_it_begins(tmp_path: Path) -> None:
    async def work() -> None:
        town = a_waiting_town(tmp_path)
        guest = town.client()
        offer = offer_of(await guest.get(f"/products/{LAMP}"))
        assert offer["availability"] == "https://schema.org/PreOrder"
        assert datetime.fromisoformat(offer["availabilityStarts"]) == OPENS
        assert f"/products/{LAMP}<" in await guest.get("/sitemap.xml")
        town.shop.clock.time = OPENS
        offer = offer_of(await guest.get(f"/products/{LAMP}"))
        assert offer["availability"] == "https://schema.org/InStock"
        assert "availabilityStarts" not in offer

    run(work())


@pytest.mark.parametrize(
    ("status", "buy"),
    [(Status.DRAFT, 404), (Status.UNLISTED, 409), (Status.ON_SALE, 409), (Status.RETIRED, 410)],
)
def test_the_status_comes_before_the_moment(tmp_path: Path, status: Status, buy: int) -> None:
    async def work() -> None:
        town = a_waiting_town(tmp_path, status=status)
        guest = town.client()
        await guest.post(f"/buy/{LAMP}", status=buy)
        await guest.get(f"/products/{LAMP}", status=0)
        assert (WORDS in guest.html) == (buy == 409)
        assert ("availabilityStarts" in guest.html) == (buy == 409)

    run(work())


def test_an_owner_opens_it_meanwhile(tmp_path: Path) -> None:
    async def work() -> None:
        town = a_town(tmp_path)
        owner = await an_owner(town)
        become(town.shop, available_from=OPENS)
        assert "You own this already." in await owner.get(f"/products/{LAMP}")
        assert "The secret of the lamp." in await owner.get(f"/view/{LAMP}")
        await owner.post(f"/buy/{LAMP}", status=409)

    run(work())


def test_what_was_put_off_after_its_payment_page_was_opened_is_booked(tmp_path: Path) -> None:
    async def work() -> None:
        town = a_town(tmp_path)
        client = town.client()
        ref = await town.started(client, LAMP)
        become(town.shop, available_from=OPENS)
        town.shop.payments.pay(ref, email="anna@mail.test")
        assert town.shop.hear_of(ref) == "booked"
        assert "The secret of the lamp." in await client.get(f"/view/{LAMP}")

    run(work())


def test_a_bundle_promises_no_saving_over_what_cannot_be_bought_yet(tmp_path: Path) -> None:
    async def work() -> None:
        town = a_waiting_town(tmp_path)
        edition = town.shop.catalogue.edition
        both = replace(
            a_lamp(), id=ProductId("both"), price=Money(1000, "usd"), contains=(ProductId("book"), LAMP)
        )
        products = {**edition.products, both.id: both}
        town.shop.catalogue.edition = replace(edition, version="2", products=products)
        guest = town.client()
        assert "Save" not in await guest.get("/products/both")
        town.shop.clock.time = OPENS
        assert "Save $8.00" in await guest.get("/products/both")

    run(work())


@pytest.mark.long
@given(
    st.lists(st.integers(1, 20), min_size=1, max_size=4),
    st.lists(st.integers(0, 25), min_size=1, max_size=12).map(sorted),
)
def test_however_many_sales_begin_each_begins_at_its_own_moment(opens: list[int], looks: list[int]) -> None:
    """Looked at in any rhythm: guests' kept pages and Buy agree with the clock at every look."""
    start = datetime(2026, 12, 24, tzinfo=UTC)

    def at(minutes: int) -> datetime:
        return start + timedelta(minutes=minutes)

    products = [a_product(ProductId(f"p{n}"), available_from=at(when)) for n, when in enumerate(opens)]
    town = Town(Path("/nowhere"), an_edition(a_product(), *products), lambda where, html: None)

    async def work() -> None:
        client = town.client()
        for look in looks:
            town.shop.clock.time = at(look)
            home = await client.get("/")
            for n, when in enumerate(opens):
                assert (f'action="/buy/p{n}"' in home) == (when <= look)
                page = await client.get(f"/products/p{n}")
                assert (f'action="/buy/p{n}"' in page) == (when <= look)

    run(work())


def test_a_shop_without_such_sales_does_not_ask_the_clock_for_a_guests_page(tmp_path: Path) -> None:
    """The home page is asked for thousands of times a second."""
    asked: list[None] = []

    async def work() -> None:
        town = a_town(tmp_path)
        clock = town.shop.clock
        guest = town.client()
        await guest.get("/")
        now = clock.now
        clock.now = lambda: (asked.append(None), now())[1]  # type: ignore[method-assign]  # a clock that counts
        for _ in range(3):
            await guest.get("/")

    run(work())
    assert asked == []


@pytest.mark.parametrize(
    ("written", "moment", "words"),
    [
        ("2026-12-24T18:00:00Z", OPENS, "24 December 2026, 18:00 UTC"),
        ("2026-12-24 19:00:00+01:00", OPENS, "24 December 2026, 18:00 UTC"),
        ("2026-12-25T00:30:00+06:30", OPENS, "24 December 2026, 18:00 UTC"),
        ("2026-12-24T18:00:05Z", OPENS + timedelta(seconds=5), "24 December 2026, 18:00:05 UTC"),
    ],
)
def test_any_offset_is_read_and_utc_is_shown(
    tmp_path: Path, written: str, moment: datetime, words: str
) -> None:
    root = a_catalogue(tmp_path / "catalogue", "lamp")
    toml = root / "lamp" / "product.toml"
    toml.write_text(f"{toml.read_text()}available_from = {written}\n")
    lamp = load(root, kept=tmp_path / "kept").current().products[LAMP]
    assert lamp.available_from == moment
    toml.write_text("broken")
    assert load(root, kept=tmp_path / "kept").current().products[LAMP].available_from == moment

    async def work() -> None:
        assert f"On sale from {words}" in await a_town(tmp_path, available_from=moment).client().get("/")

    run(work())
