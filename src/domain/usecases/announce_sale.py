"""Notify the merchant of a sale, in the transaction that books it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from domain import outbox_keys
from domain.emails import SaleMade
from domain.product import CatalogueEdition
from domain.purchase import Purchase, Source, order_number
from domain.transaction import Transaction
from domain.usecases.send_email import notify_merchant

_SALES: Final = (Source.SALE, Source.FREE)


def is_announced(purchase: Purchase, *, edition: CatalogueEdition) -> bool:
    """Whether the merchant wants to hear of it. Test purchases, grants and imports are no sales."""
    product = edition.products.get(purchase.product)
    wanted = product is None or product.sale_notice
    return wanted and purchase.source in _SALES and purchase.livemode is not False


def announce_sale(tx: Transaction, purchase: Purchase, *, edition: CatalogueEdition, now: datetime) -> None:
    """Once for each sale. The email names no customer: an account can be deleted, and it is none of its emails."""
    if is_announced(purchase, edition=edition):
        order = order_number(purchase.checkout)
        email = SaleMade(product_name=purchase.product_name, paid=purchase.paid, order=order)
        notify_merchant(tx, email, key=outbox_keys.sale_made(purchase.checkout), shop=edition.shop, now=now)
