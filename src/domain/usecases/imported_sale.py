"""A sale of the tutorial's shop, parsed: what it becomes here."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Final

from domain.fact import CheckoutStatus, Fact, FactKind
from domain.frozen import frozen
from domain.product import Product
from domain.purchase import Checkout, Purchase, Source
from domain.values import (
    CheckoutId,
    EmailAddress,
    InvalidEmail,
    Money,
    ProviderRef,
    UserId,
    is_provider_ref,
    sortable_id,
)

_BEFORE_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


@frozen
class OldSale:
    """A sale as it stands there, unparsed. Texts that are missing are empty."""

    row: str
    email: str
    product: str
    ref: str
    amount: int | None
    """In minor units; of which currency it does not say."""


@frozen
class ImportedSale:
    """A sale as it would be booked here, and the id of its user if there is none yet."""

    checkout: Checkout
    purchase: Purchase
    fact: Fact
    new_user: UserId
    owner: EmailAddress


def parse_old_sale(old: OldSale, product: Product | None, *, name: str, now: datetime) -> ImportedSale:
    """Raises ValueError with half a sentence for the merchant, which names no address."""
    if not is_provider_ref(old.ref):
        raise ValueError("it names no Stripe session, so nothing shows that it was paid")
    if product is None:
        raise ValueError(
            f"the catalogue has no product {name!r}: add it, or say what it is called now with "
            f"--product {old.product}=ITS-ID, and run this again"
        )
    try:
        owner = EmailAddress.parse(old.email)
    except InvalidEmail as error:
        raise ValueError(f"its user has no address that can be mailed. {error}") from error
    price = product.price if old.amount is None else Money(old.amount, product.price.currency)
    checkout = Checkout(
        id=CheckoutId(_id_of("sale", old.ref)),
        product=product.id,
        product_name=product.name,
        price=price,
        session=None,
        mailbox=owner,
        livemode=None,
        started_at=now,
        provider_ref=ProviderRef(old.ref),
        contents=product.contains,
    )
    purchase = Purchase(
        checkout=checkout.id,
        provider_ref=checkout.provider_ref,
        payment=None,
        user=None,
        mailbox=owner,
        paid_email=owner,
        product=product.id,
        product_name=product.name,
        paid=price,
        livemode=checkout.livemode,
        session=None,
        booked_at=now,
        source=Source.IMPORT,
        contents=product.contains,
    )
    user = UserId(_id_of("user", owner.canonical))
    fact = Fact(
        object_id=old.ref,
        kind=FactKind.SESSION,
        payment=None,
        as_of=int(now.timestamp()),
        status=CheckoutStatus.PAID.value,
        amount=price.amount,
    )
    return ImportedSale(checkout=checkout, purchase=purchase, fact=fact, new_user=user, owner=owner)


def _id_of(kind: str, name: str) -> str:
    """The same for the same, and before every id of this shop."""
    return sortable_id(
        now=_BEFORE_TIME, entropy=hashlib.sha256(f"coatcheck tutorial {kind}:{name}".encode()).digest()
    )
