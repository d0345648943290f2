"""Erase a person: the sales stay, and nothing that names them."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Final

from domain.frozen import frozen
from domain.keys import Keyring
from domain.limits import ERASED_LATELY
from domain.ports import Clock, Randomness, Store, StoreUnavailable
from domain.records import ErasedAddress
from domain.session import Visitor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.erase_refusal import Erased, undoable, why_not_erased
from domain.usecases.finish_address_change import undo_change
from domain.usecases.identify_viewer import live_session
from domain.values import EmailAddress, UserId

_ERASED: Final = "erased"
_SCRUBBED: Final = "scrubbed"


@frozen
class EraseMe:
    """Everything that names the mailbox goes; then nothing of it can be read from the store's files any more.

    An order that came by a correction which can still be undone goes back to its first address: it is not theirs to
    erase, and must not keep them from being erased.

    If that fails at first (another process reads an older state), `scrub_what_waits` does it within the hour.
    """

    store: Store
    clock: Clock
    keyring: Keyring
    randomness: Randomness

    async def __call__(self, visitor: Visitor) -> Erased:
        """Raises StoreUnavailable: then nothing was done."""
        now, ref = self.clock.now(), self.randomness.token(16).hex()

        def work(tx: Transaction) -> Erased:
            session = live_session(tx, visitor, now=now)
            if session is None or session.mailbox is None:
                return Erased.DONE if self._did_it(tx, visitor, ref, now) else Erased.NOT_SIGNED_IN
            refusal = why_not_erased(tx, session, session.mailbox, now=now)
            if refusal is not None:
                return refusal
            erase_person(tx, session.mailbox, keyring=self.keyring, now=now)
            tx.sessions.end(session.id)
            tx.limits.acquire(self._bucket(visitor), ERASED_LATELY, now=now, ref=ref)
            return Erased.DONE

        erased = await self.store.transact(work)
        if erased is Erased.DONE:
            with contextlib.suppress(StoreUnavailable):
                await self._scrub(now)
        return erased

    def _bucket(self, visitor: Visitor) -> str:
        return self.keyring.bucket(ERASED_LATELY.kind, visitor.token_hash or "")

    def _did_it(self, tx: Transaction, visitor: Visitor, ref: str, now: datetime) -> bool:
        """Whether this browser deleted its account a moment ago: the form was submitted twice."""
        if visitor.token_hash is None:
            return False
        did = tx.limits.acquire(self._bucket(visitor), ERASED_LATELY, now=now, ref=ref) is not None
        tx.limits.release(ref)
        return did

    async def refusal(self, visitor: Visitor) -> Erased | None:
        """Why this account would not be deleted now; None if it would. Raises StoreUnavailable."""
        now = self.clock.now()

        def work(tx: ReadTransaction) -> Erased | None:
            session = live_session(tx, visitor, now=now)
            if session is None or session.mailbox is None:
                return Erased.NOT_SIGNED_IN
            return why_not_erased(tx, session, session.mailbox, now=now)

        return await self.store.read(work)

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


def erase_person(tx: Transaction, mailbox: EmailAddress, *, keyring: Keyring, now: datetime) -> None:
    """Erase whoever has this address, once nothing keeps it (`why_not_yet`); it is scrubbed within the hour."""
    for correction in undoable(tx, mailbox, now=now):
        undo_change(tx, correction.id, new_user=UserId(correction.id), now=now)
    for address in (mailbox, *tx.address_changes.former_addresses(mailbox)):
        tx.erasures.note_address(ErasedAddress(tag=keyring.signing.erasure_of(address), at=now))
    tx.erasures.erase(mailbox, at=now)
    tx.shop.advance_cursor(_ERASED, to=now)
