"""Which language a page is in."""

from __future__ import annotations

from dataclasses import dataclass

from domain.ports import AS_WRITTEN, Catalogue, Language, Languages
from entrypoints.http.middleware import is_office


@dataclass(frozen=True, slots=True)
class Speech:
    """Decides it for each request."""

    languages: Languages
    catalogue: Catalogue

    def language_at(self, path: str) -> Language:
        """The shop's own; the back office is in English."""
        return AS_WRITTEN if is_office(path) else self.of_shop

    @property
    def of_shop(self) -> Language:
        """The shop's own."""
        return self.languages.language(self.catalogue.current().shop.language)
