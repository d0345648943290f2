"""Pages with a banner above them, and the stand-in's own: accessible in every look, with all they say in landmarks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from testkit.browsing import (
    CARD,
    DECLINED,
    LOOKS,
    THREE_D_SECURE,
    Demo,
    MakeDevice,
    look_at,
    newest_link,
    pay,
)
from testkit.demos import running
from testkit.servers import BOOK, PAPERWORK, PHOTOS, ShopServer, a_shop

pytestmark = pytest.mark.browser
NARROW = {**LOOKS, "narrow": {"viewport": {"width": 320, "height": 640}}}
PAGES = {
    "/": "shop",
    f"/products/{BOOK}": "product",
    "/request-login": "request-login",
    "/nothing-here": "problem",
}


@pytest.fixture(scope="module")
def in_test_mode(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopServer]:
    with a_shop(tmp_path_factory.mktemp("test-mode"), TEST_MODE="1") as running:
        yield running


@pytest.mark.parametrize("look", list(NARROW))
def test_every_page_under_the_banner_of_the_demo(demo: Demo, device: MakeDevice, look: str) -> None:
    page = device(**NARROW[look]).page
    for path, name in PAGES.items():
        page.goto(f"{demo.shop}{path}")
        expect(page.get_by_role("complementary", name="About this shop")).to_contain_text(
            "A demo on this machine"
        )
        look_at(page, f"demo-{name}", look)


@pytest.mark.parametrize("look", list(NARROW))
def test_every_page_under_the_banner_of_the_test_mode(
    in_test_mode: ShopServer, device: MakeDevice, look: str
) -> None:
    page = device(**NARROW[look]).page
    for path, name in PAGES.items():
        page.goto(f"{in_test_mode.url}{path}")
        expect(page.get_by_role("complementary", name="About this shop")).to_contain_text("Test mode")
        look_at(page, f"test-mode-{name}", look)


@pytest.mark.parametrize("look", list(NARROW))
def test_every_page_of_the_stand_in(demo: Demo, device: MakeDevice, look: str) -> None:
    page, email = device(**NARROW[look]).page, f"firstname.lastname.{look}@students.university.example"
    _press_buy(demo, page, PHOTOS)
    payment = page.url
    look_at(page, "pay", look)
    page.click("summary:has-text('Test options')")
    look_at(page, "pay-options", look)
    pay(page, email=email, card=DECLINED)
    look_at(page, "pay-declined", look)
    pay(page, email=email, card=THREE_D_SECURE)
    look_at(page, "pay-3ds", look)
    page.click("button:has-text('Complete')")
    page.wait_for_url(f"{demo.shop}/view/{PHOTOS}")
    look_at(page, "demo-view", look)
    page.goto(payment)
    expect(page.locator("h1")).to_contain_text("nothing to pay")
    look_at(page, "pay-over", look)
    page.goto(demo.sandbox)
    page.locator("article", has_text="Harbour").first.get_by_role("button", name="Refund half").click()
    page.locator("article", has_text="Harbour").first.get_by_role("button", name="Dispute").click()
    look_at(page, "payments", look)
    newest_link(demo, page, to=email, subject="Your purchase")
    look_at(page, "mail", look)
    page.click("a:has-text('All emails')")
    look_at(page, "mailbox", look)


def test_on_a_narrow_phone_each_example_shop_is_accessible_and_no_button_breaks_its_word(
    tmp_path: Path, device: MakeDevice
) -> None:
    for name, button in (
        ("night-signals", "Choose a price for Night Drums"),
        ("plain-light", "Buy Both courses"),
    ):
        with running(Demo(tmp_path, arguments=("--shop", name))) as demo:
            page = device(**NARROW["narrow"]).page
            page.goto(demo.shop)
            look_at(page, name, "narrow")
            found = page.get_by_role("link", name=button).or_(page.get_by_role("button", name=button)).first
            box = found.bounding_box()
            assert box is not None
            assert box["height"] < 48, "one line"


def test_a_dark_shop_prints_in_dark_ink(tmp_path: Path, device: MakeDevice) -> None:
    """Paper is white: browsers leave out backgrounds, and what is light on dark could not be read."""
    with running(Demo(tmp_path, arguments=("--shop", "night-signals"))) as demo:
        page = device().page
        page.goto(f"{demo.shop}/pages/refunds")
        ink = "getComputedStyle(document.querySelector('h1')).color"
        assert page.evaluate(ink) == "rgb(232, 240, 236)"
        page.emulate_media(media="print")
        assert page.evaluate(ink) == "rgb(0, 0, 0)"
        assert (
            page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
            == "rgb(255, 255, 255)"
        )
        for hidden in (".banner", ".top nav", "footer"):
            expect(page.locator(hidden)).to_be_hidden()


def test_deleting_an_account_is_a_finger_away_from_keeping_it(shop: ShopServer, device: MakeDevice) -> None:
    one = device(**NARROW["narrow"])
    page = one.page
    one.context.set_extra_http_headers({"x-forwarded-for": "203.0.113.77"})
    page.goto(f"{shop.url}/products/{PAPERWORK}")
    page.click("button:has-text('Buy')")
    pay(page, email="careful@example.com")
    page.wait_for_url("**/view/**")
    shop.sandbox.wait_for_mail("careful@example.com")
    text = shop.sandbox.mails_to("careful@example.com")[-1]["text"]
    page.goto(f"{shop.url}/login/{text.partition('/login/')[2].split()[0]}")
    page.click("main button")
    page.goto(f"{shop.url}/account/erase")
    delete = page.get_by_role("button", name="Delete my account").bounding_box()
    keep = page.get_by_role("link", name="Keep my account").bounding_box()
    assert delete is not None
    assert keep is not None
    assert keep["y"] - (delete["y"] + delete["height"]) >= 8, "one below the other, and a gap between them"


def test_what_a_receipt_states_stands_in_one_column(shop: ShopServer, device: MakeDevice) -> None:
    """The owner's receipt has the longest label: Payment method."""
    one = device(**NARROW["light"])
    page = one.page
    one.context.set_extra_http_headers({"x-forwarded-for": "203.0.113.78"})
    page.goto(f"{shop.url}/products/{PAPERWORK}")
    page.click("button:has-text('Buy')")
    pay(page, email="tidy@example.com")
    page.wait_for_url("**/view/**")
    shop.sandbox.wait_for_mail("tidy@example.com")
    text = shop.sandbox.mails_to("tidy@example.com")[-1]["text"]
    page.goto(f"{shop.url}/login/{text.partition('/login/')[2].split()[0]}")
    page.click("main button")
    page.wait_for_url("**/view/**")
    page.locator("a[href^='/orders/']").first.click()
    expect(page.locator(".facts-of dt")).to_contain_text(
        ["Order", "Date", "Sold by", "Sold to", "Payment method"]
    )
    for media in ("screen", "print"):
        page.emulate_media(media=media)  # type: ignore[arg-type]
        places = page.locator(".facts-of dd").evaluate_all(
            "all => all.map(one => Math.round(one.getBoundingClientRect().x))"
        )
        assert len(set(places)) == 1, (media, places)


def test_what_stands_outside_every_landmark_is_found(demo: Demo, device: MakeDevice) -> None:
    page = device().page
    page.goto(demo.shop)
    page.evaluate("document.querySelector('.banner').outerHTML = '<div><p>A demo on this machine</p></div>'")
    assert [rule["id"] for rule in Axe().run(page).response["violations"]] == ["region"]


def test_the_payment_page_begins_with_the_card_and_keeps_its_test_options_folded(
    demo: Demo, device: MakeDevice
) -> None:
    page = device().page
    _press_buy(demo, page, PAPERWORK)
    shown = "form.card input:visible, form.card select:visible"
    expect(page.locator(shown).nth(1)).to_have_attribute("id", "number")
    expect(page.locator("#webhook")).to_be_hidden()
    for words in ("webhook", DECLINED[:4] + " 0000", "TENOFF"):
        expect(page.locator("body")).not_to_contain_text(words, use_inner_text=True)
    page.click("summary:has-text('Test options')")
    page.select_option("#webhook", "twice")
    pay(page, email="options@example.com", card=DECLINED)
    expect(page.locator(".bad")).to_contain_text("declined")
    expect(page.locator("#webhook")).to_be_visible()  # what was chosen is in force, and so it is shown
    expect(page.locator("#webhook")).to_have_value("twice")
    page.fill("#number", CARD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{demo.shop}/view/{PAPERWORK}")


def _press_buy(demo: Demo, page: Page, product: str) -> None:
    page.goto(f"{demo.shop}/products/{product}")
    page.click("button:has-text('Buy')")
    page.wait_for_url("**/c/pay/**")
