"""What programs read of the shop: the sitemap."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from xml.sax.saxutils import escape

from domain.product import CatalogueEdition


def sitemap(edition: CatalogueEdition, *, base_url: str) -> bytes:
    """The public pages; https://www.sitemaps.org/protocol.html"""
    urls = "".join(
        f"<url><loc>{escape(base_url + path)}</loc>{_lastmod(changed)}</url>"
        for path, changed in _pages(edition)
    )
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>\n'
    )
    return text.encode()


def _pages(edition: CatalogueEdition) -> Iterator[tuple[str, datetime | None]]:
    """The path of each page, and when what it shows last changed. The front page shows the shop and all products."""
    known = [edition.shop.changed, *(product.changed for product in edition.listed)]
    yield "/", max((moment for moment in known if moment is not None), default=None)
    for product in edition.listed:
        yield f"/products/{product.id}", product.changed
    for slug, page in edition.pages.items():
        yield f"/pages/{slug}", page.changed


def _lastmod(changed: datetime | None) -> str:
    return "" if changed is None else f"<lastmod>{timestamp(changed)}</lastmod>"


def timestamp(moment: datetime) -> str:
    """`2026-11-24T09:05:00Z`: RFC 3339 and the W3C's note on dates, of a moment in UTC."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
