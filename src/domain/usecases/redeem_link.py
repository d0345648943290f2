"""Prove a mailbox: by the link of a mail, in any browser, or by its code, in the browser that asked."""

from __future__ import annotations

from datetime import datetime

from domain.frozen import frozen
from domain.keys import CODE_LENGTH, Keyring, read_token, tidy_code
from domain.magic_link import MOST_CODE_TRIES, MagicLink, same_submit, tries_so_far
from domain.ports import Clock, Randomness, Store
from domain.session import Visitor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.book_sale import BookSale
from domain.usecases.find_link import find_by_code, find_by_token, find_repeated, of_code, signed_in_already
from domain.usecases.identify_viewer import new_session
from domain.usecases.link_outcomes import LinkError, LinkRejected, LinkValid, SignedIn, SignedInAlready
from domain.usecases.preview_link import preview
from domain.usecases.use_link import LinkSubmit


@frozen
class RedeemLink:
    """Links and codes, each used once; using either uses up both, and does what the link is for."""

    store: Store
    keyring: Keyring
    clock: Clock
    randomness: Randomness
    booking: BookSale

    async def look(self, visitor: Visitor, token_text: str) -> LinkValid | SignedInAlready | LinkRejected:
        """What a link's GET shows. Changes nothing. Raises StoreUnavailable."""
        token = read_token(token_text)
        if token is None:
            return LinkRejected(error=LinkError.TRUNCATED)
        now = self.clock.now()

        def work(tx: ReadTransaction) -> LinkValid | SignedInAlready | LinkRejected:
            found = find_by_token(tx, token, keyring=self.keyring, now=now)
            if isinstance(found, LinkRejected):
                return signed_in_already(tx, visitor, token, found, now=now)
            return preview(tx, visitor, found, keyring=self.keyring, now=now)

        return await self.store.read(work)

    async def by_link(self, visitor: Visitor, token_text: str) -> SignedIn | SignedInAlready | LinkRejected:
        """Press the button: for exactly one browser, ever. Raises StoreUnavailable.

        The same submit, sent again within a minute, gets the same session: see `domain.magic_link.same_submit`.
        """
        token = read_token(token_text)
        if token is None:
            return LinkRejected(error=LinkError.TRUNCATED)
        now = self.clock.now()
        submit = self._submit(visitor, now)

        def work(tx: Transaction) -> SignedIn | SignedInAlready | LinkRejected:
            found = find_by_token(tx, token, keyring=self.keyring, now=now)
            if isinstance(found, MagicLink):
                return submit.let_in(tx, found, cookie=visitor.form)
            used = tx.links.get(token.id) if found.error is LinkError.USED else None
            if used is not None and same_submit(used, visitor.form, now=now):
                return submit.let_in_again(tx, used) or found
            return signed_in_already(tx, visitor, token, found, now=now)

        return await self.store.transact(work)

    async def by_code(self, visitor: Visitor, typed: str) -> SignedIn | LinkRejected:
        """Type the code. The try is counted before it is compared, and durable before we answer.

        Raises StoreUnavailable.
        """
        code = tidy_code(typed)
        now = self.clock.now()
        submit = self._submit(visitor, now)

        def work(tx: Transaction) -> SignedIn | LinkRejected:
            found = find_by_code(tx, visitor, now=now)
            if isinstance(found, LinkRejected):
                used = find_repeated(tx, submit, code)
                return (used and submit.let_in_again(tx, used)) or found
            left = MOST_CODE_TRIES - tries_so_far(found, now=now)
            if len(code) != CODE_LENGTH:
                return LinkRejected(error=LinkError.WRONG_CODE, tries_left=left)
            tx.links.count_code_attempt([link.id for link in found], most=MOST_CODE_TRIES)
            link = of_code(found, code, keyring=self.keyring)
            if link is not None:
                return submit.let_in(tx, link, cookie=visitor.token_hash)
            used = find_repeated(tx, submit, code)
            error = LinkError.WRONG_CODE if left > 1 else LinkError.CODE_DEAD
            wrong = LinkRejected(error=error, tries_left=left - 1)
            return (used and submit.let_in_again(tx, used)) or wrong

        return await self.store.transact(work)

    def _submit(self, visitor: Visitor, now: datetime) -> LinkSubmit:
        """What a sign-in needs from outside its transaction."""
        return LinkSubmit(
            visitor=visitor,
            keyring=self.keyring,
            booking=self.booking.prepare(now=now),
            fresh=new_session(self.randomness, now=now),
            nonce=self.randomness.token(8).hex(),
            now=now,
        )
