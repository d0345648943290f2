"""Whose browser a link acts for, over real HTTP: one that is another's, and submits that come twice."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from testkit.engines import everything_in
from testkit.servers import BOOK, PHOTOS, Shopper, ShopServer
from testkit.shoppers import address, cookie_in, letter, masked, paid, post_with, signed_in
from testkit.waiting import wait_until

pytestmark = pytest.mark.engines


# ------------------------------------------------------------------ somebody else's link


def test_the_page_of_a_link_names_the_account_and_warns_where_it_was_not_asked_for(shop: ShopServer) -> None:
    email = address()
    Shopper(shop).buy_and_pay(email)
    asking, other = Shopper(shop), Shopper(shop)
    asking.post("/request-login", {"email": email})
    link, _ = letter(shop, email, 2)
    for browser, warned in ((asking, False), (other, True)):
        page = browser.get(link).text
        assert f"Sign in as {masked(email)}" in page
        assert email not in page
        assert ("If someone else sent you the link" in page) is warned


def test_the_page_of_a_product_says_who_is_signed_in_and_offers_to_sign_out(shop: ShopServer) -> None:
    email = address()
    browser, _ = signed_in(shop, email)
    for product in (BOOK, PHOTOS):
        page = browser.get(f"/products/{product}").text
        assert f"signed in as <b>{email}</b>" in page
        assert "Not you? Sign out" in page
    assert "Not you?" not in Shopper(shop).get(f"/products/{BOOK}").text
    assert "Not you?" not in paid(shop, address())[0].get(f"/products/{PHOTOS}").text


# ------------------------------------------------------------------ the same submit, twice


def test_the_page_of_a_link_sets_a_cookie_that_is_stored_nowhere(own_shop: ShopServer) -> None:
    email = address()
    shopper = Shopper(own_shop)
    shopper.buy_and_pay(email)
    link = shopper.link_from(email)
    wait_until(lambda: {mail["state"] for mail in own_shop.export()["mail"]} == {"sent"})
    before = everything_in(own_shop)
    head = shopper.http.head(link)
    assert (head.status_code, cookie_in(head, "form")) == (200, None)
    values = set()
    for _ in range(2):
        found = cookie_in(shopper.get(link), "form")
        assert found is not None
        value, *rest = found.removeprefix("form=").split("; ")
        assert {part.lower() for part in rest} >= {"httponly", "samesite=lax", "path=/"}
        assert re.fullmatch("[0-9a-f]{64}", value)
        values.add(value)
    assert len(values) == 2
    assert everything_in(own_shop) == before


@pytest.mark.long
def test_on_https_the_cookie_of_a_link_belongs_to_this_host_alone(tmp_path: Path) -> None:
    """Behind a proxy that speaks TLS."""
    shop = ShopServer(tmp_path)
    shop.environment["BASE_URL"] = f"https://localhost:{shop.port}"
    shop.sandbox.start()
    try:
        shop.start()
        email = address()
        shop.sandbox.pay(Shopper(shop).buy(), email=email, copies=1)
        link, _ = letter(shop, email, 1)
        found = cookie_in(Shopper(shop).get(link), "__Host-form")
        assert found is not None
        rest = {part.lower() for part in found.split("; ")[1:]}
        assert rest >= {"httponly", "samesite=lax", "path=/", "secure"}
        assert not any(part.startswith("domain") for part in rest)
    finally:
        for client in shop.clients:
            client.close()
        shop.process.stop()
        shop.sandbox.stop()


@pytest.mark.parametrize("at", ["access", "sign-in"])
def test_a_link_that_is_submitted_twice_gives_the_same_session_to_the_cookie_of_its_page_alone(
    shop: ShopServer, at: str
) -> None:
    email = address()
    Shopper(shop).buy_and_pay(email)
    browser = Shopper(shop)
    if at == "sign-in":
        browser.post("/request-login", {"email": email})
        letter(shop, email, 2)
    link = browser.link_from(email)
    browser.get(link)
    held = dict(browser.http.cookies)
    first, second = (post_with(shop, link, {}, **held) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    given = cookie_in(first, "session")
    assert given is not None
    assert cookie_in(second, "session") == given
    assert held["form"] not in given
    assert held.get("session", "none") not in given
    rest = {name: value for name, value in held.items() if name != "form"}
    for form in ({}, {"form": "0" * 64}, {"form": "é"}):
        refused = httpx.post(
            f"{shop.url}{link}",
            headers={"cookie": "; ".join(f"{n}={v}" for n, v in {**rest, **form}.items()).encode()},  # type: ignore[dict-item]
        )
        assert (refused.status_code, cookie_in(refused, "session")) == (410, None)
    token = given.removeprefix("session=").partition(";")[0]
    came = httpx.get(f"{shop.url}/account", headers={"cookie": f"session={token}"})
    assert f"signed in as <b>{email}</b>" in came.text


def test_a_code_that_is_entered_twice_signs_in_once_whichever_cookie_comes_with_it(shop: ShopServer) -> None:
    email = address()
    Shopper(shop).buy_and_pay(email)
    browser = Shopper(shop)
    browser.post("/request-login", {"email": email})
    _, code = letter(shop, email, 2)
    old = browser.http.cookies["session"]
    first = post_with(shop, "/login", {"code": code}, session=old)
    given = cookie_in(first, "session")
    assert (first.status_code, given is not None) == (303, True)
    token = str(given).removeprefix("session=").partition(";")[0]
    for held in (old, token):
        again = post_with(shop, "/login", {"code": code}, session=held)
        assert (again.status_code, cookie_in(again, "session")) == (303, given)
    for held, typed in (("0" * 64, code), (old, "0000-0000")):
        refused = post_with(shop, "/login", {"code": typed}, session=held)
        assert refused.status_code in (400, 410)
        assert cookie_in(refused, "session") is None


def test_an_order_that_is_confirmed_twice_is_booked_once(bazaar: ShopServer) -> None:
    email = address()
    browser = Shopper(bazaar)
    browser.post("/buy/a-gift", {"email": email})
    link, _ = letter(bazaar, email, 1)
    browser.get(link)
    held = dict(browser.http.cookies)
    first, second = (post_with(bazaar, link, {}, **held) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert cookie_in(first, "session") == cookie_in(second, "session")
    assert len([p for p in bazaar.export()["purchase"] if p["email"] == email]) == 1


def test_a_change_that_is_confirmed_twice_is_done_once(shop: ShopServer) -> None:
    old, new = address(), address()
    browser, _ = signed_in(shop, old)
    browser.post("/account/email", {"email": new})
    link, _ = letter(shop, new, 1)
    browser.get(link)
    held = dict(browser.http.cookies)
    first, second = (post_with(shop, link, {}, **held) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert cookie_in(first, "session") == cookie_in(second, "session")
