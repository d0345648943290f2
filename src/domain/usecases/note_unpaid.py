"""Record a session that is not paid (yet): check a slow payment again, notify the buyer of a failed one."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from domain import outbox_keys
from domain.claim import AwaitingPayment, NotPaid, ProviderCheckout, address_of
from domain.emails import PaymentFailed
from domain.fact import CheckoutStatus, Fact
from domain.mail import MailKind
from domain.purchase import Checkout, order_number
from domain.transaction import Transaction
from domain.usecases.record_fact import ASK_AGAIN_AFTER
from domain.usecases.send_email import send_email

_STATUSES: Final = {status.value: status for status in CheckoutStatus}


def note_unpaid(
    tx: Transaction,
    reading: ProviderCheckout,
    checkout: Checkout,
    *,
    kept: Fact,
    now: datetime,
) -> AwaitingPayment | NotPaid:
    """`kept`: the newest fact about the session, which decides."""
    status = _STATUSES.get(kept.status, CheckoutStatus.OPEN)  # a newer version may have stored another
    if status is CheckoutStatus.UNPAID:
        if reading.payment is not None:  # a debit takes days; if nobody says how it ended, we ask
            tx.rechecks.schedule(reading.payment, at=now, due_at=now + ASK_AGAIN_AFTER)
        return AwaitingPayment()
    if status is CheckoutStatus.FAILED:
        if reading.payment is not None:
            tx.rechecks.cancel(reading.payment)
        to = checkout.mailbox or address_of(reading.email)
        if to is not None and not tx.erasures.is_erased(checkout.id):
            email = PaymentFailed(
                product=checkout.product,
                product_name=checkout.product_name,
                price=checkout.price,
                order=order_number(checkout.id),
            )
            key = outbox_keys.payment_failed(checkout.id)
            send_email(tx, email, key=key, kind=MailKind.UPDATE, to=to, now=now)
    return NotPaid(status=status)
