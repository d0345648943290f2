"""The catalogue, and the files that buyers download."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence, Set
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from domain.frozen import frozen
from domain.ports.world import ProviderSaid
from domain.product import CatalogueEdition, GoodsFile
from domain.values import ProductId

if TYPE_CHECKING:  # a path is passed on, never opened here
    from pathlib import Path


class Catalogue(Protocol):
    """The products on sale."""

    def current(self) -> CatalogueEdition:
        """The present edition; cheap. Two calls may return different editions: use one throughout."""

    def cover(self, product: ProductId) -> tuple[bytes, str] | None:
        """The bytes and the media type of a product's cover; None if it has none."""

    def picture(self, product: ProductId, name: str) -> tuple[bytes, str] | None:
        """The same of one of its other pictures."""

    def logo(self) -> tuple[bytes, str] | None:
        """The bytes and the media type of the shop's logo; None if it has none."""

    async def refresh(self) -> None:
        """Load the merchant's changes; called about every second.

        What an edit breaks or removes stays in its last good form, and is not for sale.
        """

    @property
    def declared_id(self) -> str | None:
        """The shop's id as the merchant declares it; None if the store assigns it."""

    @property
    def problems(self) -> Sequence[str]:
        """The merchant's mistakes: one sentence each, with the file, the line where there is one, and the fix.

        What they are about is held back; products that are gone are not among them.
        """

    @property
    def warnings(self) -> Sequence[str]:
        """What holds nothing back, but is perhaps not what the merchant meant; likewise."""

    async def forget(self, *, owned: Set[ProductId], now: datetime) -> None:
        """Drop the last good forms of products that have long been gone, and that nobody owns. Raises OSError."""

    def adopt(self, shop_id: str) -> None:
        """Set the shop's id to the stored one; every later edition carries it."""


class GoodsUnavailable(ProviderSaid):
    """The storage did not respond, is temporarily unavailable, or broke off mid-transfer. Can be retried."""


@frozen
class OpenFile:
    """A byte range of a file being served: `size` bytes, in chunks that can be iterated once.

    A consumer that stops early closes `chunks`. It yields exactly `size` bytes or raises GoodsUnavailable; it never
    ends early without an error.
    """

    size: int
    chunks: AsyncGenerator[bytes, None]


@frozen
class FileAt:
    """A signed, short-lived URL from which the browser fetches the whole file, and only that file."""

    url: str


@frozen
class Blob:
    """One content stored on this machine; `size` in bytes."""

    sha256: str
    path: Path
    size: int


class Goods(Protocol):
    """The contents that buyers download, kept by their SHA-256."""

    def shelve(self, path: Path) -> tuple[str, int]:
        """Store a merchant's file unless it is stored already; return its SHA-256 and its size in bytes.

        Called in a thread, for each file of an edition before the edition goes live; several threads and processes
        may call it concurrently. Raises OSError or GoodsUnavailable; nothing is stored then.
        """

    async def open(self, file: GoodsFile, *, start: int, stop: int) -> OpenFile | FileAt | None:
        """The bytes from `start` up to, but not including, `stop`; 0 <= start <= stop <= file.size.

        The bytes are of exactly the content that `file` names, even if the merchant's own file has changed since, and
        one call never mixes contents. FileAt covers the whole file: the server at its URL answers range requests.
        None if the bytes are missing. Raises GoodsUnavailable, within some 10 s.
        """

    async def prune(self, named: frozenset[str], *, now: datetime) -> None:
        """Delete contents that have long been out of the catalogue, if any; `named` are those in it now.

        Called every few hours. Raises OSError or GoodsUnavailable.
        """

    async def check(self) -> str:
        """A status line on the storage for the merchant, such as its size. Raises GoodsUnavailable."""

    @property
    def origin(self) -> str:
        """The origin of the URLs of `FileAt`, for the Content-Security-Policy; "" if `open` returns none."""

    @property
    def elsewhere(self) -> str:
        """The external storage of the contents, which keeps its own copies: a backup names it but includes none.

        "" if the contents are the files of `blobs`, in the shop's own folder for goods.
        """

    def blobs(self) -> Iterator[Blob]:
        """Every content in the shop's own folder, in the order of their hashes; none if they are stored elsewhere."""

    def verify(self, *, done: Callable[[int], object] = ...) -> Iterator[Blob]:
        """Those of `blobs` whose bytes no longer match their hash; calls `done` with bytes read. Raises OSError."""

    async def close(self) -> None:
        """Close connections and threads. Idempotent; safe if none was ever opened."""
