"""Note when a purchase was first opened: once, and after that nothing is written."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from domain.ports import Store, StoreUnavailable
from domain.purchase import OPEN_AT_MOST, Purchase
from domain.transaction import Transaction
from domain.values import CheckoutId


async def note_opened(store: Store, purchase: Purchase, *, now: datetime) -> None:
    """For a GET of its content or of one of its files, by a browser that holds it.

    A shop that cannot write, because its disk is full, still shows what was bought.
    """
    if purchase.opened_at is None:
        with suppress(StoreUnavailable):
            await store.transact(lambda tx: _note(tx, purchase.checkout, now))


def _note(tx: Transaction, checkout: CheckoutId, now: datetime) -> None:
    if tx.downloads.mark_opened(checkout, at=now):
        begun = tx.checkouts.get(checkout)
        if begun is not None and now - begun.started_at > OPEN_AT_MOST:  # that day may be closed
            tx.day_sums.touch([begun.started_at])
