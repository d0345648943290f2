"""Which products are sold out."""

from __future__ import annotations

from collections.abc import Iterable

from domain.frozen import frozen
from domain.ports import Store
from domain.product import Product, is_sold_out
from domain.transaction import ReadTransaction
from domain.values import ProductId


@frozen
class CheckStock:
    """Counts what was sold of the products whose number is limited; the others are never looked up."""

    store: Store

    async def __call__(self, products: Iterable[Product]) -> frozenset[ProductId]:
        """The ids of those that are sold out. Raises StoreUnavailable."""
        limited = [product for product in products if product.stock is not None]
        if not limited:
            return frozenset()

        def work(tx: ReadTransaction) -> frozenset[ProductId]:
            return frozenset(
                one.id for one in limited if is_sold_out(one, sold=tx.purchases.count_sold(one.id))
            )

        return await self.store.read(work)
