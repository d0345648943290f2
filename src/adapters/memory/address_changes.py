"""Moves: purchases and accounts that go from one address to another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.tables import Record
from domain.address_change import AddressChange, Before, ChangeKind
from domain.values import ChangeId, CheckoutId, EmailAddress


class AddressChanges(Record):
    def get(self, move: ChangeId) -> AddressChange | None:
        return self._t.moves.get(move)

    def done_to(self, mailbox: EmailAddress) -> Sequence[AddressChange]:
        return self._done(m for m in self._t.moves.values() if m.new == mailbox)

    def done_from(self, mailbox: EmailAddress) -> Sequence[AddressChange]:
        return self._done(m for m in self._t.moves.values() if m.old == mailbox)

    def of_address(self, mailbox: EmailAddress) -> Sequence[AddressChange]:
        found = (m for m in self._t.moves.values() if mailbox in (m.old, m.new))
        return sorted(found, key=lambda m: (m.asked_at, m.id))

    def _done(self, moves: Iterable[AddressChange]) -> list[AddressChange]:
        done = [(m.done_at, m.id, m) for m in moves if m.stands]
        return [move for _, _, move in sorted(done, key=lambda one: one[:2])]

    def correction_of(self, checkout: CheckoutId) -> AddressChange | None:
        corrections = [m for m in self._t.moves.values() if m.kind is ChangeKind.CORRECTION]
        found = [m for m in corrections if m.checkouts == (checkout,)]
        return min(found, key=lambda m: (m.asked_at, m.id), default=None)

    def former_addresses(self, mailbox: EmailAddress) -> Sequence[EmailAddress]:
        changes = (m for m in self._t.moves.values() if m.kind is ChangeKind.CHANGE and m.stands)
        users = {user.mailbox for user in self._t.users.values()}
        found = {m.old for m in changes if m.new == mailbox != m.old and m.old not in users}
        return sorted(found, key=str)

    def begin(self, move: AddressChange) -> None:
        self._t.moves[move.id] = move

    def settle(
        self,
        move: ChangeId,
        *,
        done_at: datetime | None = None,
        undone_at: datetime | None = None,
        checkouts: Sequence[CheckoutId] | None = None,
        before: Before | None = None,
    ) -> bool:
        held = self._t.moves.get(move)
        if held is None or held.undone_at is not None or (done_at is not None and held.done_at is not None):
            return False
        self._t.moves[move] = replace(
            held,
            done_at=done_at or held.done_at,
            undone_at=undone_at,
            checkouts=held.checkouts if checkouts is None else tuple(checkouts),
            before=before or held.before,
        )
        return True

    def cancel_pending(self, old: EmailAddress, *, at: datetime, kind: ChangeKind | None = None) -> int:
        waiting = [
            m for m in self._t.moves.values() if m.old == old and m.is_pending and kind in (None, m.kind)
        ]
        for move in waiting:
            self._t.moves[move.id] = replace(move, undone_at=at)
        return len(waiting)
