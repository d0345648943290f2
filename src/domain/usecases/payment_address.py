"""The address given at a payment, for the browser that paid."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from domain.access import holds_by_checkout
from domain.address_change import may_correct
from domain.frozen import frozen
from domain.ports import Clock, Store
from domain.purchase import Purchase
from domain.session import Session
from domain.transaction import ReadTransaction
from domain.usecases.identify_viewer import Viewer
from domain.values import CheckoutId, EmailAddress


@frozen
class ListPaymentAddresses:
    """The addresses given at the payments whose checkouts a browser began, by order. Changes nothing."""

    store: Store
    clock: Clock

    async def __call__(self, viewer: Viewer) -> Mapping[CheckoutId, EmailAddress]:
        """Raises StoreUnavailable."""
        session, now = viewer.session, self.clock.now()
        if session is None or viewer.signed_in or not viewer.holdings:
            return {}

        def work(tx: ReadTransaction) -> dict[CheckoutId, EmailAddress]:
            purchases = [held.purchase for held in viewer.holdings]
            found = ((one.checkout, payment_address(tx, session, one, now=now)) for one in purchases)
            return {order: address for order, address in found if address is not None}

        return await self.store.read(work)


def payment_address(
    tx: ReadTransaction, session: Session, purchase: Purchase, *, now: datetime
) -> EmailAddress | None:
    """The address given at the payment, for the browser that began the checkout; None once it cannot be corrected.

    Another person may have paid, on another device, so it is shown only while a mistake can be corrected.
    """
    moved = tx.address_changes.correction_of(purchase.checkout) is not None
    here = holds_by_checkout(session, purchase, now=now)
    return purchase.paid_email if may_correct(purchase, here=here, moved=moved, now=now) is None else None
