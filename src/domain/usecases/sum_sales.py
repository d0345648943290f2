"""What the shop took, for the merchant: sales, refunds and what is left of them, by period or by product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, tzinfo
from typing import Final

from domain.access import Holding
from domain.frozen import frozen
from domain.going_live import STARTED_LIVE
from domain.local_time import day_of
from domain.ports import Store
from domain.purchase import Source
from domain.sales_sum import SalesBy, SalesSum, group_of

_AT_ONCE: Final = 500


@frozen
class SumSales:
    """`coatcheck sales`. Reads every purchase, a page at a time."""

    store: Store

    async def __call__(
        self,
        by: SalesBy,
        *,
        first: date | None = None,
        last: date | None = None,
        zone: tzinfo = UTC,
        look: Callable[[int], object] = lambda _: None,
    ) -> Sequence[SalesSum]:
        """The sums of what was booked from `first` to `last`, in order of period or product, then of currency.

        Days and periods are those of `zone`. Grants are no sales, and test purchases are some until the shop has gone
        live. `look` gets the size of each page. Raises StoreUnavailable.
        """
        sums: dict[tuple[str, str], SalesSum] = {}
        live = await self.store.read(lambda tx: tx.shop.cursor(STARTED_LIVE)) is not None
        after = ""
        while rows := await self._page(after):
            for held in rows:
                day = day_of(held.purchase.booked_at, zone)
                within = (first is None or first <= day) and (last is None or day <= last)
                counts = held.purchase.livemode is not False or not live
                if within and counts and held.purchase.source is not Source.GRANT:
                    key = (group_of(held, by, zone), held.purchase.paid.currency)
                    sums[key] = sums.get(key, SalesSum(*key)).with_sale(held)
            look(len(rows))
            after = rows[-1].purchase.checkout
        return [sums[key] for key in sorted(sums)]

    async def _page(self, after: str) -> Sequence[Holding]:
        return await self.store.read(lambda tx: tx.purchases.page_after(after, limit=_AT_ONCE))
