"""The customer's story in a real Firefox and a real WebKit: written once, for any browser.

The payment page is at 127.0.0.1 and the shop at localhost, which are two sites: the way there and back is cross-site.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from testkit.browsers.firefox import a_firefox
from testkit.browsers.webkit import a_webkit
from testkit.browsers.window import NewWindow, Window
from testkit.browsing import CARD
from testkit.servers import BOOK, PHOTOS, Shopper, ShopServer, a_shop
from testkit.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.long]

BUY, SIGN_IN = "#buy button", "main form[action^='/login/'] button"


@pytest.fixture(scope="module", params=[a_firefox, a_webkit], ids=["firefox", "webkit"])
def browser(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewWindow]:
    with request.param(tmp_path_factory.mktemp("browser")) as new_window:
        yield new_window


@pytest.fixture
def window(browser: NewWindow) -> Iterator[Window]:
    """In a new profile for every test."""
    with browser() as new:
        yield new


@pytest.fixture(scope="module")
def secure_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopServer]:
    """A shop over https, as customers have it: its cookies are Secure and `__Host-`."""
    with a_shop(tmp_path_factory.mktemp("secure"), tls_host="localhost") as running:
        yield running


def address() -> str:
    return f"{uuid.uuid4().hex[:10]}@example.com"


def to_the_payment_page(window: Window, shop: ShopServer, product: str) -> None:
    window.go(f"{shop.url}/products/{product}")
    window.click(BUY)
    window.wait_for("*/c/pay/*")


def pay(window: Window, email: str | None) -> None:
    """`email` is None where the customer is signed in: the payment page knows the address."""
    if email is not None:
        window.fill("#email", email)
    for field, text in (("number", CARD), ("expiry", "12/34"), ("cvc", "123")):
        window.fill(f"#{field}", text)
    window.click("button.wide")


def link_of(shop: ShopServer, email: str) -> str:
    text = shop.sandbox.wait_for_mail(email)["text"]
    return f"{shop.url}/login/" + text.partition("/login/")[2].split()[0]


def signed_in(window: Window, shop: ShopServer, email: str) -> None:
    """By the link of the email that a purchase elsewhere has caused."""
    Shopper(shop).buy_and_pay(email)
    window.go(link_of(shop, email))
    window.click(SIGN_IN)
    window.wait_for(f"{shop.url}/view/{BOOK}")


def has_saved(window: Window, file: Path) -> bool:
    """Whether the browser saved it under its name, with every byte."""
    saved = window.downloads / file.name
    return saved.exists() and saved.read_bytes() == file.read_bytes()


def press_twice(window: Window, shop: ShopServer, selector: str, route: str) -> None:
    """A double click whose first press is not answered before the second one: both are sent."""
    before = submits(shop, route)
    database = sqlite3.connect(shop.data / "coatcheck.db", isolation_level=None)
    with contextlib.closing(database):
        database.execute("BEGIN IMMEDIATE")
        window.double_click(selector)
        database.execute("ROLLBACK")
    wait_until(lambda: submits(shop, route) == before + 2)


def submits(shop: ShopServer, route: str) -> int:
    return sum(line.get("method") == "POST" and line.get("route") == route for line in shop.log_lines)


def payment_pages(shop: ShopServer) -> int:
    return len(shop.sandbox.get("/_sandbox/sessions"))


def test_a_customer_pays_on_another_site_reads_and_downloads(secure_shop: ShopServer, window: Window) -> None:
    shop, email = secure_shop, address()
    to_the_payment_page(window, shop, PHOTOS)
    assert urlsplit(window.url).hostname != urlsplit(shop.url).hostname
    pay(window, email)
    window.wait_for(f"{shop.url}/view/{PHOTOS}")
    assert window.heading == "Harbour, Five Hours"
    assert "Thank you. You paid $14.00." in window.text
    assert email in window.text
    for file in sorted((shop.catalogue / PHOTOS / "files").glob("?-*.svg"))[:2]:
        window.click(f"ul.files a[href$='{file.name}']")
        wait_until(partial(has_saved, window, file))
    window.go(f"{shop.url}/library")
    assert window.count(".library > li") == 1


def test_on_a_phone_buy_stays_within_reach(secure_shop: ShopServer, window: Window) -> None:
    window.go(f"{secure_shop.url}/products/{BOOK}")
    shown = "return getComputedStyle(document.querySelector('.buybar')).display"
    assert window.run(shown) == "none", "on a desk there is one button"
    window.resize(390, 844)
    window.run("document.querySelector('footer').scrollIntoView(); return null")
    window.click(".buybar button")
    window.wait_for("*/c/pay/*")


def test_an_emailed_link_signs_in_a_window_that_bought_nothing(
    secure_shop: ShopServer, window: Window
) -> None:
    email = address()
    signed_in(window, secure_shop, email)
    assert "Ottilie" in window.text
    window.go(f"{secure_shop.url}/account")
    assert f"signed in as {email}" in window.text


def test_an_emailed_code_signs_in_the_window_that_asked(secure_shop: ShopServer, window: Window) -> None:
    shop, email = secure_shop, address()
    Shopper(shop).buy_and_pay(email)
    window.go(f"{shop.url}/request-login")
    window.fill("#email", email)
    window.click("main form button")
    window.wait_for_heading("Check your email")
    text = shop.sandbox.wait_for_mail(email, number=2)["text"]
    # On a line of its own: the link's token may well have something like it inside.
    code = re.search(r"(?m)^\s+([0-9A-Z]{4}-[0-9A-Z]{4})\s*$", text)
    assert code is not None
    window.fill("#code", code[1])
    window.click("main form button")
    window.wait_for_heading("Your library")
    assert f"Everything bought with {email}." in window.text


def test_a_double_click_on_buy_is_one_checkout(secure_shop: ShopServer, window: Window) -> None:
    shop, email = secure_shop, address()
    signed_in(window, shop, email)
    window.go(f"{shop.url}/products/{PHOTOS}")
    before = payment_pages(shop)
    press_twice(window, shop, BUY, "/buy/{pid}")
    window.wait_for("*/c/pay/*")
    assert payment_pages(shop) == before + 1
    pay(window, None)
    window.wait_for(f"{shop.url}/view/{PHOTOS}")
    assert [p["email"] for p in shop.export()["purchase"]].count(email) == 2


def test_a_double_click_on_sign_in_is_one_session(secure_shop: ShopServer, window: Window) -> None:
    shop, email = secure_shop, address()
    Shopper(shop).buy_and_pay(email)
    window.go(link_of(shop, email))
    press_twice(window, shop, SIGN_IN, "/login/{token}")
    window.wait_for(f"{shop.url}/view/{BOOK}")
    assert window.heading == "The Last Cloakroom"
    window.go(f"{shop.url}/sessions")
    assert email in window.text
    assert window.count("main ul.list:first-of-type > li") == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_after_signing_out_the_back_button_shows_no_personal_page(
    request: pytest.FixtureRequest, window: Window, scheme: str
) -> None:
    """WebKit keeps personal pages for its back button, whatever `Cache-Control` says, over http; others do as told."""
    shop: ShopServer = request.getfixturevalue("shop" if scheme == "http" else "secure_shop")
    email = address()
    signed_in(window, shop, email)
    for path in ("/library", "/account", f"/view/{BOOK}"):
        window.go(f"{shop.url}{path}")
        assert email in window.text or "Ottilie" in window.text
    window.click("header form[action='/logout'] button")
    window.wait_for(f"{shop.url}/")
    window.back()
    window.wait_for(f"{shop.url}/view/{BOOK}")
    window.wait_for_heading("The Last Cloakroom is not open in this browser")
    assert "Ottilie" not in window.text
    window.back()
    window.wait_for(f"{shop.url}/request-login")
    assert email not in window.text


def test_back_from_the_payment_page_leads_to_a_page_that_works(
    secure_shop: ShopServer, window: Window
) -> None:
    shop = secure_shop
    to_the_payment_page(window, shop, BOOK)
    window.back()
    window.wait_for(f"{shop.url}/products/{BOOK}")
    assert window.heading == "The Last Cloakroom"
    window.click(BUY)
    window.wait_for("*/c/pay/*")
    pay(window, address())
    window.wait_for(f"{shop.url}/view/{BOOK}")
    window.back()  # to a payment page that is paid
    window.wait_for("*/c/pay/*")
    window.wait_for_heading("There is nothing to pay here (paid already)")
    window.go(f"{shop.url}/view/{BOOK}")
    assert "Ottilie" in window.text
