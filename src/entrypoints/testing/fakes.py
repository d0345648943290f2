"""A clock, randomness and a catalogue that tests control."""

from __future__ import annotations

import hashlib
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from domain.product import CatalogueEdition, GoodsFile, Page, Product, ShopInfo
from domain.values import EmailAddress, Money, ProductId

T = TypeVar("T")


SECRET = "a secret that is long enough for a shop of tests"


BASE_URL = "https://shop.example"
BOOK, PHOTOS = ProductId("book"), ProductId("photos")


CONTENT = b"hello"
"""The content of every product's file."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a use case to its end. The in-memory adapters never wait, so it needs no event loop."""
    while True:
        try:
            work.send(None)
        except StopIteration as end:
            result: T = end.value
            return result


class HandClock:
    """A clock that advances only when a test moves it."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def tick(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        self.time += timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days)


class CountedRandomness:
    """Values that are unique within a run and identical in every run."""

    def __init__(self, seed: str = "") -> None:
        self._seed = seed
        self._count = 0

    def token(self, size: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(f"{self._seed}{self._count}".encode()).digest(size)


def a_product(pid: ProductId = BOOK, *, price: int = 900, stock: int | None = None, **more: Any) -> Product:
    """A product with one file; `price` in minor units, `more` as `Product` takes it."""
    return Product(
        id=pid,
        name=f"The {pid}",
        summary=f"All about the {pid}.",
        price=Money(price, "usd"),
        description_html="<p>About it.</p>",
        content_html=f"<p>The secret of the {pid}.</p>",
        stock=stock,
        cover=None,
        cover_alt="",
        **more,
        files=(GoodsFile(name="it.txt", title="It", size=5, sha256=hashlib.sha256(CONTENT).hexdigest()),),
    )


def an_edition(*products: Product, shop_id: str = "shop-1") -> CatalogueEdition:
    """A catalogue of these products; without any, of a book and photos."""
    found = products or (a_product(BOOK), a_product(PHOTOS, price=1400))
    return CatalogueEdition(
        version="1",
        shop=ShopInfo(
            id=shop_id,
            name="A Shop",
            tagline="Of tests",
            support=EmailAddress("help@shop.example"),
            currency="usd",
        ),
        products={product.id: product for product in found},
        pages={"terms": Page(slug="terms", title="Terms", html="<p>Be kind.</p>")},
    )
