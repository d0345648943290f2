"""What the provider said to a new checkout, noted in our row of it: its payment page, or the end."""

from __future__ import annotations

from domain.ports import PaymentPage
from domain.product import ShopInfo
from domain.purchase import Checkout
from domain.records import ProblemKind
from domain.transaction import Transaction
from domain.usecases.report_problem import report_problem


def end_checkout(tx: Transaction, *, checkout: Checkout) -> None:
    """End the checkout, so that the next try gets another idempotency key."""
    tx.limits.release(checkout.id)
    tx.checkouts.bind(checkout.id, ref=None, expires_at=checkout.started_at)


def note_refused(tx: Transaction, *, checkout: Checkout, said: str, shop: ShopInfo) -> None:
    """End the checkout, and notify the merchant."""
    end_checkout(tx, checkout=checkout)
    kind, now = ProblemKind.CHECKOUT_REFUSED, checkout.started_at
    report_problem(tx, kind, subject=checkout.product, detail=said, shop=shop, now=now)


def bind_page(tx: Transaction, *, checkout: Checkout, page: PaymentPage) -> None:
    """Note the payment page that was opened for a checkout."""
    tx.checkouts.bind(checkout.id, ref=page.ref, expires_at=page.expires_at)
    tx.problems.resolve(ProblemKind.CHECKOUT_REFUSED, checkout.product)
