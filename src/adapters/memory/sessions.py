"""Sessions: what each browser has proved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.tables import Record
from domain.session import Session
from domain.values import ChangeId, Digest, EmailAddress, SessionId


class Sessions(Record):
    def by_token(self, token_hash: Digest) -> Session | None:
        return next((s for s in self._t.sessions.values() if s.token_hash == token_hash), None)

    def get(self, session: SessionId) -> Session | None:
        return self._t.sessions.get(session)

    def of_address(self, mailbox: EmailAddress) -> Sequence[Session]:
        return _newest_first(s for s in self._t.sessions.values() if self._is_of(s, mailbox))

    def _is_of(self, session: Session, mailbox: EmailAddress) -> bool:
        """Whether it proved a mailbox, or a change that stands carried it away from there."""
        change = None if session.change is None else self._t.moves.get(session.change)
        return session.mailbox == mailbox or (change is not None and change.stands and change.old == mailbox)

    def holders_of(self, mailbox: EmailAddress, *, since: datetime) -> Sequence[Session]:
        made = {p.session for p in self._t.purchases.values() if p.mailbox == mailbox and p.booked_at > since}
        return _newest_first(s for s in self._t.sessions.values() if s.mailbox is None and s.id in made)

    def add(self, session: Session) -> None:
        self._t.sessions[session.id] = session

    def touch(self, session: SessionId, *, at: datetime) -> None:
        held = self._t.sessions.get(session)
        if held is not None:
            self._t.sessions[session] = replace(held, seen_at=max(held.seen_at, at))

    def verify(self, session: SessionId, *, mailbox: EmailAddress, token_hash: Digest, at: datetime) -> bool:
        held = self._t.sessions.get(session)
        if held is None or held.mailbox not in (None, mailbox):
            return False
        self._t.sessions[session] = replace(
            held, mailbox=mailbox, token_hash=token_hash, started_at=at, seen_at=at
        )
        for begun in [c for c in self._t.checkouts.values() if c.session == session and c.mailbox is None]:
            if begun.verified is None and begun.id not in self._t.purchases:
                self._t.checkouts[begun.id] = replace(begun, verified=mailbox)
        return True

    def end(self, session: SessionId) -> bool:
        return self._t.sessions.pop(session, None) is not None

    def end_of_address(self, mailbox: EmailAddress) -> int:
        gone = [s.id for s in self._t.sessions.values() if s.mailbox == mailbox]
        for session in gone:
            del self._t.sessions[session]
        return len(gone)

    def end_of_change(self, move: ChangeId) -> int:
        gone = [s.id for s in self._t.sessions.values() if s.change == move]
        for session in gone:
            del self._t.sessions[session]
        return len(gone)

    def carry(self, old: EmailAddress, *, to: EmailAddress, keep: SessionId, change: ChangeId) -> None:
        for session in [s for s in self._t.sessions.values() if s.mailbox == old]:
            if session.id == keep:
                self._t.sessions[session.id] = replace(session, mailbox=to, change=change)
            else:
                del self._t.sessions[session.id]


def _newest_first(sessions: Iterable[Session]) -> list[Session]:
    return sorted(sessions, key=lambda s: (-s.started_at.timestamp(), s.id))
