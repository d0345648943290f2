"""Compare the shop's records with what the payment provider says: the page "Stripe"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from domain.access import Holding
from domain.frozen import frozen
from domain.ports import Clock, Store
from domain.purchase import Checkout
from domain.records import LoggedEvent, PaymentDue, Problem, Quarantined
from domain.refund import RefundRequest
from domain.sale_list import SaleFilter, SaleOrder, SaleState
from domain.transaction import ReadTransaction
from domain.usecases.reconcile_cursors import DISPUTES, REFUNDS, SESSIONS

_MOST: Final = 50
_EVER: Final = timedelta(days=3650)


@frozen
class Compared:
    """What differs, at most 50 of each."""

    heard_at: datetime | None
    """When the provider's webhook was last heard."""
    swept: Mapping[str, datetime | None]
    """How far each of its lists was read, by name."""
    quarantined: Sequence[Quarantined]
    """The provider has it, the shop does not."""
    unknown: Sequence[Holding]
    """The shop has it, and the provider says something of it that this release does not know."""
    refunds: Sequence[RefundRequest]
    """The shop asked for it, and the provider refused it or took it back."""
    due: Sequence[PaymentDue]
    """Payments that the provider is to be asked about."""
    pending: Sequence[Checkout]
    """Payments that are under way."""
    problems: Sequence[Problem]
    foreign: int
    """Payments of other programs on the same account, of the last 90 days; none of them is listed."""


@frozen
class CompareWithProvider:
    """Reads only, beside the customers. It asks nobody: it shows what is known here."""

    store: Store
    clock: Clock

    async def __call__(self) -> Compared:
        """Raises StoreUnavailable."""
        now = self.clock.now()
        return await self.store.survey(lambda tx: _compared(tx, now))

    async def events(self, *, before: tuple[datetime, str] | None, limit: int) -> Sequence[LoggedEvent]:
        """The log of webhooks, the newest first. Raises StoreUnavailable."""
        return await self.store.survey(lambda tx: tx.events.newest(before=before, limit=limit))


def _compared(tx: ReadTransaction, now: datetime) -> Compared:
    odd = tx.sale_lists.rows(
        SaleFilter(state=SaleState.SUSPENDED), order=SaleOrder.NEWEST, after=None, limit=_MOST
    )
    return Compared(
        heard_at=next((one.at for one in tx.events.newest(limit=1)), None),
        swept={one.name: tx.shop.cursor(one.name) for one in (SESSIONS, REFUNDS, DISPUTES)},
        quarantined=tx.quarantine.open_entries()[:_MOST],
        unknown=[row.held for row in odd.rows],
        refunds=tx.refund_requests.waiting(before=now - _EVER)[:_MOST],
        due=tx.rechecks.due(now + _EVER, limit=_MOST),
        pending=tx.sale_lists.pending(limit=_MOST),
        problems=tx.problems.open(),
        foreign=tx.quarantine.count_foreign(),
    )
