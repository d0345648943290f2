"""Show the receipt of an order, and the payment provider's own invoice where there is one."""

from __future__ import annotations

from datetime import datetime

from domain.access import Holding, holds, names_here
from domain.frozen import frozen
from domain.ports import Clock, PaymentDetails, Payments, Store
from domain.purchase import Purchase
from domain.session import Session, Visitor
from domain.transaction import ReadTransaction
from domain.usecases.identify_viewer import live_session
from domain.usecases.payment_address import payment_address
from domain.values import CheckoutId, EmailAddress


@frozen
class Receipt:
    """An order that this browser may know of."""

    session: Session
    holding: Holding
    payer_known: bool = False
    """See `payer_is_owner`."""
    paid_here_with: EmailAddress | None = None
    """See `payment_address`."""

    @property
    def by_owner(self) -> bool:
        """Whether the reader verified the address that the order belongs to."""
        return self.session.mailbox is not None and self.session.mailbox == self.holding.purchase.mailbox

    @property
    def by_payer(self) -> bool:
        """Whether the reader is also known to be the payer, whom the invoice and the address of the payment name."""
        return self.by_owner and self.payer_known


@frozen
class WithoutOwner:
    """An order without an address, in the browser that paid, where it does not open any more: it may name one here."""

    session: Session
    holding: Holding


@frozen
class ShowReceipt:
    """Changes nothing."""

    store: Store
    payments: Payments
    clock: Clock

    async def __call__(self, visitor: Visitor, order: CheckoutId) -> Receipt | WithoutOwner | None:
        """None if there is no such order, or this browser may not know of it. Raises StoreUnavailable."""
        now = self.clock.now()
        return await self.store.read(lambda tx: _find(tx, visitor, order, now))

    async def invoice(self, visitor: Visitor, order: CheckoutId) -> str | None:
        """Where the provider's invoice is; None if there is none. Raises StoreUnavailable, PaymentsUnreachable.

        It names the payer, so it is for the verified owner; neither for a browser that only started the checkout, nor
        for an address to which a correction moved the order.
        """
        receipt = await self(visitor, order)
        by_payer = isinstance(receipt, Receipt) and receipt.by_payer
        ref = receipt.holding.purchase.provider_ref if receipt is not None and by_payer else None
        return None if ref is None else await self.payments.invoice_url(ref)

    async def details(self, receipt: Receipt) -> PaymentDetails | None:
        """How it was paid and taxed, for the payer alone; None for anybody else, or if there is nothing to know.

        Raises PaymentsUnreachable, PaymentsRefused.
        """
        purchase = receipt.holding.purchase
        if not receipt.by_payer or purchase.provider_ref is None or not purchase.paid.amount:
            return None
        return await self.payments.payment_details(purchase.provider_ref)


def _find(
    tx: ReadTransaction, visitor: Visitor, order: CheckoutId, now: datetime
) -> Receipt | WithoutOwner | None:
    session = live_session(tx, visitor, now=now)
    held = tx.purchases.with_facts(order)
    if session is None or held is None:
        return None
    if not holds(session, held.purchase, now=now):
        may_name = held.purchase.mailbox is None and names_here(
            session, held.purchase, session.mailbox, now=now
        )
        return WithoutOwner(session=session, holding=held) if may_name else None
    return Receipt(
        session=session,
        holding=held,
        payer_known=payer_is_owner(tx, held.purchase),
        paid_here_with=payment_address(tx, session, held.purchase, now=now),
    )


def payer_is_owner(tx: ReadTransaction, purchase: Purchase) -> bool:
    """Whether a purchase's owner is known to be the payer, whom the invoice and the address of the payment name.

    A correction may have moved it to another person permanently, even if the payer's address was erased since.
    """
    if purchase.mailbox is not None and purchase.mailbox == purchase.paid_email:
        return True
    return tx.address_changes.correction_of(purchase.checkout) is None
