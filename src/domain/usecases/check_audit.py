"""Check the audit log's chain from its first line to its last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from domain.audit_chain import AuditLink, Break, ChainReader, Checkpoint, LinkedLine
from domain.frozen import frozen
from domain.keys import Keyring
from domain.ports import Store
from domain.transaction import ReadTransaction

_AT_ONCE: Final = 1000


@frozen
class AuditCheck:
    """What was found."""

    lines: int
    """Lines whose signature holds."""
    since: datetime | None
    """The time of the first of them."""
    newest: AuditLink | None
    """None if no line was ever linked."""
    unlinked: int
    """Lines that are not linked yet; the shop does that every minute while it runs."""
    unknown: int
    """Lines whose secret SESSION_SECRET does not hold any more: nobody can check them."""
    broken: Break | None
    has_kept: bool | None
    """Whether the link that was kept elsewhere is in the chain; None if its line was pruned, or there was none."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing was changed, inserted or removed, as far as can be said."""
        return self.broken is None and self.has_kept is not False


@frozen
class CheckAudit:
    """`coatcheck audit --check` and `doctor`. Reads only, beside the customers."""

    store: Store
    keyring: Keyring

    async def __call__(
        self, *, kept: AuditLink | None = None, look: Callable[[int], object] = lambda _: None
    ) -> AuditCheck:
        """`kept`: a link that a backup's manifest carries. `look` gets the number of lines read since the last call.

        Raises StoreUnavailable.
        """
        reader = ChainReader(self.keyring)
        has_kept = None if kept is None else False
        while reader.broken is None:
            checkpoint, lines = await self.store.survey(partial(_page, reader.newest.sequence))
            if checkpoint is not None:
                reader.begin_at(checkpoint)
                if kept is not None and kept.sequence < checkpoint.link.sequence and has_kept is False:
                    has_kept = None
            if not lines:
                break
            reader.follow(lines)
            if kept in [one.link for one in lines]:
                has_kept = True
            look(len(lines))
        if kept is not None and kept == reader.newest:
            has_kept = True
        return AuditCheck(
            lines=reader.lines, since=reader.since, newest=reader.newest if reader.newest.sequence else None,
            unlinked=await self.store.survey(lambda tx: tx.audit_chain.count_unlinked()),
            unknown=reader.unknown, broken=reader.broken, has_kept=has_kept,
        )  # fmt: skip


def _page(after: int, tx: ReadTransaction) -> tuple[Checkpoint | None, Sequence[LinkedLine]]:
    checkpoint = tx.audit_chain.checkpoint()
    begin = after if checkpoint is None else max(after, checkpoint.link.sequence)
    return checkpoint, tx.audit_chain.after(begin, limit=_AT_ONCE)
