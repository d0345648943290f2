"""Start in the mode of the payment provider's key; each start with a live key ends what is left of test mode."""

from __future__ import annotations

from datetime import datetime

from domain.frozen import frozen
from domain.going_live import STARTED_LIVE
from domain.ports import Clock, Payments, Store
from domain.transaction import Transaction

_AT_ONCE = 50


@frozen
class GoLive:
    """Run before the shop serves, under the address that the database has.

    With a live key test purchases open nothing and sign nobody in: their buyers are forgotten, as if they had asked
    to be erased. The licence keys that they hold are free again, and from then on they count nowhere, not against the
    stock either. Every such start looks for them: another node may have kept the test key. The purchases stay as
    records. Test checkouts that were not booked are deleted: a live key never learns what became of a test debit.
    """

    store: Store
    payments: Payments
    clock: Clock

    async def __call__(self) -> int:
        """Return how many test purchases ended. Raises StoreUnavailable: then run it again."""
        if not self.payments.livemode:
            return 0
        now, ended = self.clock.now(), 0
        while some := await self.store.transact(lambda tx: _end_some(tx, now=now)):
            ended += some
        while await self.store.transact(lambda tx: tx.retention.drop_test_checkouts(limit=_AT_ONCE)):
            pass
        await self.store.transact(lambda tx: tx.shop.advance_cursor(STARTED_LIVE, to=now))
        return ended


def _end_some(tx: Transaction, *, now: datetime) -> int:
    found = tx.shop.test_purchases(limit=_AT_ONCE)
    for purchase in found:
        tx.licences.take_back(purchase)
        tx.erasures.erase_order(purchase.checkout, at=now)
    for mailbox in {purchase.mailbox for purchase in found if purchase.mailbox is not None}:
        if not tx.purchases.of_address(mailbox):
            tx.erasures.forget(mailbox)
    return len(found)
