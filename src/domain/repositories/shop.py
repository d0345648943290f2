"""Records about the shop itself: its emails, limits and logs. Each docstring is a contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from domain.limits import Limit
from domain.mail import Delivery, Letter, Mail, MailState
from domain.records import Backlog, EventRecord, Tally
from domain.values import EmailAddress


class ReadShopRecord(Protocol):
    """The shop's id, its figures, and how far it has read the payment provider's lists. Reading only."""

    def id(self) -> str | None:
        """The id this shop was given when its store was first opened; None before that."""

    def cursor(self, name: str) -> datetime | None:
        """How far a reader of the outside world got; None before it ever ran."""

    def tally(self) -> Tally:
        """The shop in figures."""

    def backlog(self) -> Backlog:
        """What waits, in figures; cheap, however much is stored."""


class ShopRecord(ReadShopRecord, Protocol):
    """The shop's id, its figures, and how far it has read the payment provider's lists."""

    def open(self, proposed: str) -> str:
        """The shop's id: the stored one if there is one, else `proposed`, which is kept from now on."""

    def advance_cursor(self, name: str, *, to: datetime) -> None:
        """Move a cursor; never back."""


class ReadOutbox(Protocol):
    """Emails that must go out. Reading only."""

    def get(self, key: str) -> Mail | None:
        """The outbox row of that key."""

    def to_address(self, mailbox: EmailAddress) -> Sequence[Mail]:
        """Every mail to a mailbox that is still in the outbox, oldest first."""

    def page_after(self, key: str, *, limit: int) -> Sequence[Mail]:
        """Outbox rows in order of key, after `key`."""

    def waiting(self, now: datetime, *, late: timedelta) -> Sequence[Mail]:
        """Mails that are stuck, and those still queued that were queued at least `late` ago and failed."""


class Outbox(ReadOutbox, Protocol):
    """Emails that must go out."""

    def queue(self, mail: Mail) -> bool:
        """Put a mail in the outbox unless its key is there already; whether we wrote."""

    def lease(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Mail]:
        """Take queued mails that are due, for us alone until `until`: the rows as they were before the lease.

        Their `due_at` becomes `until`, `attempts` goes up by one, and `unknown_since` becomes `now` if it was
        None: from here on the mail may have got through. The most urgent first, and of those the longest due.
        """

    def renew_lease(self, key: str, *, held_until: datetime, until: datetime) -> bool:
        """Keep a leased mail until `until`, if the lease that ends at `held_until` still stands; whether it does."""

    def free_leases(self, *, now: datetime, until: datetime) -> int:
        """Make due `now` every queued mail that would be due by `until`; how many.

        For a process that knows that no other one is left which could hold a lease.
        """

    def keep_letter(self, key: str, letter: Letter) -> Letter | None:
        """Store an email as rendered, unless that was done before: what every attempt is to send.

        None if there is no email of that key any more.
        """

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
        """Write down how a try ended. A mail that was sent stays sent: False, and nothing written.

        SENT and DROPPED set `settled_at` to `at`. SENT starts the time of the mail's link (`sent_at` of the link, if it
        had none).
        """

    def record_delivery(self, key: str, delivery: Delivery) -> Mail | None:
        """Keep what the carrier reports of a mail if it outweighs what it reported before.

        The mail as it was before; None, and nothing written, if there is none of that key or it does not outweigh.
        """


class Limits(Protocol):
    """How often something may happen."""

    def acquire(self, bucket: str, limit: Limit, *, now: datetime, ref: str) -> datetime | None:
        """Take a place under a limit: None if there was one (it is taken now), else when the next one is free.

        A sliding window: places taken longer ago than `limit.window` are free again. A refused try takes
        nothing. `ref` names the place, for `release`; the same ref in the same bucket takes one place only.
        """

    def release(self, ref: str) -> None:
        """Free every place taken under this ref."""


class Events(Protocol):
    """A log of webhook deliveries. It decides nothing."""

    def log(self, event: EventRecord, *, outcome: str, at: datetime) -> bool:
        """Add a delivery to the log; False if it has an event of that id already (its outcome is updated)."""


class Retention(Protocol):
    """How long each record is kept."""

    def prune(self, *, now: datetime) -> int:
        """Throw out what is of no more use, a bounded lot at a time; how many rows.

        The bodies of emails that were sent or dropped, 25 hours after that (the rows stay).

        Checkouts that were never paid a week after they expired (those whose money is under way stay), sessions
        and links a week after they ended or expired, sent and dropped mails of logins and orders after a week,
        moves a week after they could last be undone (with what `forget` takes of the address that was moved away
        from; of a correction that stands it stays for good that there was one, without the addresses), limit places
        after a day, events after 90 days.
        """
