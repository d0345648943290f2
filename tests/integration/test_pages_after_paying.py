"""What the browser that paid reads first: thanks, the amount, and where the link went."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from domain.ports import StoreUnavailable
from domain.values import ProviderRef
from entrypoints.testing import a_product, an_edition
from testkit.pages_in_memory import Client, Town

TYPED, MEANT, NEW = "anna@gmial.com", "anna@gmail.com", "anna@new.example"


def a_town(folder: Path) -> Town:
    return Town(folder, an_edition(a_product()), lambda where, html: None)


async def paid(town: Town, email: str = TYPED) -> tuple[Client, str]:
    payer = town.client()
    await town.bought(payer, email)
    await payer.get("/view/book")
    return payer, town.order(payer)


def words(client: Client) -> str:
    return " ".join(re.sub("<[^>]+>", "", client.html).split())


def test_the_browser_that_paid_is_thanked_with_amount_address_and_receipt(tmp_path: Path) -> None:
    town = a_town(tmp_path)

    async def visit() -> None:
        payer, order = await paid(town, "anna@example.com")
        page = await payer.get("/view/book")
        said = "Thank you. You paid $9.00. An access link was sent to anna@example.com. Receipt"
        assert said in words(payer)
        assert page.index(f'href="/orders/{order}"') < page.index("The secret of the book")
        assert "Did you mean" not in page

    asyncio.run(visit())


def test_a_mistyped_domain_is_suggested_and_corrected_with_one_press(tmp_path: Path) -> None:
    town = a_town(tmp_path)

    async def visit() -> None:
        payer, order = await paid(town)
        page = await payer.get("/view/book")
        assert f"Did you mean {MEANT}?" in words(payer)
        assert f'name="email" value="{MEANT}"' in page
        await payer.post(f"/orders/{order}/address", email=MEANT)
        town.shop.deliver_mail()
        page = await payer.get("/view/book")
        assert TYPED not in page, "it was corrected"
        assert "Did you mean" not in page
        await town.follow(payer, MEANT)
        assert "Thank you" not in await payer.get("/view/book"), "its owner is signed in"

    asyncio.run(visit())


def test_the_browser_that_paid_never_reads_where_the_owner_moved(tmp_path: Path) -> None:
    town = a_town(tmp_path)

    async def visit() -> None:
        payer, _ = await paid(town, "anna@example.com")
        owner = town.client()
        await town.follow(owner, "anna@example.com")
        await owner.post("/account/email", email=NEW)
        town.shop.deliver_mail()
        await town.follow(owner, NEW)
        page = await payer.get("/view/book")
        assert "sent to <b>anna@example.com</b>" in page, "what was typed here, and nothing that came later"
        assert NEW not in page
        stranger = town.client()
        assert "anna@" not in await stranger.get("/view/book", status=403)

    asyncio.run(visit())


def test_a_correction_that_nobody_confirmed_changes_no_sentence(tmp_path: Path) -> None:
    town = a_town(tmp_path)

    async def visit() -> None:
        payer, order = await paid(town, "anna@example.com")
        await payer.post(f"/orders/{order}/address", email=NEW)
        town.shop.deliver_mail()
        page = await payer.get("/view/book")
        assert "An access link was sent to your address." in page
        assert "belongs to the corrected address" not in page

    asyncio.run(visit())


def test_the_form_answers_the_typed_address_alike_whether_its_owner_moved(tmp_path: Path) -> None:
    town = a_town(tmp_path)

    async def visit() -> None:
        payer, order = await paid(town, "anna@example.com")
        before = await payer.post(f"/orders/{order}/address", email="anna@example.com")
        owner = town.client()
        await town.follow(owner, "anna@example.com")
        await owner.post("/account/email", email=NEW)
        town.shop.deliver_mail()
        await town.follow(owner, NEW)
        assert await payer.post(f"/orders/{order}/address", email="anna@example.com") == before
        assert "That is the address already" in before

    asyncio.run(visit())


def test_the_address_is_shown_as_long_as_it_can_be_corrected(tmp_path: Path) -> None:
    """Whoever began the checkout need not be who paid, at a public computer for example."""
    town = a_town(tmp_path)

    async def visit() -> None:
        payer, _ = await paid(town, "anna@example.com")
        town.shop.clock.tick(minutes=29)
        assert "anna@example.com" in await payer.get("/view/book")
        town.shop.clock.tick(minutes=1)
        page = await payer.get("/view/book")
        assert "anna@example.com" not in page
        assert "An access link was sent to your address." in page

    asyncio.run(visit())


def test_library_and_receipt_show_it_too_to_the_browser_that_paid(tmp_path: Path) -> None:
    town = a_town(tmp_path)

    async def visit() -> None:
        payer, order = await paid(town, "anna@example.com")
        for path in ("/library", f"/orders/{order}"):
            await payer.get(path)
            assert re.search(r"Address given at the payment:? ?anna@example.com", words(payer)), path
        town.shop.clock.tick(minutes=30)
        for path in ("/library", f"/orders/{order}"):
            assert "anna@example.com" not in await payer.get(path), path

    asyncio.run(visit())


def test_neither_names_the_address_to_which_the_owner_moved(tmp_path: Path) -> None:
    town = a_town(tmp_path)

    async def visit() -> None:
        payer, order = await paid(town, "anna@example.com")
        owner = town.client()
        await town.follow(owner, "anna@example.com")
        await owner.post("/account/email", email=NEW)
        town.shop.deliver_mail()
        await town.follow(owner, NEW)
        for path in ("/library", f"/orders/{order}"):
            page = await payer.get(path)
            assert "anna@example.com" in page, path
            assert NEW not in page, path

    asyncio.run(visit())


@pytest.mark.parametrize(("error", "status"), [(StoreUnavailable(), 503), (RuntimeError("a bug"), 500)])
def test_no_error_after_paying_says_that_nothing_was_charged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    """Whoever reads that pays once more."""
    town = a_town(tmp_path)

    async def breaks(ref: ProviderRef) -> None:
        raise error

    async def visit() -> None:
        payer = town.client()
        ref = await town.started(payer)
        town.shop.payments.pay(ref, email=MEANT)
        monkeypatch.setattr(town.shop.payments, "retrieve_checkout", breaks)
        await payer.get(f"/view/book?session_id={ref}", status=status)
        assert "If you have paid, there is no need to pay again" in words(payer)
        assert "charged" not in words(payer)

    asyncio.run(visit())
