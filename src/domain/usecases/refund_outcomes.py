"""What may come of asking for a refund."""

from __future__ import annotations

from enum import Enum, auto

from domain.amounts import AmountProblem
from domain.frozen import frozen
from domain.purchase import Purchase
from domain.refund import RefundRequest
from domain.rights import NotAllowed
from domain.usecases.find_order import SeveralOrders
from domain.values import Money


class WhyNotRefunded(Enum):
    """Why no refund was asked for."""

    NO_REASON = auto()
    """It is empty, or too long."""
    NO_SUCH_ORDER = auto()
    NOT_PAID_HERE = auto()
    """Nothing was paid, or not through the payment provider."""
    OTHER_MODE = auto()
    """It was paid in the provider's other mode, which this key does not reach."""
    ERASED = auto()
    """Its customer deleted their account: whoever refunds it does so at the provider."""
    IN_DISPUTE = auto()
    """The bank decides: the dispute is to be answered instead, or the money would be gone twice."""
    NOTHING_LEFT = auto()
    """All of it was refunded, lost, or is being refunded."""
    NOTHING_ASKED = auto()
    """The amount is 0."""
    TOO_MUCH = auto()
    """More than is left."""


@frozen
class NotRefunded:
    """Nothing was asked for. `left`: what can still be refunded, where an amount was the reason."""

    why: WhyNotRefunded
    order: Purchase | None = None
    left: Money | None = None


@frozen
class NotAnAmount:
    """The amount has no meaning, or more than one, in the currency of the purchase."""

    problem: AmountProblem
    order: Purchase


@frozen
class RefundAsked:
    """It is written down, now or since the same form was submitted before, and goes to the provider by itself."""

    request: RefundRequest
    order: Purchase
    closes: bool
    """Whether access ends with it, although some of the money stays; False if the merchant had closed it before."""


AskingForRefund = RefundAsked | NotRefunded | NotAnAmount | NotAllowed | SeveralOrders
