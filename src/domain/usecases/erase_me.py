"""Erase a person: the books keep their sales, and nothing that names them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Final

from domain.books import Books
from domain.ports import Clock, Store
from domain.session import Visitor
from domain.usecases.greet import live_session
from domain.values import CheckoutId

PROVED_WITHIN: Final = timedelta(hours=1)


class Erased(Enum):
    """What became of the wish."""

    DONE = auto()
    NOT_SIGNED_IN = auto()
    """Only somebody who proved the mailbox can have it erased."""
    PROVE_AGAIN = auto()
    """It was proved too long ago for something that cannot be undone (OWASP ASVS 5.0, 7.5.1)."""
    TOO_SOON = auto()
    """What is theirs came to this address by a move that the old one may still take back."""


@dataclass(frozen=True, slots=True)
class EraseMe:
    """Everything that names the mailbox goes; then nothing of it can be read from the store's files any more."""

    store: Store
    clock: Clock

    async def __call__(self, visitor: Visitor) -> Erased:
        """Raises StoreUnavailable. If it is raised after the person was erased, what is left goes within a day."""
        now = self.clock.now()

        def work(books: Books) -> Erased:
            session = live_session(books, visitor, now=now)
            if session is None or session.mailbox is None:
                return Erased.NOT_SIGNED_IN
            if now - session.started_at >= PROVED_WITHIN:
                return Erased.PROVE_AGAIN
            move = books.last_move_to(session.mailbox)
            if move is not None and move.can_be_undone(now=now):
                return Erased.TOO_SOON
            books.erase(session.mailbox, at=now)
            books.end_session(session.id)
            return Erased.DONE

        erased = await self.store.transact(work)
        if erased is Erased.DONE:
            await self.store.scrub()
        return erased

    async def again(self, checkouts: list[CheckoutId]) -> int:
        """Erase anew whom a restored backup brought back; how many orders stand erased that did not before.

        A backup is older than the erasures that are carried beside it. Raises StoreUnavailable.
        """
        now = self.clock.now()

        def work(books: Books) -> int:
            new = 0
            for checkout in checkouts:
                purchase = books.purchase(checkout)
                if purchase is not None and purchase.mailbox is not None:
                    books.erase(purchase.mailbox, at=now)
                    new += 1
                new += books.note_erasure(checkout, at=now)
            return new

        found = await self.store.transact(work)
        await self.store.scrub()
        return found
