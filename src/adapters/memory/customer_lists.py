"""Lists of customers, by looking at every one."""

from __future__ import annotations

from adapters.memory.purchases import holding_of
from adapters.memory.tables import Record
from domain.customer_list import CustomerFilter, CustomerOrder, CustomerRow, CustomerRows
from domain.records import User
from domain.sale_list import COUNTED_TO, SaleCount


class CustomerLists(Record):
    def rows(
        self,
        wanted: CustomerFilter,
        *,
        order: CustomerOrder = CustomerOrder.NEWEST,
        after: str | None,
        limit: int,
    ) -> CustomerRows:
        mark, falls = order.mark, order.falls
        users = sorted(self._t.users.values(), key=mark, reverse=falls)
        beyond = [u for u in users if after is None or (mark(u) < after if falls else mark(u) > after)]
        rows = [self._row(user) for user in beyond]
        rows = [row for row in rows if _matches(row, wanted)]
        more = len(rows) > limit
        return CustomerRows(rows=rows[:limit], looked_to=mark(rows[limit - 1].user) if more else None)

    def count(self, wanted: CustomerFilter) -> SaleCount:
        number = sum(_matches(self._row(user), wanted) for user in self._t.users.values())
        return SaleCount(min(number, COUNTED_TO + 1), complete=True)

    def _row(self, user: User) -> CustomerRow:
        theirs = [p for p in self._t.purchases.values() if p.user == user.id]
        seen = [s.seen_at for s in self._t.sessions.values() if s.mailbox == user.mailbox]
        theirs.sort(key=lambda p: (p.booked_at, p.checkout))
        return CustomerRow(
            user=user, holdings=[holding_of(self._t, p) for p in theirs], seen_at=max(seen, default=None)
        )


def _matches(row: CustomerRow, wanted: CustomerFilter) -> bool:
    products = {product for held in row.holdings for product in held.purchase.products}
    opened = any(held.purchase.opened_at is not None for held in row.holdings)
    return (
        (wanted.bought is None or wanted.bought in products)
        and wanted.did_not_buy not in products
        and not (wanted.never_opened and (opened or not row.holdings))
    )
