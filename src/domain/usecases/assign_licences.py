"""Give a sale its licence keys; where the list ran out, the merchant is asked for more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from domain import outbox_keys
from domain.emails import OutOfLicenceKeys
from domain.going_live import STARTED_LIVE
from domain.keys import Keyring
from domain.product import CatalogueEdition
from domain.purchase import Checkout, LicenceKey
from domain.transaction import Transaction
from domain.usecases.send_email import notify_merchant
from domain.values import ProductId


def assign_licences(
    tx: Transaction,
    checkout: Checkout,
    *,
    live: bool,
    edition: CatalogueEdition,
    keyring: Keyring,
    now: datetime,
    brought: Collection[ProductId] = (),
) -> tuple[LicenceKey, ...]:
    """A key for each product that has keys, of the bundle, too. Where the list ran out the buyer waits in line.

    So does a purchase that is not `live` when it is booked, which takes no listed key until it is. A test sale takes
    none once the shop has gone live. `brought`: products of which the buyer has a key already.
    """
    assigned: list[LicenceKey] = []
    for product in (checkout.product, *checkout.contents):
        sold = edition.products.get(product)
        if sold is None or sold.licences is None or product in brought:
            continue
        if sold.licences.listed is not None and checkout.livemode is False and tx.shop.cursor(STARTED_LIVE):
            continue  # a test sale of a shop that went live
        if sold.licences.listed is not None and not live:
            tx.licences.enqueue(product, checkout=checkout.id)
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
