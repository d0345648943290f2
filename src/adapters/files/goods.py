"""The goods port on the same folder: `<product>/files/<name>`, for names that the catalogue lists."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from io import BufferedReader
from pathlib import Path
from typing import Final

from domain.ports import Catalogue, OpenFile
from domain.values import ProductId

_CHUNK: Final = 256 * 1024


class FolderGoods:
    """Reads in a thread, a chunk at a time: a slow disk or a slow buyer holds nobody up."""

    def __init__(self, root: Path, *, catalogue: Catalogue) -> None:
        self._root = root
        self._catalogue = catalogue

    async def open(self, product: ProductId, name: str) -> OpenFile | None:
        """See Goods."""
        sold = self._catalogue.current().products.get(product)
        listed = None if sold is None else sold.file(name)
        if sold is None or listed is None:
            return None
        path = self._root / sold.id / "files" / listed.name
        try:
            file = await asyncio.to_thread(path.open, "rb")
            size = path.stat().st_size
        except OSError:
            return None
        return OpenFile(name=listed.name, size=size, chunks=_chunks(file, size))


async def _chunks(file: BufferedReader, size: int) -> AsyncIterator[bytes]:
    """Exactly `size` bytes, which were promised: no more if the file grows meanwhile."""
    try:
        left = size
        while left > 0:
            chunk = await asyncio.to_thread(file.read, min(_CHUNK, left))
            if not chunk:
                return
            left -= len(chunk)
            yield chunk
    finally:
        file.close()
