"""Sessions: what each browser has proved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from adapters.sql.address_changes import STANDS
from adapters.sql.record import Record, Row, Table, insert, maybe, micros, moment
from domain.session import Session
from domain.values import ChangeId, Digest, EmailAddress, SessionId

COLUMNS: Final = "id, token_hash, mailbox, started_at, seen_at, label, move_id, former"
_ADD: Final = insert("sessions", COLUMNS)
_BY_TOKEN: Final = f"SELECT {COLUMNS} FROM sessions WHERE token_hash = ?"
_BY_ID: Final = f"SELECT {COLUMNS} FROM sessions WHERE id = ?"
CARRIED_FROM: Final = f"SELECT id FROM moves WHERE old = :address AND {STANDS}"
_OF_ADDRESS: Final = f"""SELECT {COLUMNS} FROM sessions WHERE mailbox = :address OR move_id IN ({CARRIED_FROM})
  ORDER BY started_at DESC, id"""
_HOLDERS: Final = f"""SELECT {COLUMNS} FROM sessions WHERE mailbox IS NULL AND id IN (SELECT session_id
  FROM purchases WHERE user_id = (SELECT id FROM users WHERE email = ?) AND booked_at > ?)
  ORDER BY started_at DESC, id"""
_PROVE: Final = """UPDATE sessions SET mailbox = :address, token_hash = :token, started_at = :at, seen_at = :at
  WHERE id = :id AND (mailbox IS NULL OR mailbox = :address)"""
_NOTE_VERIFIED: Final = """UPDATE checkouts SET verified = :address WHERE session_id = :id AND mailbox IS NULL
  AND verified IS NULL AND NOT EXISTS (SELECT 1 FROM purchases WHERE checkout_id = checkouts.id)"""
_CARRY: Final = "UPDATE sessions SET mailbox = ?, move_id = ? WHERE id = ? AND mailbox = ?"


class Sessions(Record):
    tables: ClassVar = [Table("sessions", COLUMNS, key="id")]

    def by_token(self, token_hash: Digest) -> Session | None:
        return self._one(from_row, _BY_TOKEN, (token_hash,))

    def get(self, session: SessionId) -> Session | None:
        return self._one(from_row, _BY_ID, (session,))

    def of_address(self, mailbox: EmailAddress) -> Sequence[Session]:
        return self._all(from_row, _OF_ADDRESS, {"address": mailbox.canonical})

    def holders_of(self, mailbox: EmailAddress, *, since: datetime) -> Sequence[Session]:
        return self._all(from_row, _HOLDERS, (mailbox.canonical, micros(since)))

    def add(self, session: Session) -> None:
        self._sql(_ADD, to_row(session))

    def touch(self, session: SessionId, *, at: datetime) -> None:
        seen = micros(at)
        self._sql("UPDATE sessions SET seen_at = ? WHERE id = ? AND seen_at < ?", (seen, session, seen))

    def verify(self, session: SessionId, *, mailbox: EmailAddress, token_hash: Digest, at: datetime) -> bool:
        values = {"address": mailbox.canonical, "token": token_hash, "at": micros(at), "id": session}
        if not self._changed(_PROVE, values):
            return False
        self._sql(_NOTE_VERIFIED, {"address": mailbox.canonical, "id": session})
        return True

    def end(self, session: SessionId) -> bool:
        return self._changed("DELETE FROM sessions WHERE id = ?", (session,))

    def end_of_address(self, mailbox: EmailAddress) -> int:
        return self._sql("DELETE FROM sessions WHERE mailbox = ?", (mailbox.canonical,)).rowcount

    def end_of_change(self, move: ChangeId) -> int:
        return self._sql("DELETE FROM sessions WHERE move_id = ?", (move,)).rowcount

    def carry(self, old: EmailAddress, *, to: EmailAddress, keep: SessionId, change: ChangeId) -> None:
        self._sql("DELETE FROM sessions WHERE mailbox = ? AND id <> ?", (old.canonical, keep))
        self._sql(_CARRY, (to.canonical, change, keep, old.canonical))


def from_row(row: Row) -> Session:
    return Session(
        id=row[0], token_hash=row[1], mailbox=maybe(EmailAddress, row[2]), started_at=moment(row[3]),
        seen_at=moment(row[4]), label=row[5], change=row[6], former=row[7],
    )  # fmt: skip


def to_row(session: Session) -> Row:
    return (
        session.id, session.token_hash, session.mailbox and session.mailbox.canonical, micros(session.started_at),
        micros(session.seen_at), session.label, session.change, session.former,
    )  # fmt: skip
