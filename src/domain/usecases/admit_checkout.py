"""Whether a checkout may begin: for this product, in this browser, and under the shop's limits."""

from __future__ import annotations

from datetime import datetime

from domain.keys import Keyring
from domain.limits import (
    CHECKOUTS_OF_KNOWN_BROWSER,
    FIRST_TRIES,
    UNPAID_PER_NETWORK,
    checkout_shares,
)
from domain.product import Product, Saleability, is_sold_out
from domain.purchase import Checkout
from domain.session import Session, Visitor
from domain.transaction import Transaction
from domain.usecases.checkout_outcomes import AlreadyYours, NotForSale
from domain.usecases.identify_viewer import Viewer
from domain.usecases.list_pending import pending_for
from domain.usecases.request_limits import RequestLimits


def why_not(tx: Transaction, product: Product, viewer: Viewer) -> NotForSale | AlreadyYours | None:
    """What keeps this browser from ordering a product that is offered; None if nothing does.

    AlreadyYours can be confirmed.
    """
    sold = tx.purchases.count_sold(product.id) if product.stock is not None else 0
    if is_sold_out(product, sold=sold):
        return NotForSale(product=product, why=Saleability.SOLD_OUT)
    if viewer.session is None:
        return None
    if product.id in viewer.owned:
        return AlreadyYours(product=product)
    pending = any(product.id in checkout.products for checkout in pending_for(tx, viewer.session))
    return AlreadyYours(product=product, pending=True) if pending else None


def admit(
    tx: Transaction, viewer: Viewer, visitor: Visitor, draft: Checkout, *, keyring: Keyring
) -> datetime | None:
    """Take a place in every share this checkout counts in; when one is free if one of them is full."""
    # An address alone is no sign of a customer: anybody can verify as many as they like by ordering something free.
    customer = viewer.session if any(held.purchase.paid.amount for held in viewer.holdings) else None
    now, ref = draft.started_at, draft.id
    shares = checkout_shares(livemode=bool(draft.livemode))
    limits = RequestLimits(keyring, visitor, now=now, ref=ref)
    until = limits.take_in_networks(tx, UNPAID_PER_NETWORK)
    wanted = [shares.all]
    if customer is None or not _keeps_a_place(tx, customer, keyring=keyring, now=now, ref=ref):
        wanted.append(shares.strangers)
        if limits.take_in_networks(tx, FIRST_TRIES, ref=f"{ref}:try") is not None:
            wanted.append(shares.further)
    for limit in wanted:
        if until is None:
            until = tx.limits.acquire(limit.kind, limit, now=now, ref=ref)
    return until


def _keeps_a_place(tx: Transaction, customer: Session, *, keyring: Keyring, now: datetime, ref: str) -> bool:
    """Counted by what was proved: one customer, in however many browsers, cannot use the customers' share up."""
    who = customer.id if customer.mailbox is None else customer.mailbox.canonical
    bucket = keyring.bucket(CHECKOUTS_OF_KNOWN_BROWSER.kind, who)
    return tx.limits.acquire(bucket, CHECKOUTS_OF_KNOWN_BROWSER, now=now, ref=ref) is None
