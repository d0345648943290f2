"""List customers for the merchant, a page at a time."""

from __future__ import annotations

from functools import partial
from typing import Final

from domain.customer_list import CustomerFilter, CustomerRow, CustomerRows
from domain.frozen import frozen
from domain.ports import Store
from domain.sale_list import PAGE
from domain.transaction import ReadTransaction
from domain.values import UserId

_READS: Final = 3


@frozen
class ListCustomers:
    """The page "Customers". Reads only, beside the customers (`Store.survey`)."""

    store: Store

    async def __call__(self, wanted: CustomerFilter, *, after: UserId | None = None) -> CustomerRows:
        """The newest 50 behind this one. `looked_to` with fewer than 50: only so many were looked at.

        Raises StoreUnavailable.
        """
        rows: list[CustomerRow] = []
        for _ in range(_READS):
            found = await self.store.survey(partial(_rows, wanted, after, PAGE - len(rows)))
            rows, after = [*rows, *found.rows], found.looked_to
            if after is None or len(rows) >= PAGE:
                break
        return CustomerRows(rows=rows, looked_to=after)


def _rows(wanted: CustomerFilter, after: UserId | None, limit: int, tx: ReadTransaction) -> CustomerRows:
    return tx.customer_lists.rows(wanted, after=after, limit=limit)
