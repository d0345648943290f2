"""Prove a mailbox: by the link of a mail, in any browser, or by its code, in the browser that asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from domain import outbox_keys
from domain.address_change import ChangeKind, asks_here
from domain.keys import CODE_LENGTH, Keyring, LinkToken, read_token, same_code, tidy_code
from domain.magic_link import (
    MOST_CODE_TRIES,
    LinkPurpose,
    LinkState,
    MagicLink,
    code_is_dead,
    link_state,
    same_submit,
)
from domain.ports import Clock, Randomness, Store
from domain.session import NewSession, Visitor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.book_sale import Booking, BookSale
from domain.usecases.finish_address_change import finish_change, undo_change
from domain.usecases.identify_viewer import live_session, new_session, verify_mailbox
from domain.usecases.order_free import book_free, is_sold_out
from domain.usecases.send_email import notify_merchant
from domain.values import ChangeId, Digest, EmailAddress, ProductId, digest_of


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The mailbox is proved. `token` is the session's new cookie, `device` the tag of a browser that proved it."""

    token: str
    device: str
    mailbox: EmailAddress
    product: ProductId | None


class LinkError(Enum):
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
    ELSEWHERE = auto()
    """A change of address completes only in the browser that asked for it. Nothing was used up."""
    SOLD_OUT = auto()
    """The last free copy was taken by another order. Nothing was used up."""


@dataclass(frozen=True, slots=True)
class LinkRejected:
    """It does not open; `tries_left` for a wrong code; `renewable`: a new mail can be sent without typing."""

    trouble: LinkError
    tries_left: int = 0
    renewable: bool = False


@dataclass(frozen=True, slots=True)
class LinkValid:
    """The link would open if its button were pressed; `purpose` says what else that would do."""

    purpose: LinkPurpose
    mailbox: EmailAddress
    """Whose account this browser would be signed in to."""
    known_here: bool
    """This browser asked for the link, or is signed in to that account already."""
    moving: ChangePreview | None = None


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """What a link about a change of address would move, for the person who reads its page."""

    kind: ChangeKind
    old: EmailAddress
    new: EmailAddress
    names: tuple[str, ...]
    """The products that a correction moves; a change moves everything."""
    merges: bool
    """The new address has purchases already: both would be in one account."""
    asked_here: bool
    code: str
    """What completes a change in the browser that asked for it; "" after too many wrong tries."""


_TROUBLE_OF = {
    LinkState.USED: LinkError.USED,
    LinkState.SUPERSEDED: LinkError.SUPERSEDED,
    LinkState.EXPIRED: LinkError.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class RedeemLink:
    """Links and codes, each used once; using either uses up both, and does what the link is for."""

    store: Store
    keyring: Keyring
    clock: Clock
    randomness: Randomness
    booking: BookSale

    async def look(self, visitor: Visitor, token_text: str) -> LinkValid | LinkRejected:
        """What a link's GET shows. Changes nothing. Raises StoreUnavailable."""
        token = read_token(token_text)
        if token is None:
            return LinkRejected(trouble=LinkError.TRUNCATED)
        now = self.clock.now()

        def work(tx: ReadTransaction) -> LinkValid | LinkRejected:
            found = self._find(tx, token, now)
            return found if isinstance(found, LinkRejected) else self._ready(tx, visitor, found, now)

        return await self.store.read(work)

    async def by_link(self, visitor: Visitor, token_text: str) -> SignedIn | LinkRejected:
        """Press the button: for exactly one browser, ever. Raises StoreUnavailable.

        The same submit, sent again within a minute, gets the same session: see `domain.magic_link.same_submit`.
        """
        token = read_token(token_text)
        if token is None:
            return LinkRejected(trouble=LinkError.TRUNCATED)
        now = self.clock.now()
        entry = self._entry(visitor, now)

        def work(tx: Transaction) -> SignedIn | LinkRejected:
            found = self._find(tx, token, now)
            if isinstance(found, MagicLink):
                return entry.let_in(tx, found, cookie=visitor.form)
            used = tx.links.get(token.id) if found.trouble is LinkError.USED else None
            if used is not None and same_submit(used, visitor.form, now=now):
                return entry.let_in_again(tx, used) or found
            return found

        return await self.store.transact(work)

    async def by_code(self, visitor: Visitor, typed: str) -> SignedIn | LinkRejected:
        """Type the code. The try is counted before it is compared, and durable before we answer.

        Raises StoreUnavailable.
        """
        code = tidy_code(typed)
        now = self.clock.now()
        entry = self._entry(visitor, now)

        def work(tx: Transaction) -> SignedIn | LinkRejected:
            link = self._code_link(tx, visitor, now)
            if isinstance(link, LinkRejected):
                return self._repeated(tx, entry, code) or link
            left = MOST_CODE_TRIES - link.code_tries
            if len(code) != CODE_LENGTH:
                return LinkRejected(trouble=LinkError.WRONG_CODE, tries_left=left)
            if not tx.links.count_code_attempt(link.id, most=MOST_CODE_TRIES):
                return LinkRejected(trouble=LinkError.CODE_DEAD)
            key = self.keyring.named(link.key)
            if key is None:
                return LinkRejected(trouble=LinkError.EXPIRED)
            if not same_code(code, key.code_of(link.id)):
                trouble = LinkError.WRONG_CODE if left > 1 else LinkError.CODE_DEAD
                return LinkRejected(trouble=trouble, tries_left=left - 1)
            return entry.let_in(tx, link, cookie=visitor.token_hash)

        return await self.store.transact(work)

    def _repeated(self, tx: Transaction, entry: _Entry, code: str) -> SignedIn | None:
        """The same code from the browser that used it a moment ago, whichever answer's cookie it kept."""
        held = entry.visitor.token_hash
        if held is None:
            return None
        session = live_session(tx, entry.visitor, now=entry.now)
        link = tx.links.used_with(held)
        if link is None and session is not None:
            # A browser that had verified another mailbox has a new row by now; the code belongs to the former one.
            asked = (
                tx.links.newest_with_code(row) for row in (session.id, session.former) if row is not None
            )
            link = next((one for one in asked if one is not None and entry.token_hash_of(one) == held), None)
        key = None if link is None else self.keyring.named(link.key)
        if link is None or key is None or not same_submit(link, link.used_with, now=entry.now):
            return None
        # The right code may have been the fifth try; sent again, it must not be refused for that.
        if not tx.links.count_code_attempt(link.id, most=2 * MOST_CODE_TRIES):
            return None
        return entry.let_in_again(tx, link) if same_code(code, key.code_of(link.id)) else None

    def _ready(self, tx: ReadTransaction, visitor: Visitor, link: MagicLink, now: datetime) -> LinkValid:
        session = live_session(tx, visitor, now=now)
        asked_here = session is not None and session.id == link.asked_by
        signed_in = session is not None and session.mailbox == link.mailbox
        move = None if link.move is None else tx.address_changes.get(link.move)
        key = self.keyring.named(link.key)
        return LinkValid(
            purpose=link.purpose,
            mailbox=link.mailbox,
            known_here=asked_here or signed_in,
            moving=None
            if move is None or key is None
            else ChangePreview(
                kind=move.kind,
                old=move.old,
                new=move.new,
                names=tuple(
                    found.product_name for found in map(tx.purchases.get, move.checkouts) if found is not None
                ),
                merges=tx.users.exists(move.new),
                asked_here=session is not None and asks_here(move, session),
                code="" if code_is_dead(link) else key.code_of(link.id),
            ),
        )

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

    def _find(self, tx: ReadTransaction, token: LinkToken, now: datetime) -> MagicLink | LinkRejected:
        link = tx.links.get(token.id)
        key = None if link is None else self.keyring.named(link.key)
        if link is None or key is None or not token.is_from(key):
            return LinkRejected(trouble=LinkError.FORGED)
        state = link_state(link, now=now)
        if state is not LinkState.USABLE:
            return LinkRejected(trouble=_TROUBLE_OF[state], renewable=_is_renewable(link))
        return link

    def _code_link(self, tx: ReadTransaction, visitor: Visitor, now: datetime) -> MagicLink | LinkRejected:
        session = live_session(tx, visitor, now=now)
        link = None if session is None else tx.links.newest_with_code(session.id)
        if link is None:
            return LinkRejected(trouble=LinkError.NO_CODE_HERE)
        state = link_state(link, now=now)
        if state is not LinkState.USABLE:
            return LinkRejected(trouble=_TROUBLE_OF[state])
        if code_is_dead(link):
            return LinkRejected(trouble=LinkError.CODE_DEAD)
        return link


@dataclass(frozen=True, slots=True)
class _Entry:
    visitor: Visitor
    keyring: Keyring
    booking: Booking
    fresh: NewSession
    nonce: str
    now: datetime

    def let_in(self, tx: Transaction, link: MagicLink, *, cookie: Digest | None) -> SignedIn | LinkRejected:
        """Spend the link, do what it is for, and note that this browser proved its mailbox.

        `cookie`: the hash of the one that came with the submit, by which the same submit is known when it comes again.
        """
        refusal = self._refusal(tx, link)
        if refusal is not None:
            return LinkRejected(trouble=refusal)
        if not tx.links.consume(link.id, at=self.now, used_with=cookie):
            return LinkRejected(trouble=LinkError.USED, renewable=_is_renewable(link))
        if not self._act(tx, link):
            return LinkRejected(trouble=LinkError.WITHDRAWN)
        token = self._token_of(link, cookie) or self.fresh.token
        fresh = NewSession(id=self.fresh.id, token=token)
        verify_mailbox(tx, link.mailbox, fresh, self.visitor, now=self.now)
        return self._came_in(link, token)

    def let_in_again(self, tx: Transaction, link: MagicLink) -> SignedIn | None:
        """The session that this link's submit began, as long as it lives. Nothing is done twice."""
        token = self._token_of(link, link.used_with)
        session = None if token is None else tx.sessions.by_token(digest_of(token.encode()))
        if token is None or session is None or session.mailbox != link.mailbox:
            return None
        return self._came_in(link, token) if session.is_live(now=self.now) else None

    def token_hash_of(self, link: MagicLink) -> Digest | None:
        """The hash of the session token that this link's submit gave."""
        token = self._token_of(link, link.used_with)
        return None if token is None else digest_of(token.encode())

    def _token_of(self, link: MagicLink, cookie: Digest | None) -> str | None:
        key = self.keyring.named(link.key)
        return None if key is None or cookie is None else key.session_token_of(link.id, cookie)

    def _came_in(self, link: MagicLink, token: str) -> SignedIn:
        return SignedIn(
            token=token,
            device=self.keyring.device_tag(nonce=self.nonce, mailbox=link.mailbox.canonical),
            mailbox=link.mailbox,
            product=link.product,
        )

    def _refusal(self, tx: Transaction, link: MagicLink) -> LinkError | None:
        """Why a link that could be used is not, here and now; nothing is used up."""
        match link.purpose:
            case LinkPurpose.MOVE:
                move = None if link.move is None else tx.address_changes.get(link.move)
                session = live_session(tx, self.visitor, now=self.now)
                if move is None or not move.is_pending or move.kind is ChangeKind.CORRECTION:
                    return None
                return None if session is not None and asks_here(move, session) else LinkError.ELSEWHERE
            case LinkPurpose.ORDER:
                checkout = None if link.checkout is None else tx.checkouts.get(link.checkout)
                sold_out = checkout is not None and is_sold_out(tx, checkout, booking=self.booking)
                return LinkError.SOLD_OUT if sold_out else None
            case LinkPurpose.TICKET | LinkPurpose.LOGIN | LinkPurpose.UNDO:
                return None

    def _act(self, tx: Transaction, link: MagicLink) -> bool:
        """What a link does beside proving the mailbox; False if that is not to be done any more."""
        match link.purpose:
            case LinkPurpose.TICKET | LinkPurpose.LOGIN:
                return True
            case LinkPurpose.ORDER:
                checkout = None if link.checkout is None else tx.checkouts.get(link.checkout)
                if checkout is None:
                    return False
                book_free(tx, checkout, link.mailbox, booking=self.booking)
                return True
            case LinkPurpose.MOVE:
                return link.move is not None and finish_change(
                    tx, link.move, new_user=self.booking.user, now=self.now
                )
            case LinkPurpose.UNDO:
                return link.move is not None and self._undo(tx, link.move)

    def _undo(self, tx: Transaction, move: ChangeId) -> bool:
        undone = undo_change(tx, move, new_user=self.booking.user, now=self.now)
        if undone is None:
            return False
        if undone.kind is ChangeKind.CORRECTION:
            orders = ", ".join(order[:12] for order in undone.checkouts)
            outcome = (
                "belongs to the first address again" if undone.done_at else "stays with the first address"
            )
            notify_merchant(
                tx,
                "A correction of an address was undone",
                f"The browser that started order {orders} asked to correct the address given at the payment. The "
                f"reader of the first address has undone this, so the order {outcome}.",
                "If the customer writes to you, please find out which address is right.",
                key=outbox_keys.correction_undone(move),
                shop=self.booking.edition.shop,
                now=self.now,
            )
        return True


def _is_renewable(link: MagicLink) -> bool:
    """Whether a new mail can be asked for without typing: a plain login does what these did."""
    return link.purpose in (LinkPurpose.TICKET, LinkPurpose.LOGIN)
