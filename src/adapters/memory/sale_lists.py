"""Lists of sales, by looking at every one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from adapters.memory.purchases import holding_of, is_counted
from adapters.memory.tables import Record, Tables
from domain.access import Holding
from domain.fact import CheckoutStatus
from domain.mail import Delivery, MailKind
from domain.purchase import Checkout, Purchase
from domain.sale_list import (
    COUNTED_TO,
    AddressState,
    SaleCount,
    SaleFilter,
    SaleMark,
    SaleOrder,
    SaleRow,
    SaleRows,
    sale_state,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class SaleLists(Record):
    def rows(self, wanted: SaleFilter, *, order: SaleOrder, after: SaleMark | None, limit: int) -> SaleRows:
        def place(row: SaleRow) -> tuple[int, str]:
            purchase = row.held.purchase
            at = (purchase.booked_at - _EPOCH) // timedelta(microseconds=1)
            return purchase.paid.amount if order.by_amount else at, purchase.checkout

        rows = sorted(self._matching(wanted), key=place, reverse=order.falls)
        if after is not None:
            start = after.value, after.checkout
            rows = [row for row in rows if (place(row) < start if order.falls else place(row) > start)]
        if len(rows) <= limit:
            return SaleRows(rows=rows, looked_to=None)
        value, _ = place(rows[limit - 1])
        return SaleRows(rows=rows[:limit], looked_to=SaleMark(value, rows[limit - 1].held.purchase.checkout))

    def count(self, wanted: SaleFilter) -> SaleCount:
        return SaleCount(min(len(self._matching(wanted)), COUNTED_TO + 1), complete=True)

    def pending(self, *, limit: int) -> Sequence[Checkout]:
        under_way = {
            fact.object_id for fact in self._t.facts.values() if fact.status == CheckoutStatus.UNPAID
        }
        found = [
            c
            for c in self._t.checkouts.values()
            if c.provider_ref in under_way and c.id not in self._t.purchases
        ]
        return sorted(found, key=lambda c: (c.started_at, c.id), reverse=True)[:limit]

    def _matching(self, wanted: SaleFilter) -> list[SaleRow]:
        rows = (row_of(self._t, purchase) for purchase in self._t.purchases.values())
        return [row for row in rows if _matches(self._t, row, wanted)]


def row_of(t: Tables, purchase: Purchase) -> SaleRow:
    """A purchase with what is known of its address."""
    user = None if purchase.user is None else t.users.get(purchase.user)
    bounced = any(
        mail.kind is MailKind.ACCESS and mail.delivery is Delivery.BOUNCED and mail.to == purchase.mailbox
        for mail in t.outbox.values()
    )
    return SaleRow(
        held=holding_of(t, purchase),
        verified=user is not None and user.proved_at is not None,
        bounced=bounced,
    )


def _matches(t: Tables, row: SaleRow, wanted: SaleFilter) -> bool:
    purchase = row.held.purchase
    begun = t.checkouts.get(purchase.checkout)
    promotion = None if begun is None else begun.promotion
    return (
        wanted.state in (None, sale_state(row.held))
        and wanted.product in (None, purchase.product)
        and wanted.source in (None, purchase.source)
        and (wanted.booked_from is None or purchase.booked_at >= wanted.booked_from)
        and (wanted.booked_before is None or purchase.booked_at < wanted.booked_before)
        and wanted.currency in (None, purchase.paid.currency)
        and (wanted.least is None or purchase.paid.amount >= wanted.least)
        and (wanted.most is None or purchase.paid.amount <= wanted.most)
        and wanted.opened in (None, purchase.opened_at is not None)
        and wanted.promotion in (None, promotion)
        and (not wanted.counted or is_counted(t, purchase))
        and (wanted.users is None or purchase.user in wanted.users)
        and (
            wanted.domain is None
            or (purchase.mailbox is not None and purchase.mailbox.canonical.endswith(f"@{wanted.domain}"))
        )
        and _address_matches(row, wanted.address)
    )


def _address_matches(row: SaleRow, wanted: AddressState | None) -> bool:
    held: Holding = row.held
    match wanted:
        case None:
            return True
        case AddressState.NONE:
            return held.purchase.user is None
        case AddressState.UNVERIFIED:
            return held.purchase.user is not None and not row.verified
        case AddressState.BOUNCED:
            return row.bounced
