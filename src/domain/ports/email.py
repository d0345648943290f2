"""Email: the email provider, the templates, and the delivery reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from domain.emails import Email
from domain.frozen import frozen
from domain.mail import Delivery, Envelope, Letter
from domain.ports.payments import InvalidWebhook
from domain.ports.world import ProviderSaid
from domain.product import ShopInfo


class MailNotSent(ProviderSaid):
    """Certainly not accepted: the email provider is unreachable or refused for now. Can be retried."""


class MailUnknown(ProviderSaid):
    """May have been accepted: the connection broke after sending. Retry only with the same idempotency key."""


class MailRefused(ProviderSaid):
    """Refused permanently, such as a wrong key or an impossible address. The message says what to do."""


class MailSentBefore(ProviderSaid):
    """Another email was accepted under this idempotency key: an earlier attempt got through. Nothing was sent now."""


class Mailer(Protocol):
    """The email service."""

    async def send(self, envelope: Envelope) -> None:
        """Send one mail; return once the email provider has accepted it.

        A mail that takes more than a minute gives its place to others; after an hour it is cancelled, which counts as
        MailUnknown.

        Two sends with the same `idempotency_key` deliver one mail, as far as the email provider guarantees it. Raises
        MailNotSent, MailUnknown, MailRefused or MailSentBefore. Of other exceptions an OSError counts as
        MailUnknown; after any other, the email is stuck and may have been sent.
        """

    async def check(self) -> None:
        """Return if the email provider is reachable and would accept our mail. Sends nothing. Raises as `send` does."""

    async def sender_found(self) -> tuple[bool, str]:
        """Whether the email provider accepts the sender's address, and a sentence with the result or the remedy.

        True if the email provider cannot check. Raises as `send` does.
        """

    async def close(self) -> None:
        """Close the connections. Idempotent; safe if none was ever opened."""


@frozen
class TemplateMistake:
    """What is wrong with one of the merchant's templates: its file's name, the line if there is one, and what to do."""

    name: str
    line: int | None
    what: str


class EmailTemplates(Protocol):
    """The wording and layout of every email."""

    @property
    def built_in(self) -> Mapping[str, str]:
        """The sources of the templates that the merchant may replace, by file name."""

    def mistakes_in(self, templates: Mapping[str, str]) -> Sequence[TemplateMistake]:
        """What is wrong with the merchant's templates, given by file name; nothing else of them is ever rendered.

        Each is rendered with sample values. At most one mistake is returned for each, and templates without any are
        good together.
        """

    def render(self, email: Email, *, language: str, shop: ShopInfo, base_url: str) -> Letter:
        """Render an email in `language`, or in English if there is no translation; "" is the shop's own language.

        LINK_SLOT, CODE_SLOT and the slot of `opt_out_slot` are placeholders for the links and the code; everything else
        is escaped for its format. The same arguments give the same bytes. The merchant's own templates
        (`ShopInfo.emails`) come first; if one fails, the email is rendered without them. Raises EmailNotRendered; any
        other exception is treated alike.
        """


class EmailNotRendered(Exception):
    """A template is missing or broken; the message names it and the cause."""


@frozen
class DeliveryReport:
    """A verified report on a mail of this shop; `key` is its outbox key."""

    key: str
    delivery: Delivery


@frozen
class OtherReport:
    """A verified report on something else: another shop's mail, or a type that the shop ignores."""

    type: str


class MailReports(Protocol):
    """The email provider's delivery reports."""

    def parse_webhook(
        self, body: bytes, headers: Mapping[str, str], *, shop: str
    ) -> DeliveryReport | OtherReport | InvalidWebhook:
        """Verify and parse one report; `headers` in lower case. Never raises for invalid input."""
