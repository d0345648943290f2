"""The shop's records as the domain sees them inside a transaction. Each docstring is a contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.access import Holding
from domain.claim import Objection
from domain.limits import Limit
from domain.magic_link import MagicLink
from domain.mail import Mail, MailState
from domain.purchase import Checkout, Fact, Purchase
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


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One delivery by the payment provider, for the log; it never decides. `created` is Unix time."""

    id: str
    type: str
    object_id: str
    created: int


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A checkout session that is not acted on. `closed_at` once a claim succeeded, or the merchant dismissed it."""

    ref: ProviderRef
    objection: Objection
    first_at: datetime
    last_at: datetime
    tries: int
    retry_at: datetime | None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class User:
    """One canonical mailbox that a purchase was booked for."""

    id: UserId
    mailbox: EmailAddress
    since: datetime


@dataclass(frozen=True, slots=True)
class Tally:
    """The shop in figures, for `status`."""

    users: int
    purchases: int
    takings: tuple[Money, ...]
    """What was paid in all, one sum a currency. (Sums beyond Money's bound are given as several.)"""
    mails: tuple[tuple[MailState, int], ...]


class BooksView(Protocol):
    """The shop's records as of one moment. Reading only; synchronous; lives no longer than its `work`."""

    def shop_id(self) -> str | None:
        """The id this shop was given when its books were opened; None before that."""

    def session(self, token_hash: Digest) -> Session | None:
        """The session whose cookie has this hash, live or not; None if there is none or it was ended."""

    def sessions_of(self, mailbox: EmailAddress) -> Sequence[Session]:
        """Every session that proved this mailbox, newest first."""

    def checkout(self, checkout: CheckoutId) -> Checkout | None:
        """The checkout of that id."""

    def checkout_of(self, ref: ProviderRef) -> Checkout | None:
        """The checkout to which this session of the provider was bound."""

    def purchase(self, checkout: CheckoutId) -> Purchase | None:
        """What this checkout became, if it was booked."""

    def fact(self, object_id: str) -> Fact | None:
        """The newest fact about one of the provider's objects."""

    def holdings(self, session: SessionId, mailbox: EmailAddress | None) -> Sequence[Holding]:
        """The purchases whose checkout this session started, and those of the mailbox (if given), with their facts."""

    def sold(self, product: ProductId) -> int:
        """How many purchases of a product were booked."""

    def knows(self, mailbox: EmailAddress) -> bool:
        """Whether a purchase was ever booked for this mailbox."""

    def link(self, link: LinkId) -> MagicLink | None:
        """The link of that id."""

    def newest_login(self, asked_by: SessionId) -> MagicLink | None:
        """The last login link this browser asked for, in whatever state."""

    def mail(self, key: str) -> Mail | None:
        """The outbox row of that key."""

    def due_again(self, now: datetime, *, limit: int) -> Sequence[Quarantined]:
        """Open quarantine entries whose `retry_at` has come, oldest first."""

    def cursor(self, name: str) -> datetime | None:
        """How far a reader of the outside world got; None before it ever ran."""

    def first_checkout_at(self) -> datetime | None:
        """When the oldest checkout still in the books began."""

    def tally(self) -> Tally:
        """The shop in figures."""

    def waiting_mails(self, now: datetime, *, late: timedelta) -> Sequence[Mail]:
        """Mails that are stuck, and those still queued that were queued at least `late` ago and failed."""

    def waiting_quarantine(self) -> Sequence[Quarantined]:
        """Quarantine entries that are not closed, oldest first."""

    def users_after(self, user: str, *, limit: int) -> Sequence[User]:
        """Users in order of id, after `user` ("" for the first): for the export, a page at a time."""

    def purchases_after(self, checkout: str, *, limit: int) -> Sequence[Holding]:
        """Purchases with their facts, in order of checkout id, after `checkout`."""

    def mails_after(self, key: str, *, limit: int) -> Sequence[Mail]:
        """Outbox rows in order of key, after `key`."""

    def quarantine_after(self, ref: str, *, limit: int) -> Sequence[Quarantined]:
        """Quarantine entries, closed ones too, in order of ref, after `ref`."""


class Books(BooksView, Protocol):
    """The shop's records inside one transaction. Each method promises something; none is check-then-write."""

    def open_shop(self, proposed: str) -> str:
        """The shop's id: the one in the books if there is one, else `proposed`, which is kept from now on."""

    def add_session(self, session: Session) -> None:
        """A new browser. Its id and token hash are fresh randomness, so they are new."""

    def see_session(self, session: SessionId, *, at: datetime) -> None:
        """Note that a session was seen. Never moves `seen_at` back; nothing if it was ended."""

    def prove(self, session: SessionId, *, mailbox: EmailAddress, token_hash: Digest, at: datetime) -> bool:
        """Give a session that proved no other mailbox this one, and a new token: the old token is dead with it.

        False, and nothing written, if there is no such session or it had proved another mailbox.
        `started_at` and `seen_at` become `at`.
        """

    def end_session(self, session: SessionId) -> bool:
        """End one session; its cookie means nothing from now on. Whether there was one."""

    def end_sessions_of(self, mailbox: EmailAddress) -> int:
        """End every session that proved this mailbox; how many."""

    def take(self, bucket: str, limit: Limit, *, now: datetime, ref: str) -> datetime | None:
        """Take a place under a limit: None if there was one (it is taken now), else when the next one is free.

        A sliding window: places taken longer ago than `limit.window` are free again. A refused try takes
        nothing. `ref` names the place, for `give_back`; the same ref in the same bucket takes one place only.
        """

    def give_back(self, ref: str) -> None:
        """Free every place taken under this ref."""

    def add_checkout(self, checkout: Checkout) -> bool:
        """Write a checkout unless its id or its provider_ref is taken; whether we wrote."""

    def bind_checkout(self, checkout: CheckoutId, *, ref: ProviderRef, expires_at: datetime | None) -> bool:
        """Note the provider's session of a checkout that has none yet, or has this very one.

        False, and nothing written, if the checkout is gone, has another session, or another checkout has this one.
        """

    def take_turn(self, checkout: CheckoutId, *, now: datetime, gap: timedelta) -> bool:
        """Whether it is our turn to ask the provider about a checkout: nobody was given it within `gap`."""

    def tell(self, fact: Fact) -> Fact:
        """Keep the greater of this fact and the one held about the same object (`domain.purchase.newer`); the kept."""

    def user_for(self, mailbox: EmailAddress, *, new_id: UserId, now: datetime) -> UserId:
        """The one user of a mailbox; made with `new_id` if there was none."""

    def book(self, purchase: Purchase) -> bool:
        """Write a purchase unless its checkout is already booked; whether we wrote."""

    def add_link(self, link: MagicLink) -> None:
        """A new link. Its id is fresh randomness."""

    def spend_link(self, link: LinkId, *, at: datetime) -> bool:
        """Use a link up: True for exactly one caller, ever. Says nothing of expiry: look at the link first."""

    def supersede_links(self, mailbox: EmailAddress, *, asked_by: SessionId) -> None:
        """Mark every unused login link that this browser asked for this mailbox as superseded."""

    def count_code_try(self, link: LinkId, *, most: int) -> bool:
        """Count one try of a link's code, in one statement, unless `most` were counted; whether it was counted."""

    def queue(self, mail: Mail) -> bool:
        """Put a mail in the outbox unless its key is there already; whether we wrote."""

    def lease_mails(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Mail]:
        """Take queued mails that are due, for us alone until `until`: the rows as they were before the lease.

        Their `due_at` becomes `until`, `attempts` goes up by one, and `unknown_since` becomes `now` if it was
        None: from here on the mail may have got through. Oldest due first.
        """

    def settle_mail(
        self,
        key: str,
        *,
        state: MailState,
        at: datetime,
        due_at: datetime | None = None,
        problem: str = "",
        unknown_since: datetime | None = None,
    ) -> bool:
        """Write down how a try ended. A mail that was sent stays sent: False, and nothing written.

        SENT sets `sent_at` to `at`, and starts the time of the mail's link (`sent_at` of the link, if it had none).
        """

    def quarantine(
        self, ref: ProviderRef, objection: Objection, *, at: datetime, retry_at: datetime | None
    ) -> bool:
        """Put a session in quarantine, or count another try of one that is there (reopening nothing dismissed).

        True if it is the first open one with this objection: then the merchant is told. A session that is
        already booked is not quarantined: False.
        """

    def close_quarantine(self, ref: ProviderRef, *, at: datetime) -> bool:
        """Close an entry; whether there was an open one."""

    def log_event(self, event: EventRecord, *, outcome: str, at: datetime) -> bool:
        """Add a delivery to the log; False if an event of that id stands there already (its outcome is renewed)."""

    def set_cursor(self, name: str, *, to: datetime) -> None:
        """Move a cursor; never back."""

    def prune(self, *, now: datetime) -> int:
        """Throw out what is of no more use, a bounded lot at a time; how many rows.

        Checkouts that were never paid a week after they expired (those whose money is under way stay), sessions
        and links a week after they ended or expired, sent and dropped login mails after a week, limit places
        after a day, events after 90 days.
        """
