"""Hear a delivery of the payment provider; answer once everything it caused is durable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from domain.ports import (
    CheckoutEvent,
    Clock,
    FactEvent,
    IgnoredEvent,
    InvalidWebhook,
    PaymentChangedEvent,
    Payments,
    Store,
)
from domain.records import EventRecord
from domain.transaction import Transaction
from domain.usecases.claim_outcome import outcome_of
from domain.usecases.claim_purchase import ClaimPurchase
from domain.usecases.record_fact import RecordFact


@dataclass(frozen=True, slots=True)
class PaymentWebhookHandled:
    """Verified, and dealt with durably: the provider need not tell us again."""

    type: str
    outcome: str


@dataclass(frozen=True, slots=True)
class HandlePaymentWebhook:
    """Verify, act and log, in one transaction. Every delivery is acted on; the log never decides."""

    store: Store
    payments: Payments
    claim: ClaimPurchase
    note: RecordFact
    clock: Clock

    async def __call__(self, body: bytes, signature: str) -> PaymentWebhookHandled | InvalidWebhook:
        """Raises StoreUnavailable: then the provider tells us again."""
        news = self.payments.parse_webhook(body, signature, now=self.clock.now())
        match news:
            case InvalidWebhook():
                return news
            case CheckoutEvent(event, reading):
                claim = self.claim.work(reading)
                heard = await self._act(event, lambda tx: outcome_of(claim(tx)))
                self.claim.observe(heard.outcome)
                return heard
            case FactEvent(event, fact):
                note = self.note.work(fact)
                return await self._act(event, lambda tx: note(tx).value)
            case PaymentChangedEvent(event, payment):
                return await self._act(event, self._have_it_read(payment))
            case IgnoredEvent(event):
                return await self._act(event, lambda tx: "not followed")

    async def _act(self, event: EventRecord, act: Callable[[Transaction], str]) -> PaymentWebhookHandled:
        at = self.clock.now()

        def work(tx: Transaction) -> PaymentWebhookHandled:
            outcome = act(tx)
            tx.events.log(event, outcome=outcome, at=at)
            return PaymentWebhookHandled(type=event.type, outcome=outcome)

        return await self.store.transact(work)

    def _have_it_read(self, payment: str) -> Callable[[Transaction], str]:
        at = self.clock.now()

        def work(tx: Transaction) -> str:
            tx.rechecks.schedule(payment, at=at, due_at=at)
            return "to be read"

        return work
