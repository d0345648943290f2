"""What makes pages appear quickly: the font, pages that are fetched ahead, and a blend between two pages."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from testkit.browsing import Demo, MakeDevice
from testkit.servers import BOOK, ROOT, Shopper, ShopServer
from testkit.shoppers import address

STATIC = ROOT / "src" / "entrypoints" / "http" / "static"
FONT = "coatcheck-serif.woff2"
RULES = {"prefetch": [{"where": {"href_matches": ["/", "/products/*", "/pages/*"]}, "eagerness": "moderate"}]}
"""No page that shows or changes anything of a visitor's."""


def test_the_style_sheet_names_this_very_font_and_it_is_kept_for_ever(shop: ShopServer) -> None:
    version = hashlib.sha256((STATIC / FONT).read_bytes()).hexdigest()[:10]
    assert f'url("/static/{FONT}?v={version}")' in (STATIC / "shop.css").read_text()
    assert (STATIC / FONT).stat().st_size <= 30_000
    page = Shopper(shop).get("/").text
    assert (
        f'<link rel="preload" href="/static/{FONT}?v={version}" as="font" type="font/woff2" crossorigin>'
        in page
    )
    answer = Shopper(shop).get(f"/static/{FONT}?v={version}")
    assert answer.headers["content-type"] == "font/woff2"
    assert "immutable" in answer.headers["cache-control"]


def test_the_licence_of_the_font_is_beside_it() -> None:
    text = (STATIC / "coatcheck-serif.txt").read_text()
    assert "Reserved Font Name 'Source'" in text
    assert "SIL OPEN FONT LICENSE Version 1.1" in text


@pytest.mark.parametrize("path", ["/", f"/products/{BOOK}", "/pages/terms"])
def test_only_guests_pages_name_pages_to_fetch_ahead_and_only_public_ones(
    shop: ShopServer, path: str
) -> None:
    guest, anna = Shopper(shop), Shopper(shop)
    anna.buy_and_pay(address())
    named = guest.get(path).headers["speculation-rules"]
    rules = guest.get(named.strip('"'))
    assert rules.headers["content-type"] == "application/speculationrules+json"
    assert json.loads(rules.text) == RULES
    for page in (path, "/library", f"/view/{BOOK}"):
        assert "speculation-rules" not in anna.get(page).headers
    assert "speculation-rules" not in guest.get("/request-login").headers


@pytest.mark.browser
def test_a_page_is_there_before_its_link_is_clicked(demo: Demo, device: MakeDevice) -> None:
    page = device().page
    page.goto(demo.shop)
    assert page.evaluate(
        "document.fonts.ready.then(() => document.fonts.check('600 16px \"Coatcheck Serif\"'))"
    )
    link = page.locator(f'a[href="/products/{BOOK}"]').first
    with page.expect_request(re.compile(f"/products/{BOOK}$")) as ahead:
        link.hover()
    assert ahead.value.headers.get("sec-purpose", "").startswith("prefetch")
    page.wait_for_timeout(300)
    link.click()
    page.wait_for_url(f"{demo.shop}/products/{BOOK}")
    how = page.evaluate("performance.getEntriesByType('navigation')[0].deliveryType")
    assert how == "navigational-prefetch"
    page.goto(f"{demo.shop}/request-login")
    assert page.evaluate("performance.getEntriesByType('navigation')[0].deliveryType") != how
