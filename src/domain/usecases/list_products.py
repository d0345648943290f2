"""List the products for the merchant, with what was sold of each; and show one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from domain.customer_list import CustomerFilter
from domain.day_sums import DaySum, by_currency
from domain.frozen import frozen
from domain.going_live import STARTED_LIVE
from domain.local_time import day_of
from domain.ports import Catalogue, Clock, Store
from domain.product import Product
from domain.sale_list import SaleCount
from domain.transaction import ReadTransaction
from domain.usecases.review_catalogue import CatalogueReview, ReviewCatalogue
from domain.usecases.sum_days import SumDays
from domain.values import ProductId

RECENT_DAYS: Final = 30
_YEAR: Final = timedelta(days=365)


@frozen
class ProductRow:
    """One product, with all that its columns show."""

    product: Product
    sold: int
    """Test purchases count until the shop has gone live."""
    gone_live: bool
    """Whether it has."""
    recent: Sequence[tuple[str, int]]
    """Currency and minor units of what is left of what came in within 30 days; below zero if more went back."""
    keys_free: int | None
    """How many of the listed licence keys are left; None for a product without a list."""
    keys_waiting: int
    """How many purchases wait for a key."""
    mistakes: Sequence[str]
    """What the catalogue says of its files: see `Catalogue.problems` and `warnings`."""


@frozen
class ProductList:
    """Every product that is in the catalogue, by name, then those that are not any more."""

    now: datetime
    rows: Sequence[ProductRow]
    review: CatalogueReview
    warnings: Sequence[str]


@frozen
class ProductShown:
    """One product."""

    now: datetime
    row: ProductRow
    days: Sequence[DaySum]
    """Its sums of the twelve months up to today, from the first of a month on; in order of day and currency."""
    owners: SaleCount
    """Customers who bought it, alone or in a bundle, whatever came of it."""


@frozen
class ListProducts:
    """The page "Products". Reads only, beside the customers (`Store.survey`)."""

    store: Store
    catalogue: Catalogue
    clock: Clock
    sum_days: SumDays
    review_catalogue: ReviewCatalogue

    async def __call__(self) -> ProductList:
        """Raises StoreUnavailable."""
        now, edition = self.clock.now(), self.catalogue.current()
        today = day_of(now, edition.shop.zone)
        days = await self.sum_days(today - timedelta(days=RECENT_DAYS - 1), today)
        products = sorted(
            edition.products.values(), key=lambda one: (not one.present, one.name.casefold(), one.id)
        )
        mistakes = [*self.catalogue.problems, *self.catalogue.warnings]
        rows = await self.store.survey(lambda tx: [_row(tx, one, days, mistakes) for one in products])
        review = await self.review_catalogue()
        return ProductList(now=now, rows=rows, review=review, warnings=self.catalogue.warnings)

    async def show(self, product: ProductId) -> ProductShown | None:
        """None if the catalogue does not know it, in any form. Raises StoreUnavailable."""
        now, edition = self.clock.now(), self.catalogue.current()
        found = edition.products.get(product)
        if found is None:
            return None
        today = day_of(now, edition.shop.zone)
        days = [one for one in await self.sum_days(first_of_year(today), today) if one.product == product]
        mistakes = [*self.catalogue.problems, *self.catalogue.warnings]
        start = today - timedelta(days=RECENT_DAYS - 1)

        def work(tx: ReadTransaction) -> ProductShown:
            row = _row(tx, found, [one for one in days if one.day >= start], mistakes)
            owners = tx.customer_lists.count(CustomerFilter(bought=product))
            return ProductShown(now=now, row=row, days=days, owners=owners)

        return await self.store.survey(work)


def first_of_year(today: date) -> date:
    """The first day of the twelve months that end with this one."""
    return (today.replace(day=1) - _YEAR + timedelta(days=31)).replace(day=1)


def _row(
    tx: ReadTransaction, product: Product, days: Iterable[DaySum], mistakes: Iterable[str]
) -> ProductRow:
    home = product.price.currency
    listed = product.licences is not None and product.licences.listed is not None
    sums = by_currency(one for one in days if one.product == product.id)
    return ProductRow(
        product=product,
        sold=tx.purchases.count_sold(product.id),
        gone_live=tx.shop.cursor(STARTED_LIVE) is not None,
        recent=[
            (currency, one.gross - one.refunded)
            for currency, one in sorted(sums.items(), key=lambda one: (one[0] != home, one[0]))
            if one.gross or one.refunded
        ],
        keys_free=tx.licences.count_free(product.id) if listed else None,
        keys_waiting=tx.licences.count_waiting(product.id),
        mistakes=[said for said in mistakes if product.id in said.partition(":")[0].split("/")[1:2]],
    )
