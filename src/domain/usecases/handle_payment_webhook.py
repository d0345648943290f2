"""Handle a webhook of the payment provider; return once everything it caused is durable."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Generic, TypeVar

from domain.frozen import frozen, maker
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
from domain.purchase import BookedBy
from domain.records import EventRecord
from domain.transaction import Transaction
from domain.usecases.claim_outcome import ClaimOutcome, name_of
from domain.usecases.claim_purchase import ClaimPurchase
from domain.usecases.record_fact import FactOutcome, RecordFact


class OtherOutcome(Enum):
    """What became of a delivery that is neither a claim nor a fact."""

    RECHECK = "to be read"
    """The payment it is about will be retrieved from the provider."""
    IGNORED = "not followed"


Outcome = ClaimOutcome | FactOutcome | OtherOutcome
O_co = TypeVar("O_co", bound=Outcome, covariant=True)


@frozen
class PaymentWebhookHandled(Generic[O_co]):
    """Verified, and dealt with durably: the provider need not send it again."""

    type: str
    outcome: O_co
    name: str
    """Of the outcome: in the log of events, in metrics and in the answer."""

    @property
    def was_followed(self) -> bool:
        """Whether it was about something that this shop may have sold."""
        return self.outcome is not OtherOutcome.IGNORED and self.outcome is not FactOutcome.NO_PAYMENT


_handled = maker(PaymentWebhookHandled)


@frozen
class HandlePaymentWebhook:
    """Verify, act and log, in one transaction. Every delivery is acted on; the log never decides."""

    store: Store
    payments: Payments
    claim: ClaimPurchase
    note: RecordFact
    clock: Clock

    async def __call__(self, body: bytes, signature: str) -> PaymentWebhookHandled[Outcome] | InvalidWebhook:
        """Raises StoreUnavailable: then the provider sends the event again."""
        now = self.clock.now()
        news = self.payments.parse_webhook(body, signature, now=now)
        match news:
            case InvalidWebhook():
                return news
            case CheckoutEvent(event, reading):
                handled = await self._act(event, self.claim.work(reading, by=BookedBy.WEBHOOK), at=now)
                self.claim.observe(handled.outcome)
                return handled
            case FactEvent(event, fact):
                return await self._act(event, self.note.work(fact), at=now)
            case PaymentChangedEvent(event, payment):
                return await self._act(event, _have_it_read(payment, at=now), at=now)
            case IgnoredEvent(event):
                return await self._act(event, lambda tx: OtherOutcome.IGNORED, at=now)

    async def _act(
        self, event: EventRecord, act: Callable[[Transaction], O_co], *, at: datetime
    ) -> PaymentWebhookHandled[O_co]:
        def work(tx: Transaction) -> PaymentWebhookHandled[O_co]:
            outcome = act(tx)
            name = outcome.value if isinstance(outcome, Enum) else name_of(outcome)
            tx.events.log(event, outcome=name, at=at)
            return _handled(type=event.type, outcome=outcome, name=name)

        return await self.store.transact(work)


def _have_it_read(payment: str, *, at: datetime) -> Callable[[Transaction], OtherOutcome]:
    def work(tx: Transaction) -> OtherOutcome:
        tx.rechecks.schedule(payment, at=at, due_at=at)
        return OtherOutcome.RECHECK

    return work
