"""Notify a buyer of what a refund or a dispute changed."""

from __future__ import annotations

from datetime import datetime

from domain import outbox_keys
from domain.access import Holding, owned
from domain.emails import OpenAgain, Refunded
from domain.fact import Fact
from domain.mail import MailKind
from domain.purchase import PurchaseState, order_number
from domain.transaction import Transaction
from domain.usecases.send_email import send_email
from domain.values import Money


def notify_buyer(tx: Transaction, before: Holding, after: Holding, *, of: Fact, now: datetime) -> None:
    """Email a refund, and access that is restored: once for each refund or dispute, in whatever order they come."""
    purchase, state = after.purchase, after.standing.state
    if purchase.mailbox is None:
        return
    if after.refunded > before.refunded:
        currency = purchase.paid.currency
        others = [
            h for h in tx.purchases.of_address(purchase.mailbox) if h.purchase.checkout != purchase.checkout
        ]
        email = Refunded(
            product_name=purchase.product_name,
            refunded=Money(after.refunded - before.refunded, currency),
            in_all=Money(after.refunded, currency),
            paid=purchase.paid,
            closed=state in (PurchaseState.REFUNDED, PurchaseState.CHARGED_BACK, PurchaseState.REVOKED),
            suspended=state is PurchaseState.SUSPENDED,
            order=order_number(purchase.checkout),
            elsewhere=purchase.product in owned(others),
        )
        key = outbox_keys.refunded(purchase.checkout, of.object_id)
        send_email(tx, email, key=key, kind=MailKind.UPDATE, to=purchase.mailbox, now=now)
    if before.standing.state is not PurchaseState.LIVE and state is PurchaseState.LIVE:
        opened = OpenAgain(
            product=purchase.product,
            product_name=purchase.product_name,
            order=order_number(purchase.checkout),
        )
        key = outbox_keys.open_again(purchase.checkout, of.object_id)
        send_email(tx, opened, key=key, kind=MailKind.UPDATE, to=purchase.mailbox, now=now)
