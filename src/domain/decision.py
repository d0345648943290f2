"""The merchant's own decision about a purchase: closed or open again, whatever the payment provider says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from domain.fact import Fact, FactKind, MerchantStatus
from domain.purchase import is_revoking
from domain.values import CheckoutId


def merchant_object(checkout: CheckoutId) -> str:
    """The object whose register holds the decision: no id of the payment provider's has a colon."""
    return f"merchant:{checkout}"


def decided_on(object_id: str) -> CheckoutId:
    """The purchase that the decision in this register is about."""
    return CheckoutId(object_id.removeprefix("merchant:"))


def decided(
    held: Fact | None,
    checkout: CheckoutId,
    status: MerchantStatus,
    *,
    now: datetime,
    request: str = "",
    facts: Iterable[Fact] = (),
) -> Fact:
    """The next decision about a purchase, greater than the one that is held: the last one wins.

    `request`: the refund requests that a revocation comes with, if it does (`with_request`). `facts`: of the purchase;
    if access is revoked already, a further revocation does not change since when.
    """
    stays = held is not None and status is MerchantStatus.REVOKED and is_revoking(held, facts)
    second = int(now.timestamp())
    return Fact(
        object_id=merchant_object(checkout),
        kind=FactKind.MERCHANT,
        payment=None,
        as_of=second if held is None else held.as_of + 1 if stays else max(second, held.as_of + 1),
        status=status.value,
        amount=0,
        request=request,
    )


def with_request(held: Fact | None, request: str) -> str:
    """The refund requests of a revocation that comes with this one, beside those with which it came before."""
    return " ".join([*_came_with(held), request])


def without_request(held: Fact | None, request: str) -> str | None:
    """The refund requests that are left of a revocation once this one is refused; None if it did not come with it."""
    before = _came_with(held)
    return " ".join(one for one in before if one != request) if request in before else None


def _came_with(held: Fact | None) -> list[str]:
    return held.request.split() if held is not None and held.status == MerchantStatus.REVOKED else []
