"""What programs read of the shop: the sitemap, and the feed of its products."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from domain.product import CatalogueEdition, Product
from domain.translations import root_of
from domain.values import ProductId

FEED: Final = "application/atom+xml"
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""The characters that XML 1.0 has no way to write (section 2.2)."""
_UNKNOWN: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Atom requires a date of everything; a change that is not known is older than every other."""


def sitemap(edition: CatalogueEdition, *, waiting: Set[ProductId], base_url: str) -> bytes:
    """The public pages; `waiting`: the products whose sale is still to begin. https://www.sitemaps.org/protocol.html"""
    codes = edition.shop.languages
    urls = "".join(
        f"<url><loc>{escape(base_url + root_of(code, codes) + path)}</loc>{_lastmod(changed)}"
        f"{_in_other_languages(path, codes, base_url)}</url>"
        for path, changed in _pages(edition, waiting)
        for code in codes
    )
    several = ' xmlns:xhtml="http://www.w3.org/1999/xhtml"' if len(codes) > 1 else ""
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"{several}>{urls}</urlset>\n'
    )
    return text.encode()


def _in_other_languages(path: str, codes: Sequence[str], base_url: str) -> str:
    """https://developers.google.com/search/docs/specialty/international/localized-versions#sitemap"""
    if len(codes) == 1:
        return ""
    there = [(code, f"{base_url}{root_of(code, codes)}{path}") for code in codes]
    return "".join(
        f'<xhtml:link rel="alternate" hreflang="{code}" href={quoteattr(url)}/>'
        for code, url in (*there, ("x-default", base_url + path))
    )


def _pages(edition: CatalogueEdition, waiting: Set[ProductId]) -> Iterator[tuple[str, datetime | None]]:
    """The path of each page, and when what it shows last changed. The front page shows the shop and all products."""
    shelf = [product for product in edition.products.values() if product.on_shelf]
    known = [edition.shop.changed, *(_changed(product, waiting) for product in shelf)]
    yield "/", max((moment for moment in known if moment is not None), default=None)
    for product in shelf:
        yield f"/products/{product.id}", _changed(product, waiting)
    for slug, page in edition.pages.items():
        yield f"/pages/{slug}", page.changed


def _lastmod(changed: datetime | None) -> str:
    return "" if changed is None else f"<lastmod>{timestamp(changed)}</lastmod>"


def timestamp(moment: datetime) -> str:
    """`2026-11-24T09:05:00Z`: RFC 3339 and the W3C's note on dates, of a moment in UTC."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def atom_feed(edition: CatalogueEdition, *, waiting: Set[ProductId], base_url: str) -> bytes:
    """The products on sale, the latest change first; RFC 4287. Ids are URLs, as stable as the shop's address."""
    shop = edition.shop
    sold = [p for p in edition.products.values() if p.on_shelf and p.on_sale and p.id not in waiting]
    dated = [(_changed(product, waiting) or _UNKNOWN, product) for product in sold]
    dated.sort(key=lambda entry: entry[0], reverse=True)
    updated = max([shop.changed or _UNKNOWN, *(moment for moment, _ in dated)])
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">',
        _element("title", shop.name),
        _element("subtitle", shop.tagline) if shop.tagline else "",
        _element("id", f"{base_url}/feed.atom"),
        _link("self", f"{base_url}/feed.atom", FEED),
        _link("alternate", f"{base_url}/", "text/html"),
        _element("updated", timestamp(updated)),
        f"<author>{_element('name', shop.name)}</author>",
        *(_entry(product, moment, base_url) for moment, product in dated),
        "</feed>\n",
    ]
    return "\n".join(part for part in parts if part).encode()


def _entry(product: Product, changed: datetime, base_url: str) -> str:
    url = f"{base_url}/products/{product.id}"
    return (
        f"<entry>{_element('title', product.name)}{_element('id', url)}{_link('alternate', url, 'text/html')}"
        f"{_element('updated', timestamp(changed))}"
        f"{_element('summary', product.summary or product.name)}</entry>"
    )


def _changed(product: Product, waiting: Set[ProductId]) -> datetime | None:
    """When its page last changed: by an edit, or as its sale began."""
    begun = None if product.id in waiting else product.available_from
    return max((moment for moment in (product.changed, begun) if moment is not None), default=None)


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(_NO_XML.sub(chr(0xFFFD), text))}</{name}>"


def _link(relation: str, address: str, kind: str) -> str:
    held = {"rel": relation, "type": kind, "href": address}
    return f"<link {' '.join(f'{name}={quoteattr(value)}' for name, value in held.items())}/>"
