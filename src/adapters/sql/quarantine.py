"""The quarantine: sessions and payments of the provider that the shop does not act on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from adapters.sql.record import Record, Row, Table, maybe, micros, moment
from domain.claim import RejectReason
from domain.records import Quarantined

IS_FOREIGN: Final = f"objection IN ({', '.join(repr(why.name) for why in RejectReason if why.is_foreign)})"
FOREIGN: Final = f"SELECT count(*) FROM quarantine WHERE {IS_FOREIGN}"
COLUMNS: Final = "ref, objection, first_at, last_at, tries, retry_at, closed_at"
_BY_REF: Final = f"SELECT {COLUMNS} FROM quarantine WHERE ref = ?"
_DUE: Final = f"""SELECT {COLUMNS} FROM quarantine WHERE closed_at IS NULL AND retry_at <= ?
  ORDER BY retry_at, ref LIMIT ?"""
_OPEN: Final = f"SELECT {COLUMNS} FROM quarantine WHERE closed_at IS NULL ORDER BY first_at, ref"
_PAGE: Final = f"SELECT {COLUMNS} FROM quarantine WHERE ref > ? ORDER BY ref LIMIT ?"
_IS_BOOKED: Final = """SELECT 1 FROM purchases JOIN checkouts ON checkouts.id = checkout_id
  WHERE checkouts.provider_ref = ?"""
_OTHERS: Final = "SELECT 1 FROM quarantine WHERE objection = ? AND closed_at IS NULL LIMIT 1"
_PUT: Final = """INSERT INTO quarantine (ref, objection, first_at, last_at, tries, retry_at) VALUES (?,?,?,?,1,?)
  ON CONFLICT (ref) DO NOTHING"""
_COUNT: Final = """UPDATE quarantine SET objection = :objection, retry_at = :retry_at, tries = tries + 1,
  last_at = CASE WHEN last_at < :at THEN :at ELSE last_at END WHERE ref = :ref AND closed_at IS NULL"""
_IGNORE: Final = """INSERT INTO quarantine (ref, objection, first_at, last_at, tries, closed_at)
  VALUES (:ref, :objection, :at, :at, 1, :at) ON CONFLICT (ref) DO UPDATE SET objection = excluded.objection,
  retry_at = NULL, closed_at = excluded.closed_at WHERE quarantine.closed_at IS NULL"""
_CLOSE: Final = "UPDATE quarantine SET closed_at = ?, retry_at = NULL WHERE ref = ? AND closed_at IS NULL"


class Quarantine(Record):
    tables: ClassVar = [Table("quarantine", COLUMNS, key="ref")]

    def get(self, ref: str) -> Quarantined | None:
        return self._one(_from_row, _BY_REF, (ref,))

    def due(self, now: datetime, *, limit: int) -> Sequence[Quarantined]:
        return self._all(_from_row, _DUE, (micros(now), limit))

    def open_entries(self) -> Sequence[Quarantined]:
        return self._all(_from_row, _OPEN)

    def count_foreign(self) -> int:
        return int(self._value(FOREIGN))

    def page_after(self, ref: str, *, limit: int) -> Sequence[Quarantined]:
        return self._all(_from_row, _PAGE, (ref, limit))

    def add(self, ref: str, reason: RejectReason, *, at: datetime, retry_at: datetime | None) -> bool:
        if self._any(_IS_BOOKED, (ref,)):
            return False
        others = self._any(_OTHERS, (reason.name,))
        now, again = micros(at), maybe(micros, retry_at)
        if self._changed(_PUT, (ref, reason.name, now, now, again)):
            return not others
        self._sql(_COUNT, {"ref": ref, "objection": reason.name, "at": now, "retry_at": again})
        return False

    def ignore(self, ref: str, reason: RejectReason, *, at: datetime) -> None:
        self._sql(_IGNORE, {"ref": ref, "objection": reason.name, "at": micros(at)})

    def close(self, ref: str, *, at: datetime) -> bool:
        return self._changed(_CLOSE, (micros(at), ref))


def _from_row(row: Row) -> Quarantined:
    return Quarantined(
        ref=row[0], reason=RejectReason[row[1]], first_at=moment(row[2]), last_at=moment(row[3]), tries=row[4],
        retry_at=maybe(moment, row[5]), closed_at=maybe(moment, row[6]),
    )  # fmt: skip
