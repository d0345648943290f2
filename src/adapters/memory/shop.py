"""The shop as a whole: its id, how far readers of the outside world got, and its figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.purchases import holding_of, is_counted
from adapters.memory.tables import Record
from domain.mail import Delivery, MailKind, MailProblem, MailState
from domain.purchase import Purchase, Source
from domain.records import Backlog, Tally
from domain.refund import RefundState
from domain.values import LARGEST_AMOUNT, Money


class ShopRecord(Record):
    def id(self) -> str | None:
        return self._t.shop.get("id")

    def open(self, proposed: str) -> str:
        return self._t.shop.setdefault("id", proposed)

    def base_url(self) -> str | None:
        return self._t.shop.get("base_url")

    def key_names(self) -> frozenset[str]:
        mails = (mail.key_name for mail in self._t.outbox.values())
        return frozenset(name for name in (*mails, *(link.key for link in self._t.links.values())) if name)

    def serve(self, base_url: str) -> str:
        return self._t.shop.setdefault("base_url", base_url)

    def confirm_address(self, base_url: str) -> str | None:
        former = self.base_url()
        self._t.shop["base_url"] = base_url
        return former

    def become(self, shop_id: str, base_url: str, *, at: datetime) -> None:
        for table in (
            self._t.sessions,
            self._t.due,
            self._t.in_line,
            self._t.problems,
            self._t.staff_sessions,
            self._t.staff_links,
            self._t.upload_pieces,
            self._t.uploads,
        ):
            table.clear()
        for checkout in [c for c in self._t.checkouts if c not in self._t.purchases]:
            del self._t.checkouts[checkout]
            self._t.asked.pop(checkout, None)
        for key in [k for k, one in self._t.refund_requests.items() if one.state is RefundState.REQUESTED]:
            del self._t.refund_requests[key]
        for key, mail in self._t.outbox.items():
            if mail.state in (MailState.QUEUED, MailState.STUCK):
                self._t.outbox[key] = replace(
                    mail, state=MailState.DROPPED, settled_at=at, problem=MailProblem.ANOTHER_SHOP
                )
        for ref, entry in self._t.quarantined.items():
            if entry.closed_at is None:
                self._t.quarantined[ref] = replace(entry, closed_at=at, retry_at=None)
        self._t.shop.update(id=shop_id, base_url=base_url)

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

    def test_purchases(self, *, limit: int) -> Sequence[Purchase]:
        found = (
            p
            for p in self._t.purchases.values()
            if p.livemode is False and (p.mailbox or p.session or p.licences)
            if (begun := self._t.checkouts.get(p.checkout)) is not None and begun.livemode is False
        )
        return sorted(found, key=lambda p: (p.booked_at, p.checkout))[:limit]

    def tally(self) -> Tally:
        sums: Counter[str] = Counter()
        counted = [purchase for purchase in self._t.purchases.values() if is_counted(self._t, purchase)]
        for purchase in counted:
            held = holding_of(self._t, purchase)
            sums[purchase.paid.currency] += purchase.paid.amount - held.refunded - held.charged_back
        states = Counter(mail.state for mail in self._t.outbox.values())
        return Tally(
            users=len(self._t.users),
            purchases=sum(purchase.source is not Source.GRANT for purchase in counted),
            test=len(self._t.purchases) - len(counted),
            takings=tuple(
                money for currency, total in sorted(sums.items()) for money in _parts(total, currency)
            ),
            mails=tuple((state, states[state]) for state in MailState),
            bounced=sum(
                m.kind is MailKind.ACCESS and m.delivery is Delivery.BOUNCED for m in self._t.outbox.values()
            ),
            foreign=sum(q.reason.is_foreign for q in self._t.quarantined.values()),
        )


def _parts(total: int, currency: str) -> list[Money]:
    """A sum, as several where it is beyond Money's bound."""
    whole, rest = divmod(total - 1, LARGEST_AMOUNT) if total else (0, -1)
    return [Money(LARGEST_AMOUNT, currency)] * whole + [Money(rest + 1, currency)]
