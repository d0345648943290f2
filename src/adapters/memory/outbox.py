"""The outbox: emails that must go out, and how far they got."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from adapters.memory.tables import Record, page
from domain.mail import NOTED_FOR, Delivery, Letter, Mail, MailKind, MailProblem, MailState
from domain.values import EmailAddress


class Outbox(Record):
    def get(self, key: str) -> Mail | None:
        return self._t.outbox.get(key)

    def to_address(self, mailbox: EmailAddress) -> Sequence[Mail]:
        found = (mail for mail in self._t.outbox.values() if mail.to == mailbox)
        return sorted(found, key=lambda mail: (mail.queued_at, mail.key))

    def page_after(self, key: str, *, limit: int) -> Sequence[Mail]:
        return page(self._t.outbox.items(), key, limit)

    def waiting(
        self, now: datetime, *, late: timedelta, bounced_since: datetime | None = None
    ) -> Sequence[Mail]:
        waiting = (
            m
            for m in self._t.outbox.values()
            if self._is_for_merchant(m, now, late)
            or (self._is_bounced(m) and (bounced_since is None or m.queued_at >= bounced_since))
        )
        return sorted(waiting, key=lambda mail: (mail.queued_at, mail.key))

    def _is_for_merchant(self, mail: Mail, now: datetime, late: timedelta) -> bool:
        match mail.state:
            case MailState.STUCK:
                return True
            case MailState.QUEUED:
                return mail.problem != "" and mail.queued_at <= now - late
            case MailState.SENT if mail.problem == MailProblem.KEY_USED and mail.sent_at is not None:
                return mail.sent_at >= now - NOTED_FOR and not self._bounced_access(mail)
            case _:
                return False

    def _bounced_access(self, mail: Mail) -> bool:
        return mail.delivery is Delivery.BOUNCED and mail.kind is MailKind.ACCESS

    def _is_bounced(self, mail: Mail) -> bool:
        settled = mail.state in (MailState.SENT, MailState.DROPPED)
        return settled and self._bounced_access(mail) and mail.problem != MailProblem.BOUNCE_DISMISSED

    def queue(self, mail: Mail) -> bool:
        return self._t.outbox.setdefault(mail.key, mail) is mail

    def lease(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Mail]:
        due = [m for m in self._t.outbox.values() if m.state is MailState.QUEUED and m.due_at <= now]
        leased = sorted(due, key=lambda mail: (mail.urgency, mail.due_at, mail.key))[:limit]
        for mail in leased:
            self._t.outbox[mail.key] = replace(
                mail, due_at=until, attempts=mail.attempts + 1, unknown_since=mail.unknown_since or now
            )
        return leased

    def renew_lease(self, key: str, *, held_until: datetime, until: datetime) -> bool:
        held = self._t.outbox.get(key)
        if held is None or held.state is not MailState.QUEUED or held.due_at != held_until:
            return False
        self._t.outbox[key] = replace(held, due_at=until)
        return True

    def free_leases(self, *, now: datetime, until: datetime) -> int:
        held = [m for m in self._t.outbox.values() if m.state is MailState.QUEUED and now < m.due_at <= until]
        for mail in held:
            self._t.outbox[mail.key] = replace(mail, due_at=now)
        return len(held)

    def keep_letter(self, key: str, letter: Letter) -> Letter | None:
        held = self._t.outbox.get(key)
        if held is None or held.letter is not None:
            return None if held is None else held.letter
        self._t.outbox[key] = replace(held, letter=letter, body_sha256=letter.body_sha256)
        return letter

    def settle(
        self,
        key: str,
        *,
        state: MailState,
        at: datetime,
        due_at: datetime | None = None,
        problem: str = "",
        unknown_since: datetime | None = None,
    ) -> bool:
        held = self._t.outbox.get(key)
        if held is None or held.state is MailState.SENT:
            return False
        self._t.outbox[key] = replace(
            held,
            state=state,
            due_at=due_at or held.due_at,
            problem=problem,
            unknown_since=unknown_since,
            settled_at=at if state in (MailState.SENT, MailState.DROPPED) else None,
        )
        link = self._t.links.get(held.link) if held.link is not None else None
        if state is MailState.SENT and link is not None and link.sent_at is None:
            self._t.links[link.id] = replace(link, sent_at=at)
        return True

    def dismiss_bounce(self, key: str) -> bool:
        held = self._t.outbox.get(key)
        if held is None or not self._is_bounced(held):
            return False
        self._t.outbox[key] = replace(held, problem=MailProblem.BOUNCE_DISMISSED.value)
        return True

    def record_delivery(self, key: str, delivery: Delivery) -> Mail | None:
        held = self._t.outbox.get(key)
        if held is None or not delivery.outweighs(held.delivery):
            return None
        self._t.outbox[key] = replace(held, delivery=delivery)
        return held
