"""Email: the carrier, the templates, and the delivery reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from domain.emails import Email
from domain.mail import Delivery, Envelope, Letter
from domain.ports.payments import InvalidWebhook
from domain.ports.world import ProviderSaid
from domain.product import ShopInfo


class MailNotSent(ProviderSaid):
    """Certainly not accepted: the carrier is unreachable or refused for now. Can be retried."""


class MailUnknown(ProviderSaid):
    """May have been accepted: the connection broke after sending. Retry only with the same idempotency key."""


class MailRefused(ProviderSaid):
    """Refused permanently, such as a wrong key or an impossible address. The message says what to do."""


class Mailer(Protocol):
    """The email service."""

    async def send(self, envelope: Envelope) -> None:
        """Send one mail; return once the carrier has accepted it, within 15 s.

        Two sends with the same `idempotency_key` deliver one mail, as far as the carrier guarantees it. Raises
        MailNotSent, MailUnknown or MailRefused.
        """

    async def check(self) -> None:
        """Return if the carrier is reachable and would accept our mail. Sends nothing. Raises as `send` does."""

    async def sender_found(self) -> tuple[bool, str]:
        """Whether the carrier accepts the sender's address, and a sentence with the result or the remedy.

        True if the carrier cannot check. Raises as `send` does.
        """

    async def close(self) -> None:
        """Close the connections. Idempotent; safe if none was ever opened."""


class EmailTemplates(Protocol):
    """The wording and layout of every email."""

    def render(self, email: Email, *, language: str, shop: ShopInfo, base_url: str) -> Letter:
        """Render an email in `language`, or in English if there is no translation.

        LINK_SLOT, CODE_SLOT and the slot of `opt_out_slot` are placeholders for the links and the code; everything else
        is escaped for its format. The same arguments give the same bytes. Raises only EmailNotRendered.
        """


class EmailNotRendered(Exception):
    """A template is missing or broken; the message names it and the cause."""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A verified report on a mail of this shop; `key` is its outbox key."""

    key: str
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class OtherReport:
    """A verified report on something else: another shop's mail, or a type that the shop ignores."""

    type: str


class MailReports(Protocol):
    """The mail carrier's delivery reports."""

    def parse_webhook(
        self, body: bytes, headers: Mapping[str, str], *, shop: str
    ) -> DeliveryReport | OtherReport | InvalidWebhook:
        """Verify and parse one report; `headers` in lower case. Never raises for invalid input."""
