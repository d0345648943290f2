"""Check what a new shop has yet to do before its merchant can rely on it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from domain import outbox_keys
from domain.frozen import frozen
from domain.mail import MailState
from domain.ports import Catalogue, Clock, Store
from domain.sale_list import SaleFilter, SaleOrder
from domain.transaction import ReadTransaction

BACKED_UP: Final = "backed up"
"""The cursor that says when `coatcheck backup` last made a backup of everything."""
_BACKED_UP_WITHIN: Final = timedelta(hours=48)
_NEWEST: Final = 10


@frozen
class FirstDays:
    """What is done."""

    product: bool
    """Something is for sale."""
    heard: bool
    """A webhook of the payment provider arrived."""
    sold: bool
    """There was a sale, or a test of one."""
    emailed: bool
    """The email provider accepted an access email, so it takes the sender's domain."""
    backed_up: bool
    """Within 48 hours."""


@frozen
class CheckFirstDays:
    """Reads only, and little: rows that an index finds at once."""

    store: Store
    catalogue: Catalogue
    clock: Clock

    async def __call__(self) -> FirstDays:
        """Raises StoreUnavailable."""
        now = self.clock.now()
        product = any(one.present and one.on_sale for one in self.catalogue.current().products.values())
        return await self.store.survey(lambda tx: _check(tx, product=product, now=now))


def _check(tx: ReadTransaction, *, product: bool, now: datetime) -> FirstDays:
    rows = tx.sale_lists.rows(SaleFilter(), order=SaleOrder.NEWEST, after=None, limit=_NEWEST).rows
    mails = [tx.outbox.get(outbox_keys.access(row.held.purchase.checkout)) for row in rows]
    copied = tx.shop.cursor(BACKED_UP)
    return FirstDays(
        product=product,
        heard=bool(tx.events.newest(limit=1)),
        sold=bool(rows),
        emailed=any(mail is not None and mail.state is MailState.SENT for mail in mails),
        backed_up=copied is not None and now - copied < _BACKED_UP_WITHIN,
    )
