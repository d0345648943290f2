"""A browser comes back from the payment page: claim what is paid, and say where things stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.access import holds
from domain.claim import AwaitingPayment, NotPaid, Rejected
from domain.ports import Clock, Payments, PaymentsUnreachable, Store
from domain.purchase import Checkout, CheckoutStatus, Purchase
from domain.session import Session, Visitor
from domain.transaction import ReadTransaction
from domain.usecases.claim_outcome import Booked, ClaimOutcome
from domain.usecases.claim_purchase import ClaimPurchase
from domain.usecases.identify_viewer import live_session
from domain.values import EmailAddress, ProductId, ProviderRef, is_provider_ref

ASK_EVERY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Claimed:
    """Paid and booked. `here`: it opens in this browser, which goes on to the product's own page.

    In any other browser the access link opens it. `sent_to` is where that was emailed, if this browser began the
    checkout signed in and then signed in to another account; else None, since a browser that only has the URL of this
    page must not learn any part of the address.
    """

    here: bool
    sent_to: EmailAddress | None = None


@dataclass(frozen=True, slots=True)
class Confirming:
    """Not known yet: look again in a moment."""


@dataclass(frozen=True, slots=True)
class UnknownCheckout:
    """No checkout of this shop, or of another product: not asked about, nothing shown."""


Returned = Claimed | AwaitingPayment | NotPaid | Rejected | Confirming | UnknownCheckout


@dataclass(frozen=True, slots=True)
class ReturnFromPayment:
    """The success redirect. Claims at most what the provider says is paid; opens nothing to another browser."""

    store: Store
    payments: Payments
    claim: ClaimPurchase
    clock: Clock

    async def __call__(self, visitor: Visitor, product: ProductId, ref: str) -> Returned:
        """Raises StoreUnavailable. While the provider cannot be reached the answer is Confirming, not an error."""
        if not is_provider_ref(ref):
            return UnknownCheckout()
        now = self.clock.now()
        found = await self.store.read(lambda tx: _look_up(tx, visitor, product, ProviderRef(ref), now))
        if not isinstance(found, tuple):
            return found
        session, checkout = found
        match await self._ask(checkout, ProviderRef(ref), now):
            case None:
                return Confirming()
            case Booked(purchase):
                return _claimed(session, checkout, purchase, now=now)
            case AwaitingPayment() | NotPaid() | Rejected() as claimed:
                return claimed

    async def _ask(self, checkout: Checkout, ref: ProviderRef, now: datetime) -> ClaimOutcome | None:
        turn = await self.store.transact(
            lambda tx: tx.checkouts.throttle(checkout.id, now=now, gap=ASK_EVERY)
        )
        if not turn:
            return None
        try:
            reading = await self.payments.retrieve_checkout(ref)
        except PaymentsUnreachable:
            return None
        if reading is None:
            return None
        claimed = await self.store.transact(self.claim.work(reading))
        self.claim.observe(claimed)
        return claimed


def _look_up(
    tx: ReadTransaction, visitor: Visitor, product: ProductId, ref: ProviderRef, now: datetime
) -> Returned | tuple[Session | None, Checkout]:
    """What is known already; else this browser's session, and the checkout that the provider is to be asked about."""
    checkout = tx.checkouts.by_provider_ref(ref)
    if checkout is None or checkout.product != product:
        return UnknownCheckout()
    session, purchase = live_session(tx, visitor, now=now), tx.purchases.get(checkout.id)
    if purchase is not None:
        return _claimed(session, checkout, purchase, now=now)
    fact = tx.facts.get(ref)
    return (
        AwaitingPayment()
        if fact is not None and fact.status == CheckoutStatus.UNPAID
        else (session, checkout)
    )


def _claimed(session: Session | None, checkout: Checkout, purchase: Purchase, *, now: datetime) -> Claimed:
    if session is None:
        return Claimed(here=False)
    if holds(session, purchase, now=now):
        return Claimed(here=True)
    began_signed_in = checkout.mailbox is not None and checkout.session is not None
    left_that_account = began_signed_in and checkout.session == session.former
    return Claimed(here=False, sent_to=purchase.mailbox if left_that_account else None)
