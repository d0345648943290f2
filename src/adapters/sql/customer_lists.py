"""Lists of customers, in the order of their ids, which sort by the time of their first purchase."""

from __future__ import annotations

from typing import Final

from adapters.sql import purchases, users
from adapters.sql.dialect import ANY_OF, texts
from adapters.sql.record import Record, first, moment
from domain.access import Holding
from domain.customer_list import CustomerFilter, CustomerRow, CustomerRows
from domain.sale_list import COUNTED_TO, LOOKED_AT, SaleCount
from domain.values import UserId

_BOUGHT: Final = """EXISTS (SELECT 1 FROM purchases WHERE user_id = users.id
  AND (pid = ? OR (contents <> '' AND instr(' ' || contents || ' ', ' ' || ? || ' ') > 0)))"""
_NEVER_OPENED: Final = """EXISTS (SELECT 1 FROM purchases WHERE user_id = users.id)
  AND NOT EXISTS (SELECT 1 FROM purchases WHERE user_id = users.id AND opened_at IS NOT NULL)"""
# Ids are of figures and letters.
_BEYOND: Final = {False: "users.id < coalesce(?, '~')", True: "users.id > coalesce(?, '')"}
_UP_TO: Final = {False: "users.id >= coalesce(?, '')", True: "users.id <= coalesce(?, '~')"}
_ORDER: Final = {False: "ORDER BY id DESC", True: "ORDER BY id"}
_THEIRS: Final = (
    f"SELECT {purchases.COLUMNS} FROM purchases WHERE user_id {ANY_OF} ORDER BY booked_at, checkout_id"
)
_SEEN: Final = f"SELECT mailbox, max(seen_at) FROM sessions WHERE mailbox {ANY_OF} GROUP BY mailbox"


class CustomerLists(Record):
    def rows(
        self, wanted: CustomerFilter, *, after: UserId | None, limit: int, back: bool = False
    ) -> CustomerRows:
        where, values, frontier = self._where(wanted, after=after, back=back)
        statement = f"SELECT {users.COLUMNS} FROM users WHERE {where} {_ORDER[back]} LIMIT ?"
        found = self._all(users.from_row, statement, [*values, limit + 1])
        if len(found) > limit:
            found, frontier = found[:limit], found[limit - 1].id
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
        where, values, frontier = self._where(wanted, after=None, back=False)
        statement = f"SELECT count(*) FROM (SELECT 1 FROM users WHERE {where} LIMIT ?) AS counted"
        number = self._all(first, statement, [*values, COUNTED_TO + 1])[0]
        return SaleCount(number=number, complete=frontier is None or number > COUNTED_TO)

    def _where(
        self, wanted: CustomerFilter, *, after: UserId | None, back: bool
    ) -> tuple[str, list[object], UserId | None]:
        """The conditions and their values; and the last customer to look at, None for all."""
        conditions: list[str] = [_BEYOND[back]]
        values: list[object] = [after]
        if wanted.bought is not None:
            conditions.append(_BOUGHT)
            values += [wanted.bought, wanted.bought]
        if wanted.did_not_buy is not None:
            conditions.append(f"NOT {_BOUGHT}")
            values += [wanted.did_not_buy, wanted.did_not_buy]
        if wanted.never_opened:
            conditions.append(_NEVER_OPENED)
        frontier: UserId | None = None
        if len(conditions) > 1:
            last = f"SELECT id FROM users WHERE {_BEYOND[back]} {_ORDER[back]} LIMIT 1 OFFSET {LOOKED_AT}"
            frontier = self._one(first, last, (after,))
        return " AND ".join([*conditions, _UP_TO[back]]), [*values, frontier], frontier
