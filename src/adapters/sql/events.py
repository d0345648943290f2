"""Events: the log of the payment provider's deliveries, which never decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from adapters.sql.record import Record, Row, Table, insert, micros, moment
from domain.records import EventRecord, LoggedEvent

COLUMNS: Final = "id, type, object_id, outcome, at"
_NEWEST: Final = f"SELECT {COLUMNS} FROM events ORDER BY at DESC, id DESC LIMIT ?"
_BEFORE: Final = f"""SELECT {COLUMNS} FROM events WHERE at <= ? AND (at < ? OR id < ?)
  ORDER BY at DESC, id DESC LIMIT ?"""
_LOG: Final = f"{insert('events', COLUMNS)} ON CONFLICT (id) DO NOTHING"


class Events(Record):
    tables: ClassVar = [Table("events", COLUMNS, key="id")]

    def newest(self, *, before: tuple[datetime, str] | None = None, limit: int) -> Sequence[LoggedEvent]:
        if before is None:
            return self._all(_from_row, _NEWEST, (limit,))
        at, event = micros(before[0]), before[1]
        return self._all(_from_row, _BEFORE, (at, at, event, limit))

    def log(self, event: EventRecord, *, outcome: str, at: datetime) -> bool:
        if self._changed(_LOG, (event.id, event.type, event.object_id, outcome, micros(at))):
            return True
        self._sql("UPDATE events SET outcome = ? WHERE id = ?", (outcome, event.id))
        return False


def _from_row(row: Row) -> LoggedEvent:
    event = EventRecord(id=row[0], type=row[1], object_id=row[2])
    return LoggedEvent(event=event, outcome=row[3], at=moment(row[4]))
