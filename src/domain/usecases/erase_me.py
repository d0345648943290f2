"""Erase a person: the books keep their sales, and nothing that names them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from domain.books import Books
from domain.ports import Clock, Store
from domain.session import Visitor
from domain.usecases.greet import live_session
from domain.values import CheckoutId


class Erased(Enum):
    """What became of the wish."""

    DONE = auto()
    NOT_SIGNED_IN = auto()
    """Only somebody who proved the mailbox can have it erased."""


@dataclass(frozen=True, slots=True)
class EraseMe:
    """Everything that names the mailbox goes; then nothing of it can be read from the store's files any more."""

    store: Store
    clock: Clock

    async def __call__(self, visitor: Visitor) -> Erased:
        """Raises StoreUnavailable. If it is raised after the person was erased, what is left goes within a day."""
        now = self.clock.now()

        def work(books: Books) -> bool:
            session = live_session(books, visitor, now=now)
            if session is None or session.mailbox is None:
                return False
            books.erase(session.mailbox, at=now)
            books.end_session(session.id)
            return True

        if not await self.store.transact(work):
            return Erased.NOT_SIGNED_IN
        await self.store.scrub()
        return Erased.DONE

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
