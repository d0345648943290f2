"""List what was done by hand, a page at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

from domain.audit import AuditLine
from domain.frozen import frozen
from domain.ports import Store

_AT_ONCE: Final = 500


@frozen
class ListAudit:
    """`coatcheck audit`. Holds no more than a page in memory."""

    store: Store

    async def __call__(self) -> AsyncIterator[AuditLine]:
        """Every line, the newest last. Raises StoreUnavailable."""
        after = ""
        while lines := await self._page(after):
            for line in lines:
                yield line
            after = lines[-1].id

    async def newest(self, *, before: str, limit: int) -> Sequence[AuditLine]:
        """The lines before that of this id ("": the newest), the newest first. Raises StoreUnavailable."""
        return await self.store.read(lambda tx: tx.audit.page_before(before, limit=limit))

    async def _page(self, after: str) -> Sequence[AuditLine]:
        return await self.store.read(lambda tx: tx.audit.page_after(after, limit=_AT_ONCE))
