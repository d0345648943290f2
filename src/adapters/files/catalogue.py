"""The catalogue port on a folder: checked at the start, and read again when something in it changed."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from adapters.files.format import Shelve, cover_type, read_page, read_product, read_shop
from adapters.files.offers import check_bundles
from adapters.files.reading import CatalogueRefused, Reader
from domain.product import CatalogueEdition, Page, Product
from domain.values import ProductId

_PAGES: Final = "pages"
_SKIPPED: Final = (".", "_")
_LOOKS_BETWEEN_TRIES: Final = 30
_MOST_PRODUCTS: Final = 10_000
_MOST_ENTRIES: Final = 20_000


@dataclass(frozen=True, slots=True)
class _State:
    """Fingerprints of every file's name, size and time: of all files, and of those that buyers download."""

    all: str
    goods: str


@dataclass(frozen=True, slots=True)
class _Loaded:
    edition: CatalogueEdition
    declared_id: str | None
    covers: dict[ProductId, bytes]
    state: _State
    left_out: tuple[str, ...] = ()
    """Problems of products whose files cost too much to read: those alone are held back."""


class FolderCatalogue:
    """Goes on with the last good edition when an edit broke something, and says what and where."""

    def __init__(self, root: Path, *, complain: Callable[[str], None], shelve: Shelve) -> None:
        """`shelve` takes each file of an edition into the goods before the edition goes live.

        Raises CatalogueRefused with every problem of the folder.
        """
        self._root = root
        self._complain = complain
        self._shelve = shelve
        self._shop_id = ""
        self._loaded = _load(root, shelve)
        self._seen = self._waiting = self._loaded.state
        self._told: tuple[str, ...] = ()
        self._looks_left = 0
        self._edition = self._loaded.edition
        self._tell(self._loaded.left_out)

    @property
    def declared_id(self) -> str | None:
        """The shop's id as shop.toml declares it; None if it leaves that to the database."""
        return self._loaded.declared_id

    @property
    def left_out(self) -> tuple[str, ...]:
        """Why products are held back, while all others are on sale: a file of theirs costs too much to read."""
        return self._loaded.left_out

    def _tell(self, problems: tuple[str, ...]) -> None:
        for problem in problems:
            self._complain(problem)
        self._told = problems

    def adopt(self, shop_id: str) -> None:
        """Take the stored id."""
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
        """Read the folder again if something in it changed. A broken edit is complained of once.

        Call it about every second: a change of goods must have stood still from one look to the next, since it
        takes a while to copy a large file into the folder.
        """
        state = await asyncio.to_thread(_state, self._root)
        same = state == self._seen
        if same and not self._tries_again():
            return
        if state.goods not in (self._seen.goods, self._waiting.goods):
            self._waiting = state
            return
        self._seen = self._waiting = state
        try:
            self._loaded = await asyncio.to_thread(_load, self._root, self._shelve, self._loaded)
        except CatalogueRefused as error:
            self._looks_left = _LOOKS_BETWEEN_TRIES if error.passing else 0
            if not same or error.problems != self._told:
                self._tell(error.problems)
            return
        self._looks_left = 0
        if self._loaded.left_out != self._told:
            self._tell(self._loaded.left_out)
        self._edition = _with_id(self._loaded.edition, self._shop_id)

    def _tries_again(self) -> bool:
        """Whether it is time to try again what failed for a reason that may have passed."""
        self._looks_left -= 1
        return self._looks_left == 0


def _with_id(edition: CatalogueEdition, shop_id: str) -> CatalogueEdition:
    return replace(edition, shop=replace(edition.shop, id=shop_id))


def _folders(root: Path) -> list[Path]:
    """The products' folders, in order. Raises OSError."""
    named = (path for path in root.iterdir() if not path.name.startswith(_SKIPPED) and path.name != _PAGES)
    return sorted(islice((path for path in named if path.is_dir()), _MOST_PRODUCTS + 1))


def _entries(root: Path) -> Iterator[os.DirEntry[str]]:
    """Whatever lies where an edition is read from, symbolic links as the folders they lead to."""
    folders = _folders(root)
    for folder in (root, root / _PAGES, *folders, *(folder / "files" for folder in folders)):
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            yield from sorted(islice(entries, _MOST_ENTRIES), key=lambda entry: entry.name)


def _state(root: Path) -> _State:
    """Cheap enough to take every second."""
    everything, goods = hashlib.sha256(), hashlib.sha256()
    try:
        for entry in _entries(root):
            line = _looks(entry)
            everything.update(line)
            if Path(entry.path).parent.name == "files":
                goods.update(line)
    except OSError as error:
        everything.update(str(error.errno).encode())
    return _State(all=everything.hexdigest()[:16], goods=goods.hexdigest()[:16])


def _looks(entry: os.DirEntry[str]) -> bytes:
    try:
        stat = entry.stat()
    except OSError:  # a link to nothing
        return os.fsencode(f"{entry.path}\0\n")
    if entry.is_dir():
        return b""
    return os.fsencode(f"{entry.path}\0{entry.is_symlink()}\0{stat.st_size}\0{stat.st_mtime_ns}\n")


def _load(root: Path, shelve: Shelve, held: _Loaded | None = None) -> _Loaded:
    """`held` is what was loaded before: a product that is held back stays as it was there. Raises CatalogueRefused."""
    try:
        return _read(root, shelve, held)
    except OSError as error:
        raise CatalogueRefused(
            (f"{error.filename or root}: cannot be read: {error.strerror}",), passing=True
        ) from error


def _read(root: Path, shelve: Shelve, held: _Loaded | None) -> _Loaded:
    """Raises CatalogueRefused, OSError."""
    if not root.is_dir():
        raise CatalogueRefused(
            (f"{root}: there is no such folder: set CATALOGUE to the folder with shop.toml",)
        )
    state = _state(root)
    reader = Reader(root=root)
    shop = read_shop(reader)
    currency = shop[0].currency if shop else "usd"
    products: dict[ProductId, Product] = {}
    covers: dict[ProductId, bytes] = {}
    folders = _folders(root)
    if len(folders) > _MOST_PRODUCTS:
        raise CatalogueRefused((f"{root}: has more than {_MOST_PRODUCTS:,} products",))
    for folder in folders:
        before, reader.costly = len(reader.problems), 0
        found = read_product(reader, folder, currency=currency, shelve=shelve)
        if found is None and reader.leave_out(since=before):
            found = _as_before(held, ProductId(folder.name))
        if found is not None:
            product, cover = found
            products[product.id] = product
            if cover is not None:
                covers[product.id] = cover
    check_bundles(reader, products)
    pages = _read_pages(reader)
    if reader.problems or shop is None:
        raise CatalogueRefused(tuple(reader.problems), passing=reader.passing)
    info, declared = shop
    edition = CatalogueEdition(version=state.all, shop=info, products=products, pages=pages)
    return _Loaded(
        edition=edition, declared_id=declared, covers=covers, state=state, left_out=tuple(reader.left_out)
    )


def _as_before(held: _Loaded | None, product: ProductId) -> tuple[Product, bytes | None] | None:
    known = None if held is None else held.edition.products.get(product)
    return None if held is None or known is None else (known, held.covers.get(product))


def _read_pages(reader: Reader) -> dict[str, Page]:
    folder = reader.root / _PAGES
    if not reader.enters(folder):
        return {}
    found = (read_page(reader, path) for path in sorted(islice(folder.glob("*.md"), _MOST_ENTRIES)))
    return {page.slug: page for page in found if page is not None}
