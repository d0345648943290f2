"""Lists of customers, in the order of an index: of their ids, which sort by their first purchase, or of addresses."""

from __future__ import annotations

from typing import Final

from adapters.sql import purchases, users
from adapters.sql.dialect import ANY_OF, texts
from adapters.sql.record import Record, first, moment
from domain.access import Holding
from domain.customer_list import CustomerFilter, CustomerOrder, CustomerRow, CustomerRows
from domain.sale_list import COUNTED_TO, LOOKED_AT, SaleCount

_BOUGHT: Final = """EXISTS (SELECT 1 FROM purchases WHERE user_id = users.id
  AND (pid = ? OR (contents <> '' AND instr(' ' || contents || ' ', ' ' || ? || ' ') > 0)))"""
_NEVER_OPENED: Final = """EXISTS (SELECT 1 FROM purchases WHERE user_id = users.id)
  AND NOT EXISTS (SELECT 1 FROM purchases WHERE user_id = users.id AND opened_at IS NOT NULL)"""
_BEGIN: Final = ""
_END: Final = "\x7f"
"""Ids and canonical addresses are of printable ASCII, which all stands between these two."""
_THEIRS: Final = (
    f"SELECT {purchases.COLUMNS} FROM purchases WHERE user_id {ANY_OF} ORDER BY booked_at, checkout_id"
)
_SEEN: Final = f"SELECT mailbox, max(seen_at) FROM sessions WHERE mailbox {ANY_OF} GROUP BY mailbox"


class CustomerLists(Record):
    def rows(
        self,
        wanted: CustomerFilter,
        *,
        order: CustomerOrder = CustomerOrder.NEWEST,
        after: str | None,
        limit: int,
    ) -> CustomerRows:
        where, values, frontier = self._where(wanted, order=order, after=after)
        statement = f"SELECT {users.COLUMNS} FROM users WHERE {where} {_sorted(order)} LIMIT ?"
        found = self._all(users.from_row, statement, [*values, limit + 1])
        if len(found) > limit:
            found, frontier = found[:limit], order.mark(found[limit - 1])
        owned: dict[str, list[Holding]] = {}
        ids = texts(user.id for user in found)
        for held in purchases.with_facts(self._sql, _THEIRS, (ids,)):
            owned.setdefault(held.purchase.user or "", []).append(held)
        boxes = texts(user.mailbox.canonical for user in found)
        seen = dict(self._sql(_SEEN, (boxes,)).fetchall())
        rows = [
            CustomerRow(
                user=user,
                holdings=owned.get(user.id, []),
                seen_at=moment(seen[user.mailbox.canonical]) if user.mailbox.canonical in seen else None,
            )
            for user in found
        ]
        return CustomerRows(rows=rows, looked_to=frontier)

    def count(self, wanted: CustomerFilter) -> SaleCount:
        where, values, frontier = self._where(wanted, order=CustomerOrder.NEWEST, after=None)
        statement = f"SELECT count(*) FROM (SELECT 1 FROM users WHERE {where} LIMIT ?) AS counted"
        number = self._all(first, statement, [*values, COUNTED_TO + 1])[0]
        return SaleCount(number=number, complete=frontier is None or number > COUNTED_TO)

    def _where(
        self, wanted: CustomerFilter, *, order: CustomerOrder, after: str | None
    ) -> tuple[str, list[object], str | None]:
        """The conditions and their values; and the place of the last customer to look at, None for all."""
        key, begin, end = _key(order), *((_END, _BEGIN) if order.falls else (_BEGIN, _END))
        conditions: list[str] = [_beyond(order)]
        values: list[object] = [after or begin]
        if wanted.bought is not None:
            conditions.append(_BOUGHT)
            values += [wanted.bought, wanted.bought]
        if wanted.did_not_buy is not None:
            conditions.append(f"NOT {_BOUGHT}")
            values += [wanted.did_not_buy, wanted.did_not_buy]
        if wanted.never_opened:
            conditions.append(_NEVER_OPENED)
        frontier: str | None = None
        if len(conditions) > 1:
            last = (
                f"SELECT {key} FROM users WHERE {_beyond(order)} {_sorted(order)} LIMIT 1 OFFSET {LOOKED_AT}"
            )
            frontier = self._one(first, last, (after or begin,))
        up_to = f"{key} {'>=' if order.falls else '<='} ?"
        return " AND ".join([*conditions, up_to]), [*values, frontier or end], frontier


def _key(order: CustomerOrder) -> str:
    return "users.email" if order.by_address else "users.id"


def _beyond(order: CustomerOrder) -> str:
    return f"{_key(order)} {'<' if order.falls else '>'} ?"


def _sorted(order: CustomerOrder) -> str:
    return f"ORDER BY {_key(order)}{' DESC' if order.falls else ''}"
