"""A catalogue that is given, not read."""

from __future__ import annotations

from domain.product import CatalogueEdition


class MemoryCatalogue:
    """Always the edition it was given; `edition` may be exchanged."""

    def __init__(self, edition: CatalogueEdition) -> None:
        self.edition = edition

    def current(self) -> CatalogueEdition:
        """See Catalogue."""
        return self.edition
