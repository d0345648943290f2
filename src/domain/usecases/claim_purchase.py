"""The claim: turn a paid checkout into a purchase, exactly once, however often and from wherever it is called.

Redirect, webhook and reconciler all run this same work inside a transaction of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from domain.claim import (
    KnownCheckout,
    NotPaid,
    ProviderCheckout,
    Rejected,
    RejectReason,
    Sale,
    Unsettled,
    address_of,
    judge_session,
)
from domain.fact import CheckoutStatus, Fact
from domain.frozen import frozen, maker
from domain.keys import Keyring
from domain.ports import Catalogue, Clock, Payments
from domain.purchase import BookedBy, Checkout, Source
from domain.transaction import Transaction
from domain.usecases.book_sale import BookSale
from domain.usecases.claim_outcome import Booked, ClaimOutcome
from domain.usecases.follow_change import with_owner
from domain.usecases.note_unpaid import note_unpaid
from domain.usecases.quarantine_payment import put_in_quarantine
from domain.values import CheckoutId, ProviderRef

_booked = maker(Booked)
RETRY_QUARANTINE_AFTER = timedelta(minutes=5)
_NOTHING_BEGAN = (CheckoutStatus.OPEN, CheckoutStatus.EXPIRED)


def _unobserved(outcome: ClaimOutcome) -> None:
    """The default: counts nothing."""


@frozen
class ClaimPurchase:
    """Prepares the one work that books a sale; the caller runs it in its transaction."""

    payments: Payments
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    booking: BookSale
    observe: Callable[[ClaimOutcome], None] = _unobserved
    """Called with the outcome of each claim after its transaction, by the use case that ran it."""

    def work(self, reading: ProviderCheckout, *, by: BookedBy) -> Callable[[Transaction], ClaimOutcome]:
        """The claim of this reading. Ids and time are drawn here, so that the work may run more than once.

        A session that goes to quarantine is looked at again after a few minutes.
        """
        now = self.clock.now()
        return self.retrying(reading, now=now, retry_at=now + RETRY_QUARANTINE_AFTER, by=by)

    def retrying(
        self,
        reading: ProviderCheckout,
        *,
        now: datetime,
        retry_at: datetime | None,
        by: BookedBy,
        facts: Sequence[Fact] = (),
    ) -> Callable[[Transaction], ClaimOutcome]:
        """The same; `retry_at` says when to look again if it is refused, None for never.

        `facts` are the refunds and disputes that the provider named with the session: a sale that is booked now is
        booked knowing them.
        """
        edition, booking = self.catalogue.current(), self.booking.prepare(now=now)

        def work(tx: Transaction) -> ClaimOutcome:
            known = tx.checkouts.for_claim(
                CheckoutId(reading.reference or ""), ref=reading.ref, payment=reading.payment
            )
            if known.checkout is not None and known.checkout.change is not None:
                followed = with_owner(tx, known.checkout, address_of(reading.email))
                known = replace(known, checkout=followed)
            verdict = judge_session(
                reading, known, keyring=self.keyring, edition=edition, livemode=self.payments.livemode
            )
            if isinstance(verdict, Unsettled) and known.checkout is None and reading.status in _NOTHING_BEGAN:
                return NotPaid(status=reading.status)
            if not isinstance(verdict, Rejected) and not _keep(tx, verdict.checkout, known, ref=reading.ref):
                verdict = Rejected(reason=RejectReason.ANOTHER_SESSION)
            if isinstance(verdict, Rejected):
                put_in_quarantine(
                    tx, reading.ref, verdict.reason, retry_at=retry_at, shop=edition.shop, now=now
                )
                return verdict
            kept = tx.facts.record(reading.fact())
            held = tx.purchases.get(verdict.checkout.id) if known.booked else None
            if held is not None:
                return Booked(purchase=held, first=False)
            if known.quarantined and not (known.erased and isinstance(verdict, Sale)):
                tx.quarantine.close(reading.ref, at=now)
            if isinstance(verdict, Unsettled):
                return note_unpaid(tx, reading, verdict.checkout, kept=kept, now=now)
            for fact in facts:
                tx.facts.record(fact)
                known = replace(known, has_facts=True)
            purchase = booking.book(
                tx, verdict, known, source=Source.SALE, ref=reading.ref, payment=reading.payment, by=by
            )
            return _booked(purchase=purchase, first=True, twins=known.has_twins)

        return work


def _keep(tx: Transaction, checkout: Checkout, known: KnownCheckout, *, ref: ProviderRef) -> bool:
    """Write what was missing of the checkout: its session's id, or (in a restored shop) all of it."""
    if known.checkout is None:
        return tx.checkouts.add(checkout)
    if checkout.provider_ref is None:
        return tx.checkouts.bind(checkout.id, ref=ref, expires_at=checkout.expires_at)
    return True
