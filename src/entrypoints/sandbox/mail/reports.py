"""Delivery reports of mails as Resend's signed webhooks. https://resend.com/docs/webhooks/event-types"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Final

from entrypoints.sandbox.stripe.deliveries import Deliveries, Parcel
from entrypoints.sandbox.world import Json, Manners, SentMail, World, fresh_id

KINDS: Final = (
    "email.sent", "email.delivered", "email.delivery_delayed", "email.bounced", "email.complained", "email.failed",
)  # fmt: skip
_BOUNCE: Final = {
    "diagnosticCode": ["smtp; 550 5.1.1 The email account that you tried to reach does not exist"],
    "message": "The recipient's mail server said that there is no such mailbox.",
    "subType": "General",
    "type": "Permanent",
}
_A_WHILE: Final = 1.0
TO_MAIL_WEBHOOK: Final = "mail"
"""The shop's mail webhook, among the places that webhooks go to."""


def sign_svix(body: bytes, secret: str, *, message: str, at: int | None = None) -> dict[str, str]:
    """The Svix headers. https://docs.svix.com/receiving/verifying-payloads/how-manual"""
    second = int(time.time()) if at is None else at
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{message}.{second}.".encode() + body, hashlib.sha256).digest()
    return {
        "svix-id": message,
        "svix-timestamp": str(second),
        "svix-signature": "v1," + base64.b64encode(mac).decode(),
    }


def recipients(mail: SentMail) -> list[str]:
    """The recipients; Resend accepts one address as well as a list."""
    to = mail.fields["to"]
    return [str(one) for one in to] if isinstance(to, list) else [str(to)]


def bounces(mail: SentMail) -> bool:
    """Whether the mail goes to a nonexistent mailbox: one whose name begins with `bounce`."""
    return any(parseaddr(to)[1].lower().startswith("bounce") for to in recipients(mail))


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def report_of(mail: SentMail, kind: str, more: Json) -> Json:
    """https://resend.com/docs/webhooks/emails/bounced: sent as a list, the tags come back as an object."""
    data: Json = {
        "created_at": _iso(mail.at),
        "email_id": mail.id,
        "message_id": f"<{mail.id}@sandbox.example>",
        "from": mail.fields["from"],
        "to": recipients(mail),
        "subject": mail.fields["subject"],
    }
    tags = mail.fields.get("tags")
    if tags:
        data["tags"] = {tag["name"]: tag["value"] for tag in tags}
    if kind == "email.bounced":
        data["bounce"] = {**_BOUNCE, **more.get("bounce", {})}
    if kind == "email.failed":
        data["failed"] = {"reason": "reached_daily_quota", **more.get("failed", {})}
    return {"type": kind, "created_at": _iso(time.time()), "data": data}


def mail_parcel(world: World, *, name: str, kind: str, body: bytes) -> Parcel:
    """One report for the shop, under the id that all its attempts have."""

    def headers(body: bytes) -> dict[str, str]:
        signed = sign_svix(body, world.mail_webhook_secret, message=name)
        return {"content-type": "application/json", "user-agent": "Svix-Webhooks/1.0", **signed}

    return Parcel(
        id=name, type=kind, body=body, to=TO_MAIL_WEBHOOK, address=lambda: world.mail_webhook_url, headers=headers
    )  # fmt: skip


class MailReports:
    """Sends reports to the shop; failed ones are retried under the same id."""

    def __init__(self, world: World, deliveries: Deliveries) -> None:
        self._world = world
        self._deliveries = deliveries

    async def report(
        self, mail: SentMail, kind: str, manners: Manners, more: Json | None = None
    ) -> tuple[bytes, dict[str, str]] | None:
        """Send a report to the shop; return the signed delivery. None: no signing secret, so nothing is sent."""
        if not self._world.mail_webhook_secret:
            return None
        world, message = self._world, fresh_id("msg_", length=27)
        body = json.dumps(report_of(mail, kind, more or {})).encode()
        parcel = mail_parcel(world, name=message, kind=kind, body=body)
        if manners.copies:
            world.reports.setdefault(mail.id, []).append(kind)
        await self._deliveries.send_parcels([parcel], manners)
        return body, parcel.headers(body)

    async def accepted(self, mail: SentMail) -> None:
        """A mail was accepted. No report is sent, except a later bounce if its mailbox does not exist."""
        if not bounces(mail):
            return
        manners = Manners(before_redirect=False)
        await self.report(mail, "email.sent", manners)

        async def bounced() -> None:
            await self.report(mail, "email.bounced", manners)

        self._deliveries.later(_A_WHILE, bounced)
