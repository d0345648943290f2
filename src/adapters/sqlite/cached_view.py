"""Reads that cache sessions, purchases and emails until the next commit."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from adapters.sql.outbox import Outbox
from adapters.sql.purchases import Purchases
from adapters.sql.record import Execute
from adapters.sql.sessions import Sessions
from adapters.sql.transaction import SqlTransaction
from domain.access import Holding
from domain.mail import Mail
from domain.session import Session
from domain.transaction import ReadTransaction
from domain.values import Digest, EmailAddress, SessionId

T = TypeVar("T")
_MOST: Final = 4096
_MOST_MAILS: Final = 256  # some kilobytes each
_LOOK_EVERY: Final = 0.05
"""Seconds after which a commit of another process is seen at the latest; one of our own is seen at once."""


class _Stale(Exception):
    """There was a commit since the cache was filled: clear it, and start again."""


class _RecentSessions(Sessions):
    def __init__(self, execute: Execute) -> None:
        super().__init__(execute)
        self.known: dict[Digest, Session | None] = {}

    def by_token(self, token_hash: Digest) -> Session | None:
        if token_hash not in self.known:
            self.known[token_hash] = super().by_token(token_hash)
        return self.known[token_hash]


class _RecentPurchases(Purchases):
    def __init__(self, execute: Execute) -> None:
        super().__init__(execute)
        self.known: dict[tuple[SessionId, EmailAddress | None], Sequence[Holding]] = {}

    def held_by(self, session: SessionId, mailbox: EmailAddress | None) -> Sequence[Holding]:
        key = (session, mailbox)
        if key not in self.known:
            self.known[key] = tuple(super().held_by(session, mailbox))
        return self.known[key]


class _RecentOutbox(Outbox):
    def __init__(self, execute: Execute) -> None:
        super().__init__(execute)
        self.known: dict[str, Mail | None] = {}

    def get(self, key: str) -> Mail | None:
        if key not in self.known:
            found = super().get(key)
            if len(self.known) >= _MOST_MAILS:
                self.known.clear()
            self.known[key] = found
        return self.known[key]


class CachedReads(SqlTransaction):
    """The same answers as SqlTransaction; between two commits each is looked up once.

    Every statement lets other threads run, and in a busy server that costs far more than the lookup itself. So a
    read that finds all it asks for here runs none. One that does run a statement begins a transaction first and
    asks SQLite whether anybody has committed (https://sqlite.org/pragma.html#pragma_data_version): if so it is
    run again from the start, so that no work ever sees two states. Rows are immutable values, and can be shared.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(self._execute)
        self._sessions = self.sessions = _RecentSessions(self._execute)
        self._purchases = self.purchases = _RecentPurchases(self._execute)
        self._outbox = self.outbox = _RecentOutbox(self._execute)
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
        if version != self._version or len(self._sessions.known) > _MOST:
            self._sessions.known.clear()
            self._purchases.known.clear()
            self._outbox.known.clear()
        self._version, self._commits, self._looked_at = version, commits, time.monotonic()

    def _execute(self, statement: str, parameters: Any = ()) -> sqlite3.Cursor:
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN")
            if self._connection.execute("PRAGMA data_version").fetchone()[0] != self._version:
                raise _Stale
        return self._connection.execute(statement, parameters)
