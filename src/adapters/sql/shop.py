"""The shop as a whole: its id, how far readers of the outside world got, and its figures."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final

from adapters.sql.record import Record, Table, first, maybe_moment, micros
from domain.mail import MailState
from domain.records import Backlog, Tally
from domain.values import Money

_LARGEST_SUM: Final = 99_999_999
_ID: Final = "SELECT id FROM shop"
_SET_CURSOR: Final = """INSERT INTO cursors (name, at) VALUES (?,?) ON CONFLICT (name)
  DO UPDATE SET at = excluded.at WHERE cursors.at < excluded.at"""
# Each figure comes from an index of the rows that it counts, and of no other.
_BACKLOG: Final = """SELECT (SELECT count(*) FROM outbox WHERE state = 'queued'),
  (SELECT min(queued_at) FROM outbox WHERE state = 'queued'),
  (SELECT count(*) FROM outbox WHERE state = 'stuck'),
  (SELECT count(*) FROM quarantine WHERE closed_at IS NULL)"""
_TAKINGS: Final = "SELECT currency, sum(amount) FROM purchases GROUP BY currency ORDER BY currency"
_BOUNCED: Final = "SELECT count(*) FROM outbox WHERE delivery = 'bounced' AND kind = 'access'"


class ShopRecord(Record):
    tables: ClassVar = [Table("cursors", "name, at", key="name")]

    def id(self) -> str | None:
        return self._one(first, _ID)

    def open(self, proposed: str) -> str:
        self._sql("INSERT INTO shop (single, id) VALUES (1, ?) ON CONFLICT DO NOTHING", (proposed,))
        return str(self._value(_ID))

    def cursor(self, name: str) -> datetime | None:
        at: int | None = self._one(first, "SELECT at FROM cursors WHERE name = ?", (name,))
        return maybe_moment(at)

    def advance_cursor(self, name: str, *, to: datetime) -> None:
        self._sql(_SET_CURSOR, (name, micros(to)))

    def backlog(self) -> Backlog:
        queued, oldest, stuck, quarantined = self._sql(_BACKLOG).fetchone()
        return Backlog(
            queued=queued, oldest_queued_at=maybe_moment(oldest), stuck=stuck, quarantined=quarantined
        )

    def tally(self) -> Tally:
        takings: list[Money] = []
        for currency, total in self._sql(_TAKINGS):
            left = int(total)
            while left > _LARGEST_SUM:
                takings.append(Money(_LARGEST_SUM, currency))
                left -= _LARGEST_SUM
            takings.append(Money(left, currency))
        mails = dict(self._sql("SELECT state, count(*) FROM outbox GROUP BY state").fetchall())
        return Tally(
            users=self._value("SELECT count(*) FROM users"),
            purchases=self._value("SELECT count(*) FROM purchases"),
            takings=tuple(takings),
            mails=tuple((state, mails.get(state.value, 0)) for state in MailState),
            bounced=self._value(_BOUNCED),
        )
