"""Sums of sales: by period or by product, in each currency, with what was taken back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta, tzinfo
from enum import Enum

from domain.access import Holding
from domain.frozen import frozen
from domain.local_time import day_of


class SalesBy(Enum):
    """What the sales are summed by. A sale belongs to the period in which it was booked, in the shop's time zone."""

    DAY = "day"
    WEEK = "week"
    """ISO 8601: it begins on a Monday."""
    MONTH = "month"
    PRODUCT = "product"


@frozen
class SalesSum:
    """The sales of one period or product in one currency; amounts in minor units."""

    of: str
    """`2026-11-29`, `2026-W48`, `2026-11`, or a product's id."""
    currency: str
    sales: int = 0
    """Free orders count, too; imported sales do not say when they were made, and count on the day of the import."""
    gross: int = 0
    refunded: int = 0
    lost: int = 0
    """What lost disputes took."""

    @property
    def net(self) -> int:
        """What is left."""
        return self.gross - self.refunded - self.lost

    def with_sale(self, held: Holding) -> SalesSum:
        """This, and one purchase more. What was taken off it later counts with the sale."""
        return SalesSum(
            of=self.of,
            currency=self.currency,
            sales=self.sales + 1,
            gross=self.gross + held.purchase.paid.amount,
            refunded=self.refunded + held.refunded,
            lost=self.lost + held.charged_back,
        )


def totals(sums: Sequence[SalesSum]) -> Sequence[SalesSum]:
    """The sums of each currency over everything."""
    found: Mapping[str, list[SalesSum]] = defaultdict(list)
    for one in sums:
        found[one.currency].append(one)
    return [
        SalesSum(
            of="",
            currency=currency,
            sales=sum(one.sales for one in ones),
            gross=sum(one.gross for one in ones),
            refunded=sum(one.refunded for one in ones),
            lost=sum(one.lost for one in ones),
        )
        for currency, ones in sorted(found.items())
    ]


def group_of(held: Holding, by: SalesBy, zone: tzinfo) -> str:
    """The period or product of a purchase; periods are those of a time zone."""
    day = day_of(held.purchase.booked_at, zone)
    match by:
        case SalesBy.DAY:
            return day.isoformat()
        case SalesBy.WEEK:
            year, week, _ = day.isocalendar()
            return f"{year}-W{week:02}"
        case SalesBy.MONTH:
            return f"{day:%Y-%m}"
        case SalesBy.PRODUCT:
            return held.purchase.product


def week_of(day: date) -> date:
    """The Monday of its week."""
    return day - timedelta(days=day.weekday())
