"""What the shop offers at Stripe, as the tests of its adapter and of the stand-in send it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

from domain.ports import CheckoutOffer
from domain.purchase import Checkout
from domain.values import CheckoutId, EmailAddress, Money, ProductId, SessionId

OFFER = CheckoutOffer(
    checkout=Checkout(
        id=CheckoutId("0199checkout"), product=ProductId("book"), product_name="The book", price=Money(900, "usd"),
        session=SessionId("s"), mailbox=EmailAddress("anna@example.com"), livemode=False,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
    ),
    shop="shop-1", seal="v1.k.abc", summary="Read it.",
    success_url="https://shop.example/view/book?session_id={CHECKOUT_SESSION_ID}",
    cancel_url="https://shop.example/products/book",
)  # fmt: skip


def an_offer(number: int) -> CheckoutOffer:
    return replace(
        OFFER, checkout=replace(OFFER.checkout, id=CheckoutId(f"0199-{number}-{time.monotonic_ns()}"))
    )
