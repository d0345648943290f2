"""One sale in a shop in memory, and what is stored about it."""

from __future__ import annotations

from domain.fact import Fact, FactKind
from domain.purchase import Purchase
from domain.refund import RefundRequest
from domain.values import ProviderRef
from entrypoints.testing import Browser, Shop
from testkit.after_sale import a_sale


def sold(shop: Shop) -> tuple[Browser, ProviderRef, Purchase]:
    """Anna's browser, Stripe's session and the purchase."""
    anna, ref = a_sale(shop)
    [order] = shop.memory.tables.purchases.values()
    return anna, ref, order


def only_request(shop: Shop) -> RefundRequest:
    """The one refund request there is."""
    [request] = shop.memory.tables.refund_requests.values()
    return request


def only_fact(shop: Shop) -> Fact:
    """The one refund that is recorded."""
    [fact] = [fact for fact in shop.memory.tables.facts.values() if fact.kind is FactKind.REFUND]
    return fact
