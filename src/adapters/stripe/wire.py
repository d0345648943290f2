"""Stripe's JSON, as far as we read it, and what it means in our words. Unknown fields are left alone."""

from __future__ import annotations

from typing import Final

import msgspec

from domain.books import EventRecord
from domain.claim import CheckoutReading
from domain.ports import CheckoutNews, News, OtherNews, Unheard
from domain.values import ProviderRef, is_provider_ref

_THIN: Final = "v2.core.event"
CHECKOUT_EVENTS: Final = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
    }
)
# https://docs.stripe.com/api/payment_intents/object#payment_intent_object-status: a debit that bounced asks for
# another payment method.
_BOUNCED: Final = frozenset({"requires_payment_method", "canceled"})


class _PaymentIntent(msgspec.Struct, frozen=True):
    id: str
    status: str = ""


class _Details(msgspec.Struct, frozen=True):
    email: str | None = None


class _Totals(msgspec.Struct, frozen=True):
    amount_discount: int | None = None
    amount_tax: int | None = None


class StripeSession(msgspec.Struct, frozen=True):
    """https://docs.stripe.com/api/checkout/sessions/object; amounts in minor units."""

    id: str
    created: int
    livemode: bool
    mode: str | None = None
    status: str | None = None
    payment_status: str | None = None
    currency: str | None = None
    amount_subtotal: int | None = None
    amount_total: int | None = None
    total_details: _Totals | None = None
    customer_details: _Details | None = None
    customer_email: str | None = None
    payment_intent: str | _PaymentIntent | None = None
    client_reference_id: str | None = None
    metadata: dict[str, str] | None = None
    url: str | None = None
    expires_at: int | None = None


class StripeList(msgspec.Struct, frozen=True):
    """https://docs.stripe.com/api/pagination"""

    data: list[StripeSession]
    has_more: bool


class _Endpoint(msgspec.Struct, frozen=True):
    url: str
    status: str
    enabled_events: list[str]


class _Endpoints(msgspec.Struct, frozen=True):
    data: list[_Endpoint]


class _EventData(msgspec.Struct, frozen=True):
    object: msgspec.Raw


class _Event(msgspec.Struct, frozen=True):
    object: str
    id: str
    type: str
    created: int | str
    """Unix time; thin events have an RFC 3339 text."""
    data: _EventData | None = None


class _Named(msgspec.Struct, frozen=True):
    id: str | None = None


_decode_event: Final = msgspec.json.Decoder(_Event).decode
_decode_named: Final = msgspec.json.Decoder(_Named).decode
decode_session: Final = msgspec.json.Decoder(StripeSession).decode
decode_list: Final = msgspec.json.Decoder(StripeList).decode
decode_endpoints: Final = msgspec.json.Decoder(_Endpoints).decode


def reading_of(session: StripeSession, *, as_of: int, failed: bool = False) -> CheckoutReading:
    """A session in our words. `as_of`: Stripe's own second; `failed`: an event said that its debit bounced."""
    totals = session.total_details or _Totals()
    details = session.customer_details or _Details()
    metadata = session.metadata or {}
    intent = session.payment_intent
    return CheckoutReading(
        ref=ProviderRef(session.id),
        as_of=as_of,
        livemode=session.livemode,
        mode=session.mode or "",
        status=_status(session, failed=failed),
        currency=session.currency or "",
        subtotal=session.amount_subtotal or 0,
        total=session.amount_total or 0,
        discount=totals.amount_discount or 0,
        tax=totals.amount_tax or 0,
        email=details.email or session.customer_email,
        payment=intent.id if isinstance(intent, _PaymentIntent) else intent,
        reference=session.client_reference_id,
        product=metadata.get("pid"),
        shop=metadata.get("shop"),
        seal=metadata.get("seal"),
    )


def _status(session: StripeSession, *, failed: bool) -> str:
    """One of our words (`domain.claim.CheckoutReading`). A free order (100 % coupon) is paid for."""
    if session.status == "expired":
        return "expired"
    if session.status not in ("complete", None):
        return "open"
    if session.payment_status in ("paid", "no_payment_required"):
        return "paid"
    intent = session.payment_intent
    bounced = isinstance(intent, _PaymentIntent) and intent.status in _BOUNCED
    return "failed" if failed or bounced else "unpaid"


def news_of(body: bytes) -> News:
    """A verified delivery in our words. Never raises: a signature says who wrote it, not that it makes sense."""
    try:
        event = _decode_event(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Unheard(reason="this is no event of Stripe's API")
    if event.object == _THIN:
        return Unheard(
            reason="this is a thin event (v2.core.event): register the endpoint for snapshot events instead"
        )
    if event.object != "event" or event.data is None or isinstance(event.created, str):
        return Unheard(reason="this is no event of Stripe's API")
    try:
        named = _decode_named(event.data.object)
        record = EventRecord(
            id=event.id[:255], type=event.type[:255], object_id=(named.id or "")[:255], created=event.created
        )
        if event.type not in CHECKOUT_EVENTS:
            return OtherNews(event=record)
        session = decode_session(event.data.object)
    except (msgspec.MsgspecError, RecursionError):
        return Unheard(reason=f"this {event.type[:60]!r} has no object that we can read")
    if not is_provider_ref(session.id):
        return Unheard(reason="its checkout session has an id of a form that we do not know")
    failed = event.type == "checkout.session.async_payment_failed"
    return CheckoutNews(event=record, reading=reading_of(session, as_of=event.created, failed=failed))
