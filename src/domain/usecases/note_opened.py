"""Note when a purchase was first opened: once, and after that nothing is written."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from domain.ports import Store, StoreUnavailable
from domain.purchase import Purchase


async def note_opened(store: Store, purchase: Purchase, *, now: datetime) -> None:
    """For a GET of its content or of one of its files, by a browser that holds it.

    A shop that cannot write, because its disk is full, still shows what was bought.
    """
    if purchase.opened_at is None:
        with suppress(StoreUnavailable):
            await store.transact(lambda tx: tx.downloads.mark_opened(purchase.checkout, at=now))
