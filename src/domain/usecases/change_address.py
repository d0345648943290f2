"""Move to the right address: one purchase whose address was mistyped, or everything of somebody who has a new one.

Asking moves nothing. The new address is sent a proof, the old one a notice that can undo it; see `finish_change`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from domain.access import holds_by_checkout
from domain.address_change import AddressChange, ChangeKind, MayNotCorrect, may_correct
from domain.keys import Keyring
from domain.letters import address_notice_letter, order_number, prove_address_letter
from domain.limits import CHANGES_PER_ACCOUNT
from domain.magic_link import LinkPurpose, MagicLink
from domain.mail import Urgency
from domain.ports import Catalogue, Clock, Randomness, Store
from domain.product import ShopInfo
from domain.session import Session, Visitor
from domain.transaction import Transaction
from domain.usecases.identify_viewer import live_session
from domain.usecases.request_limits import RequestLimits
from domain.usecases.request_login import NotAnAddress, TooManyRequests
from domain.usecases.send_email import send_link
from domain.values import ChangeId, CheckoutId, EmailAddress, InvalidEmail, LinkId, mask, sortable_id


@dataclass(frozen=True, slots=True)
class CheckYourNewEmail:
    """A proof went to the new address, unless too many were asked for, or the old address was verified before a
    correction: neither shows."""

    kind: ChangeKind


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
    CheckYourNewEmail
    | SameAddress
    | NotSignedIn
    | VerifyAgain
    | MayNotCorrect
    | NotAnAddress
    | TooManyRequests
)


@dataclass(frozen=True, slots=True)
class ChangeAddress:
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
        limits = self._limits(visitor)
        draft = self._draft(limits, ChangeKind.CORRECTION, new, checkouts=(order,))

        def work(tx: Transaction) -> Asked:
            session = live_session(tx, visitor, now=limits.now)
            purchase = tx.purchases.get(order)
            if purchase is None or purchase.mailbox is None:
                return MayNotCorrect.NOT_HERE
            here = session is not None and holds_by_checkout(session, purchase, now=limits.now)
            why = may_correct(
                purchase, here=here, moved=tx.address_changes.was_corrected(order), now=limits.now
            )
            if session is None or why is not None:
                return why or MayNotCorrect.NOT_HERE
            if purchase.mailbox == new:
                # Counted like any other request: a browser that did not pay could try one address after the other.
                until = limits.take_network(tx)
                return SameAddress() if until is None else TooManyRequests(until=until)
            what = f"{purchase.product_name} (order {order_number(purchase)})"
            return draft.ask(tx, session, old=purchase.mailbox, what=what)

        return await self.store.transact(work)

    async def change(self, visitor: Visitor, typed: str) -> Asked:
        """The owner of an account, verified within the hour, has a new address. Raises StoreUnavailable."""
        new = _parsed(typed)
        if isinstance(new, NotAnAddress):
            return new
        limits = self._limits(visitor)
        draft = self._draft(limits, ChangeKind.CHANGE, new, checkouts=())

        def work(tx: Transaction) -> Asked:
            session = live_session(tx, visitor, now=limits.now)
            if session is None or session.mailbox is None:
                return NotSignedIn()
            if session.mailbox == new:
                return SameAddress()
            if not session.verified_lately(now=limits.now):
                return VerifyAgain()
            what = f"everything bought as {mask(session.mailbox)}"
            return draft.ask(tx, session, old=session.mailbox, what=what)

        return await self.store.transact(work)

    def _limits(self, visitor: Visitor) -> RequestLimits:
        """Of one request; its reference becomes the id of the link that proves the new address."""
        ref = self.randomness.token(16).hex()
        return RequestLimits(self.keyring, visitor, now=self.clock.now(), ref=ref)

    def _draft(
        self, limits: RequestLimits, kind: ChangeKind, new: EmailAddress, *, checkouts: tuple[CheckoutId, ...]
    ) -> _Draft:
        return _Draft(
            id=ChangeId(sortable_id(now=limits.now, entropy=self.randomness.token(10))),
            kind=kind,
            new=new,
            checkouts=checkouts,
            undo=LinkId(self.randomness.token(16).hex()),
            shop=self.catalogue.current().shop,
            limits=limits,
        )


def _parsed(typed: str) -> EmailAddress | NotAnAddress:
    try:
        return EmailAddress.parse(typed)
    except InvalidEmail as error:
        return NotAnAddress(sentence=str(error))


@dataclass(frozen=True, slots=True)
class _Draft:
    """A move that may be asked for; whose address it leaves is known inside the transaction."""

    id: ChangeId
    kind: ChangeKind
    new: EmailAddress
    checkouts: tuple[CheckoutId, ...]
    undo: LinkId
    shop: ShopInfo
    limits: RequestLimits

    def ask(self, tx: Transaction, session: Session, *, old: EmailAddress, what: str) -> Asked:
        """Within the limits, write the move, and send the proof to the new address and the notice to the old one."""
        until = self._take_limits(tx, session, old)
        if until is not None:
            return TooManyRequests(until=until)
        asked = CheckYourNewEmail(self.kind)
        if not self.limits.take_address(tx, session, self.new):
            return asked
        user = tx.users.by_address(old)
        verified = self.kind is ChangeKind.CORRECTION and user is not None and user.proved_at is not None
        move = AddressChange(
            id=self.id,
            kind=self.kind,
            old=old,
            new=self.new,
            asked_by=session.id,
            asked_at=self.limits.now,
            checkouts=self.checkouts,
            # Kept as taken back at once, so that asking again gets the same answer whether it was verified or not.
            undone_at=self.limits.now if verified else None,
        )
        tx.address_changes.begin(move)
        if not verified:
            self._send(tx, session, old=old, what=what)
        return asked

    def _take_limits(self, tx: Transaction, session: Session, old: EmailAddress) -> datetime | None:
        """Both emails count: those of one account, and what strangers to an address cause in the whole shop."""
        limits = self.limits
        until = limits.take_network(tx)
        if until is None and self.kind is ChangeKind.CHANGE:
            bucket = limits.keyring.bucket(CHANGES_PER_ACCOUNT.kind, old.canonical)
            until = tx.limits.acquire(bucket, CHANGES_PER_ACCOUNT, now=limits.now, ref=limits.ref)
        if until is None:
            until = limits.take_shop(tx, session, self.new)
        if until is not None:
            tx.limits.release(limits.ref)
        return until

    def _send(self, tx: Transaction, session: Session, *, old: EmailAddress, what: str) -> None:
        merges = tx.users.exists(self.new)
        here_only = self.kind is ChangeKind.CHANGE
        proof = prove_address_letter(
            shop=self.shop, what=what, to=self.new, here_only=here_only, merges=merges
        )
        notice = address_notice_letter(shop=self.shop, what=what)
        link = MagicLink(
            id=LinkId(self.limits.ref),
            key=self.limits.keyring.signing.name,
            purpose=LinkPurpose.MOVE,
            mailbox=self.new,
            asked_by=session.id,
            product=None,
            made_at=self.limits.now,
            move=self.id,
        )
        send_link(tx, link, proof, urgency=self.limits.urgency(session, self.new))
        undo = replace(link, id=self.undo, purpose=LinkPurpose.UNDO, mailbox=old, asked_by=None)
        send_link(tx, undo, notice, urgency=Urgency.KNOWN)
