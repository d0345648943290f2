"""Put a session or payment of the provider in quarantine, and notify the merchant."""

from __future__ import annotations

from datetime import datetime

from domain import outbox_keys
from domain.claim import RejectReason
from domain.emails import PaymentQuarantined
from domain.product import ShopInfo
from domain.transaction import Transaction
from domain.usecases.send_email import notify_merchant


def put_in_quarantine(
    tx: Transaction,
    ref: str,
    reason: RejectReason,
    *,
    retry_at: datetime | None,
    shop: ShopInfo,
    now: datetime,
) -> None:
    """Put a session or payment in quarantine, and notify the merchant of the first open entry with this reason.

    What belongs to another program is noted as closed, and nobody is notified.
    """
    if reason.is_foreign:
        tx.quarantine.ignore(ref, reason, at=now)
        return
    if not tx.quarantine.add(ref, reason, at=now, retry_at=retry_at):
        return
    notify_merchant(
        tx,
        PaymentQuarantined(ref=ref, reason=reason.name),
        key=outbox_keys.quarantined(ref),
        shop=shop,
        now=now,
    )
