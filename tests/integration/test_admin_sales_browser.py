"""Sales in the back office in Chromium: accessible and fitting, found and read with the keyboard alone, and polled."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from testkit.browsing import MakeDevice, look_at
from testkit.every_sale import fill, order
from testkit.office import link_of
from testkit.servers import Shopper, ShopServer, a_shop

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopServer]:
    with a_shop(tmp_path_factory.mktemp("sales")) as shop:
        fill(shop, more=8)
        shop.cli("staff", "invite", "anna@example.com", "--role", "owner")
        yield shop


def come_in(shop: ShopServer, page: Page) -> None:
    """By a link of the shop's machine, which works without a passkey and without script."""
    page.goto(f"{shop.url}{link_of(shop, 'link', 'anna@example.com')}")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1")).to_have_text("Home")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_its_pages_are_accessible_and_fit(
    office: ShopServer, device: MakeDevice, scheme: str, width: int
) -> None:
    page = device(color_scheme=scheme, viewport={"width": width, "height": 800}).page
    look = f"{scheme}-{width}"
    come_in(office, page)
    pages = {
        "sales": "/admin/sales",
        "sales-filtered": "/admin/sales?opened=no&from=2026-01-01&least=x",
        "search": "/admin/search?q=re",
        **{
            f"sale-{name}": f"/admin/sales/{order(number)}"
            for name, number in (("disputed", 4), ("nobody", 8), ("keyed", 15), ("hostile", 16))
        },
    }
    for name, path in pages.items():
        page.goto(f"{office.url}{path}")
        look_at(page, f"admin-{name}", look)
    page.goto(f"{office.url}/admin/sales")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    look_at(page, "admin-keys", look)


def test_a_sale_is_found_with_the_keyboard_alone(office: ShopServer, device: MakeDevice) -> None:
    page = device().page
    come_in(office, page)
    keys = page.keyboard
    keys.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    keys.type("@example.com")
    keys.press("Enter")
    expect(page.locator("caption")).to_contain_text("addresses at example.com")
    keys.press("j")
    expect(page.locator("tbody tr").nth(0).locator("a")).to_be_focused()
    for key in "jjjk":
        keys.press(key)
    expect(page.locator("tbody tr").nth(2).locator("a")).to_be_focused()
    name = page.locator("tbody tr").nth(2).locator("a").inner_text()
    keys.press("Enter")
    expect(page.locator(".who")).to_have_text(name)
    keys.press("/")
    keys.type(order(2)[:16])
    keys.press("Enter")
    expect(page.locator(".standing")).to_contain_text("$3.00 of $9.00 refunded")
    refund = page.get_by_role("link", name="Refund", exact=True)
    for _ in range(60):
        if refund.evaluate("link => link === document.activeElement"):
            break
        keys.press("Tab")
    expect(refund).to_be_focused()


def test_the_keys_can_be_switched_off(office: ShopServer, device: MakeDevice) -> None:
    page = device().page
    come_in(office, page)
    page.goto(f"{office.url}/admin/sales")
    page.keyboard.press("?")
    page.get_by_role("checkbox", name="Use these keys in this browser").uncheck()
    page.get_by_role("button", name="Close").click()
    for key in "?/j":
        page.keyboard.press(key)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("searchbox")).not_to_be_focused()
    page.reload()
    page.keyboard.press("j")
    expect(page.locator("tbody tr").nth(0).locator("a")).not_to_be_focused()
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_role("checkbox", name="Use these keys in this browser").check()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("j")
    expect(page.locator("tbody tr").nth(0).locator("a")).to_be_focused()


def test_new_sales_are_noticed_while_the_page_is_open(office: ShopServer, device: MakeDevice) -> None:
    page = device().page
    come_in(office, page)
    page.clock.install()
    page.goto(f"{office.url}/admin/sales")
    polls: list[str] = []
    page.on(
        "request", lambda request: polls.append(request.url) if "/admin/sales/new" in request.url else None
    )
    with page.expect_response("**/admin/sales/new*") as first:
        page.clock.run_for(20_000)
    assert first.value.status == 200
    with page.expect_response("**/admin/sales/new*") as second:
        page.clock.run_for(20_000)
    assert second.value.status == 304
    Shopper(office).buy_and_pay("new@poll.example")
    page.clock.run_for(20_000)
    news = page.get_by_role("link", name="1 new sale")
    expect(news).to_be_visible()
    news.click()
    expect(page.locator("tbody tr").nth(0)).to_contain_text("new@poll.example")
    page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")
    before = len(polls)
    page.clock.run_for(60_000)
    assert len(polls) == before, "nobody looks at it"


def test_all_of_it_works_without_script(office: ShopServer, device: MakeDevice) -> None:
    page = device(java_script_enabled=False).page
    come_in(office, page)
    page.goto(f"{office.url}/admin/sales")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("State", exact=True).select_option("Refunded")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("caption")).to_have_text("Sales, refunded: 1")
    page.locator("tbody a").first.click()
    expect(page.locator(".standing")).to_contain_text("refunded in full")
