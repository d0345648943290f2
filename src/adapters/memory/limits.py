"""Limits: places taken in sliding windows."""

from __future__ import annotations

from datetime import datetime

from adapters.memory.tables import Record
from domain.limits import Limit


class Limits(Record):
    def acquire(self, bucket: str, limit: Limit, *, now: datetime, ref: str) -> datetime | None:
        taken = sorted(at for b, at, _ in self._t.limits if b == bucket and at > now - limit.window)
        if any(b == bucket and r == ref and at > now - limit.window for b, at, r in self._t.limits):
            return None
        if len(taken) >= limit.most:
            return taken[-limit.most] + limit.window
        self._t.limits[bucket, now, ref] = None
        return None

    def release(self, ref: str) -> None:
        for place in [place for place in self._t.limits if place[2] == ref]:
            del self._t.limits[place]
