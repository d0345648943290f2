"""The payment provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.claim import ProviderCheckout
from domain.ports.world import ProviderSaid
from domain.product import PaymentTerms
from domain.purchase import Checkout, Fact
from domain.records import EventRecord
from domain.values import ProviderRef


@dataclass(frozen=True, slots=True)
class CheckoutOffer:
    """What is asked of the payment provider: one copy of one product at the price of the snapshot."""

    checkout: Checkout
    shop: str
    seal: str
    summary: str
    success_url: str
    """With `{CHECKOUT_SESSION_ID}` where the provider puts its id."""
    cancel_url: str
    terms: PaymentTerms = field(default_factory=PaymentTerms)
    tax_code: str = ""


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """Where the shopper pays."""

    ref: ProviderRef
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CheckoutEvent:
    """A verified delivery about a checkout session."""

    event: EventRecord
    reading: ProviderCheckout


@dataclass(frozen=True, slots=True)
class FactEvent:
    """A verified delivery about a refund or a dispute."""

    event: EventRecord
    fact: Fact


@dataclass(frozen=True, slots=True)
class PaymentChangedEvent:
    """A verified delivery that says only that something happened to a payment: it is to be asked about."""

    event: EventRecord
    payment: str


@dataclass(frozen=True, slots=True)
class IgnoredEvent:
    """A verified delivery about something this shop does not follow."""

    event: EventRecord


@dataclass(frozen=True, slots=True)
class InvalidWebhook:
    """A delivery that is not to be believed, or not to be understood; `reason` is for the log and the answer."""

    reason: str


WebhookEvent = CheckoutEvent | FactEvent | PaymentChangedEvent | IgnoredEvent | InvalidWebhook


@dataclass(frozen=True, slots=True)
class ProviderPayment:
    """What the provider says of a payment: the checkout it was made in (None: none), its refunds and disputes."""

    checkout: ProviderCheckout | None
    facts: tuple[Fact, ...]


class PaymentsUnreachable(ProviderSaid):
    """The provider did not answer, or said that it cannot now. Nothing was charged."""


class PaymentsRefused(ProviderSaid):
    """The provider understood and said no: a key, a currency or a price is wrong. The message is for the merchant."""


class Payments(Protocol):
    """The payment provider."""

    @property
    def livemode(self) -> bool:
        """Whether real money moves."""

    @property
    def page_origin(self) -> str:
        """The origin of the page where shoppers pay, for the Content-Security-Policy's form-action."""

    async def create_checkout(self, offer: CheckoutOffer) -> PaymentPage:
        """Open a checkout session; the same checkout id twice gives the same session.

        Raises PaymentsUnreachable within 10 s, or PaymentsRefused.
        """

    async def retrieve_checkout(self, ref: ProviderRef) -> ProviderCheckout | None:
        """What the provider says of a session now; None if it knows none of that id. Raises as `start` does."""

    def list_completed(self, since: datetime, until: datetime) -> AsyncIterator[ProviderCheckout]:
        """Completed sessions made from one moment up to another, ours or not, in any order. Raises as `start`."""

    def list_facts(self, since: datetime) -> AsyncIterator[Fact]:
        """Refunds and disputes made since a moment, of payments of ours or not, in any order. Raises as `start`."""

    async def retrieve_payment(self, payment: str) -> ProviderPayment | None:
        """What the provider says of a payment now; None if it knows none of that id. Raises as `start` does."""

    async def invoice_url(self, ref: ProviderRef) -> str | None:
        """Where the buyer sees the provider's own invoice of a session; None if it made none. Raises as `start`."""

    @property
    def signature_header(self) -> str:
        """The header that carries a delivery's signature, in lower case."""

    def parse_webhook(self, body: bytes, signature: str, *, now: datetime) -> WebhookEvent:
        """Verify and parse one delivery. Never raises for what came over the wire."""

    async def check(self) -> datetime | None:
        """Ask for something small, to learn whether the key is good; the provider's time, None if it names none.

        Raises as `start` does.
        """

    async def close(self) -> None:
        """Let go of the connections. May be called when none was ever opened, and twice."""
