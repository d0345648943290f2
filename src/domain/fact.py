"""Facts: the newest that the provider, or the merchant, said of one object. Their sum is a purchase's state."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import Final

from domain.frozen import frozen


class FactKind(Enum):
    """Which kind of object a fact is the register of: the provider's, or the merchant's own decision."""

    SESSION = "session"
    REFUND = "refund"
    DISPUTE = "dispute"
    MERCHANT = "merchant"
    """Whether the merchant closed the purchase. Written only by our own transaction (`domain.decision`)."""
    WARNING = "warning"
    """The card's issuer suspects fraud. It changes nothing by itself. https://docs.stripe.com/radar/early-fraud-warnings"""


class CheckoutStatus(StrEnum):
    """How far a checkout session got at the provider, in the order of rank. The values are stored."""

    OPEN = "open"
    EXPIRED = "expired"
    UNPAID = "unpaid"
    """Completed; the money is under way."""
    FAILED = "failed"
    PAID = "paid"


class MerchantStatus(StrEnum):
    """What the merchant decided about access, in the order of rank. The values are stored."""

    RESTORED = "restored"
    REVOKED = "revoked"


# Ranks are total and only break ties within one second, except that sessions compare by rank first.
ACTIONABLE: Final = "actionable"
"""The status of a fraud warning of a payment that was neither disputed nor refunded in full."""
_RANKS: Final[Mapping[FactKind, tuple[str, ...]]] = {
    FactKind.SESSION: tuple(CheckoutStatus),
    FactKind.REFUND: ("pending", "requires_action", "succeeded", "canceled", "failed"),
    FactKind.DISPUTE: (
        "warning_needs_response",
        "warning_under_review",
        "needs_response",
        "under_review",
        "warning_closed",
        "prevented",
        "won",
        "lost",
    ),
    FactKind.MERCHANT: tuple(MerchantStatus),
    FactKind.WARNING: (ACTIONABLE, "over"),
}
_UNKNOWN_RANK: Final = 99
_DISPUTED: Final = frozenset({"needs_response", "under_review"})
_UNDECIDED: Final = frozenset({
    CheckoutStatus.UNPAID, "pending", "requires_action", "warning_needs_response", "warning_under_review",
    "needs_response", "under_review",
})  # fmt: skip
GONE: Final[Mapping[FactKind, tuple[str, ...]]] = {
    FactKind.REFUND: ("pending", "succeeded"),
    FactKind.DISPUTE: ("lost",),
}
"""The statuses with which the amount of a refund or dispute is gone from what was paid."""


@frozen
class Fact:
    """The newest thing the provider said of one of its objects: a register, replaced only by a greater one.

    `as_of` is the provider's own second (Unix time): `event.created` of a webhook, the `Date` of an answer.
    `payment` is the payment intent that a refund or dispute belongs to; None for a session, whose payment is on its
    purchase, and for the merchant's decision, which also concerns purchases without a payment. `amount` is in minor
    units.
    """

    object_id: str
    kind: FactKind
    payment: str | None
    as_of: int
    status: str
    amount: int
    request: str = ""
    """The refund request (`domain.refund`) that a refund answers; those that a revocation came with, spaces between."""
    answer_by: int = 0
    """The provider's second until which it takes evidence about a dispute; 0: unknown; -1: never (`domain.dispute`)."""

    @property
    def answered_by(self) -> datetime | None:
        """`answer_by` as a moment, if there is one."""
        return datetime.fromtimestamp(self.answer_by, UTC) if self.answer_by > 0 else None

    @property
    def rank(self) -> int:
        """The place of the status in its kind's total order; an unknown status stands last."""
        order = _RANKS[self.kind]
        return order.index(self.status) if self.status in order else _UNKNOWN_RANK

    @property
    def moment(self) -> datetime:
        """`as_of` as a moment."""
        return datetime.fromtimestamp(self.as_of, UTC)

    @property
    def undecided(self) -> bool:
        """Whether the provider will have more to say: then it is asked again if it says nothing."""
        return self.status in _UNDECIDED or self.rank == _UNKNOWN_RANK

    @property
    def refunded(self) -> int:
        """What this fact gives back to the buyer, in minor units: a refund's amount, pending or succeeded."""
        return self.amount if self.kind is FactKind.REFUND and self.status in GONE[self.kind] else 0

    @property
    def charged_back(self) -> int:
        """What this fact lets the buyer's bank keep, in minor units: a lost dispute's amount."""
        return self.amount if self.kind is FactKind.DISPUTE and self.status in GONE[self.kind] else 0

    @property
    def gone(self) -> int:
        """What this fact takes off what was paid, in minor units."""
        return self.refunded or self.charged_back

    @property
    def suspends(self) -> bool:
        """Whether it suspends access: an open dispute, or a status that we do not know.

        An inquiry (`warning_…`) does not. https://docs.stripe.com/disputes/how-disputes-work
        """
        if self.kind in (FactKind.SESSION, FactKind.WARNING):
            return False
        return (self.kind is FactKind.DISPUTE and self.status in _DISPUTED) or self.rank == _UNKNOWN_RANK

    @property
    def weight(self) -> tuple[int, int, str, int, str, str, int]:
        """What is compared: total, so that no two different facts tie and every order gives the same state."""
        if self.kind is FactKind.SESSION:
            first, second = self.rank, self.as_of
        else:
            first, second = self.as_of, self.rank
        return (first, second, self.status, self.amount, self.payment or "", self.request, self.answer_by)


def newer(held: Fact | None, told: Fact) -> Fact:
    """The greater of two facts about one object: commutative, associative, idempotent."""
    if held is None or told.weight > held.weight:
        return told
    return held
