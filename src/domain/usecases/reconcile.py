"""Ask the payment provider what nobody told us of, and look again at what waits in quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.books import BooksView, Quarantined
from domain.claim import CheckoutReading
from domain.ports import Clock, Payments, Store
from domain.usecases.claim_purchase import Booked, Claimed, ClaimPurchase, Refused

CURSOR = "completed checkouts"
# A session can be paid for 24 h after it was made, and the provider lists by when it was made.
OVERLAP = timedelta(hours=26)
_FIRST_RETRY = timedelta(minutes=5)
_LONGEST_RETRY = timedelta(days=1)
RETRIED_FOR = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a sweep found: completed sessions seen, sales it had to book, sessions it refused."""

    seen: int
    repaired: tuple[str, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reconcile:
    """The same claim as redirect and webhook, for what neither brought."""

    store: Store
    payments: Payments
    claim: ClaimPurchase
    clock: Clock

    async def __call__(self) -> Reconciled:
        """Sweep the completed sessions since the cursor. Raises PaymentsUnreachable, StoreUnavailable.

        The first sweep begins at the first checkout in the books; without one there is nothing to ask for.
        """
        began = self.clock.now()
        since = await self.store.read(_where_to_begin)
        seen, repaired, refused = 0, list[str](), list[str]()
        if since is not None:
            async for reading in self.payments.completed_since(since - OVERLAP):
                seen += 1
                match await self._claim_unless_known(reading):
                    case Booked(purchase, True):
                        repaired.append(purchase.provider_ref)
                    case Refused():
                        refused.append(reading.ref)
                    case _:
                        pass
            await self.store.transact(lambda books: books.set_cursor(CURSOR, to=began))
        return Reconciled(seen=seen, repaired=tuple(repaired), refused=tuple(refused))

    async def _claim_unless_known(self, reading: CheckoutReading) -> Claimed | None:
        if await self.store.read(lambda books: _stands(books, reading)):
            return None
        return await self.store.transact(self.claim.work(reading))

    async def retry_quarantine(self) -> int:
        """Look again at the sessions whose time has come; how many were booked after all."""
        now = self.clock.now()
        booked = 0
        for entry in await self.store.read(lambda books: books.due_again(now, limit=20)):
            booked += await self._retry(entry, now)
        return booked

    async def _retry(self, entry: Quarantined, now: datetime) -> bool:
        retry_at = next_retry(entry, now=now)
        reading = await self.payments.look(entry.ref)
        if reading is None:
            await self.store.transact(
                lambda books: books.quarantine(entry.ref, entry.objection, at=now, retry_at=retry_at)
            )
            return False
        claimed = await self.store.transact(self.claim.retrying(reading, now=now, retry_at=retry_at))
        return isinstance(claimed, Booked) and claimed.first


def next_retry(entry: Quarantined, *, now: datetime) -> datetime | None:
    """When a quarantined session is looked at again: 5 min doubling to a day, for three days."""
    if now - entry.first_at >= RETRIED_FOR:
        return None
    return now + min(_FIRST_RETRY * (1 << min(entry.tries, 16)), _LONGEST_RETRY)


def _where_to_begin(books: BooksView) -> datetime | None:
    return books.cursor(CURSOR) or books.first_checkout_at()


def _stands(books: BooksView, reading: CheckoutReading) -> bool:
    """Whether a completed session is booked already, or known to wait for its bank."""
    checkout = books.checkout_of(reading.ref)
    if checkout is None:
        return False
    if books.purchase(checkout.id) is not None:
        return True
    fact = books.fact(reading.ref)
    return fact is not None and fact.status == reading.status
