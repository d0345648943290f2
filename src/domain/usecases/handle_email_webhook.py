"""Handle a delivery report of the email provider: an email was delivered, bounced, or was marked as spam."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum

from domain import outbox_keys
from domain.emails import AccessEmailBounced, AccessLink
from domain.frozen import frozen
from domain.mail import Delivery, Mail, MailKind, MailState
from domain.ports import Catalogue, Clock, DeliveryReport, InvalidWebhook, MailReports, OtherReport, Store
from domain.product import ShopInfo
from domain.transaction import Transaction
from domain.usecases.send_email import notify_merchant


class NotRecorded(Enum):
    """Why a report changed nothing."""

    IGNORED = "not followed"
    KNOWN = "known"
    """It is about no email of this shop, or a weightier report came before."""


@frozen
class EmailWebhookHandled:
    """Verified, and dealt with durably."""

    outcome: Delivery | NotRecorded


@frozen
class HandleEmailWebhook:
    """Update the outbox. Reports come twice and out of order; the weightiest stays."""

    store: Store
    reports: MailReports
    catalogue: Catalogue
    clock: Clock

    async def __call__(self, body: bytes, headers: Mapping[str, str]) -> EmailWebhookHandled | InvalidWebhook:
        """Raises StoreUnavailable: then the email provider sends the report again."""
        shop = self.catalogue.current().shop
        report = self.reports.parse_webhook(body, headers, shop=shop.id)
        match report:
            case InvalidWebhook():
                return report
            case OtherReport():
                return EmailWebhookHandled(outcome=NotRecorded.IGNORED)
            case DeliveryReport(key, delivery):
                now = self.clock.now()
                return await self.store.transact(lambda tx: _note(tx, key, delivery, shop=shop, now=now))


def _note(
    tx: Transaction, key: str, delivery: Delivery, *, shop: ShopInfo, now: datetime
) -> EmailWebhookHandled:
    mail = tx.outbox.record_delivery(key, delivery)
    if mail is None:
        return EmailWebhookHandled(outcome=NotRecorded.KNOWN)
    if mail.state in (MailState.QUEUED, MailState.STUCK):
        # Its outcome was unknown to us: the email provider did take it.
        tx.outbox.settle(key, state=MailState.SENT, at=now)
    if delivery is Delivery.BOUNCED and mail.kind is MailKind.ACCESS:
        _tell(tx, mail, shop=shop, now=now)
    return EmailWebhookHandled(outcome=delivery)


def _tell(tx: Transaction, mail: Mail, *, shop: ShopInfo, now: datetime) -> None:
    sold = mail.email
    bounced = AccessEmailBounced(key=mail.key)
    if isinstance(sold, AccessLink):
        bounced = AccessEmailBounced(key=mail.key, product_name=sold.product_name, order=sold.order)
    notify_merchant(
        tx,
        bounced,
        key=outbox_keys.bounced(mail.key),
        shop=shop,
        now=now,
    )
