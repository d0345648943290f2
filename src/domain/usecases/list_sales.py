"""List sales for the merchant: narrowed down, sorted, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from functools import partial
from typing import Final

from domain.frozen import frozen
from domain.local_time import begin_of
from domain.ports import Store
from domain.purchase import Checkout
from domain.sale_list import (
    COUNTED_TO,
    PAGE,
    SaleCount,
    SaleFilter,
    SaleMark,
    SaleOrder,
    SaleRow,
    SaleRows,
)
from domain.transaction import ReadTransaction
from domain.values import ProductId

_READS: Final = 3
"""How many reads fill a page, where one looks at all that it may and finds too few."""
_BACK: Final = {
    SaleOrder.NEWEST: SaleOrder.OLDEST, SaleOrder.OLDEST: SaleOrder.NEWEST,
    SaleOrder.LARGEST: SaleOrder.SMALLEST, SaleOrder.SMALLEST: SaleOrder.LARGEST,
}  # fmt: skip


@frozen
class SalesPage:
    """At most 50 rows of a list, in its order."""

    rows: Sequence[SaleRow]
    before: SaleMark | None
    """Ask for what comes before this; None if that is the beginning of the list."""
    after: SaleMark | None
    """Ask for what comes after this; None if that is the end of the list."""
    searched_to: datetime | None = None
    """The page is not full, since only the sales up to then were looked at: the rest of the list begins at `after`."""


@frozen
class TooManyToSort:
    """A list is sorted by amount only if it has at most 10,000 rows: narrow it down first."""


@frozen
class ListSales:
    """The page "Sales". Reads only, beside the customers (`Store.survey`)."""

    store: Store

    async def __call__(
        self,
        wanted: SaleFilter,
        *,
        order: SaleOrder = SaleOrder.NEWEST,
        after: SaleMark | None = None,
        before: SaleMark | None = None,
    ) -> SalesPage | TooManyToSort:
        """The rows after a mark, or those right before one; without either, the first ones.

        Raises StoreUnavailable.
        """
        if order.by_amount:
            counted = await self.count(wanted)
            if counted.number > COUNTED_TO or not counted.complete:
                return TooManyToSort()
        if before is not None:
            found = await self._read(wanted, _BACK[order], before)
            rows = list(reversed(found.rows))
            first = None if found.looked_to is None else _mark(rows, 0, order) or found.looked_to
            return SalesPage(rows=rows, before=first, after=_mark(rows, -1, order) or before)
        found = await self._read(wanted, order, after)
        first = None if after is None else _mark(found.rows, 0, order) or after
        stopped = found.looked_to if len(found.rows) < PAGE and not order.by_amount else None
        return SalesPage(
            rows=found.rows,
            before=first,
            after=found.looked_to,
            searched_to=None if stopped is None else stopped.at,
        )

    async def _read(self, wanted: SaleFilter, order: SaleOrder, mark: SaleMark | None) -> SaleRows:
        rows: list[SaleRow] = []
        for _ in range(_READS):
            read = partial(_rows, wanted, order, mark, PAGE - len(rows))
            found = await self.store.survey(read)
            rows, mark = [*rows, *found.rows], found.looked_to
            if mark is None or len(rows) >= PAGE:
                break
        return SaleRows(rows=rows, looked_to=mark)

    async def count(self, wanted: SaleFilter) -> SaleCount:
        """How many there are; 10,001 stands for more than 10,000. Raises StoreUnavailable."""
        return await self.store.survey(lambda tx: tx.sale_lists.count(wanted))

    async def products(self) -> Sequence[tuple[ProductId, str]]:
        """Every product that was ever bought, with its name when it was bought last. Raises StoreUnavailable."""
        return await self.store.survey(lambda tx: tx.searches.product_names())

    async def pending(self) -> Sequence[Checkout]:
        """The newest 50 payments that are under way, the state "Awaiting payment". Raises StoreUnavailable."""
        return await self.store.survey(lambda tx: tx.sale_lists.pending(limit=PAGE))


def days(first: date | None, last: date | None, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """`booked_from` and `booked_before` of these days of a time zone, both included.

    Where the calendar ends, as with 9999-12-31, that side is open.
    """
    return (
        None if first is None else _begin(first, zone),
        None if last is None or last == date.max else _begin(last + timedelta(days=1), zone),
    )


def _begin(day: date, zone: tzinfo) -> datetime | None:
    try:
        return begin_of(day, zone)
    except OverflowError:
        return None


def _rows(
    wanted: SaleFilter, order: SaleOrder, after: SaleMark | None, limit: int, tx: ReadTransaction
) -> SaleRows:
    found = tx.sale_lists.rows(wanted, order=order, after=after, limit=limit)
    nobodys = [row.held.purchase.checkout for row in found.rows if row.held.purchase.user is None]
    erased = tx.erasures.erased_at(nobodys) if nobodys else {}
    rows = [replace(row, erased_at=erased.get(row.held.purchase.checkout)) for row in found.rows]
    return SaleRows(rows=rows if erased else found.rows, looked_to=found.looked_to)


def _mark(rows: Sequence[SaleRow], place: int, order: SaleOrder) -> SaleMark | None:
    return SaleMark.of(rows[place].held.purchase, order) if rows else None
