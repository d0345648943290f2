"""Book a free order for an address that was verified."""

from __future__ import annotations

from dataclasses import replace

from domain.claim import Sale
from domain.purchase import Checkout, Purchase
from domain.transaction import Transaction
from domain.usecases.book_sale import Booking
from domain.values import EmailAddress, Money


def is_sold_out(tx: Transaction, checkout: Checkout, *, booking: Booking) -> bool:
    """Whether a free order that waited for its confirmation comes too late: the stock went to others meanwhile."""
    product = booking.edition.products.get(checkout.product)
    if product is None or product.stock is None or tx.purchases.get(checkout.id) is not None:
        return False
    return tx.purchases.count_sold(product.id) >= product.stock


def book_free(tx: Transaction, checkout: Checkout, mailbox: EmailAddress, *, booking: Booking) -> Purchase:
    """Book a free order for a mailbox that was proved. It opens by the mailbox alone, in whatever browser.

    The browser that asked gets nothing by having asked: anybody can type anybody's address.
    """
    held = tx.purchases.get(checkout.id)
    if held is not None:
        return held
    sale = Sale(
        checkout=replace(checkout, session=None),
        owner=mailbox,
        paid_email=None,
        paid=Money(0, checkout.price.currency),
    )
    known = tx.checkouts.for_claim(checkout.id, ref=None, payment=None)
    return booking.book(tx, sale, known, ref=None, payment=None)
