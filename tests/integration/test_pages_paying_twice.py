"""The pages on which a payment that is under way shows: product, library, and Buy, which asks before it is paid twice."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from domain.claim import ProviderCheckout
from domain.fact import CheckoutStatus
from domain.values import ProviderRef
from entrypoints.testing import an_edition
from testkit.pages_in_memory import Client, Town

pytestmark = pytest.mark.anyio
ANNA = "anna@example.com"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path, an_edition(), lambda place, html: None)


async def debited(town: Town, client: Client) -> str:
    """A bank debit is under way; Stripe's session."""
    ref = await town.started(client)
    town.shop.payments.pay(ref, email=ANNA, status=CheckoutStatus.UNPAID)
    town.shop.hear_of(ref, event="evt_debit")
    return ref


def hidden(page: str) -> dict[str, str]:
    """The fields of the form that buys again."""
    form = page[page.index('action="/buy/book"') :].partition("</form>")[0]
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))


async def test_product_library_and_buy_mention_a_debit_until_it_ends(town: Town) -> None:
    anna, other = town.client(), town.client()
    await town.started(anna)
    assert "under way" not in await anna.get("/products/book")
    assert "Awaiting your bank" not in await anna.get("/library")
    ref = await debited(town, anna)
    page = await anna.get("/products/book")
    assert "A payment for this is pending" in page
    assert "On 1 March 2026 we asked your bank for $9.00 for The book" in page
    assert "under way" not in await anna.get("/products/photos")
    page = await anna.get("/library")
    assert "The book" in page
    assert "Awaiting your bank" in page
    page = await anna.post("/buy/book", currency="usd")
    assert "A payment for The book is pending" in page
    assert "you pay twice" in page
    assert hidden(page) == {"again": "yes", "currency": "usd"}
    await anna.post("/buy/book", status=303, **hidden(page))
    assert "under way" not in await other.get("/products/book")
    await other.post("/buy/book", status=303)
    town.shop.payments.pay(ref, email=ANNA)
    town.shop.hear_of(ref, event="evt_paid")
    page = await anna.get("/products/book")
    assert "under way" not in page
    assert "You own this already" in page
    assert "Awaiting your bank" not in await anna.get("/library")
    assert "You own The book already" in await anna.post("/buy/book")


async def test_a_library_that_is_kept_shows_a_debit_that_began_since(town: Town) -> None:
    anna = town.client()
    await town.bought(anna, ANNA, "photos")
    assert "Awaiting your bank" not in await anna.get("/library")
    await debited(town, anna)
    assert "Awaiting your bank" in await anna.get("/library")


async def test_an_expired_page_that_comes_back_says_that_nothing_was_paid(town: Town) -> None:
    anna = town.client()
    first = await town.started(anna)
    town.shop.clock.tick(minutes=2)
    second = await town.started(anna)
    town.shop.payments.pay(first, email=ANNA)
    town.shop.hear_of(first)
    await town.container.expire_duplicates()()
    assert "expired" in await anna.get(f"/view/book?session_id={second}")


async def test_a_running_shop_ends_the_other_page_at_once_and_not_only_when_it_reconciles(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, payments, ended = town.client(), town.shop.payments, asyncio.Event()
    await town.shop.store.transact(lambda tx: tx.shop.open(town.edition.shop.id))
    await town.shop.store.transact(lambda tx: tx.shop.serve("http://localhost:1"))
    first = await town.started(anna)
    town.shop.clock.tick(minutes=2)
    second = await town.started(anna)
    payments.cut_off = {"list", "list refunds", "list disputes"}
    payments.pay(first, email=ANNA)
    await anna.get(f"/view/book?session_id={first}", status=303)
    assert payments.sessions[second].status == CheckoutStatus.OPEN
    expire = payments.expire_checkout

    async def expire_and_tell(ref: ProviderRef) -> ProviderCheckout | None:
        reading = await expire(ref)
        ended.set()
        return reading

    monkeypatch.setattr(payments, "expire_checkout", expire_and_tell)
    working = asyncio.create_task(town.container.worker().run())
    try:
        async with asyncio.timeout(60):
            await ended.wait()
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    assert payments.sessions[second].status == CheckoutStatus.EXPIRED
