"""Erase again what a restored database brought back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

from domain.audit import AuditAction, ByHand
from domain.frozen import frozen
from domain.keys import Keyring
from domain.ports import Clock, Store
from domain.records import ErasedAddress
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.authorise import write_down
from domain.usecases.erase_refusal import changes_to
from domain.usecases.finish_address_change import undo_change
from domain.values import CheckoutId, EmailAddress, UserId

_LOT: Final = 200
"""Orders in one transaction: a list of years would take too long for one."""
_PAGE: Final = 2000


@frozen
class ErasedAgain:
    """What a restored database had to have erased once more."""

    orders: int
    """Orders that stand erased and did not before."""
    unknown: int
    """Erased addresses that cannot be recognised: SESSION_SECRET no longer has the secret of their hash."""


@frozen
class EraseAgain:
    """Done after a restore, with the list of erasures that was kept beside the backup."""

    store: Store
    clock: Clock
    keyring: Keyring

    async def __call__(
        self,
        checkouts: Sequence[CheckoutId],
        addresses: Sequence[ErasedAddress] = (),
        *,
        asked: ByHand | None = None,
    ) -> ErasedAgain:
        """Erase once more what a restored database brought back: these orders, these addresses, and nothing else.

        An address may have had another owner when the backup was made: what it owns there beside these orders was
        moved away from it before the erasure, so it is kept, and the address with it. Raises StoreUnavailable.

        `asked`: by whom, for the audit log; None where it is part of a restore.
        """
        if asked is not None:
            await self.store.transact(partial(_note_asked, asked))
        now, found = self.clock.now(), 0
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

        def next_page(tx: ReadTransaction) -> Sequence[ErasedAddress]:
            return tx.erasures.addresses_after(after, limit=_PAGE)

        while page := await self.store.read(next_page):
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
                for move in changes_to(tx, address):
                    if move.can_be_undone(now=now):
                        undo_change(tx, move.id, new_user=UserId(move.id), now=now)
                if not tx.purchases.of_address(address):
                    tx.erasures.forget(address)

        after = ""

        def next_page(tx: ReadTransaction) -> Sequence[EmailAddress]:
            return tx.erasures.known_addresses_after(after, limit=_PAGE)

        while page := await self.store.read(next_page):
            named = [one for one in page if any(key.erasure_of(one) in tags for key in self.keyring.keys)]
            if named:
                await self.store.transact(partial(work, named))
            after = page[-1].canonical


def _note_asked(asked: ByHand, tx: Transaction) -> None:
    write_down(tx, asked.line(AuditAction.ERASE_AGAIN, tx.shop.id() or ""))


def _note_addresses(addresses: Sequence[ErasedAddress], tx: Transaction) -> None:
    for one in addresses:
        tx.erasures.note_address(one)


def _erase_orders(checkouts: Sequence[CheckoutId], now: datetime, tx: Transaction) -> int:
    """Return how many were not erased before. Users left without purchases are deleted."""
    new = 0
    for checkout in checkouts:
        purchase = tx.purchases.get(checkout)
        new += tx.erasures.erase_order(checkout, at=now)
        owner = None if purchase is None else purchase.mailbox
        # A list from before addresses were noted names orders alone; what else names their person goes with the last.
        if owner is not None and tx.users.drop_without_purchases(owner):
            tx.erasures.forget(owner)
    return new
