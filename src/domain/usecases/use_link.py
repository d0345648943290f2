"""Use a link up, and do what it is for, in one transaction; recognise the same submit when it comes twice."""

from __future__ import annotations

from datetime import datetime

from domain import outbox_keys
from domain.address_change import ChangeKind, asks_here
from domain.emails import CorrectionUndone
from domain.frozen import frozen
from domain.keys import Keyring
from domain.magic_link import LinkPurpose, MagicLink
from domain.purchase import order_number
from domain.session import NewSession, Visitor
from domain.transaction import Transaction
from domain.usecases.book_free_order import book_free, why_too_late
from domain.usecases.book_sale import Booking
from domain.usecases.finish_address_change import finish_change, undo_change
from domain.usecases.identify_viewer import live_session, verify_mailbox
from domain.usecases.link_outcomes import LinkError, LinkRejected, SignedIn
from domain.usecases.name_owner import give_owner, why_no_owner
from domain.usecases.send_email import notify_merchant
from domain.values import ChangeId, Digest, digest_of


@frozen
class LinkSubmit:
    """One submit of a link or a code: the visitor, and what its effect needs from outside the transaction."""

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
            return LinkRejected(error=refusal)
        if not tx.links.consume(link.id, at=self.now, used_with=cookie):
            return LinkRejected(error=LinkError.USED, renewable=link.renewable)
        if link.purpose is LinkPurpose.LOGIN and link.asked_by is not None:
            tx.links.supersede(link.mailbox, asked_by=link.asked_by)
        if not self._act(tx, link):
            return LinkRejected(error=LinkError.WITHDRAWN)
        token = self._token_of(link, cookie) or self.fresh.token
        fresh = NewSession(id=self.fresh.id, token=token)
        verify_mailbox(tx, link.mailbox, fresh, self.visitor, now=self.now)
        return self._signed_in(link, token)

    def let_in_again(self, tx: Transaction, link: MagicLink) -> SignedIn | None:
        """The session that this link's submit began, as long as it lives. Nothing is done twice."""
        token = self._token_of(link, link.used_with)
        session = None if token is None else tx.sessions.by_token(digest_of(token.encode()))
        if token is None or session is None or session.mailbox != link.mailbox:
            return None
        return self._signed_in(link, token) if session.is_live(now=self.now) else None

    def token_hash_of(self, link: MagicLink) -> Digest | None:
        """The hash of the session token that this link's submit gave."""
        token = self._token_of(link, link.used_with)
        return None if token is None else digest_of(token.encode())

    def _token_of(self, link: MagicLink, cookie: Digest | None) -> str | None:
        key = self.keyring.named(link.key)
        return None if key is None or cookie is None else key.session_token_of(link.id, cookie)

    def _signed_in(self, link: MagicLink, token: str) -> SignedIn:
        device = self.keyring.device_tag(nonce=self.nonce, mailbox=link.mailbox.canonical)
        return SignedIn(
            token=token, device=device, mailbox=link.mailbox, product=link.product, purpose=link.purpose
        )

    def _refusal(self, tx: Transaction, link: MagicLink) -> LinkError | None:
        """Why a usable link does not open here and now; then nothing is used up."""
        match link.purpose:
            case LinkPurpose.MOVE:
                change = None if link.move is None else tx.address_changes.get(link.move)
                session = live_session(tx, self.visitor, now=self.now)
                if change is None or not change.is_pending:
                    return None
                if change.kind is ChangeKind.CORRECTION or change.by_staff:
                    return None
                return None if session is not None and asks_here(change, session) else LinkError.ELSEWHERE
            case LinkPurpose.ORDER:
                checkout = None if link.checkout is None else tx.checkouts.get(link.checkout)
                return None if checkout is None else why_too_late(tx, checkout, booking=self.booking)
            case LinkPurpose.OWNER:
                return why_no_owner(tx, link, live_session(tx, self.visitor, now=self.now))
            case LinkPurpose.ACCESS | LinkPurpose.LOGIN | LinkPurpose.UNDO | LinkPurpose.WITHDRAWAL:
                return None

    def _act(self, tx: Transaction, link: MagicLink) -> bool:
        """What a link does beside proving the mailbox; False if that is not to be done any more."""
        match link.purpose:
            case LinkPurpose.ACCESS | LinkPurpose.LOGIN:
                return True
            case LinkPurpose.ORDER:
                checkout = None if link.checkout is None else tx.checkouts.get(link.checkout)
                if checkout is not None:
                    book_free(tx, checkout, link.mailbox, booking=self.booking)
                return checkout is not None
            case LinkPurpose.OWNER:
                return give_owner(tx, link, booking=self.booking)
            case LinkPurpose.WITHDRAWAL:
                if link.checkout is not None:
                    tx.withdrawals.prove(link.checkout, at=self.now)
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
        if undone.kind is ChangeKind.CORRECTION or undone.by_staff:
            orders = tuple(order_number(order) for order in undone.checkouts)
            done = undone.done_at is not None
            email = CorrectionUndone(orders=orders, was_done=done, by_staff=undone.by_staff)
            key = outbox_keys.correction_undone(move)
            notify_merchant(tx, email, key=key, shop=self.booking.edition.shop, now=self.now)
        return True
