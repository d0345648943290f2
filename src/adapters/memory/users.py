"""Users: the addresses that purchases were booked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.tables import Record, page
from domain.records import User
from domain.values import EmailAddress, UserId


class Users(Record):
    def exists(self, mailbox: EmailAddress) -> bool:
        return any(user.mailbox == mailbox for user in self._t.users.values())

    def by_address(self, mailbox: EmailAddress) -> User | None:
        return next((user for user in self._t.users.values() if user.mailbox == mailbox), None)

    def get(self, user: UserId) -> User | None:
        return self._t.users.get(user)

    def page_after(self, user: str, *, limit: int) -> Sequence[User]:
        return page(((row.id, row) for row in self._t.users.values()), user, limit)

    def get_or_add(
        self, mailbox: EmailAddress, *, new_id: UserId, now: datetime, language: str = ""
    ) -> UserId:
        held = next((user.id for user in self._t.users.values() if user.mailbox == mailbox), None)
        if held is not None:
            return held
        self._t.users[new_id] = User(id=new_id, mailbox=mailbox, since=now, language=language)
        return new_id

    def mark_verified(self, mailbox: EmailAddress, *, at: datetime) -> None:
        user = self.by_address(mailbox)
        if user is not None and user.proved_at is None:
            self._t.users[user.id] = replace(user, proved_at=at)

    def set_release_emails(self, user: UserId, *, wanted: bool) -> bool:
        held = self._t.users.get(user)
        if held is None:
            return False
        self._t.users[user] = replace(held, wants_release_emails=wanted)
        return True

    def set_language(self, mailbox: EmailAddress, language: str) -> bool:
        user = self.by_address(mailbox)
        if user is None:
            return False
        self._t.users[user.id] = replace(user, language=language)
        return True

    def drop_without_purchases(self, mailbox: EmailAddress) -> bool:
        user = self.by_address(mailbox)
        if user is None or any(p.user == user.id for p in self._t.purchases.values()):
            return False
        del self._t.users[user.id]
        return True
