"""A payment that arrives after its customer deleted the account: the merchant has to pay it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from domain import outbox_keys
from domain.claim import KnownCheckout, RejectReason
from domain.emails import PaymentQuarantined
from domain.fact import Fact
from domain.product import ShopInfo
from domain.purchase import Purchase, PurchaseState, standing
from domain.transaction import Transaction
from domain.usecases.send_email import notify_merchant

_CLOSED: Final = (PurchaseState.REFUNDED, PurchaseState.CHARGED_BACK)


def note_paid_for_nobody(
    tx: Transaction,
    purchase: Purchase,
    known: KnownCheckout,
    facts: Sequence[Fact],
    *,
    shop: ShopInfo,
    now: datetime,
) -> None:
    """Put the session in quarantine before its sale is booked without an owner, and notify the merchant of each.

    A restored shop that has no row of the checkout books again what was delivered before its customer was erased:
    that is no news. Nor is one of which nothing is left to pay back.
    """
    ref, reason = purchase.provider_ref, RejectReason.CUSTOMER_ERASED
    if ref is None:
        return
    if known.checkout is None or not purchase.paid.amount or standing(purchase, facts).state in _CLOSED:
        tx.quarantine.close(ref, at=now)
        return
    tx.quarantine.add(ref, reason, at=now, retry_at=None)
    email = PaymentQuarantined(ref=ref, reason=reason.name)
    notify_merchant(tx, email, key=outbox_keys.paid_for_nobody(ref), shop=shop, now=now)
