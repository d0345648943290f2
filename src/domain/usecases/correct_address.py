"""Correct an address by hand: of one purchase, or of a customer. Nothing moves until the new address is verified."""

from __future__ import annotations

from domain.address_change import ChangeKind
from domain.audit import ENTROPY, AuditAction, ByHand, reason_of
from domain.emails import ChangedItem
from domain.frozen import frozen
from domain.keys import Keyring
from domain.ports import Clock, Randomness, Store
from domain.purchase import order_number
from domain.staff import Actor
from domain.transaction import Transaction
from domain.usecases.customers import find_customer, oldest_order
from domain.usecases.find_order import SeveralOrders, find_order
from domain.usecases.request_login import NotAnAddress
from domain.usecases.staff_change import Changing, NotChanged, StaffChange, WhyNotChanged
from domain.values import EmailAddress, InvalidEmail, mask


@frozen
class CorrectAddress:
    """`coatcheck correct`. The old address is sent a notice, with a link that undoes it for 72 hours."""

    store: Store
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def order(self, order: str, typed: str, *, actor: Actor, form: str, reason: str) -> Changing:
        """Of one purchase (`find_order`), also if its address was verified. `form`: names this request.

        Raises StoreUnavailable.
        """
        new = _parsed(typed)
        if isinstance(new, NotAnAddress):
            return new
        change = self._drawn(actor, form=form, reason=reason)

        def work(tx: Transaction) -> Changing:
            before = change.asked_before(tx)
            if before is not None:
                return before
            held = find_order(tx, order)
            if held is None or isinstance(held, SeveralOrders):
                return held or NotChanged(WhyNotChanged.NO_SUCH_ORDER)
            purchase = held.purchase
            if purchase.mailbox is None:
                return NotChanged(WhyNotChanged.NO_ADDRESS)
            item = ChangedItem(product_name=purchase.product_name, order=order_number(purchase.checkout))
            return change.ask(
                tx, AuditAction.CORRECT_ADDRESS, old=purchase.mailbox, new=new, kind=ChangeKind.CORRECTION,
                orders=(purchase.checkout,), item=item,
            )  # fmt: skip

        return await self.store.transact(work)

    async def customer(self, customer: str, typed: str, *, actor: Actor, form: str, reason: str) -> Changing:
        """Of everything that a customer (`find_customer`) owns; refused if the new address is another customer's.

        Raises StoreUnavailable.
        """
        new = _parsed(typed)
        if isinstance(new, NotAnAddress):
            return new
        change = self._drawn(actor, form=form, reason=reason)

        def work(tx: Transaction) -> Changing:
            before = change.asked_before(tx)
            if before is not None:
                return before
            user = find_customer(tx, customer)
            if user is None:
                return NotChanged(WhyNotChanged.NO_SUCH_CUSTOMER)
            if new != user.mailbox and tx.users.exists(new):
                return NotChanged(WhyNotChanged.WOULD_MERGE, user.mailbox)
            return ask_for_all(tx, change, AuditAction.CORRECT_ADDRESS, old=user.mailbox, new=new)

        return await self.store.transact(work)

    def _drawn(self, actor: Actor, *, form: str, reason: str) -> StaffChange:
        asked = ByHand.asked(actor, form=form, now=self.clock.now(), entropy=self.randomness.token(ENTROPY))
        return StaffChange.drawn(
            asked, reason=reason_of(reason), keyring=self.keyring, randomness=self.randomness
        )


def ask_for_all(
    tx: Transaction, change: StaffChange, action: AuditAction, *, old: EmailAddress, new: EmailAddress
) -> Changing:
    """Ask for everything that an address owns to move."""
    oldest = oldest_order(tx, old)
    theirs = (held.purchase.checkout for held in tx.purchases.of_address(old))
    orders = (oldest, *(checkout for checkout in theirs if checkout != oldest))
    item = ChangedItem(bought_as=mask(old))
    return change.ask(tx, action, old=old, new=new, kind=ChangeKind.CHANGE, orders=orders, item=item)


def _parsed(typed: str) -> EmailAddress | NotAnAddress:
    try:
        return EmailAddress.parse(typed)
    except InvalidEmail as error:
        return NotAnAddress(error.problem)
