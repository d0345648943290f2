"""Reads that cache sessions, purchases, corrections, payments under way and emails until the next commit."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from adapters.sql.address_changes import AddressChanges
from adapters.sql.open_payments import OpenPayments
from adapters.sql.outbox import Outbox
from adapters.sql.purchases import Purchases
from adapters.sql.record import Execute, Record
from adapters.sql.sessions import Sessions
from adapters.sql.transaction import SqlTransaction
from domain.transaction import ReadTransaction

T = TypeVar("T")
Read = TypeVar("Read", bound=Callable[..., Any])
_MOST: Final = 4096
_MOST_MAILS: Final = 256  # some kilobytes each
_LOOK_EVERY: Final = 0.05
"""Seconds after which a commit of another process is seen at the latest; one of our own is seen at once."""


class _Stale(Exception):
    """There was a commit since the cache was filled: clear it, and start again."""


class _Recent(Record):
    """A record that keeps what some of its methods answered."""

    def __init__(self, execute: Execute) -> None:
        super().__init__(execute)
        self.known: dict[tuple[Any, ...], Any] = {}


def _remembered(read: Read, *, most: int = _MOST) -> Read:
    """The same method, which looks up each thing once. Positional arguments only: they are the key."""

    def answer(self: _Recent, *asked: Any) -> Any:
        if asked not in self.known:
            found = read(self, *asked)
            if len(self.known) >= most:
                self.known.clear()
            self.known[asked] = found
        return self.known[asked]

    return cast("Read", answer)


class _RecentSessions(_Recent, Sessions):
    by_token = _remembered(Sessions.by_token)


class _RecentPurchases(_Recent, Purchases):
    held_by = _remembered(Purchases.held_by)
    with_facts = _remembered(Purchases.with_facts)


class _RecentAddressChanges(_Recent, AddressChanges):
    correction_of = _remembered(AddressChanges.correction_of)


class _RecentOutbox(_Recent, Outbox):
    get = _remembered(Outbox.get, most=_MOST_MAILS)


class _RecentOpenPayments(_Recent, OpenPayments):
    pending_in = _remembered(OpenPayments.pending_in)


class CachedReads(SqlTransaction):
    """The same answers as SqlTransaction; between two commits each is looked up once.

    Every statement lets other threads run, and in a busy server that costs far more than the lookup itself. So a
    read that finds all it asks for here runs none. One that does run a statement begins a transaction first and
    asks SQLite whether anybody has committed (https://sqlite.org/pragma.html#pragma_data_version): if so it is
    run again from the start, so that no work ever sees two states. Rows are immutable values, and can be shared.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(self._execute)
        self.sessions, self.purchases, self.outbox, self.open_payments, self.address_changes = self._recent = (
            _RecentSessions(self._execute), _RecentPurchases(self._execute), _RecentOutbox(self._execute),
            _RecentOpenPayments(self._execute), _RecentAddressChanges(self._execute),
        )  # fmt: skip
        self._connection = connection
        self._version = self._commits = -1
        self._looked_at = 0.0

    def run(self, work: Callable[[ReadTransaction], T], *, commits: int) -> T:
        """One read; `commits` is how often this process has committed. Raises sqlite3.Error."""
        try:
            if commits != self._commits or time.monotonic() - self._looked_at > _LOOK_EVERY:
                self._look(commits)
            try:
                return work(self)
            except _Stale:
                self._connection.execute("ROLLBACK")
                self._look(commits)
                return work(self)
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _look(self, commits: int) -> None:
        """Begin a transaction; clear the cache if there was a commit."""
        self._connection.execute("BEGIN")
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            for record in self._recent:
                record.known.clear()
        self._version, self._commits, self._looked_at = version, commits, time.monotonic()

    def _execute(self, statement: str, parameters: Any = ()) -> sqlite3.Cursor:
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN")
            if self._connection.execute("PRAGMA data_version").fetchone()[0] != self._version:
                raise _Stale
        return self._connection.execute(statement, parameters)
