"""Limits: places taken in sliding windows."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final

from adapters.sql.record import Record, Table, micros, moment
from domain.limits import Limit

_TAKEN: Final = "SELECT at, ref FROM limits WHERE bucket = ? AND at > ? ORDER BY at DESC LIMIT ?"


class Limits(Record):
    tables: ClassVar = [Table("limits", "bucket, at, ref", key="bucket, at, ref")]

    def acquire(self, bucket: str, limit: Limit, *, now: datetime, ref: str) -> datetime | None:
        taken = self._sql(_TAKEN, (bucket, micros(now - limit.window), limit.most)).fetchall()
        if any(row[1] == ref for row in taken):
            return None
        if len(taken) >= limit.most:
            return moment(taken[-1][0]) + limit.window
        self._sql("INSERT INTO limits (bucket, at, ref) VALUES (?,?,?)", (bucket, micros(now), ref))
        return None

    def release(self, ref: str) -> None:
        self._sql("DELETE FROM limits WHERE ref = ?", (ref,))
