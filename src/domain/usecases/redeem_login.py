"""Prove a mailbox: by the link of a mail, in any browser, or by its code, in the browser that asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from domain.books import Books, BooksView
from domain.keys import CODE_LENGTH, Keyring, LinkToken, read_token, same_code, tidy_code
from domain.magic_link import (
    MOST_CODE_TRIES,
    LinkPurpose,
    LinkState,
    MagicLink,
    code_is_dead,
    link_state,
)
from domain.ports import Clock, Randomness, Store
from domain.session import NewSession, Visitor
from domain.usecases.book_sale import Booking, BookSale
from domain.usecases.finish_move import finish_move, undo_move
from domain.usecases.greet import live_session, new_session, prove_mailbox
from domain.usecases.take_free import book_free
from domain.values import EmailAddress, ProductId


@dataclass(frozen=True, slots=True)
class CameIn:
    """The mailbox is proved. `token` is the session's new cookie, `device` the tag of a browser that proved it."""

    token: str
    device: str
    mailbox: EmailAddress
    product: ProductId | None


class Trouble(Enum):
    """Why a link or a code does not open."""

    TRUNCATED = auto()
    """Not the whole link: mail programs cut long lines."""
    FORGED = auto()
    """Not a link of ours, or its secret was taken out."""
    USED = auto()
    SUPERSEDED = auto()
    EXPIRED = auto()
    WRONG_CODE = auto()
    CODE_DEAD = auto()
    """Five wrong tries; the link in the same mail still works."""
    NO_CODE_HERE = auto()
    """This browser asked for no code."""
    WITHDRAWN = auto()
    """The change of address it proves was taken back, or somebody proved that the old one is theirs."""


@dataclass(frozen=True, slots=True)
class Turned:
    """It does not open; `tries_left` for a wrong code; `renewable`: a new mail can be sent without typing."""

    trouble: Trouble
    tries_left: int = 0
    renewable: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """The link would open if its button were pressed; `purpose` says what else that would do."""

    purpose: LinkPurpose


_TROUBLE_OF = {
    LinkState.USED: Trouble.USED,
    LinkState.SUPERSEDED: Trouble.SUPERSEDED,
    LinkState.EXPIRED: Trouble.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class RedeemLogin:
    """Links and codes, each used once; using either uses up both, and does what the link is for."""

    store: Store
    keyring: Keyring
    clock: Clock
    randomness: Randomness
    booking: BookSale

    async def look(self, token_text: str) -> Ready | Turned:
        """What a link's GET shows. Changes nothing. Raises StoreUnavailable."""
        token = read_token(token_text)
        if token is None:
            return Turned(trouble=Trouble.TRUNCATED)
        now = self.clock.now()
        found = await self.store.read(lambda books: self._find(books, token, now))
        return Ready(purpose=found.purpose) if isinstance(found, MagicLink) else found

    async def by_link(self, visitor: Visitor, token_text: str) -> CameIn | Turned:
        """Press the button: for exactly one caller, ever. Raises StoreUnavailable."""
        token = read_token(token_text)
        if token is None:
            return Turned(trouble=Trouble.TRUNCATED)
        now = self.clock.now()
        entry = self._entry(visitor, now)

        def work(books: Books) -> CameIn | Turned:
            found = self._find(books, token, now)
            return found if isinstance(found, Turned) else entry.let_in(books, found)

        return await self.store.transact(work)

    async def by_code(self, visitor: Visitor, typed: str) -> CameIn | Turned:
        """Type the code. The try is counted before it is compared, and durable before we answer.

        Raises StoreUnavailable.
        """
        code = tidy_code(typed)
        now = self.clock.now()
        entry = self._entry(visitor, now)

        def work(books: Books) -> CameIn | Turned:
            link = self._code_link(books, visitor, now)
            if isinstance(link, Turned):
                return link
            left = MOST_CODE_TRIES - link.code_tries
            if len(code) != CODE_LENGTH:
                return Turned(trouble=Trouble.WRONG_CODE, tries_left=left)
            if not books.count_code_try(link.id, most=MOST_CODE_TRIES):
                return Turned(trouble=Trouble.CODE_DEAD)
            key = self.keyring.named(link.key)
            if key is None:
                return Turned(trouble=Trouble.EXPIRED)
            if not same_code(code, key.code_of(link.id)):
                trouble = Trouble.WRONG_CODE if left > 1 else Trouble.CODE_DEAD
                return Turned(trouble=trouble, tries_left=left - 1)
            return entry.let_in(books, link)

        return await self.store.transact(work)

    def _entry(self, visitor: Visitor, now: datetime) -> _Entry:
        """What letting somebody in needs from outside its transaction."""
        return _Entry(
            visitor=visitor,
            keyring=self.keyring,
            booking=self.booking.prepare(now=now),
            fresh=new_session(self.randomness, now=now),
            nonce=self.randomness.token(8).hex(),
            now=now,
        )

    def _find(self, books: BooksView, token: LinkToken, now: datetime) -> MagicLink | Turned:
        link = books.link(token.id)
        key = None if link is None else self.keyring.named(link.key)
        if link is None or key is None or not token.is_from(key):
            return Turned(trouble=Trouble.FORGED)
        state = link_state(link, now=now)
        if state is not LinkState.USABLE:
            return Turned(trouble=_TROUBLE_OF[state], renewable=_is_renewable(link))
        return link

    def _code_link(self, books: BooksView, visitor: Visitor, now: datetime) -> MagicLink | Turned:
        session = live_session(books, visitor, now=now)
        link = None if session is None else books.newest_login(session.id)
        if link is None:
            return Turned(trouble=Trouble.NO_CODE_HERE)
        state = link_state(link, now=now)
        if state is not LinkState.USABLE:
            return Turned(trouble=_TROUBLE_OF[state])
        if code_is_dead(link):
            return Turned(trouble=Trouble.CODE_DEAD)
        return link


@dataclass(frozen=True, slots=True)
class _Entry:
    visitor: Visitor
    keyring: Keyring
    booking: Booking
    fresh: NewSession
    nonce: str
    now: datetime

    def let_in(self, books: Books, link: MagicLink) -> CameIn | Turned:
        """Spend the link, do what it is for, and note that this browser proved its mailbox."""
        if not books.spend_link(link.id, at=self.now):
            return Turned(trouble=Trouble.USED, renewable=_is_renewable(link))
        if not self._act(books, link):
            return Turned(trouble=Trouble.WITHDRAWN)
        prove_mailbox(books, link.mailbox, self.fresh, self.visitor, now=self.now)
        return CameIn(
            token=self.fresh.token,
            device=self.keyring.device_tag(nonce=self.nonce, mailbox=link.mailbox.canonical),
            mailbox=link.mailbox,
            product=link.product,
        )

    def _act(self, books: Books, link: MagicLink) -> bool:
        """What a link does beside proving the mailbox; False if that is not to be done any more."""
        match link.purpose:
            case LinkPurpose.TICKET | LinkPurpose.LOGIN:
                return True
            case LinkPurpose.ORDER:
                checkout = None if link.checkout is None else books.checkout(link.checkout)
                if checkout is None:
                    return False
                book_free(books, checkout, link.mailbox, booking=self.booking)
                return True
            case LinkPurpose.MOVE:
                return link.move is not None and finish_move(
                    books, link.move, new_user=self.booking.user, now=self.now
                )
            case LinkPurpose.UNDO:
                undone = link.move and undo_move(books, link.move, new_user=self.booking.user, now=self.now)
                return bool(undone)


def _is_renewable(link: MagicLink) -> bool:
    """Whether a new mail can be asked for without typing: a plain login does what these did."""
    return link.purpose in (LinkPurpose.TICKET, LinkPurpose.LOGIN)
