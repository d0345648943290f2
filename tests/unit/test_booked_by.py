"""A sale says which caller of the claim booked it."""

from __future__ import annotations

import pytest

from domain.purchase import BookedBy, Purchase
from entrypoints.testing import Browser, Shop
from testkit.stepping import run

ANNA = "anna@example.com"


def only_purchase(shop: Shop) -> Purchase:
    [held] = run(shop.store.read(lambda tx: tx.purchases.page_after("", limit=9)))
    return held.purchase


@pytest.mark.parametrize("by", BookedBy)
def test_the_first_caller_is_kept(by: BookedBy) -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy()
    shop.payments.pay(ref, email=ANNA)
    callers = {
        BookedBy.RETURN: lambda: anna.come_back(ref),
        BookedBy.WEBHOOK: lambda: shop.hear_of(ref, event="evt_1"),
        BookedBy.RECONCILER: lambda: run(shop.reconcile()),
    }
    callers.pop(by)()
    assert only_purchase(shop).booked_by is by
    for other in callers.values():
        other()
    assert only_purchase(shop).booked_by is by
