"""What came of a claim."""

from __future__ import annotations

from domain.claim import AwaitingPayment, NotPaid, Rejected
from domain.frozen import frozen
from domain.purchase import Purchase


@frozen
class Booked:
    """The sale is booked; `first` says whether this very claim wrote it."""

    purchase: Purchase
    first: bool
    twins: bool = False
    """Whether its browser may have another payment page of the same product open: see `expire_duplicates`."""


ClaimOutcome = Booked | AwaitingPayment | NotPaid | Rejected


def name_of(claimed: ClaimOutcome) -> str:
    """The name of an outcome in logs and metrics."""
    match claimed:
        case Booked(_, first):
            return "booked" if first else "known"
        case AwaitingPayment():
            return "awaiting payment"
        case NotPaid(status):
            return status.value
        case Rejected(reason):
            kind = "not ours" if reason.is_foreign else "quarantined"
            return f"{kind}: {reason.name.lower().replace('_', ' ')}"
