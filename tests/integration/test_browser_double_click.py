"""Buttons that act once, pressed twice in a real Chromium: a payment page, a free order, an address, an account."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

from testkit.browsing import MakeDevice, pay
from testkit.servers import ShopServer

pytestmark = pytest.mark.browser

PAID, OTHER, FREE = "abroad", "keyed", "a-gift"


def address() -> str:
    return f"{uuid.uuid4().hex[:10]}@example.com"


def buy(page: Page, shop: ShopServer, email: str, product: str = PAID) -> None:
    page.goto(f"{shop.url}/products/{product}")
    page.locator(".till form button").first.dblclick(no_wait_after=True)
    expect(page).to_have_url(re.compile("/c/pay/"))  # the second press ends the first one's navigation
    pay(page, email=email)
    page.wait_for_url(f"**/view/{product}")


def opened(shop: ShopServer) -> int:
    """How many payment pages Stripe was asked for."""
    return len(shop.sandbox.get("/_sandbox/sessions"))


def signed_in(page: Page, shop: ShopServer, email: str) -> None:
    buy(page, shop, email)
    text = shop.sandbox.wait_for_mail(email)["text"]
    page.goto(f"{shop.url}/login/" + text.partition("/login/")[2].split()[0])
    page.click("main form button")
    page.wait_for_url("**/view/**")


def test_buy_opens_one_payment_page_and_books_one_purchase(bazaar: ShopServer, device: MakeDevice) -> None:
    page, email = device().page, address()
    before, sold = opened(bazaar), len(bazaar.export()["purchase"])
    buy(page, bazaar, email)
    # A newcomer has no cookie yet that would tell the second press from another browser's: if both arrive, the page
    # of the first is one that nobody was led to.
    assert opened(bazaar) - before in (1, 2)
    assert len(bazaar.export()["purchase"]) == sold + 1
    bazaar.sandbox.wait_for_mail(email)
    assert bazaar.mails_queued_for(email) == 1
    before = opened(bazaar)
    buy(page, bazaar, email, OTHER)
    assert opened(bazaar) == before + 1, "the browser is known now"
    assert len(bazaar.export()["purchase"]) == sold + 2


def test_a_free_order_sends_one_email(bazaar: ShopServer, device: MakeDevice) -> None:
    page, email = device().page, address()
    page.goto(f"{bazaar.url}/products/{FREE}")
    page.click(".till form button")
    page.fill("main input[type=email]", email)
    page.locator("main form button").first.dblclick(no_wait_after=True)
    expect(page.locator("h1")).to_have_text("Check your email")
    bazaar.sandbox.wait_for_mail(email)
    assert bazaar.mails_queued_for(email) == 1


def test_a_change_of_address_sends_one_email_to_each_address(bazaar: ShopServer, device: MakeDevice) -> None:
    page, old, new = device().page, address(), address()
    signed_in(page, bazaar, old)
    before = bazaar.mails_queued_for(old)
    page.goto(f"{bazaar.url}/account")
    page.fill("#email", new)
    page.locator("button:has-text('Email a code there')").dblclick(no_wait_after=True)
    expect(page.locator("h1")).to_have_text("Check your email")
    bazaar.sandbox.wait_for_mail(new)
    assert (bazaar.mails_queued_for(new), bazaar.mails_queued_for(old) - before) == (1, 1)


def test_an_account_is_deleted_and_the_page_says_so(bazaar: ShopServer, device: MakeDevice) -> None:
    page, email = device().page, address()
    signed_in(page, bazaar, email)
    page.goto(f"{bazaar.url}/account/erase")
    page.check("input[type=checkbox]")
    page.locator("button:has-text('Delete my account')").dblclick(no_wait_after=True)
    expect(page.locator("h1")).to_have_text(re.compile("Your account is deleted"))
