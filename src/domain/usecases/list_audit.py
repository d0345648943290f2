"""List what was done by hand, a page at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

from domain.audit import AuditAction, AuditLine
from domain.frozen import frozen
from domain.ports import Store
from domain.transaction import ReadTransaction

_AT_ONCE: Final = 500
_READS: Final = 10
"""Pages of lines in which those are looked for that are wanted."""


@frozen
class AuditFilter:
    """Which lines are wanted."""

    actor: str = ""
    """The actor's name (`domain.staff.Actor`), or its beginning up to the colon; "" for anybody."""
    action: AuditAction | None = None

    @property
    def narrows(self) -> bool:
        """Whether some lines may not be wanted."""
        return self.actor != "" or self.action is not None

    def takes(self, line: AuditLine) -> bool:
        """Whether a line is wanted."""
        by_them = line.actor.startswith(self.actor) if self.actor.endswith(":") else line.actor == self.actor
        return (by_them or not self.actor) and self.action in (None, line.action)


@frozen
class AuditPage:
    """Lines, the newest first. `older`: the id before which others may be; "" if there are none."""

    lines: Sequence[AuditLine]
    older: str = ""


@frozen
class ListAudit:
    """`coatcheck audit` and the page "Audit log". Holds no more than a page in memory."""

    store: Store

    async def __call__(self) -> AsyncIterator[AuditLine]:
        """Every line, the newest last. Raises StoreUnavailable."""
        after = ""
        while lines := await self._page(after):
            for line in lines:
                yield line
            after = lines[-1].id

    async def newest(self, wanted: AuditFilter, *, before: str, limit: int) -> AuditPage:
        """At most so many lines before that of this id ("": the newest). Raises StoreUnavailable.

        There can be fewer on a page that is not the last: no more than 5,000 lines are looked at for it.
        """
        return await self.store.survey(lambda tx: _newest(tx, wanted, before, limit))

    async def _page(self, after: str) -> Sequence[AuditLine]:
        return await self.store.read(lambda tx: tx.audit.page_after(after, limit=_AT_ONCE))


def _newest(tx: ReadTransaction, wanted: AuditFilter, before: str, limit: int) -> AuditPage:
    found: list[AuditLine] = []
    at_once = _AT_ONCE if wanted.narrows else limit + 1
    for _ in range(_READS):
        lot = tx.audit.page_before(before, limit=at_once)
        for line in filter(wanted.takes, lot):
            if len(found) == limit:
                return AuditPage(found, older=found[-1].id)
            found.append(line)
        if len(lot) < at_once:
            return AuditPage(found)
        before = lot[-1].id
    return AuditPage(found, older=before)
