"""Refunds that the merchant asks for: our own row first, the payment provider second, under the row's key."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from domain.access import Holding
from domain.fact import FactKind
from domain.frozen import frozen
from domain.values import CheckoutId, Money

KEY_LASTS: Final = timedelta(hours=20)
"""How long a request is repeated under one key. Stripe may forget a key, and the answer that it saved under it, after
24 hours: https://docs.stripe.com/api/idempotent_requests"""
PAUSE_AFTER_FAILURE: Final = timedelta(minutes=1)
"""How long after an error of the provider's own its refunds are listed, to see what it did all the same."""
_FIRST_PAUSE: Final = timedelta(seconds=15)
_LONGEST_PAUSE: Final = timedelta(minutes=30)
NOT_GIVEN: Final = ("canceled", "failed")
"""The statuses of a refund with which the money stays, or is back, where it was."""


class RefundCause(Enum):
    """The reason that the provider is given. The values are stored, and Stripe's: https://docs.stripe.com/api/refunds/create"""

    REQUESTED = "requested_by_customer"
    DUPLICATE = "duplicate"
    FRAUDULENT = "fraudulent"
    """Stripe blocks the card and the address from then on."""


class RefundState(Enum):
    """How far a request got. The values are stored and exported."""

    REQUESTED = "requested"
    """Nobody has answered it yet."""
    DONE = "done"
    """The provider made a refund of it: the fact that names the request says how that stands."""
    FAILED = "failed"
    """The same, and the refund failed later, or was canceled: the money came back."""
    REFUSED = "refused"
    """The provider made none, and never will under this request. The merchant is shown its words."""
    DISMISSED = "dismissed"
    """Refused or failed, and the merchant has seen it."""


SETTLES: Final = {
    RefundState.DONE: (RefundState.REQUESTED, RefundState.REFUSED, RefundState.DISMISSED),
    RefundState.FAILED: (RefundState.REQUESTED, RefundState.DONE, RefundState.REFUSED),
}
"""What the provider's word changes: to each state, from these. It may make a refund of what counted as refused."""
UNSEEN: Final = (RefundState.REFUSED, RefundState.FAILED)
"""What the merchant is shown until they dismiss it."""
CAME_TO_NOTHING: Final = (*UNSEEN, RefundState.DISMISSED)
"""Where the money stayed, or is back."""


@frozen
class RefundRequest:
    """One refund of one purchase, as somebody asked for it."""

    id: str
    """That of its line in the audit log. Ids sort by the time of the request."""
    payment: str
    """The provider's id of the payment."""
    checkout: CheckoutId
    amount: Money
    reason: str
    """In the merchant's words, never sent to the provider; "" once the person was erased."""
    by: str
    """See `domain.staff.Actor`."""
    at: datetime
    due_at: datetime
    """When it is to be sent (again). A worker that holds it has moved this ahead: a lease."""
    keyed_at: datetime
    """When its present key was first good for anything."""
    state: RefundState = RefundState.REQUESTED
    cause: RefundCause = RefundCause.REQUESTED
    tells: bool = True
    """Whether the customer is emailed once the provider confirms it."""
    tries: int = 0
    """How often a worker took it up."""
    attempt: int = 1
    """Which of its keys is the present one."""
    failed: bool = False
    """The provider answered with an error of its own, which it would repeat under the present key."""
    problem: str = ""
    """The provider's words, when it last did not do it."""
    settled_at: datetime | None = None

    @property
    def key(self) -> str:
        """The idempotency key under which it is sent."""
        return f"refund/{self.id}" if self.attempt == 1 else f"refund/{self.id}/{self.attempt}"

    def must_look_first(self, *, now: datetime) -> bool:
        """Whether the present key no longer says what the provider did: its refunds are listed before another key."""
        return self.failed or now - self.keyed_at >= KEY_LASTS

    def pause(self) -> timedelta:
        """How long to wait after no answer, before the same again."""
        return min(_FIRST_PAUSE * (1 << min(self.tries, 10)), _LONGEST_PAUSE)


def refundable(held: Holding, requests: Iterable[RefundRequest]) -> int:
    """What can still be refunded of a purchase, in minor units.

    Not what was refunded, or is about to be; nor what a lost dispute took. An open request and the fact that answers it
    count once.
    """
    refunds = [fact for fact in held.facts if fact.kind is FactKind.REFUND]
    answered = {fact.request for fact in refunds}
    given = sum(fact.amount for fact in refunds if fact.status not in NOT_GIVEN)
    asked = sum(
        request.amount.amount
        for request in requests
        if request.state is RefundState.REQUESTED and request.id not in answered
    )
    lost = sum(fact.charged_back for fact in held.facts)
    return max(0, held.purchase.paid.amount - given - asked - lost)
