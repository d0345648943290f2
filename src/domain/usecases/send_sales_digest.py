"""Notify the merchant of the sales of a day or a week: one email, whichever node sends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from domain import outbox_keys
from domain.access import Holding
from domain.emails import SaleMade, SalesDigest, SalesTotal
from domain.frozen import frozen
from domain.local_time import begin_of, day_of
from domain.ports import Catalogue, Clock, Store
from domain.product import SaleNotices
from domain.purchase import LONGEST_PAYMENT, order_number
from domain.sales_sum import SalesSum, week_of
from domain.transaction import Transaction
from domain.usecases.announce_sale import is_announced
from domain.usecases.send_email import notify_merchant
from domain.values import money_text, sortable_id

_REPORTED: Final = "sales reported"
"""The cursor of the moment before which all sales were reported."""
_SETTLED: Final = timedelta(minutes=10)
"""How long after a moment the last sale that was booked before it is certainly committed."""
_BEGAN_BEFORE: Final = LONGEST_PAYMENT + timedelta(days=1)
_LENGTHS: Final[Mapping[SaleNotices, timedelta]] = {
    SaleNotices.DAILY: timedelta(days=1),
    SaleNotices.WEEKLY: timedelta(days=7),
}
_MOST_IN_AN_EMAIL: Final = 50
_AT_ONCE: Final = 200


@frozen
class SendSalesDigest:
    """Run now and then. Days and weeks are those of the shop's time zone, and a week begins on a Monday.

    Each sale is reported once: after a time in which the shop was down, or had other notices, the next email goes back
    to where the last one ended. Without sales there is none.
    """

    store: Store
    catalogue: Catalogue
    clock: Clock

    async def __call__(self) -> None:
        """Raises StoreUnavailable: then run it again."""
        edition, now = self.catalogue.current(), self.clock.now()
        length = _LENGTHS.get(edition.shop.sale_notices)
        if length is None:
            return
        zone = edition.shop.zone
        day = day_of(now - _SETTLED, zone)
        last = day if edition.shop.sale_notices is SaleNotices.DAILY else week_of(day)
        end, before = begin_of(last, zone), begin_of(last - length, zone)
        start = await self.store.read(lambda tx: tx.shop.cursor(_REPORTED)) or before
        if start >= end:
            return
        held = [one for one in await self._booked(start, end) if is_announced(one.purchase, edition=edition)]
        email = _digest(held, day_of(start, zone), last - timedelta(days=1))

        def work(tx: Transaction) -> None:
            if held:
                notify_merchant(tx, email, key=outbox_keys.sales_digest(end), shop=edition.shop, now=now)
            tx.shop.advance_cursor(_REPORTED, to=end)

        await self.store.transact(work)

    async def _booked(self, start: datetime, end: datetime) -> Sequence[Holding]:
        """In order of the beginning of their checkouts."""
        found: list[Holding] = []
        after = sortable_id(now=start - _BEGAN_BEFORE, entropy=b"")
        while page := await self._page(after, start, end):
            found += page
            after = page[-1].purchase.checkout
        return found

    async def _page(self, after: str, start: datetime, end: datetime) -> Sequence[Holding]:
        return await self.store.read(
            lambda tx: tx.purchases.page_after(after, limit=_AT_ONCE, booked=(start, end))
        )


def _digest(held: Sequence[Holding], first: date, last: date) -> SalesDigest:
    sums: dict[str, SalesSum] = {}
    for one in held:
        currency = one.purchase.paid.currency
        sums[currency] = sums.get(currency, SalesSum("", currency)).with_sale(one)
    listed = [one.purchase for one in held[:_MOST_IN_AN_EMAIL]]
    more = len(held) - len(listed)
    return SalesDigest(
        first=first.isoformat(),
        last=last.isoformat(),
        sales=tuple(SaleMade(one.product_name, one.paid, order_number(one.checkout)) for one in listed),
        more=str(more) if more else "",
        totals=tuple(
            SalesTotal(
                sales=str(total.sales),
                gross=money_text(total.gross, currency),
                taken_back=money_text(total.refunded + total.lost, currency),
                net=money_text(total.net, currency),
            )
            for currency, total in sorted(sums.items())
        ),
    )
