"""A view that remembers who a browser is and what it holds, for as long as nobody commits anything."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from adapters.sqlite.view import SqliteView
from domain.access import Holding
from domain.session import Session
from domain.values import Digest, EmailAddress, SessionId

_MOST: Final = 4096


class RecentView(SqliteView):
    """The same answers as SqliteView. Between two commits of anybody they are looked up once.

    SQLite itself says whether another connection, of this process or another, has committed since:
    https://sqlite.org/pragma.html#pragma_data_version. Rows are immutable values, so they can be shared.
    """

    __slots__ = ("_holdings", "_sessions", "_version")

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._version = -1
        self._sessions: dict[Digest, Session | None] = {}
        self._holdings: dict[tuple[SessionId, EmailAddress | None], Sequence[Holding]] = {}

    def look_for_changes(self) -> None:
        """Forget everything if somebody committed. To be called within the transaction that reads."""
        version = self._sql("PRAGMA data_version").fetchone()[0]
        if version != self._version or len(self._sessions) > _MOST:
            self._version = version
            self._sessions.clear()
            self._holdings.clear()

    def session(self, token_hash: Digest) -> Session | None:
        """See BooksView."""
        if token_hash not in self._sessions:
            self._sessions[token_hash] = super().session(token_hash)
        return self._sessions[token_hash]

    def holdings(self, session: SessionId, mailbox: EmailAddress | None) -> Sequence[Holding]:
        """See BooksView."""
        key = (session, mailbox)
        if key not in self._holdings:
            self._holdings[key] = tuple(super().holdings(session, mailbox))
        return self._holdings[key]
