"""When a purchase was first opened is noted once: by a GET of its content or a file, never by a preview."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from entrypoints.testing import an_edition
from testkit.pages_in_memory import Client, Town

pytestmark = pytest.mark.anyio
ANNA = "anna@example.com"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path, an_edition(), lambda place, html: None)


async def opened_at(town: Town) -> datetime | None:
    [held] = await town.shop.store.read(lambda tx: tx.purchases.page_after("", limit=9))
    return held.purchase.opened_at


async def test_nothing_but_a_get_by_a_browser_that_holds_it_opens_a_purchase(town: Town) -> None:
    anna, other = town.client(), town.client()
    ref = await town.bought(anna, ANNA)
    await anna.get("/view/book", method="HEAD")
    for header in (
        {"sec-purpose": "prefetch"}, {"sec-purpose": "prefetch;prerender"}, {"purpose": "prefetch"}, {"x-moz": "prefetch"},
    ):  # fmt: skip
        await anna.get("/view/book", **header)
        await anna.get("/files/book/it.txt", **header)
    await anna.get("/files/book/it.txt", method="HEAD")
    await anna.get(f"/view/book?session_id={ref}", status=303)
    await anna.get("/products/book")
    await anna.get("/library")
    await other.get("/view/book", status=403)
    await other.get("/files/book/it.txt", status=403)
    assert await opened_at(town) is None
    town.shop.clock.tick(minutes=3)
    await anna.get("/view/book")
    assert await opened_at(town) == town.shop.clock.now()


async def test_a_file_opens_it_too(town: Town) -> None:
    anna = town.client()
    await town.bought(anna, ANNA)
    await anna.get("/files/book/it.txt")
    assert await opened_at(town) == town.shop.clock.now()


async def opens(client: Client, times: int) -> None:
    for _ in range(times):
        await client.get("/view/book")


async def test_after_the_first_opening_nothing_is_written(town: Town) -> None:
    anna = town.client()
    await town.bought(anna, ANNA)
    await opens(anna, 1)
    first = await opened_at(town)
    before = town.shop.memory.tables
    rows = dict(before.purchases)
    town.shop.clock.tick(minutes=5)
    await opens(anna, 3)
    assert await opened_at(town) == first
    after = town.shop.memory.tables.purchases
    assert all(after[row] is purchase for row, purchase in rows.items())
