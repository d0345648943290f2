"""The mail reports port on Resend's webhooks: signed as Svix signs, verified by Resend's SDK.

Each mail carries a tag that names its row in the outbox, so a report needs no id of the email provider's to be placed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import resend

from domain.mail import Delivery
from domain.ports import DeliveryReport, InvalidWebhook, OtherReport

MAIL_TAG: Final = "coatcheck"
_DELIVERIES: Final = {
    "email.sent": Delivery.ACCEPTED,
    "email.delivery_delayed": Delivery.DELAYED,
    "email.delivered": Delivery.DELIVERED,
    "email.complained": Delivery.COMPLAINED,
    "email.bounced": Delivery.BOUNCED,
    # Not sent at all: the address is on Resend's list of those that bounced or complained before, or it failed.
    "email.suppressed": Delivery.BOUNCED,
    "email.failed": Delivery.BOUNCED,
}


class _Data(msgspec.Struct, frozen=True):
    tags: dict[str, str] | None = None


class _Event(msgspec.Struct, frozen=True):
    """https://resend.com/docs/webhooks/emails/bounced; unknown fields are left alone."""

    type: str
    data: _Data | None = None


_decode: Final = msgspec.json.Decoder(_Event).decode


def tag_of(idempotency_key: str) -> str:
    """A key in the letters that a tag may have (ASCII letters, digits, _ and -, at most 256)."""
    return base64.urlsafe_b64encode(idempotency_key.encode()).decode().rstrip("=")


def _key_of(tag: str) -> str | None:
    try:
        return base64.urlsafe_b64decode(tag + "=" * (-len(tag) % 4)).decode()
    except (binascii.Error, ValueError):
        return None


class ResendReports:
    """With several secrets, any of them may have signed: one may be on its way out."""

    def __init__(self, *, secrets: Sequence[str]) -> None:
        self._secrets = secrets

    def parse_webhook(
        self, body: bytes, headers: Mapping[str, str], *, shop: str
    ) -> DeliveryReport | OtherReport | InvalidWebhook:
        """See MailReports."""
        if not self._secrets:
            return InvalidWebhook(reason="RESEND_WEBHOOK_SECRET is not set, so no report can be believed")
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return InvalidWebhook(reason="this is no report of Resend's")
        if not any(_verifies(text, headers, secret) for secret in self._secrets):
            return InvalidWebhook(reason="its signature does not match, or its time is not now")
        try:
            event = _decode(body)
        except (msgspec.MsgspecError, RecursionError):
            return InvalidWebhook(reason="this is no report of Resend's")
        return _report_of(event, shop=shop)


def _report_of(event: _Event, *, shop: str) -> DeliveryReport | OtherReport:
    delivery = _DELIVERIES.get(event.type)
    tags = {} if event.data is None else event.data.tags or {}
    owner, _, key = (_key_of(tags.get(MAIL_TAG, "")) or "").partition("/")
    if delivery is None or owner != shop or not key:
        return OtherReport(type=event.type[:60])
    return DeliveryReport(key=key, delivery=delivery)


def _verifies(text: str, headers: Mapping[str, str], secret: str) -> bool:
    """https://docs.svix.com/receiving/verifying-payloads/how-manual; five minutes on either side of now."""
    try:
        resend.Webhooks.verify(
            {
                "payload": text,
                "headers": {
                    "id": headers.get("svix-id", ""),
                    "timestamp": headers.get("svix-timestamp", ""),
                    "signature": headers.get("svix-signature", ""),
                },
                "webhook_secret": secret,
            }
        )
    except (ValueError, TypeError, RecursionError):
        return False
    return True
