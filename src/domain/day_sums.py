"""Sums of a day, a currency and a product: what was sold, what went back, and how many of those who began paid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from domain.access import Holding
from domain.frozen import frozen
from domain.ledger import LedgerKind, ledger_lines
from domain.local_time import begin_of, day_of
from domain.purchase import OPEN_AT_MOST, Source
from domain.values import ProductId

CLOSED_AFTER: Final = OPEN_AT_MOST + timedelta(hours=1)
"""How long after its end a day is closed: then nothing that usually happens touches it any more.

A checkout can be paid for 25 hours, so a claim finds its day closed only for a bank debit that took longer.
"""


@frozen
class DaySum:
    """Amounts in minor units of the currency. Test purchases count until the shop has gone live."""

    day: date
    """In the shop's time zone."""
    currency: str
    product: ProductId
    sales: int = 0
    """Booked on that day, imported ones included; no free orders and no grants."""
    gross: int = 0
    """What was paid for them."""
    refunded: int = 0
    """What went back on that day, whenever it was paid: refunds and lost disputes, as the ledger lists them."""
    free: int = 0
    """Free orders booked on that day."""
    started: int = 0
    """Checkouts begun on that day at the payment provider; those of closed days that nobody paid are pruned later."""
    paid: int = 0
    """Those of them that were paid, whenever."""
    opened: int = 0
    """Those of these whose purchase was ever opened."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened."""
        numbers = (self.sales, self.gross, self.refunded, self.free, self.started, self.paid, self.opened)
        return not any(numbers)


@frozen
class SumsState:
    """How far the days are closed. Sums of another zone, or from before going live, say nothing and are cleared."""

    zone: str
    live: bool
    """Whether the shop had gone live."""
    closed_before: date
    """All days before this one are closed."""


Key = tuple[str, ProductId]


def combined(day: date, *parts: Iterable[DaySum]) -> Sequence[DaySum]:
    """The sums of a day from parts that know different numbers, in order of currency and product."""
    found: dict[Key, list[DaySum]] = defaultdict(list)
    for part in parts:
        for one in part:
            found[one.currency, one.product].append(one)
    made = [_added(day, key, ones) for key, ones in sorted(found.items())]
    return [one for one in made if not one.is_empty]


def _added(day: date, key: Key, ones: Sequence[DaySum]) -> DaySum:
    return DaySum(
        day=day,
        currency=key[0],
        product=key[1],
        sales=sum(one.sales for one in ones),
        gross=sum(one.gross for one in ones),
        refunded=sum(one.refunded for one in ones),
        free=sum(one.free for one in ones),
        started=sum(one.started for one in ones),
        paid=sum(one.paid for one in ones),
        opened=sum(one.opened for one in ones),
    )


def gone_in(held: Holding, begin: datetime, end: datetime) -> int:
    """How much of a purchase went back in a time, in minor units; no more in all than was paid."""
    if held.purchase.source is Source.GRANT:
        return 0
    lines = ledger_lines(held)
    return -sum(line.amount for line in lines if line.kind is not LedgerKind.SALE and begin <= line.at < end)


def bounds(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """When a day begins there, and when the next one does."""
    return begin_of(day, zone), begin_of(day + timedelta(days=1), zone)


def closed_before(now: datetime, zone: tzinfo) -> date:
    """The first day that is not to be closed yet: those before it ended long enough ago."""
    return day_of(now - CLOSED_AFTER, zone)


def over_products(sums: Iterable[DaySum]) -> Sequence[DaySum]:
    """One for each day and currency, in that order; the product is ""."""
    found: dict[tuple[date, str], list[DaySum]] = defaultdict(list)
    for one in sums:
        found[one.day, one.currency].append(one)
    return [_added(day, (currency, ProductId("")), ones) for (day, currency), ones in sorted(found.items())]


def by_currency(sums: Iterable[DaySum]) -> Mapping[str, DaySum]:
    """The sums over all days and products, one for each currency; never added across currencies."""
    found: dict[str, list[DaySum]] = defaultdict(list)
    for one in sums:
        found[one.currency].append(one)
    return {
        currency: _added(min(one.day for one in ones), (currency, ProductId("")), ones)
        for currency, ones in sorted(found.items())
    }
