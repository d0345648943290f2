"""What may come of closing a purchase, or of opening it again."""

from __future__ import annotations

from enum import Enum, auto

from domain.frozen import frozen
from domain.purchase import Purchase, PurchaseState
from domain.rights import NotAllowed
from domain.usecases.find_order import SeveralOrders


class WhyUnchanged(Enum):
    """Why nothing was decided."""

    NO_REASON = auto()
    """It is empty, or too long."""
    NO_SUCH_ORDER = auto()
    ALREADY_REVOKED = auto()
    NOT_REVOKED = auto()
    """What else closes it, a refund or a dispute, cannot be overruled."""


@frozen
class Unchanged:
    """Nothing was decided. `order`: the one that the reason is about, and its state."""

    why: WhyUnchanged
    order: Purchase | None = None
    state: PurchaseState = PurchaseState.LIVE


@frozen
class Decided:
    """It is closed, or not closed by the merchant any more; now or since the same form was submitted before."""

    order: Purchase
    state: PurchaseState
    """What the purchase is now: refunds and disputes count beside the decision."""
    told: bool
    """Whether the customer is emailed."""


Deciding = Decided | Unchanged | NotAllowed | SeveralOrders
