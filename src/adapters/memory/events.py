"""Events: the log of the payment provider's deliveries, which never decides."""

from __future__ import annotations

from datetime import datetime

from adapters.memory.tables import Record
from domain.records import EventRecord


class Events(Record):
    def log(self, event: EventRecord, *, outcome: str, at: datetime) -> bool:
        held = self._t.events.get(event.id)
        self._t.events[event.id] = (event, outcome, at) if held is None else (held[0], outcome, held[2])
        return held is None
