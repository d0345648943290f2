"""Lists of customers, in the order of their ids, which sort by the time of their first purchase."""

from __future__ import annotations

from typing import Final

from adapters.sql import purchases, users
from adapters.sql.dialect import ANY_OF, texts
from adapters.sql.record import Record, first, moment
from domain.access import Holding
from domain.customer_list import CustomerFilter, CustomerRow, CustomerRows
from domain.sale_list import LOOKED_AT
from domain.values import UserId

_BOUGHT: Final = """EXISTS (SELECT 1 FROM purchases WHERE user_id = users.id
  AND (pid = ? OR (contents <> '' AND instr(' ' || contents || ' ', ' ' || ? || ' ') > 0)))"""
_NEVER_OPENED: Final = """EXISTS (SELECT 1 FROM purchases WHERE user_id = users.id)
  AND NOT EXISTS (SELECT 1 FROM purchases WHERE user_id = users.id AND opened_at IS NOT NULL)"""
_AFTER: Final = "users.id < coalesce(?, '~')"
_FRONTIER: Final = f"SELECT id FROM users WHERE {_AFTER} ORDER BY id DESC LIMIT 1 OFFSET {LOOKED_AT}"
_THEIRS: Final = (
    f"SELECT {purchases.COLUMNS} FROM purchases WHERE user_id {ANY_OF} ORDER BY booked_at, checkout_id"
)
_SEEN: Final = f"SELECT mailbox, max(seen_at) FROM sessions WHERE mailbox {ANY_OF} GROUP BY mailbox"


class CustomerLists(Record):
    def rows(self, wanted: CustomerFilter, *, after: UserId | None, limit: int) -> CustomerRows:
        conditions: list[str] = [_AFTER]
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
            frontier = self._one(first, _FRONTIER, (after,))
        conditions.append("users.id >= ?")
        statement = (
            f"""SELECT {users.COLUMNS} FROM users WHERE {" AND ".join(conditions)} ORDER BY id DESC LIMIT ?"""
        )
        found = self._all(users.from_row, statement, [*values, frontier or "", limit + 1])
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
