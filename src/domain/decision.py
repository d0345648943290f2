"""The merchant's own decision about a purchase: closed or open again, whatever the payment provider says."""

from __future__ import annotations

from datetime import datetime

from domain.purchase import Fact, FactKind, MerchantStatus
from domain.values import CheckoutId


def merchant_object(checkout: CheckoutId) -> str:
    """The object whose register holds the decision: no id of the payment provider's has a colon."""
    return f"merchant:{checkout}"


def decided_on(object_id: str) -> CheckoutId:
    """The purchase that the decision in this register is about."""
    return CheckoutId(object_id.removeprefix("merchant:"))


def decided(
    held: Fact | None, checkout: CheckoutId, status: MerchantStatus, *, now: datetime, request: str = ""
) -> Fact:
    """The next decision about a purchase, greater than the one that is held: the last one wins.

    `request`: the refund request that a revocation comes with, if it does.
    """
    second = int(now.timestamp())
    return Fact(
        object_id=merchant_object(checkout),
        kind=FactKind.MERCHANT,
        payment=None,
        as_of=second if held is None else max(second, held.as_of + 1),
        status=status.value,
        amount=0,
        request=request,
    )
