"""Ask for a link at the door. Same answer and same steps, whether we know the address or not."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from domain.emails import SignIn
from domain.frozen import frozen
from domain.keys import Keyring, read_token
from domain.magic_link import LinkPurpose, MagicLink
from domain.ports import Catalogue, Clock, Randomness, Store
from domain.session import Visitor
from domain.transaction import Transaction
from domain.usecases.identify_viewer import begin_session, live_session, new_session
from domain.usecases.request_limits import RequestLimits
from domain.usecases.send_email import send_link
from domain.values import EmailAddress, EmailProblem, InvalidEmail, LinkId, ProductId

A = TypeVar("A")


@frozen
class CheckYourEmail:
    """The one answer to an address. `new_token` is the cookie of a browser that had no session."""

    new_token: str | None


@frozen
class NotAnAddress:
    """The input is not an email address."""

    problem: EmailProblem


@frozen
class TooManyRequests:
    """This network, or the shop's strangers together, asked too often; a place is free again at `until`."""

    until: datetime


@frozen
class NothingToRenew:
    """This shop did not issue the token, so there is no address to email."""


@frozen
class RequestLogin:
    """Queue a login mail with link and code, within the limits. An unknown address costs the same work: its mail
    is dropped on delivery."""

    store: Store
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def __call__(self, visitor: Visitor, typed: str) -> CheckYourEmail | NotAnAddress | TooManyRequests:
        """Raises StoreUnavailable."""
        try:
            mailbox = EmailAddress.parse(typed)
        except InvalidEmail as error:
            return await self._count_only(visitor, NotAnAddress(error.problem))
        return await self._ask(visitor, mailbox, product=None)

    async def renew(
        self, visitor: Visitor, token_text: str
    ) -> CheckYourEmail | NothingToRenew | TooManyRequests:
        """Another login to the mailbox of an old link, without typing. Only its owner ever had that token."""
        token = read_token(token_text)
        link = None if token is None else await self.store.read(lambda tx: tx.links.get(token.id))
        key = None if link is None else self.keyring.named(link.key)
        if token is None or link is None or key is None or not token.is_from(key):
            return await self._count_only(visitor, NothingToRenew())
        return await self._ask(visitor, link.mailbox, product=link.product)

    async def _count_only(self, visitor: Visitor, answer: A) -> A | TooManyRequests:
        until = await self.store.transact(self._limits(visitor).take_network)
        return answer if until is None else TooManyRequests(until=until)

    async def _ask(
        self, visitor: Visitor, mailbox: EmailAddress, *, product: ProductId | None
    ) -> CheckYourEmail | TooManyRequests:
        limits = self._limits(visitor)
        now = limits.now
        fresh = new_session(self.randomness, now=now)

        def work(tx: Transaction) -> CheckYourEmail | TooManyRequests:
            held = live_session(tx, visitor, now=now)
            # A browser that verified this address has its own allowance: no neighbour can use it up.
            known = limits.known_as(held, mailbox) is not None
            until = None if known else limits.take_network(tx)
            if until is None:
                until = limits.take_shop(tx, held, mailbox)
            if until is not None:
                return TooManyRequests(until=until)
            session = held or begin_session(tx, fresh, visitor, now=now)
            if limits.take_address(tx, session, mailbox):
                link = MagicLink(
                    id=LinkId(limits.ref),
                    key=self.keyring.signing.name,
                    purpose=LinkPurpose.LOGIN,
                    mailbox=mailbox,
                    asked_by=session.id,
                    product=product,
                    made_at=now,
                )
                send_link(tx, link, SignIn(), urgency=limits.urgency(session, mailbox))
            return CheckYourEmail(new_token=None if held else fresh.token)

        return await self.store.transact(work)

    def _limits(self, visitor: Visitor) -> RequestLimits:
        """Of one request; its reference becomes the id of the link."""
        ref = self.randomness.token(16).hex()
        return RequestLimits(self.keyring, visitor, now=self.clock.now(), ref=ref)
