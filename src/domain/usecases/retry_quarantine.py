"""Look again at the sessions that wait in quarantine."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from domain.frozen import frozen
from domain.ports import Clock, Payments, Store
from domain.purchase import BookedBy
from domain.records import Quarantined
from domain.usecases.claim_outcome import Booked
from domain.usecases.claim_purchase import ClaimPurchase
from domain.values import ProviderRef, is_provider_ref

_FIRST_RETRY: Final = timedelta(minutes=5)
_LONGEST_RETRY: Final = timedelta(days=1)
_RETRIED_FOR: Final = timedelta(days=3)


@frozen
class RetryQuarantine:
    """A session that was refused may fit by now: its checkout was restored."""

    store: Store
    payments: Payments
    claim: ClaimPurchase
    clock: Clock

    async def __call__(self) -> int:
        """Retry what is due; how many sessions were booked. Raises what the payment provider and the store raise."""
        now = self.clock.now()
        booked = 0
        for entry in await self.store.read(lambda tx: tx.quarantine.due(now, limit=20)):
            booked += await self._retry(entry, now)
        return booked

    async def _retry(self, entry: Quarantined, now: datetime) -> bool:
        retry_at = next_retry(entry, now=now)
        reading = (
            await self.payments.retrieve_checkout(ProviderRef(entry.ref))
            if is_provider_ref(entry.ref)
            else None
        )
        if reading is None:
            await self.store.transact(
                lambda tx: tx.quarantine.add(entry.ref, entry.reason, at=now, retry_at=retry_at)
            )
            return False
        claim = self.claim.retrying(reading, now=now, retry_at=retry_at, by=BookedBy.RECONCILER)
        claimed = await self.store.transact(claim)
        self.claim.observe(claimed)
        return isinstance(claimed, Booked) and claimed.first


def next_retry(entry: Quarantined, *, now: datetime) -> datetime | None:
    """When a quarantined session is looked at again: 5 min doubling to a day, for three days."""
    if now - entry.first_at >= _RETRIED_FOR:
        return None
    return now + min(_FIRST_RETRY * (1 << min(entry.tries, 16)), _LONGEST_RETRY)
