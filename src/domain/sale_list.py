"""The list of sales: what it can be narrowed down to, its order, and a page of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Final

from domain.access import Holding
from domain.fact import Fact, FactKind
from domain.frozen import frozen
from domain.purchase import Purchase, PurchaseState, Source, standing_of
from domain.values import CheckoutId, Money, ProductId, UserId

PAGE: Final = 50
COUNTED_TO: Final = 10_000
"""A list with more rows than these says "more than 10,000"."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
LOOKED_AT: Final = 20_000
"""Rows that one read looks at for those that match, where no index finds them."""


class SaleState(Enum):
    """The state of a sale as the list shows it."""

    OPEN = auto()
    PARTLY_REFUNDED = auto()
    """Open; a part of what was paid is gone."""
    REFUNDED = auto()
    DISPUTED = auto()
    SUSPENDED = auto()
    """Closed by a status that this release does not know."""
    CHARGED_BACK = auto()
    REVOKED = auto()
    """By the merchant."""


def sale_state(held: Holding) -> SaleState:
    """What the facts of a purchase add up to, for the list. The state itself is `domain.purchase.standing`."""
    return sale_state_of(held.purchase.paid, held.facts)


def sale_state_of(paid: Money, facts: Sequence[Fact]) -> SaleState:
    """The same, of what was paid and of all facts that are not about the session."""
    if not facts:
        return SaleState.OPEN
    state = standing_of(paid, facts).state
    if state is PurchaseState.LIVE:
        return SaleState.PARTLY_REFUNDED if any(fact.gone for fact in facts) else SaleState.OPEN
    if state is PurchaseState.SUSPENDED and any(
        fact.suspends and fact.kind is FactKind.DISPUTE for fact in facts
    ):
        return SaleState.DISPUTED
    return SaleState[state.name]


class AddressState(Enum):
    """What is known of the address of a sale."""

    UNVERIFIED = auto()
    """Nobody has verified it."""
    BOUNCED = auto()
    """An access email to it came back."""
    NONE = auto()
    """It has none: the one given at the payment cannot be emailed, or its buyer was erased."""


class SaleOrder(Enum):
    """What a list is sorted by."""

    NEWEST = auto()
    OLDEST = auto()
    LARGEST = auto()
    """By what was paid, in minor units; see `ListSales` for when."""
    SMALLEST = auto()

    @property
    def by_amount(self) -> bool:
        """Whether the amount decides, and not the time."""
        return self in (SaleOrder.LARGEST, SaleOrder.SMALLEST)

    @property
    def falls(self) -> bool:
        """Whether the greater comes first."""
        return self in (SaleOrder.NEWEST, SaleOrder.LARGEST)


@frozen
class SaleFilter:
    """Which sales are wanted; None leaves something open."""

    state: SaleState | None = None
    product: ProductId | None = None
    """The product that was bought; not what a bundle contains."""
    source: Source | None = None
    booked_from: datetime | None = None
    booked_before: datetime | None = None
    currency: str | None = None
    least: int | None = None
    """Of what was paid, in minor units."""
    most: int | None = None
    opened: bool | None = None
    """Whether its content or a file was ever fetched."""
    address: AddressState | None = None
    promotion: str | None = None
    """The provider's id of the promotion code with which the payment page began."""
    users: tuple[UserId, ...] | None = None
    """The sales of these users alone."""
    domain: str | None = None
    """The sales whose address is at this domain."""
    counted: bool = False
    """Only those that figures count: without test purchases once the shop has gone live."""


@frozen
class SaleMark:
    """A place in a list: that of one row. Pages begin after it."""

    value: int
    """When it was booked (microseconds since 1970), or what was paid."""
    checkout: CheckoutId

    @classmethod
    def of(cls, purchase: Purchase, order: SaleOrder) -> SaleMark:
        """The place of a purchase in a list of this order."""
        if order.by_amount:
            return cls(value=purchase.paid.amount, checkout=purchase.checkout)
        return cls(value=(purchase.booked_at - _EPOCH) // _MICROSECOND, checkout=purchase.checkout)

    @property
    def at(self) -> datetime:
        """When it was booked, in a list that is sorted by that."""
        return _EPOCH + self.value * _MICROSECOND


@frozen
class SaleRow:
    """One sale, with all that its columns show."""

    held: Holding
    verified: bool
    """Whether somebody verified its address; False if it has none."""
    bounced: bool
    """Whether an access email to its address came back."""
    erased_at: datetime | None = None
    """When its buyer was erased; only the list itself asks."""

    @property
    def state(self) -> SaleState:
        """See `sale_state`."""
        return sale_state(self.held)


@frozen
class SaleRows:
    """What one read found, in the order of the list."""

    rows: Sequence[SaleRow]
    looked_to: SaleMark | None
    """Where it stopped looking; None if there is nothing more behind."""


@frozen
class SaleCount:
    """How many sales match. `complete`: all were counted; else there are at least as many."""

    number: int
    complete: bool
