"""Sales, refunds and lost disputes as the lines of a ledger: what came in and what went back, each on its day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from enum import Enum

from domain.access import Holding
from domain.fact import CheckoutStatus, FactKind
from domain.frozen import frozen
from domain.local_time import day_of
from domain.purchase import Purchase, Source


class LedgerKind(Enum):
    """What a line is about. The values are written into files."""

    SALE = "sale"
    REFUND = "refund"
    DISPUTE = "dispute"
    """One that was lost."""


@frozen
class LedgerLine:
    """One movement of money."""

    at: datetime
    """When the sale was booked; of a refund or dispute, Stripe's time of its latest status."""
    kind: LedgerKind
    status: str
    """`paid`, `free` or `granted`; of the others, Stripe's status."""
    purchase: Purchase
    amount: int
    """In minor units of the purchase's currency; below zero if it went back."""
    object_id: str = ""
    """The payment provider's id of the refund or dispute."""

    def is_within(self, first: date | None, last: date | None, zone: tzinfo) -> bool:
        """Whether it is of one of these days of a time zone, both included; None leaves a side open."""
        day = day_of(self.at, zone)
        return (first is None or first <= day) and (last is None or day <= last)


def ledger_lines(held: Holding) -> Sequence[LedgerLine]:
    """The lines of one purchase. They sum to what `domain.sales_sum` calls its net.

    No more goes back than was paid, refunds first; what would exceed that has no line.
    """
    purchase = held.purchase
    status = CheckoutStatus.PAID.value if purchase.paid.amount else "free"
    if purchase.source is Source.GRANT:
        status = "granted"
    lines = [LedgerLine(purchase.booked_at, LedgerKind.SALE, status, purchase, purchase.paid.amount)]
    left = purchase.paid.amount
    for fact in sorted(held.facts, key=lambda fact: (fact.refunded == 0, fact.as_of, fact.object_id)):
        amount = min(fact.gone, left)
        left -= amount
        kind = LedgerKind.REFUND if fact.kind is FactKind.REFUND else LedgerKind.DISPUTE
        if amount:
            at = datetime.fromtimestamp(fact.as_of, UTC)
            lines.append(LedgerLine(at, kind, fact.status, purchase, -amount, fact.object_id))
    return lines
