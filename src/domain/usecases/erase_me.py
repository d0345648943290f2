"""Erase a person: the sales stay, and nothing that names them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from functools import partial
from typing import Final

from domain.address_change import AddressChange, ChangeKind
from domain.keys import Keyring
from domain.ports import Clock, Store, StoreUnavailable
from domain.records import ErasedAddress
from domain.session import Visitor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.finish_address_change import undo_change
from domain.usecases.identify_viewer import live_session
from domain.values import ChangeId, CheckoutId, EmailAddress, UserId

_ERASED: Final = "erased"
_SCRUBBED: Final = "scrubbed"
_LOT: Final = 200
"""Orders in one transaction: a list of years would take too long for one."""
_PAGE: Final = 2000


class Erased(Enum):
    """What became of the wish."""

    DONE = auto()
    NOT_SIGNED_IN = auto()
    """Only somebody who proved the mailbox can have it erased."""
    PROVE_AGAIN = auto()
    """It was proved too long ago for something that cannot be undone (OWASP ASVS 5.0, 7.5.1)."""
    TOO_SOON = auto()
    """What came to this address by a change, or was moved on from it since, may still be taken back by the old one."""


@dataclass(frozen=True, slots=True)
class ErasedAgain:
    """What a restored database had to have erased once more."""

    orders: int
    """Orders that stand erased and did not before."""
    unknown: int
    """Erased addresses that cannot be told: the secret they are hashed with is not in SESSION_SECRET any more."""


@dataclass(frozen=True, slots=True)
class EraseMe:
    """Everything that names the mailbox goes; then nothing of it can be read from the store's files any more.

    An order that came by a correction which can still be undone goes back to its first address: it is not theirs to
    erase, and must not keep them from being erased.

    If that cannot be seen to at once (somebody reads an older state), it is by `scrub_what_waits`, within the hour.
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
            undoable = [move for move in _ways_to(tx, session.mailbox) if move.can_be_undone(now=now)]
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

    async def again(
        self, checkouts: Sequence[CheckoutId], addresses: Sequence[ErasedAddress] = ()
    ) -> ErasedAgain:
        """Erase once more what a restored database brought back: these orders, these addresses, and nothing else.

        An address may have been somebody else's when the backup was made: what it owns there beside these orders was
        moved away from it before the erasure, so it is kept, and the address with it. Raises StoreUnavailable.
        """
        now = self.clock.now()
        found = 0
        for at in range(0, len(checkouts), _LOT):
            lot = checkouts[at : at + _LOT]
            found += await self.store.transact(partial(_erase_orders, lot, now))
        new = await self._unknown_here(addresses)
        ours = [one for one in new if self.keyring.named(one.tag.partition(".")[0]) is not None]
        if ours:
            await self._forget({one.tag for one in ours})
        # Noted last, and only what was done: a run that was broken off, or lacked a secret, can be made up for.
        for at in range(0, len(ours), _LOT):
            await self.store.transact(partial(_note_addresses, ours[at : at + _LOT]))
        await self.store.scrub()
        return ErasedAgain(orders=found, unknown=len(new) - len(ours))

    async def _unknown_here(self, addresses: Sequence[ErasedAddress]) -> Sequence[ErasedAddress]:
        """Those whose erasure this database does not know of."""
        held: dict[str, datetime] = {}
        after = ""
        while page := await self.store.read(partial(_erased_addresses, after)):
            held.update((one.tag, one.at) for one in page)
            after = page[-1].tag
        return [one for one in addresses if one.tag not in held or held[one.tag] < one.at]

    async def _forget(self, tags: set[str]) -> None:
        """Forget these addresses, once what moves brought there has gone back.

        A deletion waits for changes that can be undone, so the database that it was done in had none left, whatever
        the restored one says.
        """
        now = self.clock.now()

        def work(lot: Sequence[EmailAddress], tx: Transaction) -> None:
            for address in lot:
                for move in _ways_to(tx, address):
                    if move.can_be_undone(now=now):
                        undo_change(tx, move.id, new_user=UserId(move.id), now=now)
                if not tx.purchases.of_address(address):
                    tx.erasures.forget(address)

        after = ""
        while page := await self.store.read(partial(_addresses, after)):
            named = [
                address
                for address in page
                if any(key.erasure_of(address) in tags for key in self.keyring.keys)
            ]
            if named:
                await self.store.transact(partial(work, named))
            after = page[-1].canonical


def _erased_addresses(after: str, tx: ReadTransaction) -> Sequence[ErasedAddress]:
    return tx.erasures.addresses_after(after, limit=_PAGE)


def _addresses(after: str, tx: ReadTransaction) -> Sequence[EmailAddress]:
    return tx.erasures.known_addresses_after(after, limit=_PAGE)


def _note_addresses(addresses: Sequence[ErasedAddress], tx: Transaction) -> None:
    for one in addresses:
        tx.erasures.note_address(one)


def _ways_to(tx: ReadTransaction, mailbox: EmailAddress) -> list[AddressChange]:
    """The moves that stand and brought purchases here, also those from which others took them further."""
    found: dict[ChangeId, AddressChange] = {}
    reached = [mailbox]
    for address in reached:
        for move in tx.address_changes.done_to(address):
            if move.id not in found:
                found[move.id] = move
                reached.append(move.old)
    return list(found.values())


def _went_on(tx: ReadTransaction, move: AddressChange, mailbox: EmailAddress) -> bool:
    """Whether something that a move brought belongs to another address by now, so that it is not ours to hand back."""
    owners = {None if found is None else found.mailbox for found in map(tx.purchases.get, move.checkouts)}
    return not owners <= {None, mailbox, move.old}


def _erase_orders(checkouts: Sequence[CheckoutId], now: datetime, tx: Transaction) -> int:
    """How many were not erased before. Users who own nothing without them go."""
    new = 0
    for checkout in checkouts:
        purchase = tx.purchases.get(checkout)
        new += tx.erasures.erase_order(checkout, at=now)
        owner = None if purchase is None else purchase.mailbox
        # A list from before addresses were noted names orders alone; what else names their person goes with the last.
        if owner is not None and tx.users.drop_without_purchases(owner):
            tx.erasures.forget(owner)
    return new
