"""List customers for the merchant, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from domain.customer_list import CustomerFilter, CustomerOrder, CustomerRow, CustomerRows
from domain.frozen import frozen
from domain.ports import Store
from domain.sale_list import PAGE, SaleCount
from domain.transaction import ReadTransaction
from domain.values import ProductId

_READS: Final = 3


@frozen
class CustomersPage:
    """At most 50 customers, in the order that was asked for."""

    rows: Sequence[CustomerRow]
    before: str | None
    """Ask for what comes before this one; None at the beginning of the list."""
    after: str | None
    """Ask for what comes after this one; None at the end of the list."""
    stopped: bool = False
    """The page is not full, since only so many were looked at: the rest of the list begins at `after`."""


@frozen
class ListCustomers:
    """The page "Customers". Reads only, beside the customers (`Store.survey`)."""

    store: Store

    async def __call__(
        self,
        wanted: CustomerFilter,
        *,
        order: CustomerOrder = CustomerOrder.NEWEST,
        after: str | None = None,
        before: str | None = None,
    ) -> CustomersPage:
        """The 50 behind a place, or those right ahead of one; without either, the first ones.

        Raises StoreUnavailable.
        """
        if before is not None:
            found = await self._read(wanted, order.turned, before)
            if found.looked_to is not None:
                rows = list(reversed(found.rows))
                ends = (
                    (order.mark(rows[0].user), order.mark(rows[-1].user))
                    if rows
                    else (found.looked_to, before)
                )
                return CustomersPage(rows=rows, before=ends[0], after=ends[1])
            after = None  # they are the first ones, and perhaps not 50
        found = await self._read(wanted, order, after)
        first = None if after is None else order.mark(found.rows[0].user) if found.rows else after
        stopped = found.looked_to is not None and len(found.rows) < PAGE
        return CustomersPage(rows=found.rows, before=first, after=found.looked_to, stopped=stopped)

    async def count(self, wanted: CustomerFilter) -> SaleCount:
        """How many there are; 10,001 stands for more than 10,000. Raises StoreUnavailable."""
        return await self.store.survey(lambda tx: tx.customer_lists.count(wanted))

    async def products(self) -> Sequence[tuple[ProductId, str]]:
        """Every product that was ever bought, with the name it had last. Raises StoreUnavailable."""
        return await self.store.survey(lambda tx: tx.searches.product_names())

    async def _read(self, wanted: CustomerFilter, order: CustomerOrder, mark: str | None) -> CustomerRows:
        rows: list[CustomerRow] = []
        for _ in range(_READS):
            found = await self.store.survey(partial(_rows, wanted, order, after=mark, limit=PAGE - len(rows)))
            rows, mark = [*rows, *found.rows], found.looked_to
            if mark is None or len(rows) >= PAGE:
                break
        return CustomerRows(rows=rows, looked_to=mark)


def _rows(
    wanted: CustomerFilter, order: CustomerOrder, tx: ReadTransaction, *, after: str | None, limit: int
) -> CustomerRows:
    return tx.customer_lists.rows(wanted, order=order, after=after, limit=limit)
