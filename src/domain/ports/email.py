"""Email: who carries it, how it is rendered, and what the carrier reports."""

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
    """Surely not accepted: unreachable, or turned away for now. Worth another try."""


class MailUnknown(ProviderSaid):
    """It may have been accepted: the line broke after it was given. Only the same key may be tried again."""


class MailRefused(ProviderSaid):
    """Turned away for good: a wrong key, an address that cannot be. The message says what to do."""


class Mailer(Protocol):
    """The email service."""

    async def send(self, envelope: Envelope) -> None:
        """Hand over one mail; returns once it was accepted, within 15 s.

        The same `idempotency_key` twice is delivered once, as far as the carrier can promise it. Raises
        MailNotSent, MailUnknown or MailRefused.
        """

    async def check(self) -> None:
        """Return if the carrier can be reached and would take our mail. Sends nothing. Raises as `send` does."""

    async def sender_found(self) -> tuple[bool, str]:
        """Whether mail may come from the sender's address, and a sentence that says so or what to do.

        True where the carrier cannot say. Raises as `send` does.
        """

    async def close(self) -> None:
        """Let go of the connections. May be called when none was ever opened, and twice."""


class EmailTemplates(Protocol):
    """The sentences and the look of every email."""

    def render(self, email: Email, *, language: str, shop: ShopInfo, base_url: str) -> Letter:
        """An email in a language, or in English where there is no translation.

        LINK_SLOT, CODE_SLOT and the slot of `opt_out_slot` stand where links and code will go; all else is escaped as
        its format wants it. The same arguments give the same bytes. Raises EmailNotRendered, and nothing else.
        """


class EmailNotRendered(Exception):
    """A template is missing or broken; the message says which and why."""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A verified report on a mail of ours: `key` is the outbox's."""

    key: str
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class OtherReport:
    """A verified report on something else: another shop's mail, or a kind that is not followed."""

    type: str


class MailReports(Protocol):
    """What the mail carrier tells of the mails it took."""

    def parse_webhook(
        self, body: bytes, headers: Mapping[str, str], *, shop: str
    ) -> DeliveryReport | OtherReport | InvalidWebhook:
        """Verify and parse one report; `headers` in lower case. Never raises for what came over the wire."""
