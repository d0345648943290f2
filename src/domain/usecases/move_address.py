"""Move to the right address: one purchase whose address was mistyped, or everything of somebody who has a new one.

Asking moves nothing. The new address is sent a proof, the old one a notice that can undo it; see `finish_move`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.access import holds_by_checkout
from domain.books import Books
from domain.keys import Keyring
from domain.letters import address_notice_letter, order_number, prove_address_letter
from domain.limits import CHANGES_PER_ACCOUNT
from domain.magic_link import LinkPurpose, MagicLink
from domain.mail import MailKind, Urgency
from domain.moves import MayNotCorrect, Move, MoveKind, may_correct
from domain.ports import Catalogue, Clock, Randomness, Store
from domain.product import ShopInfo
from domain.purchase import Purchase
from domain.session import Session, Visitor
from domain.usecases.greet import known_as, live_session
from domain.usecases.login_limits import take_network, take_shop, within_limits
from domain.usecases.post import post
from domain.usecases.request_login import NotAnAddress, TooManyRequests
from domain.values import CheckoutId, EmailAddress, InvalidEmail, LinkId, MoveId, mask, sortable_id


@dataclass(frozen=True, slots=True)
class LookInTheNewMail:
    """A proof went to the new address, unless too many were asked for, or the old address was verified before a
    correction: neither shows."""

    kind: MoveKind


@dataclass(frozen=True, slots=True)
class SameAddress:
    """It is the address already."""


@dataclass(frozen=True, slots=True)
class NotSignedIn:
    """Only somebody who proved the old mailbox can change it."""


@dataclass(frozen=True, slots=True)
class VerifyAgain:
    """The old mailbox was verified too long ago in this browser for something that moves a whole account."""


Asked = (
    LookInTheNewMail
    | SameAddress
    | NotSignedIn
    | VerifyAgain
    | MayNotCorrect
    | NotAnAddress
    | TooManyRequests
)


@dataclass(frozen=True, slots=True)
class MoveAddress:
    """Both ways to another address."""

    store: Store
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def correct(self, visitor: Visitor, order: CheckoutId, typed: str) -> Asked:
        """The address given at a payment was wrong. Raises StoreUnavailable."""
        new = _parsed(typed)
        if isinstance(new, NotAnAddress):
            return new
        wish = self._wish(visitor, new)
        return await self.store.transact(lambda books: wish.correct(books, order))

    async def change(self, visitor: Visitor, typed: str) -> Asked:
        """The owner of an account, verified within the hour, has a new address. Raises StoreUnavailable."""
        new = _parsed(typed)
        if isinstance(new, NotAnAddress):
            return new
        return await self.store.transact(self._wish(visitor, new).change)

    def _wish(self, visitor: Visitor, new: EmailAddress) -> _Wish:
        now = self.clock.now()
        return _Wish(
            visitor=visitor,
            new=new,
            shop=self.catalogue.current().shop,
            keyring=self.keyring,
            id=MoveId(sortable_id(now=now, chance=self.randomness.token(10))),
            proof=LinkId(self.randomness.token(16).hex()),
            undo=LinkId(self.randomness.token(16).hex()),
            now=now,
        )


def _parsed(typed: str) -> EmailAddress | NotAnAddress:
    try:
        return EmailAddress.parse(typed)
    except InvalidEmail as error:
        return NotAnAddress(sentence=str(error))


@dataclass(frozen=True, slots=True)
class _Wish:
    visitor: Visitor
    new: EmailAddress
    shop: ShopInfo
    keyring: Keyring
    id: MoveId
    proof: LinkId
    undo: LinkId
    now: datetime

    def correct(self, books: Books, order: CheckoutId) -> Asked:
        session = live_session(books, self.visitor, now=self.now)
        purchase = books.purchase(order)
        if purchase is None or purchase.mailbox is None:
            return MayNotCorrect.NOT_HERE
        here = session is not None and holds_by_checkout(session, purchase, now=self.now)
        why = may_correct(purchase, here=here, moved=books.moved(order), now=self.now)
        if session is None or why is not None:
            return why or MayNotCorrect.NOT_HERE
        if purchase.mailbox == self.new:
            return self._same(books)
        return self._ask(
            books,
            session,
            MoveKind.CORRECTION,
            old=purchase.mailbox,
            checkouts=(order,),
            what=_named(purchase),
        )

    def change(self, books: Books) -> Asked:
        session = live_session(books, self.visitor, now=self.now)
        if session is None or session.mailbox is None:
            return NotSignedIn()
        if session.mailbox == self.new:
            return SameAddress()
        if not session.verified_lately(now=self.now):
            return VerifyAgain()
        what = f"everything bought as {mask(session.mailbox)}"
        return self._ask(books, session, MoveKind.CHANGE, old=session.mailbox, checkouts=(), what=what)

    def _further_limits(
        self, books: Books, session: Session, kind: MoveKind, old: EmailAddress
    ) -> datetime | None:
        """Both emails count: those of one account, and what strangers to an address cause in the whole shop."""
        if kind is MoveKind.CHANGE:
            bucket = self.keyring.bucket(CHANGES_PER_ACCOUNT.kind, old.canonical)
            until = books.take(bucket, CHANGES_PER_ACCOUNT, now=self.now, ref=self.proof)
            if until is not None:
                return until
        return take_shop(
            books, session, self.visitor, self.new, keyring=self.keyring, now=self.now, ref=self.proof
        )

    def _same(self, books: Books) -> Asked:
        """Counted like any other request: a browser that did not pay could try one address after the other."""
        until = take_network(books, self.visitor, keyring=self.keyring, now=self.now, ref=self.proof)
        return SameAddress() if until is None else TooManyRequests(until=until)

    def _ask(
        self,
        books: Books,
        session: Session,
        kind: MoveKind,
        *,
        old: EmailAddress,
        checkouts: tuple[CheckoutId, ...],
        what: str,
    ) -> Asked:
        until = take_network(books, self.visitor, keyring=self.keyring, now=self.now, ref=self.proof)
        if until is None:
            until = self._further_limits(books, session, kind, old)
        if until is not None:
            books.give_back(self.proof)
            return TooManyRequests(until=until)
        if not within_limits(
            books, session, self.visitor, self.new, keyring=self.keyring, now=self.now, ref=self.proof
        ):
            return LookInTheNewMail(kind)
        user = books.user(old)
        verified = kind is MoveKind.CORRECTION and user is not None and user.proved_at is not None
        books.begin_move(
            Move(
                id=self.id,
                kind=kind,
                old=old,
                new=self.new,
                asked_by=session.id,
                asked_at=self.now,
                checkouts=checkouts,
                # Kept as taken back at once, so that asking again gets the same answer whether it was verified or not.
                undone_at=self.now if verified else None,
            )
        )
        if verified:
            return LookInTheNewMail(kind)
        self._link(books, self.proof, LinkPurpose.MOVE, to=self.new, asked_by=session)
        self._link(books, self.undo, LinkPurpose.UNDO, to=old, asked_by=None)
        key = self.keyring.signing.name
        proof = prove_address_letter(
            shop=self.shop,
            what=what,
            to=self.new,
            here_only=kind is MoveKind.CHANGE,
            merges=books.knows(self.new),
        )
        stranger = known_as(session, self.visitor, self.new, keyring=self.keyring) is None
        for link, to, letter, urgency in (
            (self.proof, self.new, proof, Urgency.STRANGER if stranger else Urgency.KNOWN),
            (self.undo, old, address_notice_letter(shop=self.shop, what=what), Urgency.KNOWN),
        ):
            post(
                books,
                letter,
                key=f"address:{link}",
                kind=MailKind.ADDRESS,
                to=to,
                now=self.now,
                link=link,
                key_name=key,
                urgency=urgency,
            )
        return LookInTheNewMail(kind)

    def _link(
        self, books: Books, link: LinkId, purpose: LinkPurpose, *, to: EmailAddress, asked_by: Session | None
    ) -> None:
        books.add_link(
            MagicLink(
                id=link,
                key=self.keyring.signing.name,
                purpose=purpose,
                mailbox=to,
                asked_by=None if asked_by is None else asked_by.id,
                product=None,
                made_at=self.now,
                move=self.id,
            )
        )


def _named(purchase: Purchase) -> str:
    return f"{purchase.product_name} (order {order_number(purchase)})"
