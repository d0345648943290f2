"""Link the audit log's new lines to its chain, and prune the old ones behind a signed checkpoint."""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile
from typing import Final

from domain.audit import KEPT_FOR, AuditAction, AuditLine, AuditResult
from domain.audit_chain import (
    BEGINNING,
    SIGN_INS_COUNTED,
    SignInRefusals,
    checkpoint_at,
    hour_of,
    next_link,
)
from domain.frozen import frozen
from domain.keys import Keyring
from domain.ports import Clock, Randomness, Store
from domain.transaction import ReadTransaction, Transaction
from domain.values import sortable_id

_AT_ONCE: Final = 200


@frozen
class LinkAudit:
    """Run every minute, on one node at a time. Two at once do no harm: a number is given once."""

    store: Store
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def __call__(self) -> int:
        """How many lines were linked. Raises StoreUnavailable: then run it again."""
        now, linked = self.clock.now(), 0
        while await self._close_hours(now):
            pass
        while await self.store.read(lambda tx: tx.audit_chain.count_unlinked()):
            linked += await self.store.transact(self._link_some)
        while await self.store.read(lambda tx: _is_old(tx, now)):
            await self.store.transact(lambda tx: self._prune_some(tx, now))
        return linked

    async def _close_hours(self, now: datetime) -> int:
        """A line for each network that was refused in an hour that is over."""
        entropy = [self.randomness.token(10) for _ in range(_AT_ONCE)]

        def work(tx: Transaction) -> int:
            counted = tx.refused_sign_ins.take_before(hour_of(now), limit=_AT_ONCE)
            for one, own in zip(counted, entropy, strict=False):
                tx.audit.append(_line(one, own))
            return len(counted)

        return await self.store.transact(work)

    def _link_some(self, tx: Transaction) -> int:
        newest, lines = tx.audit_chain.newest() or BEGINNING, tx.audit_chain.unlinked(limit=_AT_ONCE)
        for line in lines:
            newest = next_link(self.keyring, newest, line)
            tx.audit_chain.link(line.id, newest)
        return len(lines)

    def _prune_some(self, tx: Transaction, now: datetime) -> None:
        """Only the beginning of the chain goes: what is left has no gap."""
        oldest = tx.audit_chain.after(0, limit=_AT_ONCE)
        old = list(takewhile(lambda one: one.line.at < now - KEPT_FOR, oldest))
        if old:
            tx.audit_chain.prune(checkpoint_at(self.keyring, old[-1]))


def _is_old(tx: ReadTransaction, now: datetime) -> bool:
    return any(one.line.at < now - KEPT_FOR for one in tx.audit_chain.after(0, limit=1))


def _line(refused: SignInRefusals, entropy: bytes) -> AuditLine:
    over = refused.hour + SIGN_INS_COUNTED
    row = sortable_id(now=over, entropy=entropy)
    return AuditLine(
        id=row, form=f"refusals:{row}", at=over, actor=refused.network, action=AuditAction.SIGN_IN,
        object_id="", result=AuditResult.REFUSED, reason="", times=refused.times,
    )  # fmt: skip
