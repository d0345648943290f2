"""The people of the back office: members and their links, passkeys, sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.tables import Record
from domain.staff import Passkey, Role, StaffId, StaffLink, StaffMember, StaffSession, StaffSessionId
from domain.values import Digest, EmailAddress


class Staff(Record):
    def get(self, member: StaffId) -> StaffMember | None:
        return self._t.staff.get(member)

    def by_address(self, email: EmailAddress) -> StaffMember | None:
        return next((member for member in self._t.staff.values() if member.email == email), None)

    def all(self) -> Sequence[StaffMember]:
        return [self._t.staff[member] for member in sorted(self._t.staff)]

    def link(self, token_hash: Digest) -> StaffLink | None:
        return self._t.staff_links.get(token_hash)

    def has_open_link(self, *, now: datetime) -> bool:
        return any(
            link.is_open(now=now) and self._t.staff[link.staff].active
            for link in self._t.staff_links.values()
        )

    def add(self, member: StaffMember) -> bool:
        if self.by_address(member.email) is not None:
            return False
        self._t.staff[member.id] = member
        return True

    def set_role(self, member: StaffId, role: Role) -> bool:
        held = self._t.staff.get(member)
        if held is None or held.role is role:
            return False
        self._t.staff[member] = replace(held, role=role)
        return True

    def disable(self, member: StaffId, *, at: datetime) -> bool:
        held = self._t.staff.get(member)
        if held is None or not held.active:
            return False
        self._t.staff[member] = replace(held, disabled_at=at)
        return True

    def enable(self, member: StaffId) -> bool:
        held = self._t.staff.get(member)
        if held is None or held.active:
            return False
        self._t.staff[member] = replace(held, disabled_at=None)
        return True

    def add_link(self, link: StaffLink) -> None:
        self._t.staff_links[link.token_hash] = link

    def use_link(self, token_hash: Digest, *, at: datetime) -> bool:
        link = self._t.staff_links.get(token_hash)
        if link is None or link.used_at is not None:
            return False
        self._t.staff_links[token_hash] = replace(link, used_at=at)
        return True

    def end_links(self, member: StaffId, *, at: datetime) -> int:
        unused = [
            k for k, link in self._t.staff_links.items() if link.staff == member and link.used_at is None
        ]
        return sum(self.use_link(token_hash, at=at) for token_hash in unused)


class Passkeys(Record):
    def get(self, passkey: str) -> Passkey | None:
        return self._t.passkeys.get(passkey)

    def of(self, member: StaffId) -> Sequence[Passkey]:
        own = [passkey for passkey in self._t.passkeys.values() if passkey.staff == member]
        return sorted(own, key=lambda passkey: (passkey.added_at, passkey.id))

    def any_active(self) -> bool:
        return any(self._t.staff[passkey.staff].active for passkey in self._t.passkeys.values())

    def add(self, passkey: Passkey) -> bool:
        return self._t.passkeys.setdefault(passkey.id, passkey) is passkey

    def note_use(self, passkey: str, *, counter: int, synced: bool, at: datetime) -> None:
        if (held := self._t.passkeys.get(passkey)) is not None:
            self._t.passkeys[passkey] = replace(held, counter=counter, synced=synced, used_at=at)

    def remove(self, passkey: str) -> bool:
        return self._t.passkeys.pop(passkey, None) is not None


class StaffSessions(Record):
    def by_token(self, token_hash: Digest) -> StaffSession | None:
        return next((s for s in self._t.staff_sessions.values() if s.token_hash == token_hash), None)

    def of(self, member: StaffId) -> Sequence[StaffSession]:
        own = [session for session in self._t.staff_sessions.values() if session.staff == member]
        return sorted(own, key=lambda session: (session.started_at, session.id), reverse=True)

    def add(self, session: StaffSession) -> None:
        self._t.staff_sessions[session.id] = session

    def touch(self, session: StaffSessionId, *, at: datetime) -> None:
        held = self._t.staff_sessions.get(session)
        if held is not None and held.seen_at < at:
            self._t.staff_sessions[session] = replace(held, seen_at=at)

    def prove(self, session: StaffSessionId, *, token_hash: Digest, at: datetime) -> bool:
        held = self._t.staff_sessions.get(session)
        if held is None:
            return False
        self._t.staff_sessions[session] = replace(held, token_hash=token_hash, proved_at=at, seen_at=at)
        return True

    def end(self, session: StaffSessionId) -> bool:
        return self._t.staff_sessions.pop(session, None) is not None

    def end_of(self, member: StaffId) -> int:
        return sum(self.end(session.id) for session in self.of(member))
