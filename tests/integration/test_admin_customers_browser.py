"""Customers, products, doctor and settings in Chromium: accessible and fitting in light, dark and on phones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from testkit.browsing import MakeDevice, look_at
from testkit.every_sale import HOSTILE_ADDRESS, fill
from testkit.office import link_of
from testkit.servers import BOOK, ShopServer, a_shop

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopServer]:
    with a_shop(tmp_path_factory.mktemp("office")) as shop:
        fill(shop, more=60)
        shop.cli("staff", "invite", "anna@example.com", "--role", "owner")
        yield shop


PAGES = [
    ("customers", "customers"),
    ("customers?opened=never&bought=" + BOOK, "customers-filtered"),
    ("customers/plain@example.com", "customer"),
    ("customers/full@example.com?product=small-shop-paperwork", "customer-twice"),
    (f"customers/{HOSTILE_ADDRESS}".replace("%", "%25").replace("?", "%3F"), "customer-hostile"),
    ("customers/gone@bounce.example", "customer-bounced"),
    ("products", "products"),
    (f"products/{BOOK}", "product"),
    ("doctor", "doctor"),
    ("settings", "settings"),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_pages_are_accessible_and_fit(
    office: ShopServer, device: MakeDevice, scheme: str, width: int
) -> None:
    one = device(color_scheme=scheme, viewport={"width": width, "height": 800})
    page = one.page
    page.goto(f"{office.url}{link_of(office, 'link', 'anna@example.com')}")
    page.get_by_role("button", name="Sign in").click()
    for path, name in PAGES:
        answer = page.goto(f"{office.url}/admin/{path}")
        assert answer is not None
        assert answer.status == 200, path
        expect(page.locator("h1")).to_be_visible()
        look_at(page, f"admin-{name}", f"{scheme}-{width}")
    assert one.complaints == []
