"""Book a free order for an address that was verified."""

from __future__ import annotations

from dataclasses import replace

from domain.claim import Sale
from domain.product import Status
from domain.purchase import Checkout, Purchase, Source
from domain.transaction import Transaction
from domain.usecases.book_sale import Booking
from domain.usecases.link_outcomes import LinkError
from domain.values import EmailAddress, Money


def why_too_late(tx: Transaction, checkout: Checkout, *, booking: Booking) -> LinkError | None:
    """Why a free order that waited for its confirmation comes too late, if it does.

    The stock went to others meanwhile, or the merchant ended the sale. A payment would be booked; here, none was taken.
    """
    product = booking.edition.products.get(checkout.product)
    if product is None or tx.purchases.get(checkout.id) is not None:
        return None
    if product.status in (Status.DRAFT, Status.RETIRED):
        return LinkError.NO_LONGER_SOLD
    if product.stock is not None and tx.purchases.count_sold(product.id) >= product.stock:
        return LinkError.SOLD_OUT
    return None


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
    return booking.book(tx, sale, known, source=Source.FREE, ref=None, payment=None)
