"""The books in dicts, for reading: tables whose copy is a snapshot, and a view on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import TypeVar

from domain.access import Holding
from domain.books import EventRecord, Quarantined, Tally, User
from domain.magic_link import MagicLink
from domain.mail import Mail, MailState
from domain.purchase import Checkout, Fact, FactKind, Purchase
from domain.session import Session
from domain.values import (
    CheckoutId,
    Digest,
    EmailAddress,
    LinkId,
    Money,
    ProductId,
    ProviderRef,
    SessionId,
    UserId,
)

Row = TypeVar("Row")
_WEEK = timedelta(days=7)


@dataclass(slots=True)
class Tables:
    """One dict a table, rows immutable: so a copy of the dicts is a snapshot."""

    shop: dict[str, str] = field(default_factory=dict)
    users: dict[UserId, User] = field(default_factory=dict)
    sessions: dict[SessionId, Session] = field(default_factory=dict)
    checkouts: dict[CheckoutId, Checkout] = field(default_factory=dict)
    asked: dict[CheckoutId, datetime] = field(default_factory=dict)
    purchases: dict[CheckoutId, Purchase] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    links: dict[LinkId, MagicLink] = field(default_factory=dict)
    outbox: dict[str, Mail] = field(default_factory=dict)
    limits: dict[tuple[str, datetime, str], None] = field(default_factory=dict)
    events: dict[str, tuple[EventRecord, str, datetime]] = field(default_factory=dict)
    quarantined: dict[ProviderRef, Quarantined] = field(default_factory=dict)
    cursors: dict[str, datetime] = field(default_factory=dict)

    def copy(self) -> Tables:
        """A snapshot that later writes do not touch."""
        return Tables(**{f.name: dict(getattr(self, f.name)) for f in fields(self)})


class MemoryView:
    """BooksView on dicts."""

    def __init__(self, tables: Tables) -> None:
        self._t = tables

    def shop_id(self) -> str | None:
        """See BooksView."""
        return self._t.shop.get("id")

    def session(self, token_hash: Digest) -> Session | None:
        """See BooksView."""
        return next((s for s in self._t.sessions.values() if s.token_hash == token_hash), None)

    def sessions_of(self, mailbox: EmailAddress) -> Sequence[Session]:
        """See BooksView."""
        found = (s for s in self._t.sessions.values() if s.mailbox == mailbox)
        return sorted(found, key=lambda s: (-s.started_at.timestamp(), s.id))

    def checkout(self, checkout: CheckoutId) -> Checkout | None:
        """See BooksView."""
        return self._t.checkouts.get(checkout)

    def checkout_of(self, ref: ProviderRef) -> Checkout | None:
        """See BooksView."""
        return next((c for c in self._t.checkouts.values() if c.provider_ref == ref), None)

    def purchase(self, checkout: CheckoutId) -> Purchase | None:
        """See BooksView."""
        return self._t.purchases.get(checkout)

    def fact(self, object_id: str) -> Fact | None:
        """See BooksView."""
        return self._t.facts.get(object_id)

    def holdings(self, session: SessionId, mailbox: EmailAddress | None) -> Sequence[Holding]:
        """See BooksView."""
        return [
            self._holding(p)
            for p in self._t.purchases.values()
            if p.session == session or (mailbox is not None and p.mailbox == mailbox)
        ]

    def _holding(self, purchase: Purchase) -> Holding:
        facts = tuple(
            fact
            for fact in self._t.facts.values()
            if fact.object_id == purchase.provider_ref
            or (
                purchase.payment is not None
                and fact.payment == purchase.payment
                and fact.kind is not FactKind.SESSION
            )
        )
        return Holding(purchase=purchase, facts=facts)

    def sold(self, product: ProductId) -> int:
        """See BooksView."""
        return sum(p.product == product for p in self._t.purchases.values())

    def knows(self, mailbox: EmailAddress) -> bool:
        """See BooksView."""
        return any(user.mailbox == mailbox for user in self._t.users.values())

    def link(self, link: LinkId) -> MagicLink | None:
        """See BooksView."""
        return self._t.links.get(link)

    def newest_login(self, asked_by: SessionId) -> MagicLink | None:
        """See BooksView."""
        asked = [link for link in self._t.links.values() if link.asked_by == asked_by]
        first = sorted(asked, key=lambda link: (-link.made_at.timestamp(), link.superseded, link.id))
        return first[0] if first else None

    def mail(self, key: str) -> Mail | None:
        """See BooksView."""
        return self._t.outbox.get(key)

    def due_again(self, now: datetime, *, limit: int) -> Sequence[Quarantined]:
        """See BooksView."""
        due = [
            (q.retry_at, q.ref, q) for q in self._t.quarantined.values() if q.closed_at is None and q.retry_at
        ]
        return [q for at, _, q in sorted(due, key=lambda d: d[:2]) if at <= now][:limit]

    def cursor(self, name: str) -> datetime | None:
        """See BooksView."""
        return self._t.cursors.get(name)

    def first_checkout_at(self) -> datetime | None:
        """See BooksView."""
        return min((c.started_at for c in self._t.checkouts.values()), default=None)

    def tally(self) -> Tally:
        """See BooksView."""
        sums: Counter[str] = Counter()
        for purchase in self._t.purchases.values():
            sums[purchase.paid.currency] += purchase.paid.amount
        states = Counter(mail.state for mail in self._t.outbox.values())
        return Tally(
            users=len(self._t.users),
            purchases=len(self._t.purchases),
            takings=tuple(Money(total, currency) for currency, total in sorted(sums.items())),
            mails=tuple((state, states[state]) for state in MailState),
        )

    def waiting_mails(self, now: datetime, *, late: timedelta) -> Sequence[Mail]:
        """See BooksView."""
        waiting = (
            mail
            for mail in self._t.outbox.values()
            if mail.state is MailState.STUCK
            or (mail.state is MailState.QUEUED and mail.problem and mail.queued_at <= now - late)
        )
        return sorted(waiting, key=lambda mail: (mail.queued_at, mail.key))

    def waiting_quarantine(self) -> Sequence[Quarantined]:
        """See BooksView."""
        waiting = (q for q in self._t.quarantined.values() if q.closed_at is None)
        return sorted(waiting, key=lambda q: (q.first_at, q.ref))

    def users_after(self, user: str, *, limit: int) -> Sequence[User]:
        """See BooksView."""
        return _page(((row.id, row) for row in self._t.users.values()), user, limit)

    def purchases_after(self, checkout: str, *, limit: int) -> Sequence[Holding]:
        """See BooksView."""
        return [self._holding(p) for p in _page(self._t.purchases.items(), checkout, limit)]

    def mails_after(self, key: str, *, limit: int) -> Sequence[Mail]:
        """See BooksView."""
        return _page(self._t.outbox.items(), key, limit)

    def quarantine_after(self, ref: str, *, limit: int) -> Sequence[Quarantined]:
        """See BooksView."""
        return _page(self._t.quarantined.items(), ref, limit)


def _page(rows: Iterable[tuple[str, Row]], after: str, limit: int) -> list[Row]:
    return [row for key, row in sorted(rows, key=lambda pair: pair[0]) if key > after][:limit]
