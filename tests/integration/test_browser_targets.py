"""On the narrowest phone: whatever is pressed is as large as a finger, and the header is one row."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from testkit.browsing import Demo, MakeDevice, newest_link, pay
from testkit.servers import BOOK, ShopServer

pytestmark = pytest.mark.browser
LEAST = 44
PHONE = {"viewport": {"width": 320, "height": 640}}
# Links in a sentence are as tall as its lines: https://www.w3.org/TR/WCAG22/#target-size-minimum
TOO_SMALL = """least => {
  const all = "a, button, summary, select, input:not([type=hidden], [type=checkbox], [type=radio])";
  const in_a_sentence = target => {
    const block = target.closest("p, dd, .prose");
    if (!block) return false;
    let rest = block.textContent;
    for (const one of block.querySelectorAll(all)) rest = rest.replace(one.textContent, "");
    return /[^\\s·]/.test(rest);
  };
  return [...document.querySelectorAll(all)].filter(target => {
    const box = target.getBoundingClientRect();
    const shown = box.width > 1 && box.left >= 0 && getComputedStyle(target).visibility !== "hidden";
    return shown && target.tabIndex >= 0 && !in_a_sentence(target) && (box.height < least || box.width < least);
  }).map(target => target.outerHTML.slice(0, 90));
}"""


def too_small(page: Page) -> list[str]:
    found: list[str] = page.evaluate(TOO_SMALL, LEAST)
    return found


def look_at(page: Page, url: str) -> None:
    page.goto(url)
    assert too_small(page) == [], url
    header = page.locator("header.top").bounding_box()
    assert header is not None
    assert header["height"] < 2 * LEAST, f"{url}: the header is one row"
    name = page.locator("header .brand span").bounding_box()
    assert name is not None
    assert name["width"] > LEAST, f"{url}: the header says whose shop it is"
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["viewport"]["width"], url


def test_every_target_is_at_least_44_pixels_high_and_wide(demo: Demo, device: MakeDevice) -> None:
    page = device(**PHONE).page
    for path in ("/", f"/products/{BOOK}", "/request-login", "/pages/refunds", "/nothing-here"):
        look_at(page, f"{demo.shop}{path}")
    page.goto(f"{demo.shop}/products/{BOOK}")
    page.click("#buy button")
    pay(page, email="thumb@example.com")
    page.wait_for_url(f"{demo.shop}/view/{BOOK}")
    link = page.locator("main aside a").first.get_attribute("href")
    for path in (f"/view/{BOOK}", "/library", "/sessions", link):
        look_at(page, f"{demo.shop}{path}")
    login = newest_link(demo, page, to="thumb@example.com", subject="Your purchase")
    look_at(page, login)
    page.click("main form button")
    page.wait_for_url(f"{demo.shop}/view/{BOOK}")
    for path in ("/", f"/view/{BOOK}", "/library", "/sessions", "/account", f"/products/{BOOK}"):
        look_at(page, f"{demo.shop}{path}")


def test_so_are_the_currencies_and_what_is_in_a_bundle(bazaar: ShopServer, device: MakeDevice) -> None:
    page = device(**PHONE).page
    for path in (
        "/",
        *sorted(
            f"/products/{one.name}" for one in bazaar.catalogue.iterdir() if (one / "product.toml").exists()
        ),
    ):
        look_at(page, f"{bazaar.url}{path}")


@pytest.mark.parametrize("path", ["/", "/products/abroad"])
def test_the_currencies_stand_in_one_row(bazaar: ShopServer, device: MakeDevice, path: str) -> None:
    page = device(**PHONE).page
    page.goto(f"{bazaar.url}{path}")
    tops = [one.bounding_box() for one in page.locator(".currencies :is(b, button)").all()]
    assert len(tops) == 3
    assert len({box and box["y"] for box in tops}) == 1


def test_a_small_target_is_found(demo: Demo, device: MakeDevice) -> None:
    page = device(**PHONE).page
    page.goto(f"{demo.shop}/request-login")
    page.evaluate(
        'document.querySelector(\'main\').innerHTML = \'<p><a href="/">One</a> · <a href="/">Two</a></p><p>In a <a href="/">sentence</a></p>\''
    )
    assert len(too_small(page)) == 2
