"""The list of customers: what it can be narrowed down to, its order, and a page of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import Enum, auto
from typing import Final

from domain.access import Holding
from domain.frozen import frozen
from domain.records import User
from domain.values import ProductId


class CustomerOrder(Enum):
    """What a list is sorted by: only what a store has in order already, however many customers there are."""

    NEWEST = auto()
    """By id, which sorts by the time of the first purchase."""
    OLDEST = auto()
    A_TO_Z = auto()
    """By address."""
    Z_TO_A = auto()

    @property
    def by_address(self) -> bool:
        """Whether the address decides, and not the time."""
        return self in (CustomerOrder.A_TO_Z, CustomerOrder.Z_TO_A)

    @property
    def falls(self) -> bool:
        """Whether the greater comes first."""
        return self in (CustomerOrder.NEWEST, CustomerOrder.Z_TO_A)

    @property
    def turned(self) -> CustomerOrder:
        """The same list from its end."""
        return _TURNED[self]

    def mark(self, user: User) -> str:
        """The place of a customer in a list of this order. Pages begin after it, also if nobody is there any more."""
        return user.mailbox.canonical if self.by_address else user.id


_TURNED: Final = {
    CustomerOrder.NEWEST: CustomerOrder.OLDEST, CustomerOrder.OLDEST: CustomerOrder.NEWEST,
    CustomerOrder.A_TO_Z: CustomerOrder.Z_TO_A, CustomerOrder.Z_TO_A: CustomerOrder.A_TO_Z,
}  # fmt: skip


@frozen
class CustomerFilter:
    """Which customers are wanted; None leaves something open. A product is bought alone or in a bundle."""

    bought: ProductId | None = None
    did_not_buy: ProductId | None = None
    never_opened: bool = False
    """Of their purchases, none was ever opened; and there is one."""


@frozen
class CustomerRow:
    """One customer, with all that its columns show."""

    user: User
    holdings: Sequence[Holding]
    """Their purchases, the oldest first."""
    seen_at: datetime | None
    """When a browser that verified their address was last seen; None if there is none (any more)."""

    def spent(self, *, livemode: bool = False) -> Sequence[tuple[str, int]]:
        """What is left of what they paid: currency and minor units, in order of currency.

        `livemode`: test purchases do not count.
        """
        sums: Counter[str] = Counter()
        for held in self.holdings:
            if livemode and held.purchase.livemode is False:
                continue
            sums[held.purchase.paid.currency] += held.purchase.paid.amount - held.refunded - held.charged_back
        return sorted((currency, total) for currency, total in sums.items() if total)


@frozen
class CustomerRows:
    """What one read found, in the order that was asked for."""

    rows: Sequence[CustomerRow]
    looked_to: str | None
    """Where it stopped looking (`CustomerOrder.mark`); None if there is nobody behind."""
