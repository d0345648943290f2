"""What programs read of the shop: every page in the sitemap, with the time of its last change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from domain.product import CatalogueEdition, Page
from domain.values import ProductId
from entrypoints.http.for_crawlers import sitemap
from entrypoints.testing import a_product, an_edition

SHOP = "https://shop.example"
MARCH, MAY, JUNE = (datetime(2026, month, 5, 7, 8, 9, tzinfo=UTC) for month in (3, 5, 6))


def dates(edition: CatalogueEdition) -> dict[str, str | None]:
    """The lastmod of every URL, None without one."""
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    root = ET.fromstring(sitemap(edition, base_url=SHOP))
    assert root.tag == f"{space}urlset"
    return {str(url.findtext(f"{space}loc")): url.findtext(f"{space}lastmod") for url in root}


def test_the_sitemap_dates_every_product_and_page() -> None:
    edition = an_edition(
        a_product(ProductId("book"), changed=MAY), a_product(ProductId("photos"), changed=MARCH)
    )
    terms = Page(slug="terms", title="Terms", html="", changed=JUNE)
    assert dates(replace(edition, pages={"terms": terms})) == {
        f"{SHOP}/": "2026-05-05T07:08:09Z",
        f"{SHOP}/products/book": "2026-05-05T07:08:09Z",
        f"{SHOP}/products/photos": "2026-03-05T07:08:09Z",
        f"{SHOP}/pages/terms": "2026-06-05T07:08:09Z",
    }


def test_a_page_whose_last_change_is_unknown_has_no_date() -> None:
    assert set(dates(an_edition()).values()) == {None}


def test_the_front_page_changes_with_the_shop() -> None:
    edition = an_edition(a_product(changed=MARCH))
    assert (
        dates(replace(edition, shop=replace(edition.shop, changed=JUNE)))[f"{SHOP}/"]
        == "2026-06-05T07:08:09Z"
    )
