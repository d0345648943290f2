"""What was done is confirmed at the top of the next page, once, and for this browser alone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from pathlib import Path

import pytest

from entrypoints.http.cookies import Cookies
from entrypoints.http.said import Said, sentence_of
from testkit.pages_in_memory import Client, Town
from testkit.public_pages import PREPARED, paths
from testkit.shop_of_every_kind import the_edition

ANNA, NEW = "anna@mail.test", "anna@new.example"
PAGES = paths(PREPARED, product="book")
EXPIRED = "said=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
PUBLIC = "public, max-age=0, must-revalidate"


def a_town(folder: Path) -> Town:
    return Town(folder, the_edition(), lambda where, html: None)


def run(visit: Coroutine[None, None, None]) -> None:
    asyncio.run(visit)


def confirmed(client: Client) -> str:
    """The line at the top of the page's main part; "" without one."""
    found = re.search(r'<main [^>]*>\s*<p class="note said" role="status">([^<]*)</p>', client.html)
    assert (found is not None) == ("note said" in client.html)
    return "" if found is None else found[1]


async def landed(client: Client) -> str:
    """Follow the redirects of the answer as a browser does; what the page confirms."""
    for _ in range(3):
        if client.status != 303:
            break
        await client.get(client.headers["location"], status=0)
    assert client.status == 200
    return confirmed(client)


def ending(client: Client, button: str) -> str:
    """The id behind one of the buttons of /sessions."""
    found = re.search(rf'name="end" value="([^"]+)"><button[^>]*>{button}', client.html)
    assert found is not None, client.html
    return found[1]


def test_signing_in_is_confirmed_once(tmp_path: Path) -> None:
    town = a_town(tmp_path)

    async def visit() -> None:
        await town.bought(town.client(), ANNA)
        phone = town.client()
        await phone.post("/request-login", email=ANNA)
        await town.follow(phone, ANNA)
        assert await landed(phone) == "You are signed in."
        assert phone.headers["cache-control"] == "no-store"
        await phone.get("/library")
        assert confirmed(phone) == ""

    run(visit())


def test_a_link_that_opens_a_purchase_confirms_the_sign_in_there(tmp_path: Path) -> None:
    town = a_town(tmp_path)

    async def visit() -> None:
        anna = await town.signed_in(ANNA)
        assert anna.headers["location"] == "/view/book"
        assert await landed(anna) == "You are signed in."
        await anna.get("/view/book")
        assert confirmed(anna) == ""

    run(visit())


def test_signing_out_is_confirmed_on_the_page_of_guests(tmp_path: Path) -> None:
    town = a_town(tmp_path)

    async def visit() -> None:
        anna = await town.signed_in(ANNA)
        await anna.post("/logout", status=303)
        assert anna.headers["location"] == "/"
        assert await landed(anna) == "You are signed out."
        await anna.get("/")
        assert confirmed(anna) == ""

    run(visit())


def test_ending_another_device_this_one_and_all_are_told_apart(tmp_path: Path) -> None:
    town = a_town(tmp_path)

    async def visit() -> None:
        anna, phone = await town.signed_in(ANNA), town.client()
        await phone.post("/request-login", email=ANNA)
        await town.follow(phone, ANNA)
        await landed(phone)
        await phone.get("/sessions")
        other = ending(phone, r'Sign out<span class="visually-hidden"> [\w ]+</span>')
        await phone.post("/sessions", status=303, end=other)
        assert await landed(phone) == "That browser is signed out."
        await phone.post("/sessions", status=303, end=other)
        assert await landed(phone) == "", "nothing ended"
        await phone.post("/sessions", status=303, end=ending(phone, "Sign out"))
        assert await landed(phone) == "You are signed out."
        assert 'action="/request-login"' in phone.html
        await anna.get("/sessions", status=303)

        await phone.post("/request-login", email=ANNA)
        await town.follow(phone, ANNA)
        await phone.post("/sessions", status=303, end="all")
        assert await landed(phone) == "You are signed out on all devices."

    run(visit())


def test_a_browser_that_only_started_a_checkout_has_nothing_to_be_signed_out_of(tmp_path: Path) -> None:
    town = a_town(tmp_path)

    async def visit() -> None:
        payer, phone = town.client(), town.client()
        await town.bought(payer, ANNA)
        await payer.get("/view/book")
        await town.follow(phone, ANNA)
        await landed(phone)
        await phone.get("/sessions")
        await phone.post("/sessions", status=303, end=ending(phone, "End access"))
        assert await landed(phone) == "That browser no longer has access to your purchases."
        await payer.post("/sessions", status=303, end="all")
        assert await landed(payer) == "You are signed out."

    run(visit())


def test_switching_release_emails_is_confirmed_if_it_happened(tmp_path: Path) -> None:
    town = a_town(tmp_path)

    async def visit() -> None:
        anna = await town.signed_in(ANNA)
        await landed(anna)
        await anna.post("/account/news", status=303, wanted="no")
        assert await landed(anna) == "You will get no more emails about new versions."
        await anna.post("/account/news", status=303, wanted="yes")
        assert await landed(anna) == "You will get an email when there is a new version of something you own."
        guest = town.client()
        await guest.post("/account/news", status=303, wanted="no")
        assert await landed(guest) == ""

    run(visit())


def test_a_change_of_address_and_its_undoing_are_confirmed(tmp_path: Path) -> None:
    town = a_town(tmp_path)

    async def visit() -> None:
        anna = await town.signed_in(ANNA)
        await landed(anna)
        await anna.post("/account/email", email=NEW)
        await town.follow(anna, NEW)
        assert await landed(anna) == "Your address is confirmed. You are signed in."
        await town.follow(anna, ANNA)
        assert await landed(anna) == "The change is undone. You are signed in."

    run(visit())


@pytest.mark.parametrize("path", PAGES)
def test_a_guest_with_a_confirmation_gets_a_page_of_their_own(tmp_path: Path, path: str) -> None:
    """The page that is kept for all others has neither the sentence nor the cookie in it."""
    town = a_town(tmp_path)

    async def visit() -> None:
        guest, other = town.client(), town.client()
        before = await guest.get(path)
        tag = guest.headers["etag"]
        assert guest.headers["cache-control"] == PUBLIC
        assert "Cookie" in guest.headers["vary"]
        guest.cookies["said"] = "signed-out"
        asked = {"if-none-match": tag, "accept-encoding": "br, gzip"}
        await guest.get(path, **asked)
        assert confirmed(guest) == "You are signed out."
        assert guest.headers["cache-control"] == "no-store"
        assert guest.headers["set-cookie"] == EXPIRED
        assert not {"etag", "content-encoding"} & guest.headers.keys()
        assert await other.get(path) == before
        assert (other.headers["etag"], other.headers["cache-control"]) == (tag, PUBLIC)
        assert "set-cookie" not in other.headers
        assert await guest.get(path) == before, "it was shown once"

    run(visit())


def test_kept_pages_of_those_signed_in_have_no_confirmation_in_them(tmp_path: Path) -> None:
    town = a_town(tmp_path)

    async def visit() -> None:
        anna, bert = await town.signed_in(ANNA), await town.signed_in("bert@mail.test")
        await landed(anna)
        await landed(bert)
        for path in ("/", "/library"):
            await anna.get(path)
            assert confirmed(anna) == ""
            for _ in range(2):
                anna.cookies["said"] = "release-emails-off"
                await anna.get(path)
                assert confirmed(anna) == "You will get no more emails about new versions."
                assert anna.headers["set-cookie"] == EXPIRED
            for client in (anna, bert):
                client.cookies["said"] = ""
                await client.get(path)
                assert confirmed(client) == ""
                assert "set-cookie" not in client.headers

    run(visit())


@pytest.mark.parametrize("path", [*PAGES, "/request-login"])
def test_head_leaves_the_confirmation_for_the_page(tmp_path: Path, path: str) -> None:
    town = a_town(tmp_path)

    async def visit() -> None:
        guest = town.client()
        guest.cookies["said"] = "signed-out"
        await guest.get(path, method="HEAD")
        assert "set-cookie" not in guest.headers
        assert guest.headers["cache-control"] == "no-store"
        await guest.get(path)
        assert confirmed(guest) == "You are signed out."

    run(visit())


@pytest.mark.parametrize(
    "value", ["", "You+owe+us+money", "SIGNED-IN", "SIGNED_IN", '"signed-in"', "<b>", "\xff"]
)
def test_a_value_that_the_shop_never_sets_shows_nothing(tmp_path: Path, value: str) -> None:
    town = a_town(tmp_path)

    async def visit() -> None:
        guest, planted = town.client(), town.client()
        planted.cookies["said"] = value
        assert await planted.get("/") == await guest.get("/")
        assert planted.headers["etag"] == guest.headers["etag"]
        await planted.get("/request-login")
        assert confirmed(planted) == ""
        assert "set-cookie" not in planted.headers

    run(visit())


@pytest.mark.parametrize("said", Said)
def test_the_cookie_holds_a_word_for_a_minute(said: Said) -> None:
    https = Cookies(https=True, host="www.shop.test")
    assert https.say(said) == (
        "set-cookie", f"__Host-said={said.value}; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
    )  # fmt: skip
    assert re.fullmatch("[a-z-]{1,30}", said.value)
    assert sentence_of(said).endswith(".")
    twice = f"__Host-said={said.value}; __Host-said={said.value}".encode()
    assert https.read([(b"cookie", twice)]).values == {}
