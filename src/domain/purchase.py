"""Checkouts, the purchases they become, and the facts whose sum is a purchase's state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum, auto
from typing import Final

from domain.values import CheckoutId, EmailAddress, Money, ProductId, ProviderRef, SessionId, UserId


@dataclass(frozen=True, slots=True)
class Checkout:
    """One attempt to buy, as it stood when it began. The claim judges by this, never by today's catalogue."""

    id: CheckoutId
    product: ProductId
    product_name: str
    price: Money
    session: SessionId | None
    """The row of the browser that started it; None in a restored shop, where the row was written by a claim."""
    mailbox: EmailAddress | None
    """The mailbox its session had proved when the checkout began."""
    livemode: bool
    started_at: datetime
    provider_ref: ProviderRef | None = None
    """Stripe's id of the session, once it exists."""
    expires_at: datetime | None = None
    contents: tuple[ProductId, ...] = ()
    """What a bundle contained when it was offered."""
    discounts: bool = False
    """Whether the payment page took promotion codes."""


@dataclass(frozen=True, slots=True)
class LicenceKey:
    """A key that came with a purchase: of the product itself, or of one in its bundle."""

    product: ProductId
    key: str


@dataclass(frozen=True, slots=True)
class Purchase:
    """A checkout that was paid. It belongs to `mailbox` and keeps the address given at the payment, too."""

    checkout: CheckoutId
    provider_ref: ProviderRef | None
    """Stripe's id of the session; None for what was free and never went there."""
    payment: str | None
    """The payment intent's id; None when nothing had to be paid."""
    user: UserId | None
    mailbox: EmailAddress | None
    """Whose it is. User and mailbox are None once that person was erased: the sale stays."""
    paid_email: EmailAddress | None
    product: ProductId
    product_name: str
    paid: Money
    livemode: bool
    session: SessionId | None
    booked_at: datetime
    contents: tuple[ProductId, ...] = ()
    licences: tuple[LicenceKey, ...] = ()

    @property
    def products(self) -> tuple[ProductId, ...]:
        """Every product it opens: the one that was bought, and what a bundle contained."""
        return (self.product, *self.contents)


class FactKind(Enum):
    """Which kind of the provider's objects a fact is the register of."""

    SESSION = "session"
    REFUND = "refund"
    DISPUTE = "dispute"


class CheckoutStatus(StrEnum):
    """How far a checkout session got at the provider, in the order of rank. The values are stored."""

    OPEN = "open"
    EXPIRED = "expired"
    UNPAID = "unpaid"
    """Completed; the money is under way."""
    FAILED = "failed"
    PAID = "paid"


# Ranks are total and only break ties within one second, except that sessions compare by rank first.
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
}
_UNKNOWN_RANK: Final = 99
_DISPUTE_OVER: Final = frozenset({"warning_closed", "prevented", "won"})
_UNDECIDED: Final = frozenset(
    {
        CheckoutStatus.UNPAID,
        "pending",
        "requires_action",
        "warning_needs_response",
        "warning_under_review",
        "needs_response",
        "under_review",
    }
)
_REFUND_COUNTS: Final = frozenset({"pending", "succeeded"})
_REFUND_KNOWN: Final = frozenset(_RANKS[FactKind.REFUND])


@dataclass(frozen=True, slots=True)
class Fact:
    """The newest thing the provider said of one of its objects: a register, replaced only by a greater one.

    `as_of` is the provider's own second (Unix time): `event.created` of a webhook, the `Date` of an answer.
    `payment` is the payment intent the object belongs to; `amount` is in minor units.
    """

    object_id: str
    kind: FactKind
    payment: str | None
    as_of: int
    status: str
    amount: int

    @property
    def rank(self) -> int:
        """The place of the status in its kind's total order; an unknown status stands last."""
        order = _RANKS[self.kind]
        return order.index(self.status) if self.status in order else _UNKNOWN_RANK

    @property
    def undecided(self) -> bool:
        """Whether the provider will have more to say: then it is asked again if it says nothing."""
        return self.status in _UNDECIDED or self.rank == _UNKNOWN_RANK

    @property
    def refunded(self) -> int:
        """What this fact takes off what was paid, in minor units."""
        return self.amount if self.kind is FactKind.REFUND and self.status in _REFUND_COUNTS else 0

    @property
    def weight(self) -> tuple[int, int, int, str, int, str]:
        """What is compared: total, so that no two different facts tie and every order gives the same state."""
        if self.kind is FactKind.SESSION:
            return (self.rank, self.as_of, 0, self.status, self.amount, self.payment or "")
        return (self.as_of, self.rank, 0, self.status, self.amount, self.payment or "")


def newer(held: Fact | None, told: Fact) -> Fact:
    """The greater of two facts about one object: commutative, associative, idempotent."""
    if held is None or told.weight > held.weight:
        return told
    return held


class PurchaseState(Enum):
    """What the facts of a purchase add up to."""

    LIVE = auto()
    SUSPENDED = auto()
    """A dispute is open, or a status is one we do not know: unknown counts against access."""
    REFUNDED = auto()
    CHARGED_BACK = auto()


@dataclass(frozen=True, slots=True)
class Standing:
    """A purchase's state and the second (Unix time) of the fact that decided it; None when nothing did."""

    state: PurchaseState
    since: int | None


def standing(purchase: Purchase, facts: Iterable[Fact]) -> Standing:
    """The state of a purchase, computed from the set of its facts in any order."""
    told = tuple(facts)
    refunds = [fact for fact in told if fact.kind is FactKind.REFUND]
    disputes = [fact for fact in told if fact.kind is FactKind.DISPUTE]
    lost = [fact.as_of for fact in disputes if fact.status == "lost"]
    if lost:
        return Standing(state=PurchaseState.CHARGED_BACK, since=max(lost))
    refunded = sum(fact.refunded for fact in refunds)
    if refunded > 0 and refunded >= purchase.paid.amount:
        return Standing(
            state=PurchaseState.REFUNDED, since=max(fact.as_of for fact in refunds if fact.refunded)
        )
    # An unknown status is kept and counts against access.
    undecided = [fact.as_of for fact in disputes if fact.status not in _DISPUTE_OVER]
    undecided += [fact.as_of for fact in refunds if fact.status not in _REFUND_KNOWN]
    if undecided:
        return Standing(state=PurchaseState.SUSPENDED, since=max(undecided))
    return Standing(state=PurchaseState.LIVE, since=None)


def order_number(purchase: Purchase | Checkout) -> str:
    """What an order is called between people: the first twelve characters of its checkout's id."""
    return (purchase.checkout if isinstance(purchase, Purchase) else purchase.id)[:12]
