"""The books in dicts, for reading: tables whose copy is a snapshot, and a view on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from domain.access import Holding
from domain.magic_link import MagicLink
from domain.mail import Delivery, Mail, MailKind, MailState
from domain.moves import Move, MoveKind
from domain.purchase import Checkout, Fact, FactKind, Purchase
from domain.records import Backlog, Download, ErasedAddress, EventRecord, PaymentDue, Quarantined, Tally, User
from domain.session import Session
from domain.values import (
    CheckoutId,
    Digest,
    EmailAddress,
    LinkId,
    Money,
    MoveId,
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
    quarantined: dict[str, Quarantined] = field(default_factory=dict)
    cursors: dict[str, datetime] = field(default_factory=dict)
    due: dict[str, tuple[datetime, PaymentDue]] = field(default_factory=dict)
    free_licences: dict[ProductId, tuple[str, ...]] = field(default_factory=dict)
    given_licences: dict[tuple[ProductId, str], CheckoutId] = field(default_factory=dict)
    in_line: dict[tuple[ProductId, CheckoutId], None] = field(default_factory=dict)
    downloads: dict[tuple[CheckoutId, ProductId, str], Download] = field(default_factory=dict)
    moves: dict[MoveId, Move] = field(default_factory=dict)
    erasures: dict[CheckoutId, datetime] = field(default_factory=dict)
    erased_addresses: dict[str, ErasedAddress] = field(default_factory=dict)

    def copy(self) -> Tables:
        """A snapshot that later writes do not touch."""
        return Tables(*[table.copy() for table in map(self.__getattribute__, Tables.__slots__)])


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
        return _newest_first(s for s in self._t.sessions.values() if self._is_of(s, mailbox))

    def _is_of(self, session: Session, mailbox: EmailAddress) -> bool:
        """Whether it proved a mailbox, or a change that stands carried it away from there."""
        change = None if session.change is None else self._t.moves.get(session.change)
        return session.mailbox == mailbox or (change is not None and change.stands and change.old == mailbox)

    def holders_of(self, mailbox: EmailAddress, *, since: datetime) -> Sequence[Session]:
        """See BooksView."""
        made = {p.session for p in self._t.purchases.values() if p.mailbox == mailbox and p.booked_at > since}
        return _newest_first(s for s in self._t.sessions.values() if s.mailbox is None and s.id in made)

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

    def holding(self, checkout: CheckoutId) -> Holding | None:
        """See BooksView."""
        purchase = self._t.purchases.get(checkout)
        return None if purchase is None else self._holding(purchase)

    def holding_of(self, payment: str) -> Holding | None:
        """See BooksView."""
        found = next((p for p in self._t.purchases.values() if p.payment == payment), None)
        return None if found is None else self._holding(found)

    def facts_of(self, payment: str) -> Sequence[Fact]:
        """See BooksView."""
        return [
            fact
            for fact in self._t.facts.values()
            if fact.payment == payment and fact.kind is not FactKind.SESSION
        ]

    def holdings_of(self, mailbox: EmailAddress) -> Sequence[Holding]:
        """See BooksView."""
        found = (p for p in self._t.purchases.values() if p.mailbox == mailbox)
        return [self._holding(p) for p in sorted(found, key=lambda p: (p.booked_at, p.checkout))]

    def sold(self, product: ProductId) -> int:
        """See BooksView."""
        return sum(p.product == product for p in self._t.purchases.values())

    def knows(self, mailbox: EmailAddress) -> bool:
        """See BooksView."""
        return any(user.mailbox == mailbox for user in self._t.users.values())

    def user(self, mailbox: EmailAddress) -> User | None:
        """See BooksView."""
        return next((user for user in self._t.users.values() if user.mailbox == mailbox), None)

    def link(self, link: LinkId) -> MagicLink | None:
        """See BooksView."""
        return self._t.links.get(link)

    def newest_login(self, asked_by: SessionId) -> MagicLink | None:
        """See BooksView."""
        asked = [link for link in self._t.links.values() if link.asked_by == asked_by]
        first = sorted(asked, key=lambda link: (-link.made_at.timestamp(), link.superseded, link.id))
        return first[0] if first else None

    def link_used_with(self, cookie: Digest) -> MagicLink | None:
        """See BooksView."""
        used = [link for link in self._t.links.values() if link.used_with == cookie and link.used_at]
        used.sort(key=lambda link: (-link.used_at.timestamp() if link.used_at else 0, link.id))
        return used[0] if used else None

    def move(self, move: MoveId) -> Move | None:
        """See BooksView."""
        return self._t.moves.get(move)

    def moves_to(self, mailbox: EmailAddress) -> Sequence[Move]:
        """See BooksView."""
        return self._done(m for m in self._t.moves.values() if m.new == mailbox)

    def _done(self, moves: Iterable[Move]) -> list[Move]:
        done = [(m.done_at, m.id, m) for m in moves if m.stands]
        return [move for _, _, move in sorted(done, key=lambda one: one[:2])]

    def moves_from(self, mailbox: EmailAddress) -> Sequence[Move]:
        """See BooksView."""
        return self._done(m for m in self._t.moves.values() if m.old == mailbox)

    def moved(self, checkout: CheckoutId) -> bool:
        """See BooksView."""
        return any(m.kind is MoveKind.CORRECTION and checkout in m.checkouts for m in self._t.moves.values())

    def moved_from(self, mailbox: EmailAddress) -> Sequence[EmailAddress]:
        """See BooksView."""
        changes = (m for m in self._t.moves.values() if m.kind is MoveKind.CHANGE and m.stands)
        found = {m.old for m in changes if m.new == mailbox != m.old and self.user(m.old) is None}
        return sorted(found, key=str)

    def checkouts_of(self, mailbox: EmailAddress) -> Sequence[CheckoutId]:
        """See BooksView."""
        booked = {p.checkout for p in self._t.purchases.values() if p.mailbox == mailbox}
        begun = {c.id for c in self._t.checkouts.values() if c.mailbox == mailbox}
        return sorted(booked | (begun - self._t.purchases.keys()))

    def is_erased(self, checkout: CheckoutId) -> bool:
        """See BooksView."""
        return checkout in self._t.erasures

    def downloads_of(self, checkout: CheckoutId) -> Sequence[Download]:
        """See BooksView."""
        found = (d for d in self._t.downloads.values() if d.checkout == checkout)
        return sorted(found, key=lambda d: (d.product, d.name))

    def payments_due(self, now: datetime, *, limit: int) -> Sequence[PaymentDue]:
        """See BooksView."""
        due = [(at, entry) for at, entry in self._t.due.values() if at <= now]
        return [entry for _, entry in sorted(due, key=lambda one: (one[0], one[1].payment))][:limit]

    def owners(
        self, product: ProductId, *, after: str, limit: int
    ) -> Sequence[tuple[User, Sequence[Holding]]]:
        """See BooksView."""
        owned: dict[UserId, list[Holding]] = {}
        for purchase in sorted(self._t.purchases.values(), key=lambda p: (p.booked_at, p.checkout)):
            if purchase.user is not None and product in purchase.products:
                owned.setdefault(purchase.user, []).append(self._holding(purchase))
        return [(self._t.users[UserId(user)], found) for user, found in _rows(owned.items(), after, limit)]

    def mail(self, key: str) -> Mail | None:
        """See BooksView."""
        return self._t.outbox.get(key)

    def mails_to(self, mailbox: EmailAddress) -> Sequence[Mail]:
        """See BooksView."""
        found = (mail for mail in self._t.outbox.values() if mail.to == mailbox)
        return sorted(found, key=lambda mail: (mail.queued_at, mail.key))

    def due_again(self, now: datetime, *, limit: int) -> Sequence[Quarantined]:
        """See BooksView."""
        due = [
            (q.retry_at, q.ref, q) for q in self._t.quarantined.values() if q.closed_at is None and q.retry_at
        ]
        return [q for at, _, q in sorted(due, key=lambda d: d[:2]) if at <= now][:limit]

    def quarantined(self, ref: str) -> Quarantined | None:
        """See BooksView."""
        return self._t.quarantined.get(ref)

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
            bounced=sum(
                m.kind is MailKind.TICKET and m.delivery is Delivery.BOUNCED for m in self._t.outbox.values()
            ),
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

    def backlog(self) -> Backlog:
        """See BooksView."""
        queued = [m.queued_at for m in self._t.outbox.values() if m.state is MailState.QUEUED]
        return Backlog(
            queued=len(queued),
            oldest_queued_at=min(queued, default=None),
            stuck=sum(m.state is MailState.STUCK for m in self._t.outbox.values()),
            quarantined=len(self.waiting_quarantine()),
        )

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

    def erasures_after(self, checkout: str, *, limit: int) -> Sequence[CheckoutId]:
        """See BooksView."""
        return _page(((erased, erased) for erased in self._t.erasures), checkout, limit)

    def erased_addresses_after(self, tag: str, *, limit: int) -> Sequence[ErasedAddress]:
        """See BooksView."""
        return _page(self._t.erased_addresses.items(), tag, limit)

    def addresses_after(self, address: str, *, limit: int) -> Sequence[EmailAddress]:
        """See BooksView."""
        t = self._t
        found = {
            *(u.mailbox for u in t.users.values()),
            *(s.mailbox for s in t.sessions.values()),
            *(c.mailbox for c in t.checkouts.values()),
            *(p.paid_email for p in t.purchases.values()),
            *(link.mailbox for link in t.links.values()),
            *(mail.to for mail in t.outbox.values()),
            *(m.old for m in t.moves.values()),
            *(m.new for m in t.moves.values()),
        } - {None}
        return _page(((one.canonical, one) for one in found if one is not None), address, limit)


def _newest_first(sessions: Iterable[Session]) -> list[Session]:
    return sorted(sessions, key=lambda s: (-s.started_at.timestamp(), s.id))


def _rows(rows: Iterable[tuple[str, Row]], after: str, limit: int) -> list[tuple[str, Row]]:
    return [(key, row) for key, row in sorted(rows, key=lambda pair: pair[0]) if key > after][:limit]


def _page(rows: Iterable[tuple[str, Row]], after: str, limit: int) -> list[Row]:
    return [row for _, row in _rows(rows, after, limit)]
