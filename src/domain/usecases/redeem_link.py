"""Prove a mailbox: by the link of a mail, in any browser, or by its code, in the browser that asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.keys import CODE_LENGTH, Keyring, LinkToken, read_token, same_code, tidy_code
from domain.magic_link import MOST_CODE_TRIES, LinkState, MagicLink, code_is_dead, link_state, same_submit
from domain.ports import Clock, Randomness, Store
from domain.session import Visitor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.book_sale import BookSale
from domain.usecases.identify_viewer import live_session, new_session
from domain.usecases.link_outcomes import ERROR_OF_STATE, LinkError, LinkRejected, LinkValid, SignedIn
from domain.usecases.preview_link import preview
from domain.usecases.use_link import LinkSubmit, is_renewable


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
            return LinkRejected(error=LinkError.TRUNCATED)
        now = self.clock.now()

        def work(tx: ReadTransaction) -> LinkValid | LinkRejected:
            found = self._find(tx, token, now)
            if isinstance(found, LinkRejected):
                return found
            return preview(tx, visitor, found, keyring=self.keyring, now=now)

        return await self.store.read(work)

    async def by_link(self, visitor: Visitor, token_text: str) -> SignedIn | LinkRejected:
        """Press the button: for exactly one browser, ever. Raises StoreUnavailable.

        The same submit, sent again within a minute, gets the same session: see `domain.magic_link.same_submit`.
        """
        token = read_token(token_text)
        if token is None:
            return LinkRejected(error=LinkError.TRUNCATED)
        now = self.clock.now()
        submit = self._submit(visitor, now)

        def work(tx: Transaction) -> SignedIn | LinkRejected:
            found = self._find(tx, token, now)
            if isinstance(found, MagicLink):
                return submit.let_in(tx, found, cookie=visitor.form)
            used = tx.links.get(token.id) if found.error is LinkError.USED else None
            if used is not None and same_submit(used, visitor.form, now=now):
                return submit.let_in_again(tx, used) or found
            return found

        return await self.store.transact(work)

    async def by_code(self, visitor: Visitor, typed: str) -> SignedIn | LinkRejected:
        """Type the code. The try is counted before it is compared, and durable before we answer.

        Raises StoreUnavailable.
        """
        code = tidy_code(typed)
        now = self.clock.now()
        submit = self._submit(visitor, now)

        def work(tx: Transaction) -> SignedIn | LinkRejected:
            link = self._code_link(tx, visitor, now)
            if isinstance(link, LinkRejected):
                return self._repeated(tx, submit, code) or link
            left = MOST_CODE_TRIES - link.code_tries
            if len(code) != CODE_LENGTH:
                return LinkRejected(error=LinkError.WRONG_CODE, tries_left=left)
            if not tx.links.count_code_attempt(link.id, most=MOST_CODE_TRIES):
                return LinkRejected(error=LinkError.CODE_DEAD)
            key = self.keyring.named(link.key)
            if key is None:
                return LinkRejected(error=LinkError.EXPIRED)
            if not same_code(code, key.code_of(link.id)):
                error = LinkError.WRONG_CODE if left > 1 else LinkError.CODE_DEAD
                return LinkRejected(error=error, tries_left=left - 1)
            return submit.let_in(tx, link, cookie=visitor.token_hash)

        return await self.store.transact(work)

    def _repeated(self, tx: Transaction, submit: LinkSubmit, code: str) -> SignedIn | None:
        """The same code from the browser that used it a moment ago, whichever answer's cookie it kept."""
        held = submit.visitor.token_hash
        if held is None:
            return None
        session = live_session(tx, submit.visitor, now=submit.now)
        link = tx.links.used_with(held)
        if link is None and session is not None:
            # A browser that had verified another mailbox has a new row by now; the code belongs to the former one.
            asked = (
                tx.links.newest_with_code(row) for row in (session.id, session.former) if row is not None
            )
            link = next((one for one in asked if one is not None and submit.token_hash_of(one) == held), None)
        key = None if link is None else self.keyring.named(link.key)
        if link is None or key is None or not same_submit(link, link.used_with, now=submit.now):
            return None
        # The right code may have been the fifth try; sent again, it must not be refused for that.
        if not tx.links.count_code_attempt(link.id, most=2 * MOST_CODE_TRIES):
            return None
        return submit.let_in_again(tx, link) if same_code(code, key.code_of(link.id)) else None

    def _submit(self, visitor: Visitor, now: datetime) -> LinkSubmit:
        """What letting somebody in needs from outside its transaction."""
        return LinkSubmit(
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
            return LinkRejected(error=LinkError.FORGED)
        state = link_state(link, now=now)
        if state is not LinkState.USABLE:
            return LinkRejected(error=ERROR_OF_STATE[state], renewable=is_renewable(link))
        return link

    def _code_link(self, tx: ReadTransaction, visitor: Visitor, now: datetime) -> MagicLink | LinkRejected:
        session = live_session(tx, visitor, now=now)
        link = None if session is None else tx.links.newest_with_code(session.id)
        if link is None:
            return LinkRejected(error=LinkError.NO_CODE_HERE)
        state = link_state(link, now=now)
        if state is not LinkState.USABLE:
            return LinkRejected(error=ERROR_OF_STATE[state])
        if code_is_dead(link):
            return LinkRejected(error=LinkError.CODE_DEAD)
        return link
