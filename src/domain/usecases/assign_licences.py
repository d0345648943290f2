"""Give a sale its licence keys; where the list ran out, the merchant is asked for more."""

from __future__ import annotations

from datetime import datetime

from domain import outbox_keys
from domain.emails import OutOfLicenceKeys
from domain.keys import Keyring
from domain.product import CatalogueEdition
from domain.purchase import Checkout, LicenceKey
from domain.transaction import Transaction
from domain.usecases.send_email import notify_merchant


def assign_licences(
    tx: Transaction, checkout: Checkout, *, edition: CatalogueEdition, keyring: Keyring, now: datetime
) -> tuple[LicenceKey, ...]:
    """A key for each product that has keys, of the bundle, too. Where the list ran out the buyer waits in line."""
    assigned: list[LicenceKey] = []
    for product in (checkout.product, *checkout.contents):
        sold = edition.products.get(product)
        if sold is None or sold.licences is None:
            continue
        if sold.licences.listed is None:
            key: str | None = keyring.signing.licence_of(checkout.id, product)
        else:
            key = tx.licences.assign(product, checkout=checkout.id)
        if key is not None:
            assigned.append(LicenceKey(product=product, key=key))
        else:
            notify_merchant(
                tx,
                OutOfLicenceKeys(product=product, product_name=sold.name),
                key=outbox_keys.licences_used_up(product, now),
                shop=edition.shop,
                now=now,
            )
    return tuple(assigned)
