"""Records about the shop itself: its emails, limits and logs. Each docstring is a contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from domain.limits import Limit
from domain.mail import Delivery, Letter, Mail, MailState
from domain.purchase import Purchase
from domain.records import Backlog, EventRecord, LoggedEvent, Problem, ProblemKind, Tally
from domain.values import CheckoutId, EmailAddress, ProductId


class ReadShopRecord(Protocol):
    """The shop's id, its figures, and how far it has read the payment provider's lists. Reading only."""

    def id(self) -> str | None:
        """The id this shop was given when its store was first opened; None before that."""

    def base_url(self) -> str | None:
        """The BASE_URL under which this shop acts; None before it was ever served."""

    def key_names(self) -> frozenset[str]:
        """The names of the secrets that links and emails in the store were made with."""

    def cursor(self, name: str) -> datetime | None:
        """How far a reader of the outside world got, or when something last happened; None before it ever did."""

    def test_purchases(self, *, limit: int) -> Sequence[Purchase]:
        """Test purchases with an address, a session or licence keys, in order of booking, then of checkout id.

        Those whose checkout was begun in test mode: that of every booked sale is.
        """

    def tally(self) -> Tally:
        """The shop in figures."""

    def backlog(self) -> Backlog:
        """What waits, in figures; cheap, however much is stored."""


class ShopRecord(ReadShopRecord, Protocol):
    """The shop's id, its figures, and how far it has read the payment provider's lists."""

    def open(self, proposed: str) -> str:
        """The shop's id: the stored one if there is one, else `proposed`, which is kept from now on."""

    def serve(self, base_url: str) -> str:
        """The BASE_URL under which this shop acts: the stored one if there is one, else this one, which is kept.

        Only after `open`.
        """

    def confirm_address(self, base_url: str) -> str | None:
        """Let the shop act under this BASE_URL from now on; the former one."""

    def become(self, shop_id: str, base_url: str, *, at: datetime) -> None:
        """Make the store another shop's, of that id, at that BASE_URL: records stay, nothing in progress is its own.

        Sessions end, those of staff, too. Links for staff, open checkouts, payments to be read again, places in line
        for licence keys and problems are deleted. Emails that were not sent are dropped (`MailProblem.ANOTHER_SHOP`),
        and quarantine entries are closed.
        """

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

    def waiting(
        self, now: datetime, *, late: timedelta, bounced_since: datetime | None = None
    ) -> Sequence[Mail]:
        """Mails for the merchant to see, oldest first:

        those that are stuck; those still queued that were queued at least `late` ago and failed; those sent in the last
        `NOTED_FOR` whose key had been used before; and access emails that were sent or dropped, bounced, and are not
        dismissed, all or those queued since.
        """


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

    def dismiss_bounce(self, key: str) -> bool:
        """Take an access email out of those that bounced; whether it was among them."""

    def record_delivery(self, key: str, delivery: Delivery) -> Mail | None:
        """Keep what the email provider reports of a mail if it outweighs what it reported before.

        The mail as it was before; None, and nothing written, if there is none of that key or it does not outweigh.
        """


class ReadProblems(Protocol):
    """What waits for the merchant. Reading only."""

    def open(self) -> Sequence[Problem]:
        """Problems that are not resolved, oldest first."""

    def orders_without_owner(self) -> Sequence[CheckoutId]:
        """Purchases that were paid without an address that can be emailed, and have none yet; in order of checkout id.

        Those of erased persons are not among them.
        """

    def licence_lines(self) -> Sequence[tuple[ProductId, CheckoutId, int]]:
        """Of each product for whose licence keys purchases wait: the first in line, and how many; in order of id."""


class Problems(ReadProblems, Protocol):
    """What waits for the merchant: what does not work, and what belongs to nobody."""

    def report(self, kind: ProblemKind, subject: str, *, detail: str, at: datetime) -> bool:
        """Note a problem, with the latest words about it; whether it is new."""

    def resolve(self, kind: ProblemKind, subject: str) -> bool:
        """It works again, and with it what was refused in the same words; whether it was a problem."""


class Limits(Protocol):
    """How often something may happen."""

    def acquire(self, bucket: str, limit: Limit, *, now: datetime, ref: str) -> datetime | None:
        """Take a place under a limit: None if there was one (it is taken now), else when the next one is free.

        A sliding window: places taken longer ago than `limit.window` are free again. A refused try takes
        nothing. `ref` names the place, for `release`; the same ref in the same bucket takes one place only.
        """

    def release(self, ref: str) -> None:
        """Free every place taken under this ref."""


class ReadEvents(Protocol):
    """A log of webhook deliveries. Reading only."""

    def newest(self, *, before: tuple[datetime, str] | None = None, limit: int) -> Sequence[LoggedEvent]:
        """Deliveries, the newest first, then in the reverse order of id; `before`: the time and id of one."""


class Events(ReadEvents, Protocol):
    """A log of webhook deliveries. It decides nothing."""

    def log(self, event: EventRecord, *, outcome: str, at: datetime) -> bool:
        """Add a delivery to the log; False if it has an event of that id already (its outcome is updated)."""


class Retention(Protocol):
    """How long each record is kept."""

    def prune(self, *, now: datetime) -> int:
        """Throw out what is of no more use, a bounded lot at a time; how many rows.

        The bodies of emails that were sent or dropped, 25 hours after that (the rows stay, and the bodies of those that
        repeat a waiver).

        Checkouts that were never paid a week after they expired (those whose money is under way stay), sessions
        and links a week after they ended or expired, sent and dropped mails of logins and orders after a week,
        the last email to an erased person 25 hours after it was sent, and after a week whatever came of it,
        moves a week after they could last be undone, unless an open checkout follows them (with what `forget` takes
        of the address that was moved away from; of a correction that stands it stays for good that there was one,
        without the addresses), limit places after a day, events after 90 days, quarantine entries of other programs 90
        days after they were noted, problems that were not met again for 30 days, sessions of staff a week after they
        began, links for staff a week after they expired, refund requests two years after they were settled. Audit
        lines are pruned with their chain (`domain.usecases.link_audit`).
        """

    def drop_test_checkouts(self, *, limit: int) -> int:
        """Delete checkouts that were begun with a test key and never booked, in order of id; how many."""
