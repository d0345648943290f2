"""Rechecks: payments that the provider is to be asked about again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from adapters.sql.record import Record, Row, Table, micros, moment
from domain.records import PaymentDue

COLUMNS: Final = "payment, since, due_at, tries"
_DUE: Final = f"SELECT {COLUMNS} FROM payments_due WHERE due_at <= ? ORDER BY due_at, payment LIMIT ?"
_MARK: Final = f"""INSERT INTO payments_due ({COLUMNS}) VALUES (?,?,?,0) ON CONFLICT (payment)
  DO UPDATE SET due_at = excluded.due_at WHERE payments_due.due_at > excluded.due_at"""
_POSTPONE: Final = "UPDATE payments_due SET due_at = ?, tries = tries + 1 WHERE payment = ?"


class Rechecks(Record):
    tables: ClassVar = [Table("payments_due", COLUMNS, key="payment")]

    def due(self, now: datetime, *, limit: int) -> Sequence[PaymentDue]:
        return self._all(_from_row, _DUE, (micros(now), limit))

    def schedule(self, payment: str, *, at: datetime, due_at: datetime) -> None:
        self._sql(_MARK, (payment, micros(at), micros(due_at)))

    def postpone(self, payment: str, *, due_at: datetime) -> None:
        self._sql(_POSTPONE, (micros(due_at), payment))

    def cancel(self, payment: str) -> None:
        self._sql("DELETE FROM payments_due WHERE payment = ?", (payment,))


def _from_row(row: Row) -> PaymentDue:
    return PaymentDue(payment=row[0], since=moment(row[1]), tries=row[3])
