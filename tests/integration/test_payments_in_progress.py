"""Pages around a payment that is not settled yet: what moves along, what may not be deleted. The shop is in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from domain.fact import CheckoutStatus
from domain.mail import Delivery
from domain.product import CatalogueEdition
from domain.values import ProductId, ProviderRef
from entrypoints.cli_output import status_lines
from entrypoints.testing import an_edition
from entrypoints.testing.fakes import a_product
from testkit.pages_in_memory import Client, Town

ANNA, NEW = "anna@mail.test", "anna@new.test"


def play(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    edition: CatalogueEdition = an_edition(
        a_product(ProductId("book")), a_product(ProductId("photos")), a_product(ProductId("gift"), price=0)
    )
    return Town(tmp_path, edition, lambda where, html: None)


async def a_debit(town: Town, client: Client, product: str = "photos") -> ProviderRef:
    ref = await town.started(client, product)
    settle(town, ref, CheckoutStatus.UNPAID)
    return ref


def settle(town: Town, ref: ProviderRef, status: str) -> None:
    town.shop.payments.pay(ref, email=ANNA, status=status)
    town.shop.hear_of(ref, event=f"evt_{ref[-8:]}_{status}")
    town.shop.deliver_mail()


@pytest.mark.parametrize("as_guest", [True, False])
def test_what_a_pending_debit_pays_for_opens_under_the_new_address(town: Town, as_guest: bool) -> None:
    async def story() -> None:
        client = town.client()
        await town.bought(client, ANNA)
        ref = await a_debit(town, client) if as_guest else None
        await town.follow(client, ANNA)
        ref = ref or await a_debit(town, client)
        await client.post("/account/email", email=NEW)
        link = town.link(NEW)
        await client.get(link)
        await client.post(link, status=303)
        await client.get("/view/photos", status=403)
        settle(town, ref, CheckoutStatus.PAID)
        assert "The photos" in await client.get("/view/photos")
        assert "The photos" in await client.get("/library")

    play(story())


def test_an_account_is_not_deleted_while_a_payment_is_pending_and_the_page_says_so_at_once(
    town: Town,
) -> None:
    async def story() -> None:
        client = await town.signed_in(ANNA)
        ref = await a_debit(town, client)
        for page in (
            await client.get("/account/erase", status=409),
            await client.post("/account/erase", status=409, sure="yes"),
        ):
            assert "Your account cannot be deleted yet" in page
            assert "The photos" in page
            assert "I am sure" not in page
        data = await client.get("/account/data")
        assert '"pending_payments"' in data
        assert '"photos"' in data
        settle(town, ref, CheckoutStatus.PAID)
        assert "I am sure" in await client.get("/account/erase")
        town.shop.clock.tick(hours=2)
        assert "Please sign in again first" in await client.get("/account/erase", status=403)

    play(story())


def test_status_names_the_money_that_came_for_a_deleted_account_and_what_to_do(town: Town) -> None:
    async def story() -> None:
        client = await town.signed_in(ANNA)
        ref = await town.started(client, "photos")
        await client.post("/account/erase", sure="yes")
        settle(town, ref, CheckoutStatus.PAID)
        report = await status_lines(town.container, dismiss=None, send_again=None, send_refused=False)
        [line] = [line for line in report.lines if ref in line]
        assert "Paid after its customer deleted the account: nothing was delivered and nobody" in line
        assert line.endswith("Refund it in Stripe's dashboard.")
        assert not report.all_well
        assert "is waiting for you" not in "\n".join(report.lines)

    play(story())


def test_a_page_that_is_not_there_offers_a_guest_the_library_and_to_sign_out(town: Town) -> None:
    async def story() -> None:
        client = town.client()
        await town.bought(client, ANNA)
        for path in ("/nothing", "/products/nothing"):
            page = await client.get(path, status=404)
            assert ">Library<" in page
            assert ">Sign out<" in page
            assert ">Sign in<" not in page

    play(story())


def test_status_does_not_say_that_nothing_waits_while_an_access_email_has_bounced(town: Town) -> None:
    async def status(dismiss: str | None = None) -> tuple[bool, str]:
        report = await status_lines(town.container, dismiss=dismiss, send_again=None, send_refused=False)
        return report.all_well, "\n".join(report.lines)

    async def story() -> None:
        await town.bought(town.client(), ANNA)
        town.shop.deliver_mail()
        [mail] = town.shop.memory.tables.outbox
        await town.shop.store.transact(lambda tx: tx.outbox.record_delivery(mail, Delivery.BOUNCED))
        well, said = await status()
        assert (well, "; 1 access email bounced" in said, "is waiting for you" in said) == (
            False,
            True,
            False,
        )
        well, said = await status(dismiss=mail)
        assert (well, "Nothing is waiting for you." in said) == (True, True)

    play(story())


# ------------------------------------------------------------------ one browser, two tabs


async def two_tabs(town: Town) -> tuple[Client, list[ProviderRef]]:
    """A browser without cookies presses Buy in both at once, and keeps the cookies of both answers."""
    tabs = [town.client(), town.client()]
    refs = [await town.started(tab, product) for tab, product in zip(tabs, ("book", "photos"), strict=True)]
    browser = town.client()
    browser.cookies = tabs[0].cookies | tabs[1].cookies
    assert len(browser.cookies) == 3
    return browser, refs


@pytest.mark.parametrize("webhook", ["before", "after", "never"])
@pytest.mark.parametrize("order", [1, -1])
def test_two_first_checkouts_at_once_both_open_in_the_browser_that_began_them(
    town: Town, order: int, webhook: str
) -> None:
    async def story() -> None:
        browser, refs = await two_tabs(town)
        both = list(zip(("book", "photos"), refs, strict=True))[::order]
        for product, ref in both:
            town.shop.payments.pay(ref, email=ANNA)
            if webhook == "before":
                town.shop.hear_of(ref, event=f"evt_{ref[-8:]}")
            await browser.get(f"/view/{product}?session_id={ref}", status=303)
            if webhook == "after":
                town.shop.hear_of(ref, event=f"evt_{ref[-8:]}")
        for product, _ in both:
            await browser.get(f"/view/{product}")
        assert len(town.shop.memory.tables.purchases) == 2

    play(story())


def test_the_cookie_of_a_checkout_opens_nothing_else_and_is_made_by_the_shop(town: Town) -> None:
    """Not another checkout, not without a session, not to a guess, and a value of the client's is never kept."""

    async def story() -> None:
        browser, (first, second) = await two_tabs(town)
        for ref in (first, second):
            town.shop.payments.pay(ref, email=ANNA)
            town.shop.hear_of(ref, event=f"evt_{ref[-8:]}")
        rows = {c.provider_ref: c.id for c in town.shop.memory.tables.checkouts.values()}
        mine = browser.cookies[f"checkout-{rows[first]}"]
        for cookies in (
            {f"checkout-{rows[first]}": "a" * 64},
            {f"checkout-{rows[second]}": mine},
            {f"checkout-{'0' * 32}": mine},
            {f"checkout-{rows[first]}": mine[:-1]},
        ):
            stranger = town.client()
            town.shop.clock.tick(minutes=1)
            await town.started(stranger)
            stranger.cookies |= cookies
            for product, ref in (("book", first), ("photos", second)):
                await stranger.get(f"/view/{product}?session_id={ref}", status=200)
                await stranger.get(f"/view/{product}", status=403)
        nobody = town.client()
        nobody.cookies = {f"checkout-{rows[first]}": mine}
        await nobody.get(f"/view/book?session_id={first}", status=200)
        planted = town.client()
        town.shop.clock.tick(minutes=1)
        planted.cookies = {f"checkout-{rows[first]}": "b" * 64}
        await town.started(planted)
        assert "b" * 64 not in [v for k, v in planted.cookies.items() if k != f"checkout-{rows[first]}"]

    play(story())


@pytest.mark.parametrize("how", ["signs out", "verifies another address", "a day passes"])
def test_what_ends_the_grant_of_a_checkout_ends_that_of_its_cookie(town: Town, how: str) -> None:
    async def story() -> None:
        browser, (first, _) = await two_tabs(town)
        town.shop.payments.pay(first, email=ANNA)
        town.shop.hear_of(first, event="evt_1")
        copied = dict(browser.cookies)
        if how == "signs out":
            await browser.post("/logout", status=303)
            assert set(browser.cookies) == {"said"}
            browser.cookies = {name: value for name, value in copied.items() if name != "session"}
            await town.started(browser, "photos")
        elif how == "verifies another address":
            await town.bought(town.client(), NEW, "photos")
            await town.follow(browser, NEW)
        else:
            town.shop.clock.tick(hours=25)
        await browser.get(f"/view/book?session_id={first}", status=200)
        await browser.get("/view/book", status=403)

    play(story())


def test_a_browser_carries_the_cookies_of_its_five_newest_checkouts(town: Town) -> None:
    async def story() -> None:
        browser = town.client()
        for _ in range(8):
            town.shop.clock.tick(minutes=2)
            await town.started(browser)
            browser.cookies = {name: value for name, value in browser.cookies.items() if value}
        carried = sorted(name for name in browser.cookies if name.startswith("checkout-"))
        newest = sorted(town.shop.memory.tables.checkouts)[-5:]
        assert carried == [f"checkout-{one}" for one in newest]

    play(story())


# ------------------------------------------------------------------ forms that are submitted twice


def test_buy_that_is_pressed_twice_leads_to_the_same_payment_page(town: Town) -> None:
    async def story() -> None:
        browser = town.client()
        await town.bought(browser, ANNA)
        refs = {await town.started(browser, "photos") for _ in range(2)}
        assert len(refs) == 1
        refs.add(await town.started(browser, "book", again="yes"))
        assert len(refs) == 2, "another product is another order"
        town.shop.clock.tick(minutes=2)
        refs.add(await town.started(browser, "photos"))
        assert len(refs) == 3

    play(story())


def effects(town: Town) -> tuple[int, ...]:
    tables = town.shop.memory.tables
    return (
        len(tables.purchases),
        len(tables.outbox),
        len(tables.moves),
        len(tables.links),
        len(tables.erasures),
    )


async def twice(town: Town, client: Client, path: str, **fields: str) -> None:
    """The same form, from the browser as it was: the answer is the same, and nothing is done again."""
    before = dict(client.cookies)
    first = await client.post(path, status=0, **fields), client.status, client.headers.get("location")
    done = effects(town)
    after, client.cookies = client.cookies, before
    town.shop.clock.tick(seconds=3)
    again = await client.post(path, status=0, **fields), client.status, client.headers.get("location")
    assert again == first
    assert first[1] in (200, 303), first
    assert effects(town) == done
    client.cookies = after | client.cookies


def test_forms_that_happen_once_survive_a_double_submit(town: Town) -> None:
    async def story() -> None:
        guest = town.client()
        await town.started(guest)
        await twice(town, guest, "/buy/gift", email="guest@mail.test")
        town.shop.deliver_mail()
        assert len(town.shop.letters_to("guest@mail.test")) == 1
        payer = town.client()
        await town.bought(payer, "mistyped@mail.test")
        await payer.get("/view/book")
        await twice(town, payer, f"/orders/{town.order(payer)}/address", email=NEW)
        client = await town.signed_in(ANNA)
        await twice(town, client, "/buy/gift")
        await twice(town, client, "/buy/gift", again="yes")
        assert sum(p.product == "gift" for p in town.shop.memory.tables.purchases.values()) == 1
        await twice(town, client, "/account/email", email=NEW)
        assert len(town.shop.letters_to(ANNA)) == 1, "and one notice, which is not delivered yet"
        await twice(town, client, "/account/erase", sure="yes")
        assert "Your account is deleted" in client.html
        assert "session" not in client.cookies

    play(story())


def test_the_same_form_after_a_minute_is_another_request(town: Town) -> None:
    """It is no double click any more: it is asked about, refused, or sends another email."""

    async def story() -> None:
        payer = town.client()
        await town.bought(payer, "mistyped@mail.test")
        await payer.get("/view/book")
        correction = f"/orders/{town.order(payer)}/address"
        await payer.post(correction, email=NEW)
        client = await town.signed_in(ANNA)
        await client.post("/buy/gift", status=303)
        await client.post("/account/email", email="anna@newer.test")
        town.shop.clock.tick(seconds=61)
        moves = len(town.shop.memory.tables.moves)
        await payer.post(correction, status=409, email=NEW)
        assert "You own The gift already" in await client.post("/buy/gift")
        assert len(town.shop.memory.tables.moves) == moves
        await client.post("/account/email", email="anna@newer.test")
        assert len(town.shop.memory.tables.moves) == moves + 1

    play(story())


def test_a_deletion_is_answered_alike_to_its_own_browser_alone_and_for_a_minute(town: Town) -> None:
    async def story() -> None:
        client = await town.signed_in(ANNA)
        held = dict(client.cookies)
        await client.post("/account/erase", sure="yes")
        client.cookies = dict(held)
        await client.post("/account/erase", sure="yes")
        stranger = town.client()
        await town.started(stranger)
        for cookies in ({}, {"session": "0" * 64}, stranger.cookies):
            other = town.client()
            other.cookies = dict(cookies)
            await other.post("/account/erase", status=303, sure="yes")
        town.shop.clock.tick(seconds=61)
        client.cookies = dict(held)
        await client.post("/account/erase", status=303, sure="yes")

    play(story())


# ------------------------------------------------------------------ links


def test_a_used_link_goes_on_to_the_product_where_its_owner_is_signed_in(town: Town) -> None:
    async def story() -> None:
        client = await town.signed_in(ANNA, "photos")
        town.shop.clock.tick(minutes=5)
        link = town.link(ANNA)
        for behind in ("", ".", ">", ")"):
            await client.get(link + behind, status=303)
            assert client.headers["location"] == "/view/photos"
            await client.post(link + behind, status=303)
            assert client.headers["location"] == "/view/photos"
        await town.client().get(link, status=410)

    play(story())
