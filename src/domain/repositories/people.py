"""Records about people and their browsers. Each docstring is a contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from domain.address_change import AddressChange, Before, ChangeKind
from domain.magic_link import MagicLink
from domain.records import ErasedAddress, User
from domain.session import Session
from domain.values import ChangeId, CheckoutId, Digest, EmailAddress, LinkId, SessionId, UserId


class ReadUsers(Protocol):
    """One for each address that owns, or owned, a purchase. Reading only."""

    def exists(self, mailbox: EmailAddress) -> bool:
        """Whether a purchase was ever booked for this mailbox."""

    def get(self, user: UserId) -> User | None:
        """The user of that id; None once the last purchase went to another address, or the person was erased."""

    def by_address(self, mailbox: EmailAddress) -> User | None:
        """The user of a mailbox."""

    def page_after(self, user: str, *, limit: int) -> Sequence[User]:
        """Users in order of id, after `user` ("" for the first): for the export, a page at a time."""


class Users(ReadUsers, Protocol):
    """One for each address that owns, or owned, a purchase."""

    def get_or_add(
        self, mailbox: EmailAddress, *, new_id: UserId, now: datetime, language: str = ""
    ) -> UserId:
        """The one user of a mailbox; made with `new_id` and `language` if there was none."""

    def mark_verified(self, mailbox: EmailAddress, *, at: datetime) -> None:
        """Record the first time this mailbox was verified; does nothing if no user has it."""

    def set_release_emails(self, user: UserId, *, wanted: bool) -> bool:
        """Set whether a user gets release emails; False if there is no such user."""

    def set_language(self, mailbox: EmailAddress, language: str) -> bool:
        """Set the language of a user's emails; False if no user has this mailbox."""

    def drop_without_purchases(self, mailbox: EmailAddress) -> bool:
        """Delete the user of this mailbox if it owns no purchases; return whether one was deleted."""


class ReadSessions(Protocol):
    """What each browser has proved. Reading only."""

    def by_token(self, token_hash: Digest) -> Session | None:
        """The session whose cookie has this hash, live or not; None if there is none or it was ended."""

    def get(self, session: SessionId) -> Session | None:
        """The session of that id, live or not; None if there is none or it was ended."""

    def of_address(self, mailbox: EmailAddress) -> Sequence[Session]:
        """Every session that proved this mailbox, and those that a change carried away from it; newest first."""

    def holders_of(self, mailbox: EmailAddress, *, since: datetime) -> Sequence[Session]:
        """Sessions without a mailbox whose checkouts became this mailbox's purchases since then; newest first."""


class Sessions(ReadSessions, Protocol):
    """What each browser has proved."""

    def add(self, session: Session) -> None:
        """A new browser. Its id and token hash are fresh randomness, so they are new."""

    def touch(self, session: SessionId, *, at: datetime) -> None:
        """Note that a session was seen. Never moves `seen_at` back; nothing if it was ended."""

    def verify(self, session: SessionId, *, mailbox: EmailAddress, token_hash: Digest, at: datetime) -> bool:
        """Give a session that proved no other mailbox this one, and a new token: the old token is dead with it.

        False, and nothing written, if there is no such session or it had proved another mailbox.
        `started_at` and `seen_at` become `at`. The checkouts that it began with no address, and that are not booked,
        note the mailbox, once: a session that a change carried on verifies another one later.
        """

    def end(self, session: SessionId) -> bool:
        """End one session; its cookie means nothing from now on. Whether there was one."""

    def end_of_address(self, mailbox: EmailAddress) -> int:
        """End every session that proved this mailbox; how many."""

    def end_of_change(self, move: ChangeId) -> int:
        """End every session that this change carried to its mailbox; how many."""

    def carry(self, old: EmailAddress, *, to: EmailAddress, keep: SessionId, change: ChangeId) -> None:
        """End every session that proved the old mailbox but `keep`, which `change` carries to the new one."""


class ReadMagicLinks(Protocol):
    """Single-use proofs of an address. Reading only."""

    def get(self, link: LinkId) -> MagicLink | None:
        """The link of that id."""

    def with_code(self, asked_by: SessionId) -> Sequence[MagicLink]:
        """The links with a code that this browser asked for, in whatever state, newest first."""

    def used_with(self, cookie: Digest) -> MagicLink | None:
        """The link that a submit with this cookie used last."""

    def used_for(self, checkout: CheckoutId | None, mailbox: EmailAddress | None) -> Sequence[MagicLink]:
        """The links of a checkout or of a mailbox that were used and are still stored, in order of their use."""


class MagicLinks(ReadMagicLinks, Protocol):
    """Single-use proofs of an address."""

    def add(self, link: MagicLink) -> None:
        """A new link. Its id is fresh randomness."""

    def consume(self, link: LinkId, *, at: datetime, used_with: Digest | None = None) -> bool:
        """Use a link up: True for exactly one caller, ever. Says nothing of expiry: look at the link first.

        `used_with`: the hash of the cookie that came with it, to recognise the same submit when it comes again.
        """

    def supersede(self, mailbox: EmailAddress, *, asked_by: SessionId) -> None:
        """Mark every unused link of purpose LOGIN that this browser asked for this mailbox as superseded."""

    def count_code_attempt(self, links: Sequence[LinkId], *, most: int) -> bool:
        """Count one try of each of these links' codes, in one statement, where fewer than `most` were counted.

        Whether any was counted.
        """


class ReadAddressChanges(Protocol):
    """Requests to move purchases to another address, and what came of them. Reading only."""

    def get(self, move: ChangeId) -> AddressChange | None:
        """The move of that id."""

    def done_to(self, mailbox: EmailAddress) -> Sequence[AddressChange]:
        """The moves to this mailbox that were done and not undone, oldest first."""

    def done_from(self, mailbox: EmailAddress) -> Sequence[AddressChange]:
        """The moves away from this mailbox that were done and not undone, oldest first."""

    def of_address(self, mailbox: EmailAddress) -> Sequence[AddressChange]:
        """Every move from or to this mailbox, whatever came of it, in the order in which they were asked for."""

    def correction_of(self, checkout: CheckoutId) -> AddressChange | None:
        """The correction of this purchase's address that was asked for (first), whatever came of it."""

    def former_addresses(self, mailbox: EmailAddress) -> Sequence[EmailAddress]:
        """Addresses that were changed to this one and are no user's (again), in order."""


class AddressChanges(ReadAddressChanges, Protocol):
    """Requests to move purchases to another address, and what came of them."""

    def begin(self, move: AddressChange) -> None:
        """Note that something is to move. Its id is fresh randomness."""

    def settle(
        self,
        move: ChangeId,
        *,
        done_at: datetime | None = None,
        undone_at: datetime | None = None,
        checkouts: Sequence[CheckoutId] | None = None,
        before: Before | None = None,
    ) -> bool:
        """Write down that a move was done (only while it waits), or undone (once, done or not); whether we wrote.

        `checkouts`: what moved, where that was not known before; `before`: what an undo brings back beside them.
        """

    def cancel_pending(self, old: EmailAddress, *, at: datetime, kind: ChangeKind | None = None) -> int:
        """Take back every move away from this address that still waits for its proof, of one kind or any; how many."""


class ReadErasures(Protocol):
    """Erased persons. Reading only."""

    def erased_at(self, checkouts: Sequence[CheckoutId]) -> Mapping[CheckoutId, datetime]:
        """When the buyers of these orders were erased; orders of nobody who was are left out."""

    def is_erased(self, checkout: CheckoutId) -> bool:
        """Whether the buyer of this checkout was erased."""

    def address_erased_at(self, tag: str) -> datetime | None:
        """When the address of this tag was erased last; None if it is not noted."""

    def checkouts_after(self, checkout: str, *, limit: int) -> Sequence[CheckoutId]:
        """Checkouts of erased buyers, in order of id, after `checkout`."""

    def addresses_after(self, tag: str, *, limit: int) -> Sequence[ErasedAddress]:
        """Erased addresses, in order of tag, after `tag`."""

    def known_addresses_after(self, address: str, *, limit: int) -> Sequence[EmailAddress]:
        """Every address that any row names, in order, after `address`."""


class Erasures(ReadErasures, Protocol):
    """Erased persons."""

    def erase(self, mailbox: EmailAddress, *, at: datetime) -> Sequence[CheckoutId]:
        """Erase a person: `erase_order` for what is theirs, then `forget`; the checkouts whose purchases were theirs.

        Theirs are the purchases of their user, and the checkouts of the mailbox that were not paid (yet). A checkout
        that the mailbox began and whose purchase is another's stays as it is, but for the mailbox.
        """

    def erase_order(self, checkout: CheckoutId, *, at: datetime) -> bool:
        """Note that the person of a checkout was erased, and take them out of it; whether that changed anything.

        Its purchase stays, without user, mailbox, paid_email and session. Its downloads, its place in the line for
        a licence key, its note, its access email, the mail of a failed payment, the reasons in audit lines about it,
        and links and mails to addresses that were named for it (`LinkPurpose.OWNER`) are gone. The checkout need not
        be known here.
        """

    def note_address(self, erased: ErasedAddress) -> bool:
        """Note that the person of an address was erased; False, and nothing written, if as late a time is noted."""

    def forget(self, mailbox: EmailAddress) -> None:
        """Forget a person who owns nothing: user, sessions, links, mails and moves of the mailbox are gone.

        So is what was sent for requests of theirs to other addresses, and what names an address that they changed
        to this one, from before the change, unless it is a user's (again). What belongs to others stays: the notice
        of a request to move something here, and a move away that was done, with its notice and its undo link, which
        guard the new address (until they are pruned). A request to move something here that still waits stays, too,
        without this address; and of a correction, that there was one.
        """
