"""Merge two customers by hand: everything of one address is to belong to the other, once that one verifies it."""

from __future__ import annotations

from domain.audit import ENTROPY, AuditAction, ByHand, reason_of
from domain.frozen import frozen
from domain.keys import Keyring
from domain.ports import Clock, Randomness, Store
from domain.staff import Actor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.correct_address import ask_for_all
from domain.usecases.customers import find_customer
from domain.usecases.staff_change import Changing, NotChanged, StaffChange, WhyNotChanged
from domain.values import EmailAddress


@frozen
class MergeCustomers:
    """`coatcheck merge`: a change of address by the merchant. The address that is left can undo it for 72 hours."""

    store: Store
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def __call__(self, customer: str, into: str, *, actor: Actor, form: str, reason: str) -> Changing:
        """`customer`: whose purchases move; `into`: who gets them (`find_customer`). `form`: names this request.

        Raises StoreUnavailable.
        """
        now = self.clock.now()
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))
        why = reason_of(reason)
        draft = StaffChange.drawn(asked, reason=why, keyring=self.keyring, randomness=self.randomness)

        def work(tx: Transaction) -> Changing:
            before = draft.asked_before(tx)
            if before is not None:
                return before
            found = _both(tx, customer, into)
            if isinstance(found, NotChanged):
                return found
            old, new = found
            return ask_for_all(tx, draft, AuditAction.MERGE_CUSTOMERS, old=old, new=new)

        return await self.store.transact(work)


def _both(tx: ReadTransaction, customer: str, into: str) -> tuple[EmailAddress, EmailAddress] | NotChanged:
    user, other = find_customer(tx, customer), find_customer(tx, into)
    if user is None:
        return NotChanged(WhyNotChanged.NO_SUCH_CUSTOMER)
    if other is None:
        return NotChanged(WhyNotChanged.NOT_A_CUSTOMER, user.mailbox)
    return user.mailbox, other.mailbox
