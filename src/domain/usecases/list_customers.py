"""List customers for the merchant, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from domain.customer_list import CustomerFilter, CustomerRow, CustomerRows
from domain.frozen import frozen
from domain.ports import Store
from domain.sale_list import PAGE, SaleCount
from domain.transaction import ReadTransaction
from domain.values import ProductId, UserId

_READS: Final = 3


@frozen
class CustomersPage:
    """At most 50 customers, the newest first."""

    rows: Sequence[CustomerRow]
    before: UserId | None
    """Ask for what comes before this one; None at the beginning of the list."""
    after: UserId | None
    """Ask for what comes after this one; None at the end of the list."""
    stopped: bool = False
    """The page is not full, since only so many were looked at: the rest of the list begins at `after`."""


@frozen
class ListCustomers:
    """The page "Customers". Reads only, beside the customers (`Store.survey`)."""

    store: Store

    async def __call__(
        self, wanted: CustomerFilter, *, after: UserId | None = None, before: UserId | None = None
    ) -> CustomersPage:
        """The newest 50 behind one, or those right ahead of one; without either, the first ones.

        Raises StoreUnavailable.
        """
        if before is not None:
            found = await self._read(wanted, before, back=True)
            if found.looked_to is not None:
                rows = list(reversed(found.rows))
                ends = (rows[0].user.id, rows[-1].user.id) if rows else (found.looked_to, before)
                return CustomersPage(rows=rows, before=ends[0], after=ends[1])
            after = None  # they are the first ones, and perhaps not 50
        found = await self._read(wanted, after, back=False)
        first = None if after is None else found.rows[0].user.id if found.rows else after
        stopped = found.looked_to is not None and len(found.rows) < PAGE
        return CustomersPage(rows=found.rows, before=first, after=found.looked_to, stopped=stopped)

    async def count(self, wanted: CustomerFilter) -> SaleCount:
        """How many there are; 10,001 stands for more than 10,000. Raises StoreUnavailable."""
        return await self.store.survey(lambda tx: tx.customer_lists.count(wanted))

    async def products(self) -> Sequence[tuple[ProductId, str]]:
        """Every product that was ever bought, with the name it had last. Raises StoreUnavailable."""
        return await self.store.survey(lambda tx: tx.searches.product_names())

    async def _read(self, wanted: CustomerFilter, mark: UserId | None, *, back: bool) -> CustomerRows:
        rows: list[CustomerRow] = []
        for _ in range(_READS):
            found = await self.store.survey(
                partial(_rows, wanted, after=mark, limit=PAGE - len(rows), back=back)
            )
            rows, mark = [*rows, *found.rows], found.looked_to
            if mark is None or len(rows) >= PAGE:
                break
        return CustomerRows(rows=rows, looked_to=mark)


def _rows(
    wanted: CustomerFilter, tx: ReadTransaction, *, after: UserId | None, limit: int, back: bool
) -> CustomerRows:
    return tx.customer_lists.rows(wanted, after=after, limit=limit, back=back)
