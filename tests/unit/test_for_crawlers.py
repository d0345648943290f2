"""What programs read of the shop: the sitemap and the feed, as their standards require."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from domain.product import CatalogueEdition, Page, Status
from domain.values import ProductId
from entrypoints.http.for_crawlers import atom_feed, sitemap
from entrypoints.testing import a_product, an_edition

SHOP = "https://shop.example"
MARCH, MAY, JUNE = (datetime(2026, month, 5, 7, 8, 9, tzinfo=UTC) for month in (3, 5, 6))


def dates(edition: CatalogueEdition) -> dict[str, str | None]:
    """The lastmod of every URL, None without one."""
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    root = ET.fromstring(sitemap(edition, waiting=frozenset(), base_url=SHOP))
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


# ------------------------------------------------------------------ the feed

ATOM = "{http://www.w3.org/2005/Atom}"
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
"""RFC 3339, as RFC 4287 §3.3 requires: upper-case T and Z."""
NASTY = "a </title><script>&amp; \"'\x01\ud7ff\ufffe]]> é 猫"


def feed_of(edition: CatalogueEdition, waiting: frozenset[ProductId] = frozenset()) -> ET.Element:
    """The feed, held against what RFC 4287 requires of every feed and entry."""
    written = atom_feed(edition, waiting=waiting, base_url=SHOP)
    assert written.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    feed = ET.fromstring(written)
    assert feed.tag == f"{ATOM}feed"
    check_common(feed)
    assert one(feed, "id").text == f"{SHOP}/feed.atom"
    [author] = feed.findall(f"{ATOM}author")  # §4.1.1: of the feed, or else of every entry
    assert one(author, "name").text
    own = [link.attrib for link in feed.findall(f"{ATOM}link") if link.get("rel") == "self"]  # a feed SHOULD
    assert own == [{"rel": "self", "type": "application/atom+xml", "href": f"{SHOP}/feed.atom"}]
    for entry in feed.findall(f"{ATOM}entry"):
        check_common(entry)
        assert one(entry, "summary").text
        [link] = entry.findall(f"{ATOM}link")  # §4.1.2: required of an entry without content
        assert link.get("rel") == "alternate"
        assert link.get("href") == one(entry, "id").text
    ids = [one(entry, "id").text for entry in feed.findall(f"{ATOM}entry")]
    assert len(set(ids)) == len(ids)
    known = {"title", "subtitle", "id", "link", "updated", "author", "entry", "summary", "name", "feed"}
    assert {element.tag.removeprefix(ATOM) for element in feed.iter()} <= known
    return feed


def one(parent: ET.Element, name: str) -> ET.Element:
    [found] = parent.findall(f"{ATOM}{name}")
    return found


def check_common(parent: ET.Element) -> None:
    """§4.1.1 and §4.1.2: exactly one id, title and updated."""
    assert str(one(parent, "id").text).startswith("https://")
    assert one(parent, "title").text
    assert DATE.fullmatch(str(one(parent, "updated").text))


def titles(feed: ET.Element) -> list[str | None]:
    return [one(entry, "title").text for entry in feed.findall(f"{ATOM}entry")]


def test_the_feed_has_an_entry_for_each_product_the_latest_change_first() -> None:
    feed = feed_of(
        an_edition(a_product(ProductId("book"), changed=MARCH), a_product(ProductId("photos"), changed=MAY))
    )
    assert one(feed, "title").text == "A Shop"
    assert one(feed, "updated").text == "2026-05-05T07:08:09Z"
    assert titles(feed) == ["The photos", "The book"]
    photos, book = feed.findall(f"{ATOM}entry")
    assert one(photos, "id").text == f"{SHOP}/products/photos"
    assert one(book, "updated").text == "2026-03-05T07:08:09Z"
    assert one(book, "summary").text == "All about the book."


def test_what_is_not_for_sale_is_not_in_the_feed() -> None:
    others = [
        replace(a_product(ProductId("gone")), present=False),
        replace(a_product(ProductId("bad")), held_back=True),
    ]
    others += [
        replace(a_product(ProductId(status.value.replace("_", "-"))), status=status)
        for status in (Status.DRAFT, Status.UNLISTED, Status.RETIRED)
    ]
    assert titles(feed_of(an_edition(*others, a_product(ProductId("book"))))) == ["The book"]
    assert titles(feed_of(an_edition(*others))) == []


def test_the_author_is_the_shop_and_no_address_of_its_seller_becomes_public() -> None:
    edition = an_edition()
    assert one(one(feed_of(edition), "author"), "name").text == "A Shop"
    sold = replace(edition, shop=replace(edition.shop, seller="Press Ltd\n1 Hook Lane"))
    assert one(one(feed_of(sold), "author"), "name").text == "A Shop"
    assert b"Hook Lane" not in atom_feed(sold, waiting=frozenset(), base_url=SHOP)


def test_a_sale_that_begins_later_enters_the_feed_and_dates_its_page_when_it_begins() -> None:
    opens = datetime(2026, 12, 24, 18, tzinfo=UTC)
    later = replace(a_product(changed=datetime(2026, 5, 1, tzinfo=UTC)), available_from=opens)
    edition = an_edition(later)
    waiting = frozenset({later.id})
    assert titles(feed_of(edition, waiting)) == []
    assert b"2026-05-01T00:00:00Z" in sitemap(edition, waiting=waiting, base_url=SHOP)
    [entry] = feed_of(edition).findall(f"{ATOM}entry")
    assert one(entry, "updated").text == "2026-12-24T18:00:00Z"
    assert b"2026-12-24T18:00:00Z" in sitemap(edition, waiting=frozenset(), base_url=SHOP)


def test_whatever_the_merchant_writes_stays_text() -> None:
    edition = an_edition(replace(a_product(), name=NASTY, summary=NASTY))
    feed = feed_of(replace(edition, shop=replace(edition.shop, name=NASTY, tagline=NASTY, seller=NASTY)))
    shown = NASTY.replace("\x01", "\ufffd").replace("\ufffe", "\ufffd")
    [entry] = feed.findall(f"{ATOM}entry")
    for text in (one(feed, "title"), one(feed, "subtitle"), one(feed, "author")[0], one(entry, "title")):
        assert text.text == shown
    assert one(entry, "summary").text == shown


def test_a_product_without_a_summary_has_its_name_for_one() -> None:
    [entry] = feed_of(an_edition(replace(a_product(), summary=""))).findall(f"{ATOM}entry")
    assert one(entry, "summary").text == "The book"
