"""Prove a mailbox: by the link of a mail, in any browser, or by its code, in the browser that asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from domain.books import Books, BooksView
from domain.keys import CODE_LENGTH, Keyring, LinkToken, read_token, same_code, tidy_code
from domain.magic_link import MOST_CODE_TRIES, LinkState, MagicLink, code_is_dead, link_state
from domain.ports import Clock, Randomness, Store
from domain.session import NewSession, Visitor
from domain.usecases.greet import live_session, new_session, prove_mailbox
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


@dataclass(frozen=True, slots=True)
class Turned:
    """It does not open; `tries_left` for a wrong code; `renewable`: a new mail can be sent without typing."""

    trouble: Trouble
    tries_left: int = 0
    renewable: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """The link would open if its button were pressed."""


_TROUBLE_OF = {
    LinkState.USED: Trouble.USED,
    LinkState.SUPERSEDED: Trouble.SUPERSEDED,
    LinkState.EXPIRED: Trouble.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class RedeemLogin:
    """Links and codes, each used once; using either uses up both."""

    store: Store
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def look(self, token_text: str) -> Ready | Turned:
        """What a link's GET shows. Changes nothing. Raises StoreUnavailable."""
        token = read_token(token_text)
        if token is None:
            return Turned(trouble=Trouble.TRUNCATED)
        now = self.clock.now()
        found = await self.store.read(lambda books: self._find(books, token, now))
        return Ready() if isinstance(found, MagicLink) else found

    async def by_link(self, visitor: Visitor, token_text: str) -> CameIn | Turned:
        """Press the button: for exactly one caller, ever. Raises StoreUnavailable."""
        token = read_token(token_text)
        if token is None:
            return Turned(trouble=Trouble.TRUNCATED)
        now = self.clock.now()
        fresh, nonce = new_session(self.randomness, now=now), self.randomness.token(8).hex()

        def work(books: Books) -> CameIn | Turned:
            found = self._find(books, token, now)
            if isinstance(found, Turned):
                return found
            return self._let_in(books, visitor, found, fresh, nonce, now)

        return await self.store.transact(work)

    async def by_code(self, visitor: Visitor, typed: str) -> CameIn | Turned:
        """Type the code. The try is counted before it is compared, and durable before we answer.

        Raises StoreUnavailable.
        """
        code = tidy_code(typed)
        now = self.clock.now()
        fresh, nonce = new_session(self.randomness, now=now), self.randomness.token(8).hex()

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
            return self._let_in(books, visitor, link, fresh, nonce, now)

        return await self.store.transact(work)

    def _find(self, books: BooksView, token: LinkToken, now: datetime) -> MagicLink | Turned:
        link = books.link(token.id)
        key = None if link is None else self.keyring.named(link.key)
        if link is None or key is None or not token.is_from(key):
            return Turned(trouble=Trouble.FORGED)
        state = link_state(link, now=now)
        if state is not LinkState.USABLE:
            return Turned(trouble=_TROUBLE_OF[state], renewable=True)
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

    def _let_in(
        self, books: Books, visitor: Visitor, link: MagicLink, fresh: NewSession, nonce: str, now: datetime
    ) -> CameIn | Turned:
        if not books.spend_link(link.id, at=now):
            return Turned(trouble=Trouble.USED, renewable=True)
        prove_mailbox(books, link.mailbox, fresh, visitor, now=now)
        return CameIn(
            token=fresh.token,
            device=self.keyring.device_tag(nonce=nonce, mailbox=link.mailbox.canonical),
            mailbox=link.mailbox,
            product=link.product,
        )
