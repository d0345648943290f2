"""Keep the merchant's lists of licence keys in the store, and supply purchases that wait for a key."""

from __future__ import annotations

from dataclasses import dataclass

from domain import outbox_keys
from domain.emails import LicenceArrived
from domain.mail import MailKind
from domain.ports import Catalogue, Clock, Store
from domain.purchase import order_number
from domain.transaction import Transaction
from domain.usecases.send_email import licence_line, send_email
from domain.values import ProductId


@dataclass(frozen=True, slots=True)
class SupplyLicences:
    """Run whenever the catalogue has changed, and at the start."""

    store: Store
    catalogue: Catalogue
    clock: Clock

    async def __call__(self) -> int:
        """Return how many waiting purchases got their key. Raises StoreUnavailable."""
        served = 0
        for product in self.catalogue.current().products.values():
            if product.licences is not None and product.licences.listed is not None:
                await self._stock(product.id, product.licences.listed)
                while await self._serve(product.id):
                    served += 1
        return served

    async def _stock(self, product: ProductId, keys: tuple[str, ...]) -> None:
        await self.store.transact(lambda tx: tx.licences.stock(product, keys))

    async def _serve(self, product: ProductId) -> bool:
        now = self.clock.now()
        edition = self.catalogue.current()

        def work(tx: Transaction) -> bool:
            found = tx.licences.assign_to_next_in_line(product)
            if found is None:
                return False
            purchase, licence = found
            if purchase.mailbox is not None:
                email = LicenceArrived(
                    product_name=purchase.product_name,
                    licence=licence_line(licence, purchase, edition=edition),
                    order=order_number(purchase),
                )
                key = outbox_keys.licence(purchase.checkout, product)
                send_email(tx, email, key=key, kind=MailKind.UPDATE, to=purchase.mailbox, now=now)
            return True

        return await self.store.transact(work)
