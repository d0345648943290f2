"""What is rendered once for many visitors: the keys by which it is found again, and how long it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.local_time import begin_of, day_of
from domain.product import CatalogueEdition, Product
from domain.values import ProductId
from entrypoints.http.prepared import Prepared
from entrypoints.http.responses import Header, RawResponse

# A page for guests: (path, currency, sold-out products).
GuestsKey = tuple[str, str, frozenset[ProductId]]
# The shop for (owned products, sold-out products, known visitor, signed in, holds a purchase, currency). It shows no
# other data of a buyer.
OwnersKey = tuple[frozenset[ProductId], frozenset[ProductId], bool, bool, bool, str]


@dataclass(slots=True)
class Rendered:
    """The parts shared by all visitors, rendered once for each edition, language and beginning sale."""

    version: str = ""
    until: datetime | None = None
    """See `holds_until`: then all of this is rendered anew."""
    waiting: frozenset[ProductId] = frozenset()
    """Products whose sale is still to begin."""
    limited: tuple[Product, ...] = ()
    """Products that can sell out."""
    pages: dict[GuestsKey, Prepared] = field(default_factory=dict)
    """Pages for visitors without a session."""
    size: int = 0
    """Bytes of these pages."""
    pictures: dict[tuple[tuple[ProductId, str] | None, tuple[Header, ...]], Prepared] = field(
        default_factory=dict
    )
    """Covers and other pictures, and the logo under None, each by its headers: how long it may be kept, above all."""
    owners: dict[OwnersKey, RawResponse] = field(default_factory=dict)
    """Pages for visitors with a session."""
    cards: dict[tuple[ProductId, bool, bool, str], str] = field(default_factory=dict)
    """A product on the shelf: (product, owned, sold out, currency)."""

    def keep(self, key: GuestsKey, page: Prepared, *, most: int) -> Prepared:
        """Keep a page, and drop the oldest ones until there are at most so many bytes of them; returns the page."""
        while self.pages and self.size + len(page.body) > most:
            self.size -= len(self.pages.pop(next(iter(self.pages))).body)
        self.size += len(page.body)
        self.pages[key] = page
        return page


def holds_until(edition: CatalogueEdition, *, now: datetime) -> datetime | None:
    """When the next sale begins; and the next midnight, where pages say on which day a purchase would open."""
    times = [edition.next_opening(now=now)]
    if edition.shop.law.waits:
        zone = edition.shop.zone
        times.append(begin_of(day_of(now, zone) + timedelta(days=1), zone))
    return min((at for at in times if at is not None), default=None)
