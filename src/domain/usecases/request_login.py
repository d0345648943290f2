"""Ask for a link at the door. Same answer and same steps, whether we know the address or not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from domain.books import Books
from domain.keys import Keyring, read_token
from domain.letters import login_letter
from domain.magic_link import LinkPurpose, MagicLink
from domain.mail import MailKind, Urgency
from domain.ports import Catalogue, Clock, Randomness, Store
from domain.product import ShopInfo
from domain.session import NewSession, Session, Visitor
from domain.usecases.greet import begin_session, known_as, live_session, new_session
from domain.usecases.login_limits import take_network, take_shop, within_limits
from domain.usecases.post import post
from domain.values import EmailAddress, InvalidEmail, LinkId, ProductId

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class LookInYourMail:
    """The one answer to an address. `new_token` is the cookie of a browser that had no session."""

    new_token: str | None


@dataclass(frozen=True, slots=True)
class NotAnAddress:
    """What was typed is no address; `sentence` says why."""

    sentence: str


@dataclass(frozen=True, slots=True)
class TooManyRequests:
    """This network, or the shop's strangers together, asked too often; a place is free again at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class NothingToRenew:
    """The token is not one of ours, so there is no address to mail."""


@dataclass(frozen=True, slots=True)
class RequestLogin:
    """Queue a login mail with link and code, within the limits. An unknown address costs the same work: its mail
    is dropped by whoever delivers."""

    store: Store
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def __call__(self, visitor: Visitor, typed: str) -> LookInYourMail | NotAnAddress | TooManyRequests:
        """Raises StoreUnavailable."""
        try:
            mailbox = EmailAddress.parse(typed)
        except InvalidEmail as error:
            return await self._count_only(visitor, NotAnAddress(sentence=str(error)))
        return await self._ask(visitor, mailbox, product=None)

    async def renew(
        self, visitor: Visitor, token_text: str
    ) -> LookInYourMail | NothingToRenew | TooManyRequests:
        """Another login to the mailbox of an old link, without typing. Only its owner ever had that token."""
        token = read_token(token_text)
        link = None if token is None else await self.store.read(lambda books: books.link(token.id))
        key = None if link is None else self.keyring.named(link.key)
        if token is None or link is None or key is None or not token.is_from(key):
            return await self._count_only(visitor, NothingToRenew())
        return await self._ask(visitor, link.mailbox, product=link.product)

    async def _count_only(self, visitor: Visitor, answer: A) -> A | TooManyRequests:
        now = self.clock.now()
        ref = self.randomness.token(16).hex()
        until = await self.store.transact(
            lambda books: take_network(books, visitor, keyring=self.keyring, now=now, ref=ref)
        )
        return answer if until is None else TooManyRequests(until=until)

    async def _ask(
        self, visitor: Visitor, mailbox: EmailAddress, *, product: ProductId | None
    ) -> LookInYourMail | TooManyRequests:
        now = self.clock.now()
        request = _Request(
            visitor=visitor,
            mailbox=mailbox,
            product=product,
            shop=self.catalogue.current().shop,
            keyring=self.keyring,
            fresh=new_session(self.randomness, now=now),
            link=LinkId(self.randomness.token(16).hex()),
            now=now,
        )
        return await self.store.transact(request.run)


@dataclass(frozen=True, slots=True)
class _Request:
    visitor: Visitor
    mailbox: EmailAddress
    product: ProductId | None
    shop: ShopInfo
    keyring: Keyring
    fresh: NewSession
    link: LinkId
    now: datetime

    def run(self, books: Books) -> LookInYourMail | TooManyRequests:
        held = live_session(books, self.visitor, now=self.now)
        # A browser that verified this address has its own allowance: no neighbour can use it up.
        known = known_as(held, self.visitor, self.mailbox, keyring=self.keyring) is not None
        until = (
            None
            if known
            else take_network(books, self.visitor, keyring=self.keyring, now=self.now, ref=self.link)
        )
        if until is None:
            until = take_shop(
                books, held, self.visitor, self.mailbox, keyring=self.keyring, now=self.now, ref=self.link
            )
        if until is not None:
            return TooManyRequests(until=until)
        session = held or begin_session(books, self.fresh, self.visitor, now=self.now)
        if within_limits(
            books, session, self.visitor, self.mailbox, keyring=self.keyring, now=self.now, ref=self.link
        ):
            self._send(books, session)
        return LookInYourMail(new_token=None if held else self.fresh.token)

    def _send(self, books: Books, session: Session) -> None:
        key = self.keyring.signing.name
        who = known_as(session, self.visitor, self.mailbox, keyring=self.keyring)
        books.supersede_links(self.mailbox, asked_by=session.id)
        books.add_link(
            MagicLink(
                id=self.link,
                key=key,
                purpose=LinkPurpose.LOGIN,
                mailbox=self.mailbox,
                asked_by=session.id,
                product=self.product,
                made_at=self.now,
            )
        )
        post(
            books,
            login_letter(shop=self.shop),
            key=f"login:{self.link}",
            kind=MailKind.LOGIN,
            to=self.mailbox,
            now=self.now,
            link=self.link,
            key_name=key,
            urgency=Urgency.STRANGER if who is None else Urgency.KNOWN,
        )
