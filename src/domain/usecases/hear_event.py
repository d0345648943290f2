"""Hear a delivery of the payment provider; answer once everything it caused is durable."""

from __future__ import annotations

from dataclasses import dataclass

from domain.books import Books, EventRecord
from domain.ports import CheckoutNews, Clock, OtherNews, Payments, Store, Unheard
from domain.usecases.claim_purchase import AwaitingBank, Booked, Claimed, ClaimPurchase, NotPaid, Refused


@dataclass(frozen=True, slots=True)
class Heard:
    """Verified, and dealt with durably: the provider need not tell us again."""

    type: str
    outcome: str


@dataclass(frozen=True, slots=True)
class HearEvent:
    """Verify, claim and log, in one transaction. Every delivery runs the claim; the log never decides."""

    store: Store
    payments: Payments
    claim: ClaimPurchase
    clock: Clock

    async def __call__(self, body: bytes, signature: str) -> Heard | Unheard:
        """Raises StoreUnavailable: then the provider tells us again."""
        news = self.payments.hear(body, signature, now=self.clock.now())
        match news:
            case Unheard():
                return news
            case OtherNews(event):
                return await self._log(event)
            case CheckoutNews():
                return await self._claim(news)

    async def _log(self, event: EventRecord) -> Heard:
        at = self.clock.now()
        await self.store.transact(lambda books: books.log_event(event, outcome="not followed", at=at))
        return Heard(type=event.type, outcome="not followed")

    async def _claim(self, news: CheckoutNews) -> Heard:
        claim = self.claim.work(news.reading)
        at = self.clock.now()

        def work(books: Books) -> Heard:
            outcome = outcome_of(claim(books))
            books.log_event(news.event, outcome=outcome, at=at)
            return Heard(type=news.event.type, outcome=outcome)

        return await self.store.transact(work)


def outcome_of(claimed: Claimed) -> str:
    """What the log says of a claim."""
    match claimed:
        case Booked(_, first):
            return "booked" if first else "known"
        case AwaitingBank():
            return "awaiting bank"
        case NotPaid(_, status):
            return status
        case Refused(objection):
            return f"quarantined: {objection.name.lower().replace('_', ' ')}"
