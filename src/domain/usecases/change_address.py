"""Change an address: of one purchase whose address was mistyped, or of a whole account.

Asking moves nothing. The new address is sent a proof, the old one a notice that can undo it; see `finish_change`.
"""

from __future__ import annotations

from datetime import datetime

from domain.access import holds_by_checkout
from domain.address_change import AddressChange, ChangeKind, MayNotCorrect, may_correct
from domain.emails import ChangedItem
from domain.frozen import frozen
from domain.keys import Keyring
from domain.magic_link import REPEATED_WITHIN
from domain.ports import Catalogue, Clock, Randomness, Store
from domain.purchase import order_number
from domain.session import Session, Visitor
from domain.transaction import Transaction
from domain.usecases.change_outcomes import Asked, CheckYourNewEmail, NotSignedIn, SameAddress, VerifyAgain
from domain.usecases.identify_viewer import live_session
from domain.usecases.name_owner import name_owner
from domain.usecases.request_change import ChangeDraft
from domain.usecases.request_limits import RequestLimits
from domain.usecases.request_login import NotAnAddress, TooManyRequests
from domain.values import ChangeId, CheckoutId, EmailAddress, InvalidEmail, LinkId, mask, sortable_id


@frozen
class ChangeAddress:
    """Both ways to another address."""

    store: Store
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def correct(self, visitor: Visitor, order: CheckoutId, typed: str) -> Asked:
        """The address given at a payment was wrong, or could not be emailed at all. Raises StoreUnavailable."""
        new = _parsed(typed)
        if isinstance(new, NotAnAddress):
            return new
        limits = self._limits(visitor)
        draft = self._draft(limits, ChangeKind.CORRECTION, new, checkouts=(order,))

        def work(tx: Transaction) -> Asked:
            session = live_session(tx, visitor, now=limits.now)
            purchase = tx.purchases.get(order)
            if purchase is None or purchase.mailbox is None:
                return name_owner(tx, session, order, new, limits=limits)
            here = session is not None and holds_by_checkout(session, purchase, now=limits.now)
            earlier = tx.address_changes.correction_of(order)
            if here and earlier is not None and _is_the_same(earlier, session, new, now=limits.now):
                return CheckYourNewEmail(ChangeKind.CORRECTION)
            why = may_correct(purchase, here=here, moved=earlier is not None, now=limits.now)
            if session is None or why is not None:
                return why or MayNotCorrect.NOT_HERE
            # The answer is the same whether or not the owner has changed the address since.
            if new in (purchase.mailbox, purchase.paid_email):
                # Counted like any other request: a browser that did not pay could try one address after the other.
                until = limits.take_network(tx)
                return SameAddress() if until is None else TooManyRequests(until=until)
            item = ChangedItem(product_name=purchase.product_name, order=order_number(purchase.checkout))
            return draft.ask(tx, session, old=purchase.mailbox, item=item)

        return await self.store.transact(work)

    async def change(self, visitor: Visitor, typed: str) -> Asked:
        """The owner of an account, verified within the hour, has a new address. Raises StoreUnavailable."""
        new = _parsed(typed)
        if isinstance(new, NotAnAddress):
            return new
        limits = self._limits(visitor)
        draft = self._draft(limits, ChangeKind.CHANGE, new, checkouts=())

        def work(tx: Transaction) -> Asked:
            session = live_session(tx, visitor, now=limits.now)
            if session is None or session.mailbox is None:
                return NotSignedIn()
            if session.mailbox == new:
                return SameAddress()
            if not session.verified_lately(now=limits.now):
                return VerifyAgain()
            moves = [
                tx.address_changes.get(link.move) for link in tx.links.with_code(session.id) if link.move
            ]
            if any(m and m.is_pending and _is_the_same(m, session, new, now=limits.now) for m in moves):
                return CheckYourNewEmail(ChangeKind.CHANGE)
            item = ChangedItem(bought_as=mask(session.mailbox))
            return draft.ask(tx, session, old=session.mailbox, item=item)

        return await self.store.transact(work)

    def _limits(self, visitor: Visitor) -> RequestLimits:
        """Of one request; its reference becomes the id of the link that proves the new address."""
        ref = self.randomness.token(16).hex()
        return RequestLimits(self.keyring, visitor, now=self.clock.now(), ref=ref)

    def _draft(
        self, limits: RequestLimits, kind: ChangeKind, new: EmailAddress, *, checkouts: tuple[CheckoutId, ...]
    ) -> ChangeDraft:
        return ChangeDraft(
            id=ChangeId(sortable_id(now=limits.now, entropy=self.randomness.token(10))),
            kind=kind,
            new=new,
            checkouts=checkouts,
            undo=LinkId(self.randomness.token(16).hex()),
            limits=limits,
        )


def _is_the_same(
    earlier: AddressChange, session: Session | None, new: EmailAddress, *, now: datetime
) -> bool:
    """Whether the same form was submitted a moment ago. It is answered alike, and sends nothing again."""
    same = session is not None and earlier.asked_by == session.id and earlier.new == new
    return same and now - earlier.asked_at < REPEATED_WITHIN


def _parsed(typed: str) -> EmailAddress | NotAnAddress:
    try:
        return EmailAddress.parse(typed)
    except InvalidEmail as error:
        return NotAnAddress(error.problem)
