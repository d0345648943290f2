"""A catalogue that is given, not read."""

from __future__ import annotations

from dataclasses import replace

from domain.product import CatalogueEdition
from domain.values import ProductId


class MemoryCatalogue:
    """Always the edition it was given; `edition` may be exchanged. `covers`: bytes and media type."""

    declared_id: str | None = None
    left_out: tuple[str, ...] = ()

    def __init__(self, edition: CatalogueEdition) -> None:
        self.edition = edition
        self.covers: dict[ProductId, tuple[bytes, str]] = {}

    def current(self) -> CatalogueEdition:
        """See Catalogue."""
        return self.edition

    def cover(self, product: ProductId) -> tuple[bytes, str] | None:
        """See Catalogue."""
        return self.covers.get(product)

    async def refresh(self) -> None:
        """Nothing changes by itself."""

    def adopt(self, shop_id: str) -> None:
        """See Catalogue."""
        self.edition = replace(self.edition, shop=replace(self.edition.shop, id=shop_id))
