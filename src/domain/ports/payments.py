"""The payment provider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import field
from datetime import datetime
from typing import Protocol

from domain.claim import ProviderCheckout
from domain.fact import Fact
from domain.frozen import frozen
from domain.ports.world import ProviderSaid
from domain.product import PaymentTerms
from domain.promotion import PromotionCode
from domain.purchase import Checkout
from domain.records import EventRecord
from domain.refund import RefundCause
from domain.values import ProviderRef


@frozen
class CheckoutOffer:
    """A request to the payment provider: one copy of one product at the price of the snapshot."""

    checkout: Checkout
    shop: str
    seal: str
    summary: str
    success_url: str
    """Contains `{CHECKOUT_SESSION_ID}`, which the provider replaces by its session id."""
    cancel_url: str
    terms: PaymentTerms = field(default_factory=PaymentTerms)
    tax_code: str = ""
    language: str = ""
    """What the page is to be in (BCP 47); "" leaves that to the shopper's browser, as does a language that
    the provider does not know."""


@frozen
class PaymentPage:
    """The provider's page on which the shopper pays."""

    ref: ProviderRef
    url: str
    expires_at: datetime


@frozen
class CheckoutEvent:
    """A verified delivery about a checkout session."""

    event: EventRecord
    reading: ProviderCheckout


@frozen
class FactEvent:
    """A verified delivery about a refund or a dispute."""

    event: EventRecord
    fact: Fact


@frozen
class PaymentChangedEvent:
    """A verified delivery that a payment changed, without details: the payment must be retrieved."""

    event: EventRecord
    payment: str


@frozen
class IgnoredEvent:
    """A verified delivery of a type that this shop ignores."""

    event: EventRecord


@frozen
class InvalidWebhook:
    """A delivery with an invalid signature or body; `reason` is for the log and the response."""

    reason: str


WebhookEvent = CheckoutEvent | FactEvent | PaymentChangedEvent | IgnoredEvent | InvalidWebhook


@frozen
class ProviderPayment:
    """A payment at the provider: its checkout (None if it has none), refunds and disputes."""

    checkout: ProviderCheckout | None
    facts: tuple[Fact, ...]


@frozen
class TaxLine:
    """One tax of a payment. `name`: as "VAT"; `rate`: in percent, as "19" or "8.875"; `country`: ISO 3166-1 alpha-2."""

    name: str
    rate: str
    country: str


@frozen
class PaymentDetails:
    """What the provider knows of a payment beside its amounts; "" and () for what it does not tell.

    `method`: what the payment method or the card's brand is called, as "Visa" or "SEPA Direct Debit"; `last_digits`: of
    the card or account.
    """

    method: str = ""
    last_digits: str = ""
    taxes: tuple[TaxLine, ...] = ()


class PaymentsUnreachable(ProviderSaid):
    """The provider did not respond, or is temporarily unavailable. Nothing was charged."""


class PaymentsFailed(PaymentsUnreachable):
    """The provider answered with an error of its own. It may have done what was asked, or may do it yet.

    Under the same idempotency key it would repeat this answer.
    """


class PaymentsRefused(ProviderSaid):
    """The provider refused the request: a wrong key, currency or price. The message is for the merchant."""


class PromotionRefused(PaymentsRefused):
    """The provider does not take the promotion code of a checkout: it was used up or ended a moment ago."""


class Payments(Protocol):
    """The payment provider."""

    @property
    def livemode(self) -> bool:
        """Whether payments are real, not in test mode."""

    @property
    def page_origin(self) -> str:
        """The origin of the page where shoppers pay, for the Content-Security-Policy's form-action."""

    async def create_checkout(self, offer: CheckoutOffer) -> PaymentPage:
        """Open a checkout session; the same checkout id twice gives the same session.

        Raises PaymentsUnreachable within 10 s, PaymentsRefused, or of these PromotionRefused.
        """

    async def find_promotion(self, code: str) -> PromotionCode | None:
        """The active promotion code that reads so, in upper or lower case; None if there is none.

        Raises as `create_checkout` does.
        """

    async def retrieve_checkout(self, ref: ProviderRef) -> ProviderCheckout | None:
        """The provider's current state of a session; None if unknown. Raises as `create_checkout` does."""

    async def expire_checkout(self, ref: ProviderRef) -> ProviderCheckout | None:
        """End a session that nobody has paid yet, and return its state; None if unknown. Raises as `create_checkout`.

        One that is paid, or whose payment is under way, stays as it is.
        """

    def list_completed(self, since: datetime, until: datetime) -> AsyncIterator[ProviderCheckout]:
        """Completed sessions created in [since, until), ours or not, in any order. Raises as `create_checkout`."""

    def list_refunds(self, since: datetime) -> AsyncIterator[Fact]:
        """Refunds created since then, as they stand now, ours or not, in any order. Raises as `create_checkout`."""

    def list_disputes(self, since: datetime) -> AsyncIterator[Fact]:
        """Disputes created since then, as they stand now, ours or not, in any order. Raises as `create_checkout`."""

    def list_fraud_warnings(self, since: datetime) -> AsyncIterator[Fact]:
        """Fraud warnings created since then, as they stand now, ours or not, in any order.

        Raises as `create_checkout`. A provider that has none yields nothing.
        """

    async def retrieve_payment(self, payment: str) -> ProviderPayment | None:
        """The provider's current state of a payment; None if unknown. Raises as `create_checkout` does.

        If the provider refuses to list either its refunds or its disputes, the others are returned.
        """

    async def refund(self, payment: str, amount: int, *, key: str, request: str, cause: RefundCause) -> Fact:
        """Refund a part of a payment, in minor units; the fact of the refund as it stands then, naming `request`.

        The provider keeps `request` with the refund, so that every later fact about it names it, too. The same `key`
        gives the same refund and never a second one, for a day at least. Raises PaymentsUnreachable if there was no
        answer (it may have been done: the same again is safe), of these PaymentsFailed if the provider failed, and
        PaymentsRefused if it will not be done.
        """

    async def refunds_of(self, payment: str) -> Sequence[Fact]:
        """Every refund of a payment as it stands now, in any order; () if it is unknown. Raises as `create_checkout`.

        Complete: a refund that was made before is among them.
        """

    async def invoice_url(self, ref: ProviderRef) -> str | None:
        """The URL of the provider's invoice of a session; None if it has none. Raises as `create_checkout`."""

    async def payment_details(self, ref: ProviderRef) -> PaymentDetails | None:
        """How a session was paid and taxed; None if it is unknown. Raises as `create_checkout`."""

    @property
    def signature_header(self) -> str:
        """The header that carries a delivery's signature, in lower case."""

    def parse_webhook(self, body: bytes, signature: str, *, now: datetime) -> WebhookEvent:
        """Verify and parse one delivery. Never raises for invalid input."""

    async def check(self) -> datetime | None:
        """Verify the API key with a small request; return the provider's time, None if it sends none.

        Raises as `create_checkout` does.
        """

    async def close(self) -> None:
        """Close the connections. Idempotent; safe if none was ever opened."""
