"""The shop as a whole: its id, how far readers of the outside world got, and its figures."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from adapters.memory.tables import Record
from domain.mail import Delivery, MailKind, MailState
from domain.records import Backlog, Tally
from domain.values import Money


class ShopRecord(Record):
    def id(self) -> str | None:
        return self._t.shop.get("id")

    def open(self, proposed: str) -> str:
        return self._t.shop.setdefault("id", proposed)

    def cursor(self, name: str) -> datetime | None:
        return self._t.cursors.get(name)

    def advance_cursor(self, name: str, *, to: datetime) -> None:
        self._t.cursors[name] = max(to, self._t.cursors.get(name, to))

    def backlog(self) -> Backlog:
        queued = [m.queued_at for m in self._t.outbox.values() if m.state is MailState.QUEUED]
        return Backlog(
            queued=len(queued),
            oldest_queued_at=min(queued, default=None),
            stuck=sum(m.state is MailState.STUCK for m in self._t.outbox.values()),
            quarantined=sum(q.closed_at is None for q in self._t.quarantined.values()),
        )

    def tally(self) -> Tally:
        sums: Counter[str] = Counter()
        for purchase in self._t.purchases.values():
            sums[purchase.paid.currency] += purchase.paid.amount
        states = Counter(mail.state for mail in self._t.outbox.values())
        return Tally(
            users=len(self._t.users),
            purchases=len(self._t.purchases),
            takings=tuple(Money(total, currency) for currency, total in sorted(sums.items())),
            mails=tuple((state, states[state]) for state in MailState),
            bounced=sum(
                m.kind is MailKind.ACCESS and m.delivery is Delivery.BOUNCED for m in self._t.outbox.values()
            ),
        )
