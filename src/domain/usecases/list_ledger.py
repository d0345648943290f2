"""List sales, refunds and lost disputes for the accountant, a page at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, tzinfo
from typing import Final

from domain.access import Holding
from domain.frozen import frozen
from domain.going_live import STARTED_LIVE
from domain.ledger import LedgerLine, ledger_lines
from domain.ports import Store

_AT_ONCE: Final = 500


@frozen
class ListLedger:
    """`coatcheck export --format csv`. Holds no more than a page in memory."""

    store: Store

    async def __call__(
        self, *, first: date | None = None, last: date | None = None, zone: tzinfo = UTC
    ) -> AsyncIterator[LedgerLine]:
        """Lines from `first` to `last`, days of a time zone, those of one purchase together, in order of checkout id.

        Test purchases count until the shop has gone live. Every purchase is read: a refund may come years after its
        sale. Raises StoreUnavailable.
        """
        live = await self.store.read(lambda tx: tx.shop.cursor(STARTED_LIVE)) is not None
        after = ""
        while rows := await self._page(after):
            for held in rows:
                if held.purchase.livemode is not False or not live:
                    for line in ledger_lines(held):
                        if line.is_within(first, last, zone):
                            yield line
            after = rows[-1].purchase.checkout

    async def _page(self, after: str) -> Sequence[Holding]:
        return await self.store.read(lambda tx: tx.purchases.page_after(after, limit=_AT_ONCE))
