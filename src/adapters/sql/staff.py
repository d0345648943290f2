"""The people of the back office: members and their links, passkeys, sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from adapters.sql.record import Record, Row, Table, insert, maybe, micros, moment
from domain.staff import (
    Passkey,
    Role,
    StaffId,
    StaffLink,
    StaffLinkKind,
    StaffMember,
    StaffSession,
    StaffSessionId,
)
from domain.values import Digest, EmailAddress

_MEMBER: Final = "id, email, role, since, disabled_at"
_ADD: Final = f"{insert('staff', _MEMBER)} ON CONFLICT (email) DO NOTHING"
_LINK: Final = "token_hash, kind, staff_id, made_at, expires_at, used_at"
_OPEN_LINK: Final = """SELECT 1 FROM staff_links JOIN staff ON staff.id = staff_id
  WHERE used_at IS NULL AND expires_at > ? AND disabled_at IS NULL"""
_PASSKEY: Final = "id, staff_id, public_key, counter, synced, label, added_at, used_at"
_ADD_PASSKEY: Final = f"{insert('passkeys', _PASSKEY)} ON CONFLICT (id) DO NOTHING"
_NOTE_USE: Final = "UPDATE passkeys SET counter = ?, synced = ?, used_at = ? WHERE id = ?"
_ANY_ACTIVE: Final = (
    "SELECT 1 FROM passkeys JOIN staff ON staff.id = staff_id WHERE disabled_at IS NULL LIMIT 1"
)
_SESSION: Final = "id, token_hash, staff_id, started_at, seen_at, proved_at, label, by_link"
_TOUCH: Final = "UPDATE staff_sessions SET seen_at = ? WHERE id = ? AND seen_at < ?"
_PROVE: Final = "UPDATE staff_sessions SET token_hash = ?, proved_at = ?, seen_at = ? WHERE id = ?"


class Staff(Record):
    tables: ClassVar = [
        Table("staff", _MEMBER, key="id"),
        Table("staff_links", _LINK, key="token_hash"),
    ]

    def get(self, member: StaffId) -> StaffMember | None:
        return self._one(_member, f"SELECT {_MEMBER} FROM staff WHERE id = ?", (member,))

    def by_address(self, email: EmailAddress) -> StaffMember | None:
        return self._one(_member, f"SELECT {_MEMBER} FROM staff WHERE email = ?", (email.canonical,))

    def all(self) -> Sequence[StaffMember]:
        return self._all(_member, f"SELECT {_MEMBER} FROM staff ORDER BY id")

    def link(self, token_hash: Digest) -> StaffLink | None:
        return self._one(_link, f"SELECT {_LINK} FROM staff_links WHERE token_hash = ?", (token_hash,))

    def has_open_link(self, *, now: datetime) -> bool:
        return self._any(_OPEN_LINK, (micros(now),))

    def add(self, member: StaffMember) -> bool:
        values = (
            member.id, member.email.canonical, member.role.value, micros(member.since),
            maybe(micros, member.disabled_at),
        )  # fmt: skip
        return self._changed(_ADD, values)

    def set_role(self, member: StaffId, role: Role) -> bool:
        return self._changed(
            "UPDATE staff SET role = ? WHERE id = ? AND role <> ?", (role.value, member, role.value)
        )

    def disable(self, member: StaffId, *, at: datetime) -> bool:
        return self._changed(
            "UPDATE staff SET disabled_at = ? WHERE id = ? AND disabled_at IS NULL", (micros(at), member)
        )

    def enable(self, member: StaffId) -> bool:
        return self._changed(
            "UPDATE staff SET disabled_at = NULL WHERE id = ? AND disabled_at IS NOT NULL", (member,)
        )

    def add_link(self, link: StaffLink) -> None:
        values = (
            link.token_hash, link.kind.value, link.staff, micros(link.made_at), micros(link.expires_at),
            maybe(micros, link.used_at),
        )  # fmt: skip
        self._sql(insert("staff_links", _LINK), values)

    def use_link(self, token_hash: Digest, *, at: datetime) -> bool:
        return self._changed(
            "UPDATE staff_links SET used_at = ? WHERE token_hash = ? AND used_at IS NULL",
            (micros(at), token_hash),
        )

    def end_links(self, member: StaffId, *, at: datetime) -> int:
        return self._sql(
            "UPDATE staff_links SET used_at = ? WHERE staff_id = ? AND used_at IS NULL", (micros(at), member)
        ).rowcount


class Passkeys(Record):
    tables: ClassVar = [Table("passkeys", _PASSKEY, key="id")]

    def get(self, passkey: str) -> Passkey | None:
        return self._one(_passkey, f"SELECT {_PASSKEY} FROM passkeys WHERE id = ?", (passkey,))

    def of(self, member: StaffId) -> Sequence[Passkey]:
        statement = f"SELECT {_PASSKEY} FROM passkeys WHERE staff_id = ? ORDER BY added_at, id"
        return self._all(_passkey, statement, (member,))

    def any_active(self) -> bool:
        return self._any(_ANY_ACTIVE)

    def add(self, passkey: Passkey) -> bool:
        values = (
            passkey.id, passkey.staff, passkey.public_key, passkey.counter, int(passkey.synced), passkey.label,
            micros(passkey.added_at), maybe(micros, passkey.used_at),
        )  # fmt: skip
        return self._changed(_ADD_PASSKEY, values)

    def note_use(self, passkey: str, *, counter: int, synced: bool, at: datetime) -> None:
        self._sql(_NOTE_USE, (counter, int(synced), micros(at), passkey))

    def remove(self, passkey: str) -> bool:
        return self._changed("DELETE FROM passkeys WHERE id = ?", (passkey,))


class StaffSessions(Record):
    tables: ClassVar = [Table("staff_sessions", _SESSION, key="id")]

    def by_token(self, token_hash: Digest) -> StaffSession | None:
        return self._one(
            _session, f"SELECT {_SESSION} FROM staff_sessions WHERE token_hash = ?", (token_hash,)
        )

    def of(self, member: StaffId) -> Sequence[StaffSession]:
        statement = (
            f"SELECT {_SESSION} FROM staff_sessions WHERE staff_id = ? ORDER BY started_at DESC, id DESC"
        )
        return self._all(_session, statement, (member,))

    def add(self, session: StaffSession) -> None:
        values = (
            session.id, session.token_hash, session.staff, micros(session.started_at), micros(session.seen_at),
            micros(session.proved_at), session.label, int(session.by_link),
        )  # fmt: skip
        self._sql(insert("staff_sessions", _SESSION), values)

    def touch(self, session: StaffSessionId, *, at: datetime) -> None:
        self._sql(_TOUCH, (micros(at), session, micros(at)))

    def prove(self, session: StaffSessionId, *, token_hash: Digest, at: datetime) -> bool:
        return self._changed(_PROVE, (token_hash, micros(at), micros(at), session))

    def end(self, session: StaffSessionId) -> bool:
        return self._changed("DELETE FROM staff_sessions WHERE id = ?", (session,))

    def end_of(self, member: StaffId) -> int:
        return self._sql("DELETE FROM staff_sessions WHERE staff_id = ?", (member,)).rowcount


def _member(row: Row) -> StaffMember:
    return StaffMember(
        id=row[0], email=EmailAddress(row[1]), role=Role(row[2]), since=moment(row[3]),
        disabled_at=maybe(moment, row[4]),
    )  # fmt: skip


def _link(row: Row) -> StaffLink:
    return StaffLink(
        token_hash=row[0], kind=StaffLinkKind(row[1]), staff=row[2], made_at=moment(row[3]),
        expires_at=moment(row[4]), used_at=maybe(moment, row[5]),
    )  # fmt: skip


def _passkey(row: Row) -> Passkey:
    return Passkey(
        id=row[0], staff=row[1], public_key=bytes(row[2]), counter=row[3], synced=bool(row[4]), label=row[5],
        added_at=moment(row[6]), used_at=maybe(moment, row[7]),
    )  # fmt: skip


def _session(row: Row) -> StaffSession:
    return StaffSession(
        id=row[0], token_hash=row[1], staff=row[2], started_at=moment(row[3]), seen_at=moment(row[4]),
        proved_at=moment(row[5]), label=row[6], by_link=bool(row[7]),
    )  # fmt: skip
