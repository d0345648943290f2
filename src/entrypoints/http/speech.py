"""Which language a page is in, and where its pages are: `/…` in the shop's first language, `/de/…` in another."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from domain.ports import AS_WRITTEN, Catalogue, Language, Languages
from domain.product import CatalogueEdition
from domain.translations import in_language, root_of
from domain.values import ProductId
from entrypoints.http.office import is_office
from entrypoints.http.prepared import weights_of
from entrypoints.http.sentences import LANGUAGE

if TYPE_CHECKING:
    from litestar.types import HTTPScope

    from entrypoints.http.cookies import Held

ROOT: Final = ContextVar("root", default="")
"""What the paths of public pages begin with in the language of the request: "" or `/de`."""
_PAGES: Final = ("/products/", "/pages/")
"""The public pages, beside the first one. Each has an address in every language."""
_FORMS: Final = ("/buy/", "/currency")
"""Forms of public pages, in the language of their page."""
_SAME_FOR_ALL: Final = (
    "/covers/", "/static/", "/share/", "/logo", "/theme.css", "/favicon.ico", "/robots.txt", "/sitemap.xml",
    "/feed.atom",
)  # fmt: skip
_LEAD_BACK: Final = frozenset({"/library", "/account", "/sessions", "/request-login"})
"""Personal pages with a choice of language, which leads back to them."""
_ADDRESS: Final = re.compile(r"/(?:[A-Za-z0-9._~-]+/?)*")
_LONGEST_KEPT: Final = 200


def is_page(path: str) -> bool:
    """Whether there is a public page of that path, in every language."""
    return path == "/" or path.startswith(_PAGES)


def way_back(path: str, code: str, codes: Sequence[str]) -> str:
    """A path of the shop in a language; its first page for what is none."""
    if not _ADDRESS.fullmatch(path):
        path = "/"
    return f"{root_of(code, codes)}{path}" if is_page(path) else path


@dataclass(frozen=True, slots=True)
class Speech:
    """Decides it for each request."""

    languages: Languages
    catalogue: Catalogue

    def begin(self, scope: HTTPScope, held: Held) -> None:
        """Set the language of a request. The path of a page loses the language that it begins with.

        A public page is in the language of its address, and the back office in English. Everything else is in the
        language chosen in this browser, else in one that the browser asks for, else in the shop's first.
        """
        path, codes = scope["path"], self.catalogue.current().shop.languages
        if is_office(path):
            LANGUAGE.set(AS_WRITTEN)
            ROOT.set("")
            return
        code = codes[0]
        if len(codes) > 1:
            code = self._code(scope, path, held, codes)
        LANGUAGE.set(self.languages.language(code))
        ROOT.set(root_of(code, codes))

    @property
    def of_shop(self) -> Language:
        """The shop's first."""
        return self.languages.language(self.catalogue.current().shop.language)

    @property
    def spoken(self) -> str:
        """The language of the request, to be remembered for its buyer; "" in a shop with one language."""
        return LANGUAGE.get().code if len(self.catalogue.current().shop.languages) > 1 else ""

    def preferred(self, scope: HTTPScope, held: Held) -> str:
        """The language of somebody whose address says none."""
        codes = self.catalogue.current().shop.languages
        chosen = held.values.get("language", b"").decode("latin-1")
        if chosen in codes:
            return chosen
        for name, value in scope["headers"]:
            if name == b"accept-language":
                return accepted(value, codes)
        return codes[0]

    def context(self, path: str, edition: CatalogueEdition, *, base_url: str) -> dict[str, object]:
        """What a page says of itself in other languages, and the choice of them; nothing in a shop of one language."""
        codes, address = edition.shop.languages, f"{base_url}{ROOT.get()}{path}"
        found: dict[str, object] = {"canonical": address, "alternates": (), "choices": (), "back_to": path}
        if len(codes) > 1 and is_page(path):
            there = [(code, f"{base_url}{root_of(code, codes)}{path}") for code in codes]
            found["alternates"] = [*there, ("x-default", f"{base_url}{path}")]
        if len(codes) > 1 and (is_page(path) or path in _LEAD_BACK):
            found["choices"] = [(code, self.languages.language(code).name) for code in codes]
        return found

    def led_to(self, scope: HTTPScope) -> str:
        """Where the first page leads a visitor whose language is another than the shop's first; "" for nowhere."""
        codes = self.catalogue.current().shop.languages
        if len(codes) == 1 or ROOT.get():
            return ""
        code = self.preferred(scope, scope["cookies"])  # type: ignore[typeddict-item]  # the middleware put it there
        return "" if code == codes[0] else f"/{code}/"

    def _code(self, scope: HTTPScope, path: str, held: Held, codes: Sequence[str]) -> str:
        first, _, rest = path[1:].partition("/")
        if first in codes[1:] and (is_page(f"/{rest}") or f"/{rest}".startswith(_FORMS)):
            scope["path"] = f"/{rest}"
            return first
        if is_page(path) or path.startswith((*_FORMS, *_SAME_FOR_ALL)):
            return codes[0]
        return self.preferred(scope, held)


def accepted(field: bytes, codes: Sequence[str]) -> str:
    """The language of `codes` that an Accept-Language asks for (RFC 9110 §12.5.4); the first if it asks for none."""
    return _kept(field, tuple(codes)) if len(field) <= _LONGEST_KEPT else _best(field[:1000], tuple(codes))


def _best(field: bytes, codes: tuple[str, ...]) -> str:
    """A range such as `de-AT` asks for `de`, too (RFC 4647 §3.4)."""
    weights = weights_of(field.decode("latin-1").lower())
    asked: dict[str, int] = {}
    for tag, weight in weights.items():
        code = next((code for code in codes if tag == code.lower()), None)
        code = code or next((code for code in codes if tag.partition("-")[0] == code.lower()), None)
        if code is not None and weight > asked.get(code, 0):
            asked[code] = weight
    return max(asked, key=lambda code: asked[code], default=codes[0])


_kept: Final = lru_cache(maxsize=256)(_best)


@dataclass(slots=True)
class SpokenCatalogue:
    """The catalogue with the merchant's texts in the language of the request."""

    catalogue: Catalogue
    _views: dict[str, tuple[CatalogueEdition, CatalogueEdition]] = field(default_factory=dict)
    """By language: an edition, and the same in that language."""

    def current(self) -> CatalogueEdition:
        """See Catalogue, as for all below."""
        edition, code = self.catalogue.current(), LANGUAGE.get().code
        if code == edition.shop.language:
            return edition
        held = self._views.get(code)
        if held is None or held[0] is not edition:
            held = self._views[code] = (edition, in_language(edition, code))
        return held[1]

    def cover(self, product: ProductId) -> tuple[bytes, str] | None:
        """Of the catalogue."""
        return self.catalogue.cover(product)

    def picture(self, product: ProductId, name: str) -> tuple[bytes, str] | None:
        """Of the catalogue."""
        return self.catalogue.picture(product, name)

    def logo(self) -> tuple[bytes, str] | None:
        """Of the catalogue."""
        return self.catalogue.logo()

    async def refresh(self) -> None:
        """Of the catalogue."""
        await self.catalogue.refresh()

    @property
    def declared_id(self) -> str | None:
        """Of the catalogue."""
        return self.catalogue.declared_id

    @property
    def problems(self) -> Sequence[str]:
        """Of the catalogue."""
        return self.catalogue.problems

    @property
    def warnings(self) -> Sequence[str]:
        """Of the catalogue."""
        return self.catalogue.warnings

    async def forget(self, *, owned: Set[ProductId], now: datetime) -> None:
        """Of the catalogue."""
        await self.catalogue.forget(owned=owned, now=now)

    def adopt(self, shop_id: str) -> None:
        """Of the catalogue."""
        self.catalogue.adopt(shop_id)
