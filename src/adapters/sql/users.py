"""Users: the addresses that purchases were booked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from adapters.sql.record import Record, Row, Table, maybe, micros, moment
from domain.records import User
from domain.values import EmailAddress, UserId

COLUMNS: Final = "id, email, since, proved_at, wants_release_emails, language"
_BY_ADDRESS: Final = f"SELECT {COLUMNS} FROM users WHERE email = ?"
_BY_ID: Final = f"SELECT {COLUMNS} FROM users WHERE id = ?"
_PAGE: Final = f"SELECT {COLUMNS} FROM users WHERE id > ? ORDER BY id LIMIT ?"
_NEW: Final = "INSERT INTO users (id, email, since, language) VALUES (?,?,?,?) ON CONFLICT (email) DO NOTHING"
_DROP: Final = """DELETE FROM users WHERE email = ?
  AND NOT EXISTS (SELECT 1 FROM purchases WHERE user_id = users.id)"""
_NOTE_PROOF: Final = "UPDATE users SET proved_at = ? WHERE email = ? AND proved_at IS NULL"
_ID: Final = "SELECT id FROM users WHERE email = ?"


class Users(Record):
    tables: ClassVar = [Table("users", COLUMNS, key="id")]

    def exists(self, mailbox: EmailAddress) -> bool:
        return self._any(_ID, (mailbox.canonical,))

    def by_address(self, mailbox: EmailAddress) -> User | None:
        return self._one(from_row, _BY_ADDRESS, (mailbox.canonical,))

    def get(self, user: UserId) -> User | None:
        return self._one(from_row, _BY_ID, (user,))

    def page_after(self, user: str, *, limit: int) -> Sequence[User]:
        return self._all(from_row, _PAGE, (user, limit))

    def get_or_add(
        self, mailbox: EmailAddress, *, new_id: UserId, now: datetime, language: str = ""
    ) -> UserId:
        if self._changed(_NEW, (new_id, mailbox.canonical, micros(now), language or None)):
            return new_id
        return UserId(self._value(_ID, (mailbox.canonical,)))

    def mark_verified(self, mailbox: EmailAddress, *, at: datetime) -> None:
        self._sql(_NOTE_PROOF, (micros(at), mailbox.canonical))

    def set_release_emails(self, user: UserId, *, wanted: bool) -> bool:
        return self._changed("UPDATE users SET wants_release_emails = ? WHERE id = ?", (int(wanted), user))

    def set_language(self, mailbox: EmailAddress, language: str) -> bool:
        return self._changed("UPDATE users SET language = ? WHERE email = ?", (language, mailbox.canonical))

    def drop_without_purchases(self, mailbox: EmailAddress) -> bool:
        return self._changed(_DROP, (mailbox.canonical,))


def from_row(row: Row) -> User:
    return User(
        id=row[0], mailbox=EmailAddress(row[1]), since=moment(row[2]), proved_at=maybe(moment, row[3]),
        wants_release_emails=bool(row[4]), language=row[5] or "",
    )  # fmt: skip
