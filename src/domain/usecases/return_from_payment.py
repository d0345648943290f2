"""A browser comes back from the payment page: claim what is paid, and say where things stand."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.access import holds, names_here
from domain.claim import AwaitingPayment, NotPaid, Rejected
from domain.fact import CheckoutStatus
from domain.frozen import frozen
from domain.keys import Keyring
from domain.ports import Clock, Payments, PaymentsRefused, PaymentsUnreachable, Store
from domain.purchase import BookedBy, Checkout, Purchase
from domain.records import ProblemKind
from domain.session import Session, Visitor
from domain.transaction import ReadTransaction
from domain.usecases.claim_outcome import Booked, ClaimOutcome
from domain.usecases.claim_purchase import ClaimPurchase
from domain.usecases.identify_viewer import live_session
from domain.usecases.report_problem import report_problem
from domain.usecases.return_outcomes import Claimed, Confirming, Returned, UnknownCheckout
from domain.usecases.same_browser import recognise_browser
from domain.values import ProductId, ProviderRef, is_provider_ref

ASK_EVERY = timedelta(seconds=5)


@frozen
class ReturnFromPayment:
    """The success redirect. Claims at most what the provider says is paid; opens nothing to another browser."""

    store: Store
    payments: Payments
    claim: ClaimPurchase
    keyring: Keyring
    clock: Clock

    async def __call__(self, visitor: Visitor, product: ProductId, ref: str) -> Returned:
        """Raises StoreUnavailable. If the provider does not answer, or refuses to: Confirming, for it may be paid."""
        if not is_provider_ref(ref):
            return UnknownCheckout()
        now, live = self.clock.now(), self.payments.livemode
        if visitor.checkouts:
            await recognise_browser(self.store, visitor, ProviderRef(ref), keyring=self.keyring, now=now)
        found = await self.store.read(
            lambda tx: _look_up(tx, visitor, product, ProviderRef(ref), now, live=live)
        )
        if not isinstance(found, tuple):
            return found
        session, checkout = found
        match await self._ask(checkout, ProviderRef(ref), now):
            case None:
                # What is in quarantine stays there for longer than a pause: the page must not alternate.
                held = await self.store.read(lambda tx: tx.quarantine.get(ref))
                return Confirming() if held is None or held.closed_at else Rejected(reason=held.reason)
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
        except PaymentsRefused as refused:
            kind, said, shop = ProblemKind.LOOKUP_REFUSED, str(refused), self.claim.catalogue.current().shop
            await self.store.transact(lambda tx: report_problem(tx, kind, detail=said, shop=shop, now=now))
            return None
        if reading is None:
            return None
        claimed = await self.store.transact(self.claim.work(reading, by=BookedBy.RETURN))
        self.claim.observe(claimed)
        return claimed


def _look_up(
    tx: ReadTransaction, visitor: Visitor, product: ProductId, ref: ProviderRef, now: datetime, *, live: bool
) -> Returned | tuple[Session | None, Checkout]:
    """What is known already; else this browser's session, and the checkout that the provider is to be asked about."""
    checkout = tx.checkouts.by_provider_ref(ref)
    # With a live key, a checkout that was begun with a test key opens nothing.
    if checkout is None or checkout.product != product or (live and checkout.livemode is False):
        return UnknownCheckout()
    session, purchase = live_session(tx, visitor, now=now), tx.purchases.get(checkout.id)
    if purchase is not None:
        return _claimed(session, checkout, purchase, now=now)
    fact = tx.facts.get(ref)
    pending = fact is not None and fact.status == CheckoutStatus.UNPAID
    return AwaitingPayment() if pending else (session, checkout)


def _claimed(session: Session | None, checkout: Checkout, purchase: Purchase, *, now: datetime) -> Claimed:
    if session is not None and holds(session, purchase, now=now):
        return Claimed(here=True)
    former = None if session is None else session.former
    left_that_account = checkout.mailbox is not None and former is not None and checkout.session == former
    # Where a change of address took it since, this browser may not know: it shows what was typed at the payment.
    typed = purchase.paid_email == purchase.mailbox
    sent_to = purchase.mailbox if left_that_account and typed else None
    if purchase.mailbox is not None:
        return Claimed(here=False, sent_to=sent_to)
    may_name = session is not None and names_here(session, purchase, session.mailbox, now=now)
    return Claimed(here=False, emailed=False, unowned=purchase.checkout if may_name else None)
