"""Contents that are held in memory."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Callable, Iterator
from datetime import datetime
from pathlib import Path

from domain.ports import Blob, GoodsUnavailable, OpenFile
from domain.product import GoodsFile


class MemoryGoods:
    """Bytes by their SHA-256; `contents` may be changed. `failing`: nothing can be reached."""

    elsewhere = "the memory of this process"
    origin = ""

    def __init__(self, *contents: bytes) -> None:
        self.contents = {hashlib.sha256(content).hexdigest(): content for content in contents}
        self.failing = False

    def shelve(self, path: Path) -> tuple[str, int]:
        """Take a file in; its SHA-256 and its size. Raises OSError."""
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        self.contents[sha256] = content
        return sha256, len(content)

    async def open(self, file: GoodsFile, *, start: int, stop: int) -> OpenFile | None:
        """See Goods."""
        if self.failing:
            raise GoodsUnavailable("the storage is away")
        content = self.contents.get(file.sha256)
        if content is None:
            return None
        return OpenFile(size=stop - start, chunks=_once(content[start:stop]))

    async def prune(self, named: frozenset[str], *, now: datetime) -> None:
        """Nothing is thrown out: it all goes with the process."""

    async def check(self) -> str:
        """See Goods."""
        if self.failing:
            raise GoodsUnavailable("the storage is away")
        return f"{len(self.contents)} contents are held in memory"

    def blobs(self) -> Iterator[Blob]:
        """None: nothing is kept in files."""
        return iter(())

    def verify(self, *, done: Callable[[int], object] = lambda _: None) -> Iterator[Blob]:
        """None, as above."""
        return iter(())

    async def close(self) -> None:
        """Nothing is held."""


async def _once(content: bytes) -> AsyncGenerator[bytes, None]:
    yield content
