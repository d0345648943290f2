"""Events: the log of the payment provider's deliveries, which never decides."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final

from adapters.sql.record import Record, Table, insert, micros
from domain.records import EventRecord

COLUMNS: Final = "id, type, object_id, outcome, at"
_LOG: Final = f"{insert('events', COLUMNS)} ON CONFLICT (id) DO NOTHING"


class Events(Record):
    tables: ClassVar = [Table("events", COLUMNS, key="id")]

    def log(self, event: EventRecord, *, outcome: str, at: datetime) -> bool:
        if self._changed(_LOG, (event.id, event.type, event.object_id, outcome, micros(at))):
            return True
        self._sql("UPDATE events SET outcome = ? WHERE id = ?", (outcome, event.id))
        return False
