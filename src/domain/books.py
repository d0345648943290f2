"""The shop's records as the domain sees them inside a transaction. Each docstring is a contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from domain.access import Holding
from domain.claim import Objection
from domain.limits import Limit
from domain.magic_link import MagicLink
from domain.mail import Delivery, Mail, MailState
from domain.moves import Before, Move, MoveKind
from domain.purchase import Checkout, Fact, LicenceKey, Purchase
from domain.records import Backlog, Download, ErasedAddress, EventRecord, PaymentDue, Quarantined, Tally, User
from domain.session import Session
from domain.values import (
    CheckoutId,
    Digest,
    EmailAddress,
    LinkId,
    MoveId,
    ProductId,
    ProviderRef,
    SessionId,
    UserId,
)


class BooksView(Protocol):
    """The shop's records as of one moment. Reading only; synchronous; lives no longer than its `work`."""

    def shop_id(self) -> str | None:
        """The id this shop was given when its books were opened; None before that."""

    def session(self, token_hash: Digest) -> Session | None:
        """The session whose cookie has this hash, live or not; None if there is none or it was ended."""

    def sessions_of(self, mailbox: EmailAddress) -> Sequence[Session]:
        """Every session that proved this mailbox, and those that a change carried away from it; newest first."""

    def holders_of(self, mailbox: EmailAddress, *, since: datetime) -> Sequence[Session]:
        """Sessions without a mailbox whose checkouts became this mailbox's purchases since then; newest first."""

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

    def holding(self, checkout: CheckoutId) -> Holding | None:
        """One purchase with its facts."""

    def holding_of(self, payment: str) -> Holding | None:
        """The purchase that this payment paid for, with its facts; None while no such sale was claimed."""

    def facts_of(self, payment: str) -> Sequence[Fact]:
        """The refunds and disputes that were told of a payment, whether its sale was claimed or not; in any order."""

    def holdings_of(self, mailbox: EmailAddress) -> Sequence[Holding]:
        """Every purchase of a mailbox, with its facts, oldest first."""

    def sold(self, product: ProductId) -> int:
        """How many purchases of a product were booked."""

    def knows(self, mailbox: EmailAddress) -> bool:
        """Whether a purchase was ever booked for this mailbox."""

    def user(self, mailbox: EmailAddress) -> User | None:
        """The user of a mailbox."""

    def link(self, link: LinkId) -> MagicLink | None:
        """The link of that id."""

    def newest_login(self, asked_by: SessionId) -> MagicLink | None:
        """The last link with a code that this browser asked for, in whatever state."""

    def link_used_with(self, cookie: Digest) -> MagicLink | None:
        """The link that a submit with this cookie used last."""

    def move(self, move: MoveId) -> Move | None:
        """The move of that id."""

    def moves_to(self, mailbox: EmailAddress) -> Sequence[Move]:
        """The moves to this mailbox that were done and not undone, oldest first."""

    def moves_from(self, mailbox: EmailAddress) -> Sequence[Move]:
        """The moves away from this mailbox that were done and not undone, oldest first."""

    def moved(self, checkout: CheckoutId) -> bool:
        """Whether a correction of this purchase's address was ever asked for."""

    def moved_from(self, mailbox: EmailAddress) -> Sequence[EmailAddress]:
        """Addresses that were changed to this one and are no user's (again), in order."""

    def checkouts_of(self, mailbox: EmailAddress) -> Sequence[CheckoutId]:
        """The checkouts of a mailbox, in order of id: its purchases, and what it began that is not booked (yet)."""

    def is_erased(self, checkout: CheckoutId) -> bool:
        """Whether the person who made this checkout was erased."""

    def downloads_of(self, checkout: CheckoutId) -> Sequence[Download]:
        """What was fetched by a purchase, in order of product and name."""

    def payments_due(self, now: datetime, *, limit: int) -> Sequence[PaymentDue]:
        """Payments that the provider is to be asked about by now, longest due first."""

    def owners(
        self, product: ProductId, *, after: str, limit: int
    ) -> Sequence[tuple[User, Sequence[Holding]]]:
        """Users with purchases that contain a product, and those purchases; in order of user id, after `after`."""

    def mail(self, key: str) -> Mail | None:
        """The outbox row of that key."""

    def mails_to(self, mailbox: EmailAddress) -> Sequence[Mail]:
        """Every mail to a mailbox that is still in the outbox, oldest first."""

    def due_again(self, now: datetime, *, limit: int) -> Sequence[Quarantined]:
        """Open quarantine entries whose `retry_at` has come, oldest first."""

    def quarantined(self, ref: str) -> Quarantined | None:
        """The quarantine entry of a session or payment, open or closed."""

    def cursor(self, name: str) -> datetime | None:
        """How far a reader of the outside world got; None before it ever ran."""

    def first_checkout_at(self) -> datetime | None:
        """When the oldest checkout still in the books began."""

    def tally(self) -> Tally:
        """The shop in figures."""

    def waiting_mails(self, now: datetime, *, late: timedelta) -> Sequence[Mail]:
        """Mails that are stuck, and those still queued that were queued at least `late` ago and failed."""

    def backlog(self) -> Backlog:
        """What waits, in figures; cheap, however much the books hold."""

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

    def erasures_after(self, checkout: str, *, limit: int) -> Sequence[CheckoutId]:
        """Checkouts of persons who were erased, in order of id, after `checkout`."""

    def erased_addresses_after(self, tag: str, *, limit: int) -> Sequence[ErasedAddress]:
        """Addresses whose persons were erased, in order of tag, after `tag`."""

    def addresses_after(self, address: str, *, limit: int) -> Sequence[EmailAddress]:
        """Every address that any row names, in order, after `address`."""


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

    def end_sessions_by(self, move: MoveId) -> int:
        """End every session that this change carried to its mailbox; how many."""

    def release(self, mailbox: EmailAddress, *, session: SessionId | None = None) -> int:
        """Take this mailbox's purchases from the browsers that made their checkouts, or from one; how many."""

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

    def mark_payment(self, payment: str, *, at: datetime, due_at: datetime) -> None:
        """Have the provider asked about a payment at `due_at`, or earlier if it is marked for earlier already."""

    def postpone_payment(self, payment: str, *, due_at: datetime) -> None:
        """It could not be asked about, or is not settled: again at `due_at`; counts a try. Nothing if unmarked."""

    def unmark_payment(self, payment: str) -> None:
        """It was asked about, and nothing is open."""

    def stock_licences(self, product: ProductId, keys: Sequence[str]) -> None:
        """Make these the keys that a product's purchases are given, in this order; those given away stay given."""

    def take_licence(self, product: ProductId, *, checkout: CheckoutId) -> str | None:
        """The next free key, given away to exactly one purchase; None, and it waits in line, if there is none."""

    def serve_next_in_line(self, product: ProductId) -> tuple[Purchase, LicenceKey] | None:
        """Give a free key to the purchase that waited longest for one, and write it into the purchase.

        None if nobody waits or no key is free. Erased purchases wait for nothing.
        """

    def count_download(
        self, checkout: CheckoutId, product: ProductId, name: str, *, now: datetime, window: timedelta
    ) -> bool:
        """Count a download unless one of the same file by the same purchase was counted within `window`."""

    def add_link(self, link: MagicLink) -> None:
        """A new link. Its id is fresh randomness."""

    def spend_link(self, link: LinkId, *, at: datetime, used_with: Digest | None = None) -> bool:
        """Use a link up: True for exactly one caller, ever. Says nothing of expiry: look at the link first.

        `used_with`: the hash of the cookie that came with it, to recognise the same submit when it comes again.
        """

    def supersede_links(self, mailbox: EmailAddress, *, asked_by: SessionId) -> None:
        """Mark every unused link of purpose LOGIN that this browser asked for this mailbox as superseded."""

    def count_code_try(self, link: LinkId, *, most: int) -> bool:
        """Count one try of a link's code, in one statement, unless `most` were counted; whether it was counted."""

    def queue(self, mail: Mail) -> bool:
        """Put a mail in the outbox unless its key is there already; whether we wrote."""

    def lease_mails(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Mail]:
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

    def quarantine(self, ref: str, objection: Objection, *, at: datetime, retry_at: datetime | None) -> bool:
        """Put a session or payment in quarantine, or count another try of it (reopening nothing dismissed).

        True if it is the first open one with this objection: then the merchant is told. A session that is
        already booked is not quarantined: False.
        """

    def close_quarantine(self, ref: str, *, at: datetime) -> bool:
        """Close an entry; whether there was an open one."""

    def log_event(self, event: EventRecord, *, outcome: str, at: datetime) -> bool:
        """Add a delivery to the log; False if an event of that id stands there already (its outcome is renewed)."""

    def set_cursor(self, name: str, *, to: datetime) -> None:
        """Move a cursor; never back."""

    def report_delivery(self, key: str, delivery: Delivery) -> Mail | None:
        """Keep what the carrier reports of a mail if it outweighs what it reported before.

        The mail as it was before; None, and nothing written, if there is none of that key or it does not outweigh.
        """

    # ------------------------------------------------------------------ whose it is

    def note_proof(self, mailbox: EmailAddress, *, at: datetime) -> None:
        """Note that somebody proved this mailbox, the first time; nothing for a mailbox that is no user's."""

    def set_news(self, user: UserId, *, wanted: bool) -> bool:
        """Whether a user is told of new versions; False if there is no such user."""

    def begin_move(self, move: Move) -> None:
        """Note that something is to move. Its id is fresh randomness."""

    def settle_move(
        self,
        move: MoveId,
        *,
        done_at: datetime | None = None,
        undone_at: datetime | None = None,
        checkouts: Sequence[CheckoutId] | None = None,
        before: Before | None = None,
    ) -> bool:
        """Write down that a move was done (only while it waits), or undone (once, done or not); whether we wrote.

        `checkouts`: what moved, where that was not known before; `before`: what an undo brings back beside them.
        """

    def cancel_moves(self, old: EmailAddress, *, at: datetime, kind: MoveKind | None = None) -> int:
        """Take back every move away from this address that still waits for its proof, of one kind or any; how many."""

    def hand_over(
        self, checkouts: Sequence[CheckoutId], *, old: EmailAddress, mailbox: EmailAddress, user: UserId
    ) -> None:
        """Make those of these purchases that still belong to `old` another mailbox's own; leave the others alone.

        So are the checkouts among them, booked or not, that `old` had begun.
        """

    def drop_user_without_purchases(self, mailbox: EmailAddress) -> bool:
        """Forget a user who owns nothing any more; whether there was one."""

    def turn_sessions(self, old: EmailAddress, *, to: EmailAddress, keep: SessionId, change: MoveId) -> None:
        """End every session that proved the old mailbox but `keep`, which `change` carries to the new one."""

    def erase(self, mailbox: EmailAddress, *, at: datetime) -> Sequence[CheckoutId]:
        """Erase a person: `erase_order` for what is theirs, then `forget`; the checkouts whose purchases were theirs.

        Theirs are the purchases of their user, and the checkouts of the mailbox that were not paid (yet). A checkout
        that the mailbox began and whose purchase is another's stays as it is, but for the mailbox.
        """

    def erase_order(self, checkout: CheckoutId, *, at: datetime) -> bool:
        """Note that the person of a checkout was erased, and take them out of it; whether that changed anything.

        Its purchase stays, without user, mailbox, paid_email and session. Its downloads, its place in the line for
        a licence key, its ticket and the mail of a failed payment are gone. The checkout need not be known here.
        """

    def note_erased_address(self, erased: ErasedAddress) -> bool:
        """Note that the person of an address was erased; False, and nothing written, if as late a time is noted."""

    def forget(self, mailbox: EmailAddress) -> None:
        """Forget a person who owns nothing: user, sessions, links, mails and moves of the mailbox are gone.

        So is what was sent for requests of theirs to other addresses, and what names an address that they changed
        to this one, from before the change, unless it is a user's (again). What belongs to others stays: the notice
        of a request to move something here, and a move away that was done, with its notice and its undo link, which
        guard the new address (until they are pruned). A request to move something here that still waits stays, too,
        without this address; and of a correction, that there was one.
        """

    def prune(self, *, now: datetime) -> int:
        """Throw out what is of no more use, a bounded lot at a time; how many rows.

        Checkouts that were never paid a week after they expired (those whose money is under way stay), sessions
        and links a week after they ended or expired, sent and dropped mails of logins and orders after a week,
        moves a week after they could last be undone (with what `forget` takes of the address that was moved away
        from; of a correction that stands it stays for good that there was one, without the addresses), limit places
        after a day, events after 90 days.
        """
