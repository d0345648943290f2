"""Which of a browser's purchases had their access email bounce."""

from __future__ import annotations

from domain import outbox_keys
from domain.frozen import frozen
from domain.ports import Store
from domain.transaction import ReadTransaction
from domain.usecases.identify_viewer import Viewer
from domain.usecases.open_purchase import access_email_status
from domain.values import CheckoutId


@frozen
class ListBouncedEmails:
    """A browser that has verified the address needs no access email, so nothing is looked up for it."""

    store: Store

    async def __call__(self, viewer: Viewer) -> frozenset[CheckoutId]:
        """Raises StoreUnavailable."""
        if viewer.signed_in or not viewer.holdings:
            return frozenset()

        def work(tx: ReadTransaction) -> frozenset[CheckoutId]:
            orders = (held.purchase.checkout for held in viewer.holdings)
            mails = ((order, tx.outbox.get(outbox_keys.access(order))) for order in orders)
            return frozenset(
                order for order, mail in mails if mail is not None and access_email_status(mail).returned
            )

        return await self.store.read(work)
