"""After one of several payment pages of a browser for a product was paid: expire the others."""

from __future__ import annotations

from typing import Final

from domain.frozen import frozen
from domain.ports import Clock, Payments, PaymentsRefused, PaymentsUnreachable, Store
from domain.purchase import BookedBy
from domain.usecases.claim_purchase import ClaimPurchase
from domain.values import CheckoutId, ProviderRef

_AT_ONCE: Final = 20


@frozen
class ExpireDuplicates:
    """Best effort, after the sale was committed. The reconciler repeats it for what was missed."""

    store: Store
    payments: Payments
    claim: ClaimPurchase
    clock: Clock

    async def __call__(self, paid: CheckoutId | None = None) -> int:
        """Expire those of the browser that started `paid`, or of every browser; how many. Raises StoreUnavailable."""
        now = self.clock.now()
        found = await self.store.read(
            lambda tx: tx.open_payments.duplicates(now=now, paid=paid, limit=_AT_ONCE)
        )
        return sum([await self._expire(ref) for ref in found])

    async def _expire(self, ref: ProviderRef) -> bool:
        try:
            reading = await self.payments.expire_checkout(ref)
        except (PaymentsUnreachable, PaymentsRefused):
            return False
        if reading is None:
            return False
        # It may have been paid in this very moment: then this books it, as the webhook would.
        claimed = await self.store.transact(self.claim.work(reading, by=BookedBy.RECONCILER))
        self.claim.observe(claimed)
        return True
