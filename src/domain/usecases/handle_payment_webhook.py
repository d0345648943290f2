"""Hear a delivery of the payment provider; answer once everything it caused is durable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from domain.ports import CheckoutNews, Clock, FactNews, OtherNews, PaymentNews, Payments, Store, Unheard
from domain.records import EventRecord
from domain.transaction import Transaction
from domain.usecases.claim_purchase import ClaimPurchase, outcome_of
from domain.usecases.record_fact import NoteFact


@dataclass(frozen=True, slots=True)
class Heard:
    """Verified, and dealt with durably: the provider need not tell us again."""

    type: str
    outcome: str


@dataclass(frozen=True, slots=True)
class HearEvent:
    """Verify, act and log, in one transaction. Every delivery is acted on; the log never decides."""

    store: Store
    payments: Payments
    claim: ClaimPurchase
    note: NoteFact
    clock: Clock

    async def __call__(self, body: bytes, signature: str) -> Heard | Unheard:
        """Raises StoreUnavailable: then the provider tells us again."""
        news = self.payments.hear(body, signature, now=self.clock.now())
        match news:
            case Unheard():
                return news
            case CheckoutNews(event, reading):
                claim = self.claim.work(reading)
                heard = await self._act(event, lambda tx: outcome_of(claim(tx)))
                self.claim.observe(heard.outcome)
                return heard
            case FactNews(event, fact):
                note = self.note.work(fact)
                return await self._act(event, lambda tx: note(tx).value)
            case PaymentNews(event, payment):
                return await self._act(event, self._have_it_read(payment))
            case OtherNews(event):
                return await self._act(event, lambda tx: "not followed")

    async def _act(self, event: EventRecord, act: Callable[[Transaction], str]) -> Heard:
        at = self.clock.now()

        def work(tx: Transaction) -> Heard:
            outcome = act(tx)
            tx.events.log(event, outcome=outcome, at=at)
            return Heard(type=event.type, outcome=outcome)

        return await self.store.transact(work)

    def _have_it_read(self, payment: str) -> Callable[[Transaction], str]:
        at = self.clock.now()

        def work(tx: Transaction) -> str:
            tx.rechecks.schedule(payment, at=at, due_at=at)
            return "to be read"

        return work
