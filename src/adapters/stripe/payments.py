"""The payments port on Stripe Checkout, through the official SDK."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import stripe

from adapters.stripe import promotions
from adapters.stripe.details import EXPANDED, details_of
from adapters.stripe.offering import create_params, naming_methods
from adapters.stripe.signature import objection
from adapters.stripe.wire import (
    REQUEST,
    StripeDispute,
    StripeList,
    StripeRefund,
    StripeSession,
    StripeWarning,
    decode_disputes,
    decode_refund,
    decode_refunds,
    decode_session,
    decode_sessions,
    decode_warnings,
    fact_of,
    invoice_url_of,
    news_of,
    reading_of,
    warning_of,
)
from domain.claim import ProviderCheckout
from domain.fact import Fact
from domain.ports import (
    CheckoutOffer,
    InvalidWebhook,
    PaymentDetails,
    PaymentPage,
    PaymentsFailed,
    PaymentsRefused,
    PaymentsUnreachable,
    PromotionRefused,
    ProviderPayment,
    WebhookEvent,
)
from domain.promotion import PromotionCode
from domain.refund import RefundCause
from domain.values import ProviderRef, is_provider_ref

T = TypeVar("T")
S = TypeVar("S", StripeSession, StripeRefund, StripeDispute, StripeWarning)

# The SDK's telemetry writes into the home folder, and fails the first call of a user without one.
stripe.enable_telemetry = False

_TIMEOUT: Final = 8.0
_IN_ALL: Final = 9.0
"""Seconds for a call with all its retries; the port promises 10."""
_RETRIES: Final = 2
_PAGE: Final = 100


class StripePayments:
    """Checkout sessions with the price in them (`price_data`): nothing has to be set up in Stripe's dashboard."""

    def __init__(self, *, key: str, webhook_secrets: tuple[str, ...], api_base: str | None) -> None:
        self._key = key
        self._secrets = webhook_secrets
        self._api_base = api_base
        self._held: tuple[asyncio.AbstractEventLoop, stripe.StripeClient, stripe.HTTPXClient] | None = None

    @property
    def livemode(self) -> bool:
        """See Payments. https://docs.stripe.com/keys: the key says which mode it is of."""
        return self._key.startswith(("sk_live_", "rk_live_"))

    @property
    def page_origin(self) -> str:
        """See Payments."""
        if self._api_base is None:
            return "https://checkout.stripe.com"
        parts = urlsplit(self._api_base)
        return f"{parts.scheme}://{parts.netloc}"

    def client(self) -> stripe.StripeClient:
        """The SDK's client; its connections belong to the event loop that made them."""
        loop = asyncio.get_running_loop()
        if self._held is None or self._held[0] is not loop:
            http = stripe.HTTPXClient(timeout=_TIMEOUT)
            client = stripe.StripeClient(
                self._key,
                base_addresses={"api": self._api_base} if self._api_base else {},
                max_network_retries=_RETRIES,
                http_client=http,
            )
            self._held = (loop, client, http)
        return self._held[1]

    async def create_checkout(self, offer: CheckoutOffer) -> PaymentPage:
        """See Payments. https://docs.stripe.com/api/checkout/sessions/create"""
        checkout = offer.checkout
        with naming_methods(offer.terms):
            made = await within_time(
                self.client().v1.checkout.sessions.create_async(
                    create_params(offer), options={"idempotency_key": checkout.id}
                )
            )
        session = _parsed(made)
        if not session.url or not is_provider_ref(session.id):
            raise PaymentsRefused(f"Stripe made a session without a page ({session.status})")
        expires = session.expires_at or session.created + 86400
        return PaymentPage(
            ref=ProviderRef(session.id), url=session.url, expires_at=datetime.fromtimestamp(expires, tz=UTC)
        )

    async def find_promotion(self, code: str) -> PromotionCode | None:
        """See Payments. https://docs.stripe.com/api/promotion_codes/list; customers may have codes of their own."""
        params: Any = {"code": code, "active": True, "limit": _PAGE, "expand": list(promotions.EXPANDED)}
        answer = await within_time(self.client().v1.promotion_codes.list_async(params))
        found = map(promotions.promotion_of, promotions.decode_codes(body_of(answer)).data)
        return next((promotion for promotion in found if promotion is not None), None)

    async def retrieve_checkout(self, ref: ProviderRef) -> ProviderCheckout | None:
        """See Payments. https://docs.stripe.com/api/checkout/sessions/retrieve"""
        try:
            found = await within_time(
                self.client().v1.checkout.sessions.retrieve_async(ref, {"expand": ["payment_intent"]})
            )
        except _NotThere:
            return None
        session = _parsed(found)
        return reading_of(session, as_of=_second(found) or session.created)

    async def expire_checkout(self, ref: ProviderRef) -> ProviderCheckout | None:
        """See Payments. https://docs.stripe.com/api/checkout/sessions/expire"""
        try:
            found = await within_time(self.client().v1.checkout.sessions.expire_async(ref))
        except _NotThere:
            return None
        except PaymentsRefused:  # only open sessions can be expired: it was paid meanwhile, or is over
            return await self.retrieve_checkout(ref)
        session = _parsed(found)
        return reading_of(session, as_of=_second(found) or session.created)

    async def list_completed(self, since: datetime, until: datetime) -> AsyncIterator[ProviderCheckout]:
        """See Payments. https://docs.stripe.com/api/checkout/sessions/list"""
        sessions = self.client().v1.checkout.sessions
        made = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
        params = {"created": made, "status": "complete", "expand": ["data.payment_intent"]}
        async for session, second in _listed(sessions.list_async, params, decode_sessions):
            if is_provider_ref(session.id):
                yield reading_of(session, as_of=second or session.created)

    def list_refunds(self, since: datetime) -> AsyncIterator[Fact]:
        """See Payments. https://docs.stripe.com/api/refunds/list"""
        return self._refunds(_made_since(since))

    def list_disputes(self, since: datetime) -> AsyncIterator[Fact]:
        """See Payments. https://docs.stripe.com/api/disputes/list"""
        return self._disputes(_made_since(since))

    async def list_fraud_warnings(self, since: datetime) -> AsyncIterator[Fact]:
        """See Payments. https://docs.stripe.com/api/radar/early_fraud_warnings/list"""
        listing = self.client().v1.radar.early_fraud_warnings.list_async
        async for warning, second in _listed(listing, _made_since(since), decode_warnings):
            yield warning_of(warning, as_of=second)

    async def _refunds(self, params: dict[str, Any]) -> AsyncIterator[Fact]:
        async for refund, second in _listed(self.client().v1.refunds.list_async, params, decode_refunds):
            yield fact_of(refund, as_of=second)

    async def _disputes(self, params: dict[str, Any]) -> AsyncIterator[Fact]:
        async for dispute, second in _listed(self.client().v1.disputes.list_async, params, decode_disputes):
            yield fact_of(dispute, as_of=second)

    async def retrieve_payment(self, payment: str) -> ProviderPayment | None:
        """See Payments. The checkout of a payment is found by listing; its refunds and disputes, too."""
        sessions = self.client().v1.checkout.sessions
        params = {"payment_intent": payment, "expand": ["data.payment_intent"]}
        checkout: ProviderCheckout | None = None
        try:
            async for session, second in _listed(sessions.list_async, params, decode_sessions):
                if is_provider_ref(session.id):
                    checkout = reading_of(session, as_of=second or session.created)
                    break
            facts = await self._facts_of({"payment_intent": payment})
        except _NotThere:
            return None
        return ProviderPayment(checkout=checkout, facts=tuple(facts)) if checkout or facts else None

    async def refund(self, payment: str, amount: int, *, key: str, request: str, cause: RefundCause) -> Fact:
        """See Payments. https://docs.stripe.com/api/refunds/create"""
        params: Any = {
            "payment_intent": payment, "amount": amount, "reason": cause.value, "metadata": {REQUEST: request},
        }  # fmt: skip
        made = await within_time(
            self.client().v1.refunds.create_async(params, options={"idempotency_key": key})
        )
        refund = decode_refund(body_of(made))
        # An answer that is repeated for the same key is the one of then, under today's date.
        return fact_of(refund, as_of=refund.created or _second(made))

    async def refunds_of(self, payment: str) -> Sequence[Fact]:
        """See Payments. https://docs.stripe.com/api/refunds/list"""
        try:
            return [fact async for fact in self._refunds({"payment_intent": payment})]
        except _NotThere:
            return ()

    async def _facts_of(self, params: dict[str, Any]) -> list[Fact]:
        """A restricted key may be allowed to read only one of the two lists."""
        found: list[Fact] = []
        refused: list[PaymentsRefused] = []
        for listed in (self._refunds(params), self._disputes(params)):
            try:
                found += [fact async for fact in listed]
            except _NotThere:
                raise
            except PaymentsRefused as error:
                refused.append(error)
        if len(refused) > 1:
            raise refused[0]
        return found

    async def invoice_url(self, ref: ProviderRef) -> str | None:
        """See Payments. The address is good for some weeks only, so it is asked for each time."""
        try:
            found = await within_time(
                self.client().v1.checkout.sessions.retrieve_async(ref, {"expand": ["invoice"]})
            )
        except _NotThere:
            return None
        return invoice_url_of(body_of(found))

    async def payment_details(self, ref: ProviderRef) -> PaymentDetails | None:
        """See Payments. They are kept by Stripe alone, and asked for when somebody reads a receipt."""
        try:
            found = await within_time(
                self.client().v1.checkout.sessions.retrieve_async(ref, {"expand": list(EXPANDED)})
            )
        except _NotThere:
            return None
        return details_of(body_of(found))

    @property
    def signature_header(self) -> str:
        """See Payments. https://docs.stripe.com/webhooks/signature"""
        return "stripe-signature"

    def parse_webhook(self, body: bytes, signature: str, *, now: datetime) -> WebhookEvent:
        """See Payments."""
        reason = objection(body, signature, secrets=self._secrets, now=now)
        return news_of(body) if reason is None else InvalidWebhook(reason=reason)

    async def check(self) -> datetime | None:
        """Verify the API key with a small request; return the time there, or None. Raises as `create_checkout` does."""
        answer = await within_time(self.client().v1.checkout.sessions.list_async({"limit": 1}))
        second = _second(answer)
        return datetime.fromtimestamp(second, tz=UTC) if second else None

    async def close(self) -> None:
        """Close the connections."""
        if self._held is not None:
            await self._held[2].close_async()  # type: ignore[no-untyped-call]  # the SDK left this one untyped
            self._held = None


class _NotThere(PaymentsRefused):
    """Stripe knows no object of that id."""


async def within_time(call: Awaitable[T]) -> T:
    """The SDK's answer, in time; its errors in the port's words. https://docs.stripe.com/api/errors"""
    try:
        async with asyncio.timeout(_IN_ALL):
            return await call
    except TimeoutError as error:
        raise PaymentsUnreachable(f"Stripe did not answer within {_IN_ALL:.0f} s") from error
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise PaymentsUnreachable(f"Stripe cannot be reached: {type(error).__name__}") from error
    except stripe.IdempotencyError as error:
        raise PaymentsUnreachable("Stripe has the same request with other contents under way") from error
    except stripe.StripeError as error:
        if _is_about_a_code(error):
            raise PromotionRefused(f"Stripe said no ({error.http_status}): {error.user_message}") from error
        if error.http_status == 404:
            raise _NotThere(f"Stripe knows no such thing: {error.user_message}") from error
        # A success that the SDK cannot read was cut off on its way; 409: the same request is under way.
        status = error.http_status
        if status is not None and status >= 500:
            raise PaymentsFailed(f"Stripe answered {status}") from error
        if status is None or status < 300 or status == 409:
            raise PaymentsUnreachable(f"Stripe answered {status}") from error
        raise PaymentsRefused(f"Stripe said no ({status}): {error.user_message}") from error


def _is_about_a_code(error: stripe.StripeError) -> bool:
    """Whether the promotion code is refused, and not the checkout. Not every such error names its parameter."""
    about, said = str(getattr(error, "param", None) or ""), str(error.user_message or "").lower()
    named = about.startswith("discounts") or "promotion code" in said or "coupon" in said
    return isinstance(error, stripe.InvalidRequestError) and named


def _made_since(since: datetime) -> dict[str, Any]:
    return {"created": {"gte": int(since.timestamp())}}


async def _listed(
    call: Callable[[Any], Awaitable[Any]], params: dict[str, Any], decode: Callable[[str], StripeList[S]]
) -> AsyncIterator[tuple[S, int]]:
    """Everything of a list, page after page, with Stripe's second of each answer (0 if it named none).

    https://docs.stripe.com/api/pagination
    """
    after: dict[str, str] = {}
    while True:
        page = await within_time(call({**params, "limit": _PAGE, **after}))
        listed = decode(body_of(page))
        for item in listed.data:
            yield item, _second(page)
        if not listed.has_more or not listed.data:
            return
        after = {"starting_after": listed.data[-1].id}


def body_of(answer: Any) -> str:
    """The JSON as it came: read by our own types, not by the SDK's objects."""
    return str(answer.last_response.body)


def _parsed(answer: Any) -> StripeSession:
    return decode_session(body_of(answer))


def _second(answer: Any) -> int:
    """Stripe's own second of an answer: its Date header (RFC 9110 §6.6.1); 0 if there is none."""
    try:
        return int(parsedate_to_datetime(answer.last_response.headers["date"]).timestamp())
    except (KeyError, TypeError, ValueError):
        return 0
