"""Problems: what does not work until the merchant mends it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from adapters.sql.purchases import UNOWNED
from adapters.sql.record import Record, Row, Table, first, insert, micros, moment
from domain.records import Problem, ProblemKind
from domain.values import CheckoutId, ProductId

COLUMNS: Final = "kind, subject, detail, first_at, last_at"
_OPEN: Final = f"SELECT {COLUMNS} FROM problems ORDER BY first_at, kind, subject"
_NEW: Final = f"{insert('problems', COLUMNS)} ON CONFLICT (kind, subject) DO NOTHING"
_AGAIN: Final = """UPDATE problems SET detail = :detail,
  last_at = CASE WHEN last_at < :at THEN :at ELSE last_at END WHERE kind = :kind AND subject = :subject"""
_RESOLVE: Final = """DELETE FROM problems WHERE kind = :kind
  AND detail = (SELECT detail FROM problems WHERE kind = :kind AND subject = :subject)"""
_LINES: Final = "SELECT pid, min(checkout_id), count(*) FROM licence_line GROUP BY pid ORDER BY pid"
_WITHOUT_OWNER: Final = f"SELECT checkout_id FROM purchases WHERE {UNOWNED} ORDER BY checkout_id"


class Problems(Record):
    tables: ClassVar = [Table("problems", COLUMNS, key="kind, subject")]

    def open(self) -> Sequence[Problem]:
        return self._all(_from_row, _OPEN)

    def orders_without_owner(self) -> Sequence[CheckoutId]:
        return self._all(first, _WITHOUT_OWNER)

    def licence_lines(self) -> Sequence[tuple[ProductId, CheckoutId, int]]:
        return self._all(lambda row: (row[0], row[1], row[2]), _LINES)

    def report(self, kind: ProblemKind, subject: str, *, detail: str, at: datetime) -> bool:
        now = micros(at)
        if self._changed(_NEW, (kind.value, subject, detail, now, now)):
            return True
        self._sql(_AGAIN, {"kind": kind.value, "subject": subject, "detail": detail, "at": now})
        return False

    def resolve(self, kind: ProblemKind, subject: str) -> bool:
        return self._changed(_RESOLVE, {"kind": kind.value, "subject": subject})


def _from_row(row: Row) -> Problem:
    return Problem(
        kind=ProblemKind(row[0]), subject=row[1], detail=row[2], first_at=moment(row[3]), last_at=moment(row[4]),
    )  # fmt: skip
