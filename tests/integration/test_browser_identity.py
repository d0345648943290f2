"""Whose account a browser is in, in a real Chromium: links of others, submits that come twice, shared computers."""

from __future__ import annotations

import re
import uuid

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from testkit.browsing import LOOKS, Device, MakeDevice, look_at, pay
from testkit.engines import age_checkouts
from testkit.servers import BOOK, PHOTOS, Shopper, ShopServer
from testkit.waiting import wait_until

pytestmark = pytest.mark.browser


def address() -> str:
    return f"{uuid.uuid4().hex[:10]}@example.com"


def masked(email: str) -> str:
    return f"{email[0]}•••@{email.partition('@')[2]}"


def at_home(device: MakeDevice, **options: object) -> Device:
    """A browser profile in a household of its own: limits count by it."""
    made = device(**options)
    number = uuid.uuid4().bytes
    made.context.set_extra_http_headers({"x-forwarded-for": f"10.{number[0]}.{number[1]}.{number[2]}"})
    return made


def link_of(shop: ShopServer, email: str, *, number: int = 1) -> str:
    text = shop.sandbox.wait_for_mail(email, number=number)["text"]
    return f"{shop.url}/login/" + text.partition("/login/")[2].split()[0]


def code_of(shop: ShopServer, email: str, *, number: int) -> str:
    text = shop.sandbox.wait_for_mail(email, number=number)["text"]
    # On a line of its own: the link's token may well have something like it inside.
    found = re.search(r"(?m)^\s+([0-9A-Z]{4}-[0-9A-Z]{4})\s*$", text)
    assert found is not None
    return found[1]


def buy(page: Page, shop: ShopServer, email: str, product: str = BOOK) -> None:
    page.goto(f"{shop.url}/products/{product}")
    page.click(".till button:has-text('Buy')")
    pay(page, email=email)
    page.wait_for_url(f"**/view/{product}")


def sign_in(page: Page, link: str) -> None:
    page.goto(link)
    page.click("main form button")
    page.wait_for_url("**/view/**")


# ------------------------------------------------------------------ somebody else's link


def test_the_page_of_a_link_names_the_account_and_a_product_says_who_is_signed_in(
    shop: ShopServer, device: MakeDevice
) -> None:
    email, page = address(), at_home(device).page
    Shopper(shop).buy_and_pay(email)
    page.goto(link_of(shop, email))
    expect(page.locator("h1")).to_have_text(f"Sign in as {masked(email)}")
    expect(page.locator("main form button")).to_have_text(f"Sign in as {masked(email)}")
    expect(page.locator("main")).to_contain_text("If someone else sent you the link, close this page.")
    page.click("main form button")
    page.goto(f"{shop.url}/products/{PHOTOS}")
    expect(page.locator(".till")).to_contain_text(f"You are signed in as {email}")
    page.click("button:has-text('Not you?')")
    expect(page.locator("nav")).to_contain_text("Sign in")
    page.goto(f"{shop.url}/products/{PHOTOS}")
    expect(page.locator(".till")).not_to_contain_text("signed in")
    page.goto(f"{shop.url}/library")
    expect(page).to_have_url(f"{shop.url}/request-login")


# ------------------------------------------------------------------ paid with an address that cannot be emailed


def test_a_browser_that_paid_with_an_unusable_address_names_another_one(
    shop: ShopServer, device: MakeDevice
) -> None:
    """It opens at once; the link works in this browser alone, and there its code does, too."""
    email, page = address(), at_home(device).page
    buy(page, shop, "a..b@docomo.ne.jp")
    expect(page.locator(".note.bad")).to_contain_text("when you paid, so there is no access link")
    page.fill(".note.bad input[name=email]", email)
    page.click("button:has-text('Email me a link')")
    expect(page.locator("main")).to_contain_text("Open its link in this browser, or type its code here")
    link, code = link_of(shop, email), code_of(shop, email, number=1)
    phone = at_home(device).page
    phone.goto(link)
    expect(phone.locator("h1")).to_have_text("Is this your purchase?")
    expect(phone.locator("main")).to_contain_text("nothing changes in this browser")
    expect(phone.locator("main button")).to_have_count(0)
    page.fill("input[name=code]", code)
    page.click("button:has-text('Confirm')")
    page.wait_for_url(f"**/view/{BOOK}")
    expect(page.locator(".note")).to_have_text(["Your address is confirmed. You are signed in."])
    phone.goto(link_of(shop, email, number=2))
    phone.click("main form button")
    phone.wait_for_url(f"**/view/{BOOK}")


# ------------------------------------------------------------------ paying twice


def test_of_two_payment_pages_in_two_tabs_one_can_be_paid_and_a_debit_is_asked_about(
    shop: ShopServer, device: MakeDevice
) -> None:
    home = at_home(device)
    page, other = home.page, home.context.new_page()
    for tab in (page, other):
        tab.goto(f"{shop.url}/products/{PHOTOS}")
        tab.click(".till button:has-text('Buy')")
        tab.wait_for_url("**/c/pay/**")
        age_checkouts(shop, minutes=2)  # the second is no double click
    pay(page, email=address())
    page.wait_for_url(f"**/view/{PHOTOS}")
    cs = other.url.rpartition("/")[2]
    wait_until(
        lambda: {s["id"]: s["status"] for s in shop.sandbox.get("/_sandbox/sessions")}[cs] == "expired"
    )
    page.goto(f"{shop.url}/products/{BOOK}")
    page.click(".till button:has-text('Buy')")
    page.wait_for_url("**/c/pay/**")
    shop.sandbox.pay(page.url.rpartition("/")[2], email=address(), delayed=True, copies=1)
    page.goto(f"{shop.url}/products/{BOOK}")
    expect(page.locator(".till")).to_contain_text("A payment for this is pending")
    page.click(".till button:has-text('Buy')")
    expect(page.locator("h1")).to_contain_text("is pending")
    page.click("button:has-text('Buy it again')")
    page.wait_for_url("**/c/pay/**")
    page.goto(f"{shop.url}/library")
    expect(page.locator(".list")).to_contain_text("Awaiting your bank")


# ------------------------------------------------------------------ the same submit, twice

TIMINGS = ["at once", 0, 10, 25, 50, 75, 100, 150, 200, 250, 300, "first answer lost"]
"""Milliseconds between the two."""


def lose_the_first_answer(page: Page, path: str) -> list[int]:
    """The shop handles the first submit, and its answer never arrives; the statuses of what was lost."""
    lost: list[int] = []

    def handle(route: Route) -> None:
        if route.request.method != "POST" or lost:
            route.continue_()
            return
        headers = {k: v for k, v in route.request.all_headers().items() if not k.startswith(":")}
        answer = httpx.post(route.request.url, headers=headers, content=route.request.post_data_buffer or b"")
        lost.append(answer.status_code)
        route.abort("aborted")  # the page stays, as after "stop"

    page.route(path, handle)
    return lost


def is_signed_in(page: Page, shop: ShopServer, email: str) -> None:
    """The browser shows the account, which has one session and no other."""
    page.goto(f"{shop.url}/account")
    expect(page.locator("main")).to_contain_text(f"signed in as {email}")
    page.goto(f"{shop.url}/sessions")
    expect(page.locator("ul.list").first.locator("li")).to_have_count(1)
    expect(page.locator("ul.list").first).to_contain_text("this one")


@pytest.mark.parametrize("timing", TIMINGS)
def test_a_button_that_is_pressed_twice_signs_in(
    shop: ShopServer, device: MakeDevice, timing: int | str
) -> None:
    email, page = address(), at_home(device).page
    Shopper(shop).buy_and_pay(email)
    page.goto(link_of(shop, email))
    button = page.locator("main form button")
    if timing == "first answer lost":
        lost = lose_the_first_answer(page, "**/login/*")
        with page.expect_event("requestfailed"):
            button.click(no_wait_after=True)
        assert lost == [303]
        button.click()
    elif timing == "at once":
        button.dblclick(no_wait_after=True)
    else:
        box = button.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.click(x, y)
        page.wait_for_timeout(int(timing))
        page.mouse.click(x, y)
    expect(page).to_have_url(re.compile("/view/"))
    is_signed_in(page, shop, email)


@pytest.mark.parametrize("timing", TIMINGS)
def test_enter_that_is_pressed_twice_on_a_code_signs_in(
    shop: ShopServer, device: MakeDevice, timing: int | str
) -> None:
    email, page = address(), at_home(device).page
    Shopper(shop).buy_and_pay(email)
    page.goto(f"{shop.url}/request-login")
    page.fill("#email", email)
    page.click("main form button")
    code = code_of(shop, email, number=2)
    page.fill("#code", code)
    page.focus("#code")
    if timing == "first answer lost":
        lost = lose_the_first_answer(page, "**/login")
        with page.expect_event("requestfailed"):
            page.keyboard.press("Enter")
        assert lost == [303]
        page.fill("#code", code)
        page.keyboard.press("Enter")
    elif timing == "at once":
        page.keyboard.down("Enter")
        page.keyboard.down("Enter")
        page.keyboard.up("Enter")
    else:
        page.keyboard.press("Enter")
        page.wait_for_timeout(int(timing))
        page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/library"))
    is_signed_in(page, shop, email)


# ------------------------------------------------------------------ a shared computer


def test_a_guest_signs_out_on_any_page_of_a_shared_browser_and_the_next_person_finds_nothing(
    shop: ShopServer, device: MakeDevice
) -> None:
    hers, his, page = address(), address(), at_home(device).page
    Shopper(shop).buy_and_pay(his, PHOTOS)
    buy(page, shop, hers)
    order = page.locator("a[href^='/orders/']").first.get_attribute("href")
    for path in ("/", f"/products/{BOOK}", f"/products/{PHOTOS}", "/library", "/sessions", str(order), "/pages/terms",
                 "/request-login", "/nothing-here", f"/view/{PHOTOS}", f"/view/{BOOK}"):  # fmt: skip
        page.goto(f"{shop.url}{path}")
        expect(page.locator("nav button")).to_have_text("Sign out")
    page.click("nav button")
    expect(page.locator("nav")).to_have_text(re.compile(r"^\s*Sign in\s*$"))
    page.go_back()
    page.reload()
    expect(page.locator("main")).not_to_contain_text("Ottilie")
    sign_in(page, link_of(shop, his))
    page.goto(f"{shop.url}/library")
    expect(page.locator(".list li")).to_have_count(1)
    expect(page.locator(".list")).to_contain_text("Harbour")
    assert page.goto(f"{shop.url}{order}").status == 404  # type: ignore[union-attr]


def test_the_next_person_at_a_browser_where_a_guest_forgot_to_sign_out_finds_nothing(
    shop: ShopServer, device: MakeDevice
) -> None:
    hers, his, page = address(), address(), at_home(device).page
    Shopper(shop).buy_and_pay(his, PHOTOS)
    buy(page, shop, hers)
    sign_in(page, link_of(shop, his))
    page.goto(f"{shop.url}/library")
    expect(page.locator(".list li")).to_have_count(1)
    expect(page.locator(".list")).to_contain_text("Harbour")
    page.goto(f"{shop.url}/view/{BOOK}")
    expect(page.locator("main")).not_to_contain_text("Ottilie")


@pytest.mark.parametrize("button", ["Sign out everywhere", "End access"])
def test_the_owner_ends_the_browser_that_paid_from_home(
    shop: ShopServer, device: MakeDevice, button: str
) -> None:
    email, public, home = address(), at_home(device).page, at_home(device).page
    buy(public, shop, email)
    expect(public.locator("article")).to_contain_text("Ottilie")
    sign_in(home, link_of(shop, email))
    home.goto(f"{shop.url}/sessions")
    expect(home.locator("main")).to_contain_text("Browsers that started a checkout")
    home.click(f"main button:has-text('{button}')")
    home.wait_for_load_state()
    public.reload()
    expect(public.locator("h1")).to_contain_text("not open in this browser")
    expect(public.locator("main")).not_to_contain_text("Ottilie")


# ------------------------------------------------------------------ how it looks


@pytest.mark.parametrize("look", list(LOOKS))
def test_every_page_that_says_whose_account_it_is_is_accessible_in_every_look(
    bazaar: ShopServer, device: MakeDevice, look: str
) -> None:
    one, two = at_home(device, **LOOKS[look]), at_home(device, **LOOKS[look])
    page, other = one.page, two.page
    hers, new, wrong, right = address(), address(), address(), address()
    page.goto(f"{bazaar.url}/products/a-gift")
    page.click(".till button")
    page.fill("#email", hers)
    page.click("main form button")
    look_at(page, "check-mail-order", look)
    order = link_of(bazaar, hers)
    for browser, name in ((page, "confirm-order"), (other, "confirm-order-elsewhere")):
        browser.goto(order)
        look_at(browser, name, look)
    page.click("main form button")
    for path, name in (("/products/a-gift", "product-signed-in-owned"), ("/products/keyed", "product-signed-in"),
                       ("/products/your-price", "product-signed-in-price")):  # fmt: skip
        page.goto(f"{bazaar.url}{path}")
        look_at(page, name, look)
    page.goto(f"{bazaar.url}/account")
    page.fill("#email", new)
    page.click("button:has-text('Email a code there')")
    look_at(page, "check-mail-change", look)
    change, undo = link_of(bazaar, new), link_of(bazaar, hers, number=2)
    for browser, name in ((page, "confirm-change-here"), (other, "confirm-change-elsewhere")):
        browser.goto(change)
        look_at(browser, name, look)
    other.goto(undo)
    look_at(other, "confirm-undo", look)
    buy(other, bazaar, hers, "keyed")
    look_at(other, "view-guest", look)
    page.goto(f"{bazaar.url}/sessions")
    expect(page.locator("h2:has-text('Browsers that started a checkout')")).to_be_visible()
    look_at(page, "sessions-that-paid", look)
    other.click("nav button")
    buy(other, bazaar, wrong, "keyed")
    other.click("summary")
    other.fill("#right", right)
    other.click("button:has-text('Correct it')")
    look_at(other, "check-mail-correction", look)
    correction, taken_back = link_of(bazaar, right), link_of(bazaar, wrong, number=2)
    page.goto(correction)
    look_at(page, "confirm-correction", look)
    page.goto(taken_back)
    look_at(page, "confirm-undo-correction", look)
    page.goto(f"{bazaar.url}/products/the-lot")
    page.click(".till button:has-text('Buy')")
    page.wait_for_url("**/c/pay/**")
    cs = page.url.rpartition("/")[2]
    page.goto(correction)
    page.click("main form button")
    page.wait_for_url("**/library")
    bazaar.sandbox.pay(cs, email=hers, copies=1)
    page.goto(f"{bazaar.url}/view/the-lot?session_id={cs}")
    expect(page.locator("main")).to_contain_text(masked(hers))
    look_at(page, "elsewhere-signed-in", look)


# ------------------------------------------------------------------ two tabs, and a payment that is under way


def test_two_tabs_that_press_buy_at_once_both_open_and_a_used_link_goes_on_to_the_product(
    shop: ShopServer, device: MakeDevice
) -> None:
    email, home = address(), at_home(device)
    first, second = home.page, home.context.new_page()
    held: list[Route] = []
    home.context.route("**/buy/*", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks the handler
    for page, product in ((first, BOOK), (second, PHOTOS)):
        page.goto(f"{shop.url}/products/{product}")
        page.locator(".till button:has-text('Buy')").click(no_wait_after=True)
    while len(held) < 2:
        first.wait_for_timeout(50)
    for route in held:
        route.continue_()
    for page, product in ((first, BOOK), (second, PHOTOS)):
        pay(page, email=email)
        page.wait_for_url(f"**/view/{product}")
    home.context.unroute("**/buy/*")
    link = link_of(shop, email)
    sign_in(first, link)
    first.goto(f"{link}.")
    expect(first).to_have_url(re.compile("/view/"))
