"""What the README promises, in a real Chromium: buy, be declined, come back, on two devices; and every page looked at."""

from __future__ import annotations

import contextlib
import re
import sqlite3

import httpx
import pytest
from playwright.sync_api import Page, expect

from testkit.browsing import (
    CARD,
    DECLINED,
    LOOKS,
    THREE_D_SECURE,
    Demo,
    MakeDevice,
    go,
    look_at,
    newest_link,
    pay,
)
from testkit.servers import BOOK, PAPERWORK, PHOTOS, ShopServer
from testkit.waiting import wait_until

pytestmark = pytest.mark.browser


@pytest.mark.story
@pytest.mark.engines
def test_a_newcomer_buys_is_declined_pays_and_comes_back_with_the_access_email(
    demo: Demo, device: MakeDevice
) -> None:
    laptop = device()
    page = laptop.page
    page.goto(demo.shop)
    expect(page.locator(".offer")).to_have_count(3)
    page.click("a:has-text('The Last Cloakroom')")
    page.click("button:has-text('Buy')")
    pay(page, email="anna@example.com", card=DECLINED)
    expect(page.locator(".bad")).to_contain_text("declined")
    page.fill("#number", CARD)
    page.click("button.wide")
    page.wait_for_url(f"{demo.shop}/view/{BOOK}")
    expect(page.locator("main")).to_contain_text("Ottilie")
    expect(page.locator("main aside")).to_contain_text("Thank you. You paid $9.00. An access link")
    expect(page.locator("main aside")).to_contain_text("anna@example.com")
    page.goto(f"{demo.shop}/library")
    expect(page.locator(".list li")).to_have_count(1)
    link = newest_link(demo, page, to="anna@example.com", subject="Your purchase: The Last Cloakroom")
    phone = device(viewport={"width": 390, "height": 844})
    phone.page.goto(link)
    phone.page.click("main button")
    phone.page.wait_for_url(f"{demo.shop}/view/{BOOK}")
    phone.page.goto(f"{demo.shop}/")
    phone.page.click("text=Sign out")
    expect(phone.page.locator("nav")).to_contain_text("Sign in")
    phone.page.goto(link)
    expect(phone.page.locator("h1")).to_have_text("This link was used already")
    phone.page.click("text=Email me a new link")
    expect(phone.page.locator("h1")).to_have_text("Check your email")
    page.goto(f"{demo.shop}/")
    login = newest_link(demo, page, to="anna@example.com", subject="Sign in to")
    phone.page.goto(login)
    phone.page.click("main button")
    expect(phone.page.locator("article")).to_contain_text("Ottilie")
    phone.page.goto(f"{demo.shop}/library")
    expect(phone.page.locator("main")).to_contain_text("anna@example.com")


def test_on_a_phone_buy_stays_within_reach_while_its_form_is_out_of_sight(
    demo: Demo, device: MakeDevice
) -> None:
    page = device(viewport={"width": 390, "height": 844}).page
    page.goto(f"{demo.shop}/products/{BOOK}")
    bar = page.get_by_role("button", name="Buy · $9.00")
    expect(page.locator("#buy button")).to_be_in_viewport()
    expect(bar).to_be_hidden()
    page.locator("footer").scroll_into_view_if_needed()
    expect(page.locator("#buy button")).not_to_be_in_viewport()
    expect(bar).to_be_visible()
    last = page.locator("footer p").last.bounding_box()
    top = bar.bounding_box()
    assert last is not None
    assert top is not None
    assert last["y"] + last["height"] <= top["y"], "the footer can be read above it"
    bar.click()
    pay(page, email="phone@example.com")
    page.wait_for_url(f"{demo.shop}/view/{BOOK}")
    page.goto(f"{demo.shop}/products/{BOOK}")
    expect(page.locator(".buybar")).to_have_count(0)


def test_on_a_desk_there_is_one_button(demo: Demo, device: MakeDevice) -> None:
    page = device().page
    page.goto(f"{demo.shop}/products/{BOOK}")
    page.locator("footer").scroll_into_view_if_needed()
    expect(page.locator(".buybar")).to_be_hidden()


def test_in_a_library_on_a_phone_each_button_is_one_line(demo: Demo, device: MakeDevice) -> None:
    page = device(viewport={"width": 390, "height": 844}).page
    page.goto(f"{demo.shop}/products/{BOOK}")
    page.click("#buy button")
    pay(page, email="library@example.com")
    page.wait_for_url(f"{demo.shop}/view/{BOOK}")
    page.goto(f"{demo.shop}/library")
    for name in ("Open", "Download EPUB", "Download TXT"):
        box = page.get_by_role("link", name=f"{name} ").first.bounding_box()
        assert box is not None
        assert box["height"] < 48, name


@pytest.mark.engines
def test_a_code_is_typed_in_the_browser_that_asked(demo: Demo, device: MakeDevice) -> None:
    one = device()
    page = one.page
    page.goto(f"{demo.shop}/products/{PAPERWORK}")
    page.click("button:has-text('Buy')")
    pay(page, email="code@example.com", card=THREE_D_SECURE)
    page.click("button:has-text('Complete')")
    page.wait_for_url("**/view/**")
    two = device()
    two.page.goto(f"{demo.shop}/request-login")
    two.page.fill("#email", "code@example.com")
    two.page.click("main button")
    reader = device()
    newest_link(demo, reader.page, to="code@example.com", subject="Sign in to")
    # On a line of its own: the link's token may well have something like it inside.
    code = re.search(r"(?m)^\s+([0-9A-Z]{4}-[0-9A-Z]{4})\s*$", reader.page.locator("pre").inner_text())
    assert code is not None
    two.page.fill("#code", code[1])
    two.page.click("main button")
    expect(two.page.locator("h1")).to_have_text("Your library")


def test_cancel_goes_back_and_3ds_can_fail(demo: Demo, device: MakeDevice) -> None:
    one = device()
    page = one.page
    page.goto(f"{demo.shop}/products/{PHOTOS}")
    page.click("button:has-text('Buy')")
    pay(page, email="x@example.com", card=THREE_D_SECURE)
    page.click("button:has-text('Fail')")
    expect(page.locator(".bad")).to_contain_text("unable to authenticate")
    # Pay must ask for another card, and not answer the bank again.
    expect(page.locator("form.card")).to_have_attribute("action", re.compile(r"/c/pay/\w+$"))
    page.click("text=Cancel and go back")
    page.wait_for_url(f"{demo.shop}/products/{PHOTOS}")


def test_the_page_that_settles_asks_again_by_itself(demo: Demo, device: MakeDevice) -> None:
    """Stripe is away when the shopper returns; the small script finds out when it is back."""
    one = device()
    page = one.page
    page.goto(f"{demo.shop}/products/{PHOTOS}")
    page.click("button:has-text('Buy')")
    page.wait_for_url("**/c/pay/**")
    page.click("summary:has-text('Test options')")
    page.select_option("#webhook", "never")
    httpx.post(f"{demo.sandbox}/_sandbox/behave", json={"stripe": "down"})
    try:
        pay(page, email="settles@example.com")
        expect(page.locator("h1")).to_have_text("Your payment is being confirmed")
    finally:
        httpx.post(f"{demo.sandbox}/_sandbox/behave", json={"stripe": ""})
    page.wait_for_url(f"{demo.shop}/view/{PHOTOS}")
    expect(page.locator("article img")).to_have_count(5)
    assert page.locator("article img").first.evaluate("img => img.complete && img.naturalWidth > 0")


@pytest.mark.engines
def test_everything_works_without_javascript(demo: Demo, device: MakeDevice) -> None:
    one = device(java_script_enabled=False)
    page = one.page
    page.goto(f"{demo.shop}/products/{BOOK}")
    page.click("button:has-text('Buy')")
    pay(page, email="noscript@example.com")
    page.wait_for_url(f"{demo.shop}/view/{BOOK}")
    page.goto(f"{demo.shop}/sessions")
    page.click("text=Sign out everywhere")
    page.wait_for_url(f"{demo.shop}/")


def test_at_an_address_that_nobody_confirmed_buy_and_sign_in_say_so(
    own_shop: ShopServer, device: MakeDevice
) -> None:
    """As on a copy of the shop: its database belongs to another address, which the running shop notices."""
    database = sqlite3.connect(own_shop.data / "coatcheck.db")
    with contextlib.closing(database), database:
        database.execute("UPDATE shop SET base_url = 'https://shop.example'")
    wait_until(lambda: httpx.post(f"{own_shop.url}/request-login").status_code == 503)
    page = device().page
    for path, button in ((f"/products/{BOOK}", "Buy"), ("/request-login", "Email")):
        page.goto(f"{own_shop.url}{path}")
        if button == "Email":
            page.fill("input[name=email]", "anna@example.com")
        page.click(f"main button:has-text('{button}')")
        expect(page.locator("h1")).to_have_text("Not open at this address yet")


@pytest.mark.parametrize("look", list(LOOKS))
def test_every_page_is_accessible_in_every_look(shop: ShopServer, device: MakeDevice, look: str) -> None:
    one = device(**LOOKS[look])
    page, email = one.page, f"firstname.lastname.{look}@students.university.example"
    # One address a look: the limit of checkouts and login mails is for each household.
    one.context.set_extra_http_headers({"x-forwarded-for": f"203.0.113.{list(LOOKS).index(look) + 1}"})
    page.goto(shop.url)
    look_at(page, "shop", look)
    page.goto(f"{shop.url}/products/{PHOTOS}")
    look_at(page, "product", look)
    page.click("button:has-text('Buy')")
    pay(page, email=email)
    page.wait_for_url("**/view/**")
    page.go_back()  # to the payment page, which is over now
    expect(page.locator("h1")).to_contain_text("nothing to pay")
    page.go_forward()
    page.wait_for_url("**/view/**")
    look_at(page, "view", look)
    page.click("details.sums summary")
    look_at(page, "view-checksums", look)
    for path, name in (("/", "shop-owner"), (f"/products/{PHOTOS}", "product-owner"), ("/library", "library-unproved"),
                       (f"/view/{BOOK}", "not-yours"), ("/request-login", "request-login"), ("/pages/privacy", "page"),
                       ("/nothing-here", "problem"), ("/login/short", "link-truncated"),
                       (f"/view/{PHOTOS}?session_id=cs_test_x", "unknown-checkout")):  # fmt: skip
        page.goto(f"{shop.url}{path}")
        look_at(page, name, look)
    _press_buy(page, PHOTOS)
    look_at(page, "buy-again", look)
    page.goto(f"{shop.url}/request-login")
    page.fill("#email", "nobody@nowhere")
    page.click("main button")
    look_at(page, "request-login-refused", look)
    _unpaid_pages(shop, page, look)
    shop.sandbox.wait_for_mail(email)
    link = "/login/" + shop.sandbox.mails_to(email)[-1]["text"].partition("/login/")[2].split()[0]
    page.goto(f"{shop.url}{link}")
    look_at(page, "login-confirm", look)
    page.click("main button")
    page.goto(f"{shop.url}/library")
    look_at(page, "library", look)
    page.goto(f"{shop.url}/sessions")
    look_at(page, "sessions", look)
    [purchase] = [p for p in shop.export()["purchase"] if p["email"] == email]
    shop.sandbox.post(f"/_sandbox/sessions/{purchase['checkout_session']}/refund")
    page.goto(f"{shop.url}/view/{PHOTOS}")
    expect(page.locator("h1")).to_have_text("Harbour, Five Hours is closed")
    look_at(page, "closed", look)
    one.context.clear_cookies()  # where its owner is signed in, a used link goes on to the product
    page.goto(f"{shop.url}{link}")
    look_at(page, "link-used", look)
    page.click("text=Email me a new link")
    look_at(page, "check-mail", look)
    page.fill("#code", "AAAA-AAAA")
    page.click("main button")
    look_at(page, "check-mail-wrong-code", look)


def _press_buy(page: Page, product: str) -> None:
    """Press Buy where the page offers Open."""
    page.evaluate(
        """pid => { const f = document.createElement("form"); f.method = "post"; f.action = "/buy/" + pid;
        document.body.append(f); f.submit(); }""",
        product,
    )
    page.wait_for_url(f"**/buy/{product}")


def _unpaid_pages(shop: ShopServer, page: Page, look: str) -> None:
    """The pages of a checkout that is not a sale (yet)."""
    page.goto(f"{shop.url}/products/{BOOK}")
    page.click("button:has-text('Buy')")
    page.wait_for_url("**/c/pay/**")
    cs = page.url.rpartition("/")[2]
    back = f"{shop.url}/view/{BOOK}?session_id={cs}"
    page.goto(back)
    look_at(page, "not-paid", look)
    go(page, back)
    look_at(page, "settling", look)
    shop.sandbox.pay(cs, email="debit@example.com", delayed=True, copies=1)
    go(page, back)
    look_at(page, "awaiting-bank", look)
    shop.sandbox.post(f"/_sandbox/sessions/{cs}/bank", succeeds=True)
    other = page.context.browser.new_context(  # type: ignore[union-attr]
        **{k: v for k, v in LOOKS[look].items() if k != "device_scale_factor"}  # type: ignore[arg-type]
    )
    stranger = other.new_page()
    stranger.goto(back)
    look_at(stranger, "elsewhere", look)
    other.close()
    go(page, f"{shop.url}/products/{PAPERWORK}")
    page.click("button:has-text('Buy')")
    page.wait_for_url("**/c/pay/**")
    cs = page.url.rpartition("/")[2]
    shop.sandbox.pay(cs, email="held@example.com", change={"currency": "eur"})
    page.goto(f"{shop.url}/view/{PAPERWORK}?session_id={cs}")
    look_at(page, "held-back", look)
