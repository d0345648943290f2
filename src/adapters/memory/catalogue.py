"""A catalogue that is given, not read."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from datetime import datetime

from domain.product import CatalogueEdition
from domain.values import ProductId


class MemoryCatalogue:
    """Always the edition it was given; `edition` may be exchanged. `covers`, `pictures`: bytes and media type."""

    declared_id: str | None = None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __init__(self, edition: CatalogueEdition) -> None:
        self.edition = edition
        self.covers: dict[ProductId, tuple[bytes, str]] = {}
        self.pictures: dict[tuple[ProductId, str], tuple[bytes, str]] = {}

    def current(self) -> CatalogueEdition:
        """See Catalogue."""
        return self.edition

    def cover(self, product: ProductId) -> tuple[bytes, str] | None:
        """See Catalogue."""
        return self.covers.get(product)

    def picture(self, product: ProductId, name: str) -> tuple[bytes, str] | None:
        """See Catalogue."""
        return self.pictures.get((product, name))

    def logo(self) -> tuple[bytes, str] | None:
        """It has none."""
        return None

    async def refresh(self) -> None:
        """Nothing changes by itself."""

    async def forget(self, *, owned: Set[ProductId], now: datetime) -> None:
        """It keeps nothing beside its edition."""

    def adopt(self, shop_id: str) -> None:
        """See Catalogue."""
        self.edition = replace(self.edition, shop=replace(self.edition.shop, id=shop_id))
