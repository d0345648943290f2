"""The figures of the back office's first page: what was sold lately, beside the time before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import Enum
from functools import partial

from domain.day_sums import DaySum, by_currency
from domain.frozen import frozen
from domain.going_live import STARTED_LIVE
from domain.local_time import begin_of, day_of
from domain.ports import Catalogue, Clock, Store
from domain.purchase import Source
from domain.sale_list import SaleCount, SaleFilter, SaleOrder, SaleRow
from domain.transaction import ReadTransaction
from domain.usecases.sum_days import SumDays

_NEWEST = 10


class Period(Enum):
    """Days up to today, today included, in the shop's time zone; the value is how many."""

    TODAY = 1
    WEEK = 7
    MONTH = 30
    YEAR = 365


@frozen
class PeriodFigures:
    """The sums of a period and of as many days before it, by currency: never added across currencies."""

    period: Period
    first: date
    now: Mapping[str, DaySum]
    before: Mapping[str, DaySum]
    grants: SaleCount
    """Purchases that the merchant gave; of the period alone."""
    imports: SaleCount
    """Imported purchases, which are among the sales; of the period alone."""


@frozen
class Figures:
    """All figures as of one moment, to a second or so: they are counted by several reads."""

    at: datetime
    periods: Sequence[PeriodFigures]
    days: Sequence[DaySum]
    """Of the last 365 days, over all products, for the charts; in order of day and currency."""
    newest: Sequence[SaleRow]
    """The newest ten sales."""
    gone_live: bool
    """Whether the shop has gone live: from then on test purchases do not count."""


@frozen
class ShowFigures:
    """The page "Home". Reads only, beside the customers (`Store.survey`)."""

    store: Store
    catalogue: Catalogue
    clock: Clock
    sum_days: SumDays

    async def __call__(self) -> Figures:
        """Raises StoreUnavailable."""
        now, zone = self.clock.now(), self.catalogue.current().shop.zone
        today = day_of(now, zone)
        days = await self.sum_days.totals(
            first_day(Period.YEAR, today) - timedelta(days=Period.YEAR.value), today
        )
        begins = {period: begin_of(first_day(period, today), zone) for period in Period}
        newest, grants, imports, live = await self.store.survey(partial(_listed, begins))
        start = first_day(Period.YEAR, today)
        return Figures(
            at=now,
            periods=[figures_of(period, today, days, grants[period], imports[period]) for period in Period],
            days=[one for one in days if one.day >= start],
            newest=newest,
            gone_live=live,
        )


_Counts = Mapping[Period, SaleCount]


def _listed(
    begins: Mapping[Period, datetime], tx: ReadTransaction
) -> tuple[Sequence[SaleRow], _Counts, _Counts, bool]:
    """The newest sales, the grants and imports of each period, and whether the shop has gone live."""

    def counted(source: Source) -> _Counts:
        return {
            period: tx.sale_lists.count(SaleFilter(source=source, booked_from=begin))
            for period, begin in begins.items()
        }

    newest = tx.sale_lists.rows(SaleFilter(), order=SaleOrder.NEWEST, after=None, limit=_NEWEST).rows
    live = tx.shop.cursor(STARTED_LIVE) is not None
    return newest, counted(Source.GRANT), counted(Source.IMPORT), live


def first_day(period: Period, today: date) -> date:
    """The first day of a period that ends today."""
    return today - timedelta(days=period.value - 1)


def figures_of(
    period: Period, today: date, days: Sequence[DaySum], grants: SaleCount, imports: SaleCount
) -> PeriodFigures:
    """The figures of a period, out of the sums of days."""
    first = first_day(period, today)
    earlier = first - timedelta(days=period.value)
    return PeriodFigures(
        period=period,
        first=first,
        now=by_currency(one for one in days if first <= one.day <= today),
        before=by_currency(one for one in days if earlier <= one.day < first),
        grants=grants,
        imports=imports,
    )
