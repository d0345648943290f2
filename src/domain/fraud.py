"""Early fraud warnings: a card's issuer suspects fraud, and a refund now would spare the shop a dispute.

https://docs.stripe.com/radar/early-fraud-warnings
"""

from __future__ import annotations

from domain.access import Holding
from domain.fact import ACTIONABLE, Fact, FactKind
from domain.purchase import PurchaseState


def fraud_warning_of(held: Holding) -> Fact | None:
    """The warning that can still be acted on: money of the payment is left, and no dispute is open or lost."""
    if held.in_dispute or held.charged_back:
        return None
    if held.standing.state in (PurchaseState.REFUNDED, PurchaseState.CHARGED_BACK):
        return None
    found = (fact for fact in held.facts if fact.kind is FactKind.WARNING and fact.status == ACTIONABLE)
    return min(found, key=lambda fact: (fact.as_of, fact.object_id), default=None)
