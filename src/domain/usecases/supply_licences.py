"""Keep the merchant's lists of licence keys in the store, and supply purchases that wait for a key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from domain import outbox_keys
from domain.access import waits
from domain.emails import LicenceArrived
from domain.frozen import frozen
from domain.mail import MailKind
from domain.ports import Catalogue, Clock, Store
from domain.product import CatalogueEdition
from domain.purchase import LicenceKey, Purchase, PurchaseState, order_number
from domain.transaction import Transaction
from domain.usecases.send_email import licence_line, send_email
from domain.values import ProductId

_AT_ONCE = 20


@frozen
class SupplyLicences:
    """Only live purchases get listed keys. Those that are refunded, charged back or in dispute keep their place."""

    store: Store
    catalogue: Catalogue
    clock: Clock

    async def __call__(self) -> int:
        """Store the lists as they are in the catalogue, and serve the line. Raises StoreUnavailable."""
        for product, keys in self._lists():
            await self._stock(product, keys)
        return await self.serve()

    async def _stock(self, product: ProductId, keys: tuple[str, ...]) -> None:
        await self.store.transact(lambda tx: tx.licences.stock(product, keys))

    async def serve(self) -> int:
        """Give free keys to those in line who are live by now; how many. Raises StoreUnavailable."""
        served = 0
        for product, _ in self._lists():
            after: str | None = ""
            while after is not None:
                got, after = await self.store.transact(self._page(product, after))
                served += got
        return served

    def _lists(self) -> list[tuple[ProductId, tuple[str, ...]]]:
        return [
            (product.id, product.licences.listed)
            for product in self.catalogue.current().products.values()
            if product.licences is not None and product.licences.listed is not None
        ]

    def _page(self, product: ProductId, after: str) -> Callable[[Transaction], tuple[int, str | None]]:
        """How many of a page of the line were served, and where the next page begins; None if there is none to see."""
        now, edition = self.clock.now(), self.catalogue.current()

        def work(tx: Transaction) -> tuple[int, str | None]:
            line, served = tx.licences.in_line_after(product, after=after, limit=_AT_ONCE), 0
            for held in line:
                if held.standing.state is not PurchaseState.LIVE:
                    continue
                found = tx.licences.serve(product, checkout=held.purchase.checkout)
                if found is None:  # no key is free
                    return served, None
                _email(tx, *found, edition=edition, now=now)
                served += 1
            return served, line[-1].purchase.checkout if line else None

        return work


def _email(
    tx: Transaction, purchase: Purchase, licence: LicenceKey, *, edition: CatalogueEdition, now: datetime
) -> None:
    if purchase.mailbox is None or waits(purchase, now=now):  # its page will have it
        return
    email = LicenceArrived(
        product_name=purchase.product_name,
        licence=licence_line(licence, purchase, edition=edition),
        order=order_number(purchase.checkout),
    )
    key = outbox_keys.licence(purchase.checkout, licence.product)
    send_email(tx, email, key=key, kind=MailKind.UPDATE, to=purchase.mailbox, now=now)
