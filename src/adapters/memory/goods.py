"""Files that are held in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from domain.ports import OpenFile
from domain.values import ProductId


class MemoryGoods:
    """Bytes by product and name."""

    def __init__(self, files: Mapping[tuple[ProductId, str], bytes]) -> None:
        self._files = files

    async def open(self, product: ProductId, name: str) -> OpenFile | None:
        """See Goods."""
        content = self._files.get((product, name))
        if content is None:
            return None
        return OpenFile(name=name, size=len(content), chunks=_once(content))


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
