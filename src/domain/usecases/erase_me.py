"""Erase a person: the sales stay, and nothing that names them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Final

from domain.address_change import AddressChange, ChangeKind
from domain.keys import Keyring
from domain.ports import Clock, Store, StoreUnavailable
from domain.records import ErasedAddress
from domain.session import Visitor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.finish_address_change import undo_change
from domain.usecases.identify_viewer import live_session
from domain.values import ChangeId, EmailAddress, UserId

_ERASED: Final = "erased"
_SCRUBBED: Final = "scrubbed"


class Erased(Enum):
    """What became of the wish."""

    DONE = auto()
    NOT_SIGNED_IN = auto()
    """Deleting an account requires that its address is verified."""
    PROVE_AGAIN = auto()
    """It was proved too long ago for something that cannot be undone (OWASP ASVS 5.0, 7.5.1)."""
    TOO_SOON = auto()
    """What came to this address by a change, or was moved on from it since, may still be taken back by the old one."""


@dataclass(frozen=True, slots=True)
class EraseMe:
    """Everything that names the mailbox goes; then nothing of it can be read from the store's files any more.

    An order that came by a correction which can still be undone goes back to its first address: it is not theirs to
    erase, and must not keep them from being erased.

    If that fails at first (another process reads an older state), `scrub_what_waits` does it within the hour.
    """

    store: Store
    clock: Clock
    keyring: Keyring

    async def __call__(self, visitor: Visitor) -> Erased:
        """Raises StoreUnavailable: then nothing was done."""
        now = self.clock.now()

        def work(tx: Transaction) -> Erased:
            session = live_session(tx, visitor, now=now)
            if session is None or session.mailbox is None:
                return Erased.NOT_SIGNED_IN
            if not session.verified_lately(now=now):
                return Erased.PROVE_AGAIN
            undoable = [move for move in changes_to(tx, session.mailbox) if move.can_be_undone(now=now)]
            if any(
                move.kind is ChangeKind.CHANGE or _went_on(tx, move, session.mailbox) for move in undoable
            ):
                return Erased.TOO_SOON
            for correction in undoable:
                undo_change(tx, correction.id, new_user=UserId(correction.id), now=now)
            for address in (session.mailbox, *tx.address_changes.former_addresses(session.mailbox)):
                tag = self.keyring.signing.erasure_of(address)
                tx.erasures.note_address(ErasedAddress(tag=tag, at=now))
            tx.erasures.erase(session.mailbox, at=now)
            tx.sessions.end(session.id)
            tx.shop.advance_cursor(_ERASED, to=now)
            return Erased.DONE

        erased = await self.store.transact(work)
        if erased is Erased.DONE:
            with contextlib.suppress(StoreUnavailable):
                await self._scrub(now)
        return erased

    async def scrub_what_waits(self) -> None:
        """Scrub if it was not since the last erasure. Raises StoreUnavailable: it goes on waiting."""
        erased, scrubbed = await self.store.read(
            lambda tx: (tx.shop.cursor(_ERASED), tx.shop.cursor(_SCRUBBED))
        )
        if erased is not None and (scrubbed is None or scrubbed < erased):
            await self._scrub(erased)

    async def _scrub(self, erased: datetime) -> None:
        await self.store.scrub()
        await self.store.transact(lambda tx: tx.shop.advance_cursor(_SCRUBBED, to=erased))


def changes_to(tx: ReadTransaction, mailbox: EmailAddress) -> list[AddressChange]:
    """The changes that stand and brought purchases here, also the earlier ones whose purchases they took further."""
    found: dict[ChangeId, AddressChange] = {}
    reached: list[tuple[EmailAddress, datetime | None]] = [(mailbox, None)]
    for address, left_at in reached:
        for move in tx.address_changes.done_to(address):
            earlier = left_at is None or (move.done_at is not None and move.done_at <= left_at)
            if earlier and move.id not in found:
                found[move.id] = move
                reached.append((move.old, move.done_at))
    return list(found.values())


def _went_on(tx: ReadTransaction, move: AddressChange, mailbox: EmailAddress) -> bool:
    """Whether something that a move brought belongs to another address by now, so that it is not ours to hand back."""
    owners = {None if found is None else found.mailbox for found in map(tx.purchases.get, move.checkouts)}
    return not owners <= {None, mailbox, move.old}
