"""The catalogue port on a folder: checked at the start, and read again when something in it changed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from adapters.files.format import cover_type, read_page, read_product, read_shop
from adapters.files.offers import check_bundles
from adapters.files.reading import CatalogueRefused, Reader
from domain.product import CatalogueEdition, Page, Product
from domain.values import ProductId

_PAGES: Final = "pages"
_SKIPPED: Final = (".", "_")


@dataclass(frozen=True, slots=True)
class _Loaded:
    edition: CatalogueEdition
    declared_id: str | None
    covers: dict[ProductId, bytes]
    state: str


class FolderCatalogue:
    """Goes on with the last good edition when an edit broke something, and says what and where."""

    def __init__(self, root: Path, *, complain: Callable[[str], None]) -> None:
        """Raises CatalogueRefused with every problem of the folder."""
        self._root = root
        self._complain = complain
        self._shop_id = ""
        self._loaded = _load(root)
        self._seen = self._loaded.state
        self._edition = self._loaded.edition

    @property
    def declared_id(self) -> str | None:
        """The shop's id as shop.toml declares it; None if it leaves that to the database."""
        return self._loaded.declared_id

    def adopt(self, shop_id: str) -> None:
        """Take the id that the books hold."""
        self._shop_id = shop_id
        self._edition = _with_id(self._loaded.edition, shop_id)

    def current(self) -> CatalogueEdition:
        """See Catalogue."""
        return self._edition

    def cover(self, product: ProductId) -> tuple[bytes, str] | None:
        """A cover's bytes and media type; None if the product has none."""
        held = self._loaded.covers.get(product)
        name = self._edition.products[product].cover if product in self._edition.products else None
        return None if held is None or name is None else (held, cover_type(name))

    async def refresh(self) -> None:
        """Read the folder again if something in it changed. A broken edit is complained of once."""
        state = await asyncio.to_thread(_state, self._root)
        if state == self._seen:
            return
        self._seen = state
        try:
            self._loaded = await asyncio.to_thread(_load, self._root)
        except CatalogueRefused as error:
            for problem in error.problems:
                self._complain(problem)
            return
        self._edition = _with_id(self._loaded.edition, self._shop_id)


def _with_id(edition: CatalogueEdition, shop_id: str) -> CatalogueEdition:
    return replace(edition, shop=replace(edition.shop, id=shop_id))


def _files(root: Path) -> Iterator[Path]:
    return (path for path in sorted(root.rglob("*")) if path.is_file())


def _state(root: Path) -> str:
    """A fingerprint of every file's name, size and time; cheap enough to take every second."""
    digest = hashlib.sha256()
    for path in _files(root):
        try:
            stat = path.stat()
        except OSError:
            continue
        digest.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _load(root: Path) -> _Loaded:
    """Raises CatalogueRefused."""
    if not root.is_dir():
        raise CatalogueRefused(
            (f"{root}: there is no such folder: set CATALOGUE to the folder with shop.toml",)
        )
    state = _state(root)
    reader = Reader(root=root)
    shop = read_shop(reader)
    products: dict[ProductId, Product] = {}
    covers: dict[ProductId, bytes] = {}
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        if folder.name == _PAGES or folder.name.startswith(_SKIPPED):
            continue
        found = read_product(reader, folder, currency=shop[0].currency if shop else "usd")
        if found is not None:
            product, cover = found
            products[product.id] = product
            if cover is not None:
                covers[product.id] = cover
    check_bundles(reader, products)
    pages = _read_pages(reader)
    if reader.problems or shop is None:
        raise CatalogueRefused(tuple(reader.problems))
    info, declared = shop
    edition = CatalogueEdition(version=state, shop=info, products=products, pages=pages)
    return _Loaded(edition=edition, declared_id=declared, covers=covers, state=state)


def _read_pages(reader: Reader) -> dict[str, Page]:
    found = (read_page(reader, path) for path in sorted((reader.root / _PAGES).glob("*.md")))
    return {page.slug: page for page in found if page is not None}
