"""Erase a person: the books keep their sales, and nothing that names them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from functools import partial
from typing import Final

from domain.books import Books
from domain.ports import Clock, Store, StoreUnavailable
from domain.session import Visitor
from domain.usecases.greet import live_session
from domain.values import CheckoutId

_ERASED: Final = "erased"
_SCRUBBED: Final = "scrubbed"
_LOT: Final = 200
"""Orders in one transaction: a list of years would take too long for one."""


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
    """Everything that names the mailbox goes; then nothing of it can be read from the store's files any more.

    If that cannot be seen to at once (somebody reads an older state), it is by `scrub_what_waits`, within the hour.
    """

    store: Store
    clock: Clock

    async def __call__(self, visitor: Visitor) -> Erased:
        """Raises StoreUnavailable: then nothing was done."""
        now = self.clock.now()

        def work(books: Books) -> Erased:
            session = live_session(books, visitor, now=now)
            if session is None or session.mailbox is None:
                return Erased.NOT_SIGNED_IN
            if not session.verified_lately(now=now):
                return Erased.PROVE_AGAIN
            move = books.last_move_to(session.mailbox)
            if move is not None and move.can_be_undone(now=now):
                return Erased.TOO_SOON
            books.erase(session.mailbox, at=now)
            books.end_session(session.id)
            books.set_cursor(_ERASED, to=now)
            return Erased.DONE

        erased = await self.store.transact(work)
        if erased is Erased.DONE:
            with contextlib.suppress(StoreUnavailable):
                await self._scrub(now)
        return erased

    async def scrub_what_waits(self) -> None:
        """Scrub if it was not since the last erasure. Raises StoreUnavailable: it goes on waiting."""
        erased, scrubbed = await self.store.read(
            lambda books: (books.cursor(_ERASED), books.cursor(_SCRUBBED))
        )
        if erased is not None and (scrubbed is None or scrubbed < erased):
            await self._scrub(erased)

    async def _scrub(self, erased: datetime) -> None:
        await self.store.scrub()
        await self.store.transact(lambda books: books.set_cursor(_SCRUBBED, to=erased))

    async def again(self, checkouts: list[CheckoutId]) -> int:
        """Erase anew whom a restored backup brought back; how many orders stand erased that did not before.

        A backup is older than the erasures that are carried beside it. Raises StoreUnavailable.
        """
        now = self.clock.now()

        def work(lot: list[CheckoutId], books: Books) -> int:
            new = 0
            for checkout in lot:
                purchase = books.purchase(checkout)
                if purchase is not None and purchase.mailbox is not None:
                    books.erase(purchase.mailbox, at=now)
                    new += 1
                new += books.note_erasure(checkout, at=now)
            return new

        found = 0
        for at in range(0, len(checkouts), _LOT):
            lot = checkouts[at : at + _LOT]
            found += await self.store.transact(partial(work, lot))
        await self.store.scrub()
        return found
