"""Adopt the sales of a shop that was built along the tutorial: its buyers find here what they bought there."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import partial
from typing import Final

from domain.frozen import frozen
from domain.ports import Catalogue, Clock, Store
from domain.transaction import Transaction
from domain.usecases.imported_sale import ImportedSale, OldSale, parse_old_sale
from domain.values import ProductId

_AT_ONCE: Final = 200


class _Outcome(Enum):
    BOOKED = auto()
    KNOWN = auto()
    ERASED = auto()
    TAKEN = auto()


@dataclass(slots=True)
class Imported:
    """What came of it."""

    booked: int = 0
    known: int = 0
    """Here already, from an earlier run."""
    doubled: int = 0
    """Rows that name the session of an earlier row."""
    erased: int = 0
    """Of buyers erased here."""
    problems: list[str] = field(default_factory=list)
    """A sentence for each row that was left out."""


@frozen
class ImportSales:
    """Books them without access emails: their buyers sign in here with the address that they bought with.

    Ids are made from Stripe's ids, so that it can be run again. The tutorial notes no dates: a sale is booked as of
    the day on which it is adopted. Nor does it note the currency: it is the one in which the product is sold here.
    """

    store: Store
    catalogue: Catalogue
    clock: Clock

    async def __call__(
        self,
        sales: Iterable[OldSale],
        *,
        renamed: Mapping[str, str],
        look: Callable[[int], None] = lambda number: None,
    ) -> Imported:
        """Adopt sales. `renamed`: what products are called there, and here. Raises StoreUnavailable."""
        found, seen, rows = Imported(), set[bytes](), iter(sales)
        while lot := list(itertools.islice(rows, _AT_ONCE)):
            parsed = list(self._parsed(lot, renamed, seen, found))
            for old, outcome in await self.store.transact(partial(_import_all, parsed)):
                _count(outcome, old, found)
            look(len(lot))
        return found

    def _parsed(
        self, lot: list[OldSale], renamed: Mapping[str, str], seen: set[bytes], found: Imported
    ) -> Iterator[tuple[OldSale, ImportedSale]]:
        now, products = self.clock.now(), self.catalogue.current().products
        for old in lot:
            name = renamed.get(old.product, old.product)
            try:
                sale = parse_old_sale(old, products.get(ProductId(name)), name=name, now=now)
            except ValueError as error:
                found.problems.append(f"purchases row {old.row} was left out: {error}")
                continue
            mark = hashlib.sha256(old.ref.encode()).digest()[:16]
            if mark in seen:
                found.doubled += 1
            else:
                seen.add(mark)
                yield old, sale


def _import_all(
    sales: Sequence[tuple[OldSale, ImportedSale]], tx: Transaction
) -> list[tuple[OldSale, _Outcome]]:
    return [(old, _import(tx, sale)) for old, sale in sales]


def _import(tx: Transaction, sale: ImportedSale) -> _Outcome:
    checkout, purchase = sale.checkout, sale.purchase
    if tx.erasures.is_erased(checkout.id):
        return _Outcome.ERASED
    if tx.purchases.get(checkout.id) is not None:
        return _Outcome.KNOWN
    if not tx.checkouts.add(checkout):
        return _Outcome.TAKEN
    tx.facts.record(sale.fact)
    user = tx.users.get_or_add(sale.owner, new_id=sale.new_user, now=checkout.started_at)
    known = () if purchase.payment is None else tx.facts.of_payment(purchase.payment)
    tx.purchases.book(replace(purchase, user=user), known)
    return _Outcome.BOOKED


def _count(outcome: _Outcome, old: OldSale, found: Imported) -> None:
    match outcome:
        case _Outcome.BOOKED:
            found.booked += 1
        case _Outcome.KNOWN:
            found.known += 1
        case _Outcome.ERASED:
            found.erased += 1
        case _Outcome.TAKEN:
            why = "its Stripe session stands here as another order"
            found.problems.append(f"purchases row {old.row} was left out: {why}")
