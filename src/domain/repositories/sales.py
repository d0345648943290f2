"""Records about sales. Each docstring is a contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from domain.access import Holding
from domain.claim import KnownCheckout, RejectReason
from domain.fact import Fact
from domain.purchase import Checkout, LicenceKey, Purchase
from domain.records import Download, PaymentDue, Quarantined, User
from domain.values import ChangeId, CheckoutId, EmailAddress, ProductId, ProviderRef, SessionId, UserId


class ReadCheckouts(Protocol):
    """Attempts to buy. Reading only."""

    def get(self, checkout: CheckoutId) -> Checkout | None:
        """The checkout of that id."""

    def for_claim(
        self, checkout: CheckoutId, *, ref: ProviderRef | None, payment: str | None
    ) -> KnownCheckout:
        """All that a claim asks about a checkout, its session `ref` and its payment, known or not."""

    def by_provider_ref(self, ref: ProviderRef) -> Checkout | None:
        """The checkout to which this session of the provider was bound."""

    def of_address(self, mailbox: EmailAddress) -> Sequence[CheckoutId]:
        """The checkouts of a mailbox, in order of id: its purchases, and what it began that is not booked (yet)."""

    def begun_lately(self, session: SessionId, product: ProductId, *, since: datetime) -> Checkout | None:
        """The newest checkout of a product that a session began after `since` and of which nothing came yet."""

    def pending_of(self, mailbox: EmailAddress, *, since: datetime) -> Sequence[Checkout]:
        """The payments of a mailbox that are under way (the session's fact is `unpaid`), in order of checkout id.

        They are the checkouts that it began after `since`; and of those that no address owns yet, those whose session
        verified it later (`Checkout.verified`), unless a change took them on, and those that a change brought to it.
        """

    def first_started_at(self) -> datetime | None:
        """When the oldest checkout that is still stored began."""


class Checkouts(ReadCheckouts, Protocol):
    """Attempts to buy."""

    def add(self, checkout: Checkout) -> bool:
        """Write a checkout unless its id or its provider_ref is taken; whether we wrote."""

    def bind(self, checkout: CheckoutId, *, ref: ProviderRef | None, expires_at: datetime | None) -> bool:
        """Note the provider's session of a checkout that has none yet, or has this very one.

        None as `ref`: the provider refused to make one, so a checkout that has none expires at `expires_at`.
        False, and nothing written, if the checkout is gone, has another session, or another checkout has this one.
        """

    def follow_change(self, old: EmailAddress, *, change: ChangeId, since: datetime) -> Sequence[CheckoutId]:
        """Have the open checkouts of an address that no address owns yet follow a change; their ids, in order.

        They began after `since` and are not booked: those whose session verified it later, unless an earlier change
        that stands took them on, and those that one brought to it.
        """

    def pass_on(self, checkout: CheckoutId, *, old: SessionId, session: SessionId) -> bool:
        """Have another session hold a checkout of `old`, and its purchase if `old` holds that; whether we wrote."""

    def throttle(self, checkout: CheckoutId, *, now: datetime, gap: timedelta) -> bool:
        """Claim the next provider lookup of a checkout; False if it was claimed within `gap` already."""


class OpenPayments(Protocol):
    """Checkouts whose payment is under way, and those that can be paid a second time. Reading only."""

    def pending_in(self, session: SessionId, mailbox: EmailAddress | None) -> Sequence[Checkout]:
        """The checkouts that this session started, or the mailbox began, whose money is under way; in order of id."""

    def duplicates(
        self, *, now: datetime, limit: int, paid: CheckoutId | None = None
    ) -> Sequence[ProviderRef]:
        """The provider's sessions that can be paid, although their browser paid for the same product since they began.

        `paid`: those of the browser that started this checkout; without it, of every browser. One that is paid, or is
        being paid, is not among them, nor is one that is bought on purpose: it began after the payment was booked, or
        its buyer confirmed it (`Checkout.on_purpose`) and the one that was paid began earlier, unconfirmed. In order of
        the beginning, then of checkout id.
        """


class ReadPurchases(Protocol):
    """Booked purchases and their owners. Reading only."""

    def get(self, checkout: CheckoutId) -> Purchase | None:
        """What this checkout became, if it was booked."""

    def with_facts(self, checkout: CheckoutId) -> Holding | None:
        """One purchase with its facts."""

    def by_payment(self, payment: str) -> Holding | None:
        """The purchase that this payment paid for, with its facts; None while no such sale was claimed."""

    def held_by(self, session: SessionId, mailbox: EmailAddress | None) -> Sequence[Holding]:
        """The purchases whose checkout this session started, and those of the mailbox (if given), with their facts."""

    def of_address(self, mailbox: EmailAddress) -> Sequence[Holding]:
        """Every purchase of a mailbox, with its facts, oldest first."""

    def page_after(
        self, checkout: str, *, limit: int, booked: tuple[datetime, datetime] | None = None
    ) -> Sequence[Holding]:
        """Purchases with their facts, in order of checkout id, after `checkout`.

        `booked`: only those booked at the first of these moments or later, and before the second.
        """

    def count_sold(self, product: ProductId) -> int:
        """How many purchases of a product were booked; test purchases count until the shop has gone live."""

    def products_owned(self) -> Sequence[ProductId]:
        """Every product that a customer bought, alone or in a bundle, in order of id.

        Refunded purchases count, those of erased customers do not.
        """

    def owners_after(
        self, product: ProductId, *, after: str, limit: int
    ) -> Sequence[tuple[User, Sequence[Holding]]]:
        """Users with purchases that contain a product, and those purchases; in order of user id, after `after`."""


class Purchases(ReadPurchases, Protocol):
    """Booked purchases and their owners."""

    def book(self, purchase: Purchase, known: Sequence[Fact] = ()) -> bool:
        """Write a purchase unless its checkout is already booked; whether we wrote.

        `known`: the facts of its payment that were recorded before, all of them (`Facts.of_payment`).
        """

    def detach_sessions(self, mailbox: EmailAddress, *, session: SessionId | None = None) -> int:
        """Take this mailbox's purchases from the browsers that made their checkouts, or from one; how many."""

    def transfer(
        self,
        checkouts: Sequence[CheckoutId],
        *,
        old: EmailAddress | None,
        mailbox: EmailAddress,
        user: UserId,
    ) -> None:
        """Make those of these purchases that still belong to `old` another mailbox's own; leave the others alone.

        So are the checkouts among them, booked or not, that `old` had begun. Without `old`: those of these purchases
        that nobody owns yet (`ReadProblems.orders_without_owner`), and no checkouts.
        """


class ReadFacts(Protocol):
    """What the payment provider and the merchant said about purchases. Reading only."""

    def get(self, object_id: str) -> Fact | None:
        """The newest fact about one of the provider's objects."""

    def of_payment(self, payment: str) -> Sequence[Fact]:
        """The recorded refunds and disputes of a payment, whether its sale was claimed or not; in any order.

        Its fraud warnings are among them.
        """

    def fraud_warnings(self, *, after: Fact | None = None, limit: int) -> Sequence[Fact]:
        """The fraud warnings that can be acted on, of any payment, the newest first, then in order of object id.

        Those behind one; without it, from the newest.
        """

    def to_answer(self, *, since: int, limit: int) -> Sequence[Fact]:
        """The disputes of any payment that the merchant has to answer (`domain.dispute.needs_answer`).

        Those last heard of at this second of the provider's or later; by deadline, those without one last, then the
        oldest first, then in order of object id.
        """

    def newest(self, *, limit: int) -> Sequence[Fact]:
        """Refunds, disputes and decisions, the newest first, then in the reverse order of object id."""


class Facts(ReadFacts, Protocol):
    """What the payment provider and the merchant said about purchases."""

    def record(self, fact: Fact) -> Fact:
        """Keep the greater of this fact and the one held about the same object (`domain.fact.newer`); the kept."""


class ReadLicences(Protocol):
    """Licence keys that were replaced, and how many there are. Reading only."""

    def count_free(self, product: ProductId) -> int:
        """How many of the listed keys of a product are not given away."""

    def count_waiting(self, product: ProductId) -> int:
        """How many purchases wait in line for a key of a product."""

    def replaced_of(self, checkout: CheckoutId) -> Sequence[LicenceKey]:
        """The keys that a purchase had and that are not valid any more, in the order in which they were replaced."""


class Licences(ReadLicences, Protocol):
    """Licence keys, and the purchases that wait for one."""

    def stock(self, product: ProductId, keys: Sequence[str]) -> None:
        """Make these the keys that a product's purchases are given, in this order; those given away stay given."""

    def assign(self, product: ProductId, *, checkout: CheckoutId) -> str | None:
        """The next free key, given away to exactly one purchase; None, and it waits in line, if there is none."""

    def take(self, product: ProductId, key: str, *, checkout: CheckoutId) -> bool:
        """Give away this very key to a purchase, if it is listed and free; whether it was."""

    def any_free(self, product: ProductId) -> bool:
        """Whether a key of this product is free."""

    def enqueue(self, product: ProductId, *, checkout: CheckoutId) -> None:
        """Have a purchase wait in line without taking a key, even if one is free."""

    def in_line_after(self, product: ProductId, *, after: str, limit: int) -> Sequence[Holding]:
        """Purchases that wait for a key, with their facts, in order of checkout id, after `after`.

        Erased purchases do not wait.
        """

    def take_back(self, purchase: Purchase) -> None:
        """Take the keys out of a purchase; the listed ones among them are free again, after those that are free."""

    def replace(
        self, product: ProductId, *, checkout: CheckoutId, at: datetime, generated: str | None
    ) -> LicenceKey | None:
        """Give a purchase another key of a product: `generated`, or without one the next free key of the list.

        The one that it had is kept as replaced: nobody is given it again. None, and nothing written, if it has none,
        or no key is free.
        """

    def serve(self, product: ProductId, *, checkout: CheckoutId) -> tuple[Purchase, LicenceKey] | None:
        """Give a free key to a purchase in line, and write it into the purchase.

        None, and nothing written, if the purchase does not wait or no key is free.
        """


class ReadDownloads(Protocol):
    """Which files were fetched by which purchase. Reading only."""

    def of_purchase(self, checkout: CheckoutId) -> Sequence[Download]:
        """What was fetched by a purchase, in order of product and name."""


class Downloads(ReadDownloads, Protocol):
    """Which files were fetched by which purchase."""

    def count(
        self, checkout: CheckoutId, product: ProductId, name: str, *, now: datetime, window: timedelta
    ) -> bool:
        """Count a download unless one of the same file by the same purchase was counted within `window`."""

    def mark_opened(self, checkout: CheckoutId, *, at: datetime) -> bool:
        """Note when a purchase was first opened; False, and nothing written, if that is noted already."""


class ReadQuarantine(Protocol):
    """Sessions and payments that the shop does not act on, with the reason. Reading only."""

    def get(self, ref: str) -> Quarantined | None:
        """The quarantine entry of a session or payment, open or closed."""

    def due(self, now: datetime, *, limit: int) -> Sequence[Quarantined]:
        """Open quarantine entries whose `retry_at` has come, oldest first."""

    def open_entries(self) -> Sequence[Quarantined]:
        """Quarantine entries that are not closed, oldest first."""

    def count_foreign(self) -> int:
        """How many of the entries are of other programs on the same account; they are kept for 90 days."""

    def page_after(self, ref: str, *, limit: int) -> Sequence[Quarantined]:
        """Quarantine entries, closed ones too, in order of ref, after `ref`."""


class Quarantine(ReadQuarantine, Protocol):
    """Sessions and payments that the shop does not act on, with the reason."""

    def add(self, ref: str, reason: RejectReason, *, at: datetime, retry_at: datetime | None) -> bool:
        """Put a session or payment in quarantine, or count another try of it (reopening nothing dismissed).

        True if it is the first open entry with this reason: the merchant is then notified. A session that is
        already booked is not quarantined: False.
        """

    def ignore(self, ref: str, reason: RejectReason, *, at: datetime) -> None:
        """Note what belongs to another program as closed; an open entry of the same `ref` is closed."""

    def close(self, ref: str, *, at: datetime) -> bool:
        """Close an entry; whether there was an open one."""


class ReadRechecks(Protocol):
    """Payments that the provider is to be asked about again. Reading only."""

    def due(self, now: datetime, *, limit: int) -> Sequence[PaymentDue]:
        """Payments that the provider is to be asked about by now, longest due first."""


class Rechecks(ReadRechecks, Protocol):
    """Payments that the provider is to be asked about again."""

    def schedule(self, payment: str, *, at: datetime, due_at: datetime) -> None:
        """Have the provider asked about a payment at `due_at`, or earlier if it is marked for earlier already."""

    def postpone(self, payment: str, *, due_at: datetime) -> None:
        """It could not be asked about, or is not settled: again at `due_at`; counts a try. Nothing if unmarked."""

    def cancel(self, payment: str) -> None:
        """It was asked about, and nothing is open."""
