"""Record a fact about a payment (a refund or a dispute), from any source, repeatedly and in any order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum

from domain.access import Holding
from domain.fact import Fact, FactKind
from domain.frozen import frozen
from domain.ports import Clock
from domain.purchase import PurchaseState
from domain.refund import NOT_GIVEN, RefundState
from domain.transaction import Transaction
from domain.usecases.notify_buyer import notify_buyer

ASK_ABOUT_STRANGERS_AFTER = timedelta(minutes=10)
"""A fact may come before its sale by seconds; after this its payment is asked about."""
ASK_AGAIN_AFTER = timedelta(days=1)
"""How often a payment with a fact that is not final is checked, in case no webhook says how it ended."""


class FactOutcome(Enum):
    """What became of a fact."""

    NEW = "noted"
    KNOWN = "known"
    """We knew it, or something newer."""
    WAITS = "waits for its sale"
    """No sale with that payment was claimed (yet): the payment will be asked about."""
    NO_PAYMENT = "not followed"
    """It belongs to no payment intent, so to nothing that this shop sells."""


@frozen
class RecordFact:
    """Prepares the work that notes a fact; the caller runs it in its transaction."""

    clock: Clock

    def work(self, fact: Fact) -> Callable[[Transaction], FactOutcome]:
        """Record the fact, and notify the buyer of what concerns them."""
        now = self.clock.now()
        return lambda tx: _note(tx, fact, now=now)


def _note(tx: Transaction, fact: Fact, *, now: datetime) -> FactOutcome:
    if fact.payment is None:
        return FactOutcome.NO_PAYMENT
    before = tx.purchases.by_payment(fact.payment)
    held = tx.facts.get(fact.object_id)
    kept = tx.facts.record(fact)
    quiet = kept.request != "" and _answer(tx, kept, now=now)
    if before is None:
        tx.rechecks.schedule(fact.payment, at=now, due_at=now + ASK_ABOUT_STRANGERS_AFTER)
        return FactOutcome.WAITS
    if kept != held and kept.kind is not FactKind.WARNING:
        # What goes back counts on its day, and how much of it depends on the others of the payment.
        tx.day_sums.touch([one.moment for one in (*before.facts, kept) if one.kind is not FactKind.SESSION])
    if held is not None and (kept.status, kept.amount) == (held.status, held.amount):
        return FactOutcome.KNOWN
    others = tuple(other for other in before.facts if other.object_id != fact.object_id)
    after = Holding(purchase=before.purchase, facts=(*others, kept))
    if not quiet:
        notify_buyer(tx, before, after, of=kept, now=now)
    sale = after.purchase
    if (
        sale.mailbox is None
        and sale.provider_ref is not None
        and after.standing.state in (PurchaseState.REFUNDED, PurchaseState.CHARGED_BACK)
    ):
        tx.quarantine.close(sale.provider_ref, at=now)  # of a payment that came after its customer was erased
    if kept.undecided:
        tx.rechecks.schedule(fact.payment, at=now, due_at=now + ASK_AGAIN_AFTER)
    return FactOutcome.NEW


def _answer(tx: Transaction, fact: Fact, *, now: datetime) -> bool:
    """A refund that answers a request of ours settles it, whoever told of it first. Whether nobody is to be emailed."""
    request = tx.refund_requests.get(fact.request)
    if request is None or request.payment != fact.payment:
        return False
    state = RefundState.FAILED if fact.status in NOT_GIVEN else RefundState.DONE
    tx.refund_requests.settle(request.id, state=state, at=now)
    return not request.tells
