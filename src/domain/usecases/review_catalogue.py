"""Review the catalogue: the merchant's mistakes, and products that customers own and the catalogue lacks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from domain import outbox_keys
from domain.emails import CatalogueMistakes
from domain.frozen import frozen
from domain.ports import Catalogue, Clock, Store
from domain.product import Product
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.send_email import notify_merchant
from domain.values import ProductId

_MOST_IN_AN_EMAIL: Final = 20
_WELL: Final = "the catalogue was in order"
_BROKE: Final = "the catalogue broke"
"""Cursors: when it was last seen in order, and since when it is not, if that is later."""


@frozen
class CatalogueReview:
    """What needs the merchant."""

    problems: Sequence[str]
    """See Catalogue.problems."""
    gone: Sequence[ProductId]
    """Products that customers own, and that are not in the catalogue: they open in their last good form."""
    lost: Sequence[ProductId]
    """The same without any form: nobody can open them."""

    @property
    def all_well(self) -> bool:
        """Whether nothing needs the merchant."""
        return not self.problems and not self.gone and not self.lost


@frozen
class ReviewCatalogue:
    """For `coatcheck doctor`, and for an email whenever the catalogue has changed."""

    store: Store
    catalogue: Catalogue
    clock: Clock

    async def __call__(self) -> CatalogueReview:
        """Raises StoreUnavailable."""
        problems, products = tuple(self.catalogue.problems), self.catalogue.current().products
        gone, lost = await self.store.survey(lambda tx: missing_products(tx, products))
        return CatalogueReview(problems=problems, gone=gone, lost=lost)

    async def notify(self) -> None:
        """Email what needs the merchant, once a day while it is the same. Raises StoreUnavailable."""
        review, now = await self(), self.clock.now()
        await self.store.transact(lambda tx: _note(tx, well=review.all_well, now=now))
        if review.all_well:
            return
        email = CatalogueMistakes(
            problems=tuple(review.problems[:_MOST_IN_AN_EMAIL]),
            gone=tuple(review.gone[:_MOST_IN_AN_EMAIL]),
            lost=tuple(review.lost[:_MOST_IN_AN_EMAIL]),
        )
        shop = self.catalogue.current().shop
        said = "\n".join((*review.problems, "", *review.gone, "", *review.lost))
        key = outbox_keys.catalogue_mistakes(hashlib.sha256(said.encode()).hexdigest()[:16], now)
        await self.store.transact(lambda tx: notify_merchant(tx, email, key=key, shop=shop, now=now))


def missing_products(
    tx: ReadTransaction, products: Mapping[ProductId, Product]
) -> tuple[Sequence[ProductId], Sequence[ProductId]]:
    """What customers own and the catalogue lacks: with a last good form that opens, and without any."""
    owned = tx.purchases.products_owned()
    gone = [pid for pid in owned if pid in products and not products[pid].present]
    return gone, [pid for pid in owned if pid not in products]


def broken_since(tx: ReadTransaction) -> datetime | None:
    """Since when a review finds something; None if the last one found nothing, or there was none."""
    broke, well = tx.shop.cursor(_BROKE), tx.shop.cursor(_WELL)
    return broke if broke is not None and (well is None or well <= broke) else None


def _note(tx: Transaction, *, well: bool, now: datetime) -> None:
    if well:
        tx.shop.advance_cursor(_WELL, to=now)
    elif broken_since(tx) is None:
        tx.shop.advance_cursor(_BROKE, to=now)
