"""The catalogue, and the files that buyers download."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from domain.ports.world import ProviderSaid
from domain.product import CatalogueEdition, GoodsFile
from domain.values import ProductId

if TYPE_CHECKING:  # a path is passed on, never opened here
    from pathlib import Path


class Catalogue(Protocol):
    """What the shop sells."""

    def current(self) -> CatalogueEdition:
        """The last good edition; cheap. Two calls may give different editions: take one and keep to it."""

    def cover(self, product: ProductId) -> tuple[bytes, str] | None:
        """The bytes and the media type of a product's cover; None if it has none."""

    async def refresh(self) -> None:
        """Take up what the merchant changed; call it about every second. A broken edit leaves the last good one."""

    @property
    def declared_id(self) -> str | None:
        """The shop's id as the merchant declares it; None if that is left to the store."""

    @property
    def left_out(self) -> Sequence[str]:
        """Why products are held back while all others are on sale, a sentence each."""

    def adopt(self, shop_id: str) -> None:
        """Take the shop's id as it is stored; every edition names it from now on."""


class GoodsUnavailable(ProviderSaid):
    """The storage does not answer, says that it cannot now, or broke off in the middle. Worth another try."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A span of a file being handed out: `size` bytes, in chunks that can be taken once.

    Whoever stops early closes the chunks. They give exactly `size` bytes, or raise GoodsUnavailable: that they
    end is never a sign that something broke.
    """

    size: int
    chunks: AsyncGenerator[bytes, None]


@dataclass(frozen=True, slots=True)
class FileAt:
    """Where the browser fetches the whole file itself: a signed address that opens nothing else and soon lapses."""

    url: str


@dataclass(frozen=True, slots=True)
class Blob:
    """One content that is kept on this machine; `size` in bytes."""

    sha256: str
    path: Path
    size: int


class Goods(Protocol):
    """The contents that buyers download, kept by their SHA-256."""

    def shelve(self, path: Path) -> tuple[str, int]:
        """Take a merchant's file in, unless that was done before; its SHA-256 and its size in bytes.

        Called in a thread, for each file of an edition before that goes live; several threads and processes may do
        it at once. Raises OSError or GoodsUnavailable: then nothing was taken in.
        """

    async def open(self, file: GoodsFile, *, start: int, stop: int) -> OpenFile | FileAt | None:
        """The bytes from `start` up to, but not including, `stop`; 0 <= start <= stop <= file.size.

        They are of exactly the content that `file` names, whatever became of the merchant's own file since, and
        the span of one call is of one content. FileAt is for the whole file: whoever serves it there answers
        ranges. None: the bytes are not there. Raises GoodsUnavailable, within some 10 s.
        """

    async def prune(self, named: frozenset[str], *, now: datetime) -> None:
        """Throw out contents that the catalogue has not named for long, if anything; `named` are those it names now.

        Called every few hours. Raises OSError or GoodsUnavailable.
        """

    async def check(self) -> str:
        """What the merchant may hear of the place, such as how much is kept there. Raises GoodsUnavailable."""

    @property
    def elsewhere(self) -> str:
        """Where the contents are kept, if that has copies of its own: a backup names it and holds none of them.

        "" if they are the files of `blobs`, in the shop's own folder for goods.
        """

    def blobs(self) -> Iterator[Blob]:
        """Every content in the shop's own folder, in the order of their hashes; none where they are kept elsewhere."""

    def verify(self, *, done: Callable[[int], object] = ...) -> Iterator[Blob]:
        """Those of `blobs` whose bytes no longer have their hash; `done` is told of bytes read. Raises OSError."""

    async def close(self) -> None:
        """Let go of connections and threads. May be called when none was ever opened, and twice."""
