"""Recognise a browser of the back office, and whether there is a back office at all."""

from __future__ import annotations

from contextlib import suppress
from enum import Enum

from domain.frozen import frozen
from domain.ports import Clock, Store, StoreUnavailable
from domain.staff import StaffVisitor
from domain.usecases.staff_access import SignedInStaff, staff_here


class Door(Enum):
    """Whom the back office may be shown to."""

    CLOSED = "closed"
    """Nobody works here, and nobody is invited: it is not there."""
    INVITED = "invited"
    """Nobody works here yet, and a link is open: nothing but that link is there."""
    OPEN = "open"


@frozen
class IdentifyStaff:
    """Look a browser up; note at most once a minute that it was seen."""

    store: Store
    clock: Clock

    async def door(self) -> Door:
        """Whether anybody works here. Raises StoreUnavailable."""
        now = self.clock.now()
        works, invited = await self.store.read(
            lambda tx: (tx.passkeys.any_active(), tx.staff.has_open_link(now=now))
        )
        if works:
            return Door.OPEN
        return Door.INVITED if invited else Door.CLOSED

    async def __call__(self, visitor: StaffVisitor, *, polls: bool = False) -> SignedInStaff | None:
        """`polls`: the page asks by itself, which keeps nobody signed in. Raises StoreUnavailable."""
        if visitor.token_hash is None:
            return None
        now = self.clock.now()
        here = await self.store.read(lambda tx: staff_here(tx, visitor, now=now))
        if here is not None and not polls and here.session.wants_seen(now=now):
            session = here.session.id
            with suppress(
                StoreUnavailable
            ):  # it is noted next time; the page, or the form, must not wait for it
                await self.store.transact(lambda tx: tx.staff_sessions.touch(session, at=now))
        return here
