"""Events: the log of the payment provider's deliveries, which never decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapters.memory.tables import Record
from domain.records import EventRecord, LoggedEvent


class Events(Record):
    def newest(self, *, before: tuple[datetime, str] | None = None, limit: int) -> Sequence[LoggedEvent]:
        found = [LoggedEvent(event, outcome, at) for event, outcome, at in self._t.events.values()]
        found.sort(key=lambda one: (one.at, one.event.id), reverse=True)
        return [one for one in found if before is None or (one.at, one.event.id) < before][:limit]

    def log(self, event: EventRecord, *, outcome: str, at: datetime) -> bool:
        held = self._t.events.get(event.id)
        self._t.events[event.id] = (event, outcome, at) if held is None else (held[0], outcome, held[2])
        return held is None
