"""Find an order by what people have of it: its id, its number, or the beginning of that."""

from __future__ import annotations

import re
from typing import Final

from domain.access import Holding
from domain.frozen import frozen
from domain.transaction import ReadTransaction
from domain.values import CheckoutId

SHORTEST: Final = 4
"""Fewer characters of an order number say nothing: it begins with the time of the order."""
_MOST: Final = 20
_NOT_PART_OF_IT: Final = re.compile(r"[\s#-]")


@frozen
class SeveralOrders:
    """Orders that begin alike, in order of their id. `more`: there are others beside these."""

    orders: tuple[Holding, ...]
    more: bool


def find_order(
    tx: ReadTransaction, typed: str, *, shortest: int = SHORTEST
) -> Holding | SeveralOrders | None:
    """The order whose id this is, or begins with it: one seek into the primary key, since ids are ordered.

    Case, spaces, hyphens and # do not count. None for fewer than `shortest` characters.
    """
    start = _NOT_PART_OF_IT.sub("", typed).lower()
    if len(start) < max(shortest, 1):
        return None
    whole = tx.purchases.with_facts(CheckoutId(start))
    if whole is not None:
        return whole
    after = tx.purchases.page_after(start, limit=_MOST + 1)
    found = tuple(held for held in after if held.purchase.checkout.startswith(start))
    if len(found) > 1:
        return SeveralOrders(orders=found[:_MOST], more=len(found) > _MOST)
    return found[0] if found else None
