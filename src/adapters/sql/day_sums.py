"""Sums of closed days, and the same numbers counted from the records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import ClassVar, Final

from adapters.sql import facts, purchases
from adapters.sql.dialect import ANY_OF, texts
from adapters.sql.purchases import COUNTED
from adapters.sql.record import Record, Row, Table, first, insert, maybe, micros, moment
from domain.day_sums import DaySum, SumsState, combined, gone_in
from domain.values import ProductId

COLUMNS: Final = "day, currency, pid, sales, gross, refunded, free, started, paid, opened"
_STATE: Final = "single, zone, live, closed_before"
_IS_SALE: Final = "(source IS NULL OR source = 'import')"
_SOLD: Final = f"""SELECT currency, pid, sum(CASE WHEN {_IS_SALE} THEN 1 ELSE 0 END),
  sum(CASE WHEN {_IS_SALE} THEN amount ELSE 0 END), sum(CASE WHEN source = 'free' THEN 1 ELSE 0 END)
  FROM purchases INDEXED BY purchases_booked WHERE booked_at >= ? AND booked_at < ? AND {COUNTED}
  GROUP BY currency, pid"""
_BEGUN: Final = f"""SELECT checkouts.currency, checkouts.pid, count(*), count(purchases.checkout_id),
  count(purchases.opened_at)
  FROM checkouts INDEXED BY checkouts_started LEFT JOIN purchases ON purchases.checkout_id = checkouts.id
  WHERE checkouts.started_at >= ? AND checkouts.started_at < ? AND checkouts.livemode IS NOT NULL
  AND {COUNTED.replace("livemode", "checkouts.livemode")} GROUP BY checkouts.currency, checkouts.pid"""
_TAKEN_BACK: Final = f"""SELECT DISTINCT payment FROM facts INDEXED BY facts_looked_for WHERE {facts.LOOKED_FOR}
  AND kind IN ('refund', 'dispute') AND as_of >= ? AND as_of < ? AND payment IS NOT NULL"""
_PAID_BY: Final = f"SELECT {purchases.COLUMNS} FROM purchases WHERE payment {ANY_OF} AND {COUNTED}"
_STORED: Final = f"SELECT {COLUMNS} FROM day_sums WHERE day >= ? AND day <= ? ORDER BY day, currency, pid"
_TOTALS: Final = f"""SELECT day, currency, '', {", ".join(f"sum({name})" for name in COLUMNS.split(", ")[3:])}
  FROM day_sums WHERE day >= ? AND day <= ? GROUP BY day, currency ORDER BY day, currency"""
_BEGUN_BEFORE: Final = "SELECT currency, pid, started FROM day_sums WHERE day = ?"
_ADD: Final = insert("day_sums", COLUMNS)
_TOUCH: Final = """INSERT INTO sums_touched (at, times) VALUES (?, 1)
  ON CONFLICT (at) DO UPDATE SET times = sums_touched.times + 1"""
_CLOSE: Final = f"""{insert("sums_closed", _STATE)} ON CONFLICT (single) DO UPDATE SET
  zone = excluded.zone, live = excluded.live, closed_before = excluded.closed_before"""
_FIRST: Final = """SELECT min(at) FROM (SELECT min(started_at) AS at FROM checkouts
  UNION ALL SELECT min(booked_at) FROM purchases) AS firsts"""


class DaySums(Record):
    tables: ClassVar = [
        Table("day_sums", COLUMNS, key="day, currency, pid"),
        Table("sums_touched", "at, times", key="at"),
        Table("sums_closed", _STATE, key="single"),
    ]

    def count(self, day: date, begin: datetime, end: datetime) -> Sequence[DaySum]:
        between = (micros(begin), micros(end))
        sold = [
            DaySum(day, row[0], row[1], sales=int(row[2]), gross=int(row[3]), free=int(row[4]))
            for row in self._sql(_SOLD, between)
        ]
        begun = [
            DaySum(day, row[0], row[1], started=row[2], paid=row[3], opened=row[4])
            for row in self._sql(_BEGUN, between)
        ]
        seconds = (int(begin.timestamp()), int(end.timestamp()))
        payments = texts(self._all(first, _TAKEN_BACK, seconds))
        gone = [
            DaySum(
                day, held.purchase.paid.currency, held.purchase.product, refunded=gone_in(held, begin, end)
            )
            for held in purchases.with_facts(self._sql, _PAID_BY, (payments,))
        ]
        return combined(day, sold, begun, gone)

    def stored(self, first: date, last: date) -> Sequence[DaySum]:
        return self._all(_from_row, _STORED, (first.isoformat(), last.isoformat()))

    def totals(self, first: date, last: date) -> Sequence[DaySum]:
        return self._all(_from_row, _TOTALS, (first.isoformat(), last.isoformat()))

    def state(self) -> SumsState | None:
        return self._one(_state, "SELECT zone, live, closed_before FROM sums_closed")

    def touched(self, *, limit: int) -> Sequence[tuple[datetime, int]]:
        return self._all(
            lambda row: (moment(row[0]), row[1]),
            "SELECT at, times FROM sums_touched ORDER BY at LIMIT ?",
            (limit,),
        )

    def first_moment(self) -> datetime | None:
        return maybe(moment, self._value(_FIRST))

    def touch(self, moments: Sequence[datetime]) -> None:
        for one in moments:
            self._sql(_TOUCH, (micros(one),))

    def replace(self, day: date, sums: Sequence[DaySum]) -> None:
        begun = {(row[0], row[1]): row[2] for row in self._sql(_BEGUN_BEFORE, (day.isoformat(),)).fetchall()}
        known = {(one.currency, one.product): one for one in sums}
        self._sql("DELETE FROM day_sums WHERE day = ?", (day.isoformat(),))
        for currency, pid in {*begun, *known}:
            one = known.get((currency, pid), DaySum(day, currency, ProductId(pid)))
            one = replace(one, started=max(one.started, begun.get((currency, pid), 0)))
            if not one.is_empty:
                self._sql(_ADD, _to_row(one))

    def untouch(self, moment: datetime, times: int) -> bool:
        return self._changed("DELETE FROM sums_touched WHERE at = ? AND times = ?", (micros(moment), times))

    def close(self, state: SumsState) -> None:
        self._sql(_CLOSE, (1, state.zone, int(state.live), state.closed_before.isoformat()))

    def clear(self) -> None:
        self._sql("DELETE FROM day_sums")
        self._sql("DELETE FROM sums_closed")


def _to_row(one: DaySum) -> Row:
    return (
        one.day.isoformat(), one.currency, one.product, one.sales, one.gross, one.refunded, one.free, one.started,
        one.paid, one.opened,
    )  # fmt: skip


def _from_row(row: Row) -> DaySum:
    return DaySum(date.fromisoformat(row[0]), row[1], row[2], *map(int, row[3:]))


def _state(row: Row) -> SumsState:
    return SumsState(zone=row[0], live=bool(row[1]), closed_before=date.fromisoformat(row[2]))
