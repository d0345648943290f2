"""The parts of Stripe's JSON that the shop reads, translated into the domain's types. Unknown fields are ignored."""

from __future__ import annotations

import re
from typing import Annotated, Final, Generic, TypeVar

import msgspec

from domain.claim import ProviderCheckout
from domain.dispute import UNANSWERABLE
from domain.fact import ACTIONABLE, CheckoutStatus, Fact, FactKind
from domain.frozen import maker
from domain.ports import (
    CheckoutEvent,
    FactEvent,
    IgnoredEvent,
    InvalidWebhook,
    PaymentChangedEvent,
    WebhookEvent,
)
from domain.records import EventRecord
from domain.values import ProviderRef, is_payment, is_provider_ref

T = TypeVar("T")
_THIN: Final = "v2.core.event"
CHECKOUT_EVENTS: Final = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
    }
)
REFUND_EVENTS: Final = frozenset(
    {"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"}
)
DISPUTE_EVENTS: Final = frozenset(
    {
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.closed",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
    }
)
WARNING_EVENTS: Final = frozenset({"radar.early_fraud_warning.created", "radar.early_fraud_warning.updated"})
_CHARGE_EVENTS: Final = frozenset({"charge.refunded"})
FOLLOWED: Final = (
    CHECKOUT_EVENTS
    | REFUND_EVENTS - {"charge.refund.updated"}
    | DISPUTE_EVENTS
    | WARNING_EVENTS
    | _CHARGE_EVENTS
)
"""The events that an endpoint subscribes to. (`charge.refund.updated` is `refund.updated` by its older name.)"""
OF_DOCTOR: Final = {"coatcheck": "doctor"}
"""The metadata of sessions that are only to show that a payment page opens: their events are ignored."""
# https://docs.stripe.com/api/payment_intents/object#payment_intent_object-status: a debit that bounced asks for
# another payment method.
_BOUNCED: Final = frozenset({"requires_payment_method", "canceled"})


_COUNTRY: Final = re.compile("[A-Z]{2}")
_INVOICE: Final = re.compile("in_[A-Za-z0-9_]{1,200}")
_LONGEST_NUMBER: Final = 60


# A number beyond these is no amount and no time of Stripe's, and would not fit into a column.
_Amount = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
_Second = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]
"""Unix time, up to the end of the year 9999."""


class _PaymentIntent(msgspec.Struct, frozen=True):
    id: str
    status: str = ""


class _Address(msgspec.Struct, frozen=True):
    country: str | None = None


class _TaxId(msgspec.Struct, frozen=True):
    value: str | None = None


class _Details(msgspec.Struct, frozen=True):
    email: str | None = None
    address: _Address | None = None
    tax_ids: list[_TaxId] | None = None


class _AutomaticTax(msgspec.Struct, frozen=True):
    enabled: bool = False


class _Totals(msgspec.Struct, frozen=True):
    amount_discount: _Amount | None = None
    amount_tax: _Amount | None = None


class StripeSession(msgspec.Struct, frozen=True):
    """https://docs.stripe.com/api/checkout/sessions/object; amounts in minor units."""

    id: str
    created: _Second
    livemode: bool
    mode: str | None = None
    status: str | None = None
    payment_status: str | None = None
    currency: str | None = None
    amount_subtotal: _Amount | None = None
    amount_total: _Amount | None = None
    total_details: _Totals | None = None
    customer_details: _Details | None = None
    customer_email: str | None = None
    payment_intent: str | _PaymentIntent | None = None
    invoice: str | _PaymentIntent | None = None
    automatic_tax: _AutomaticTax | None = None
    client_reference_id: str | None = None
    metadata: dict[str, str] | None = None
    url: str | None = None
    expires_at: _Second | None = None


REQUEST: Final = "coatcheck_refund"
"""The metadata of a refund that says which request of ours it answers."""


class StripeRefund(msgspec.Struct, frozen=True):
    """https://docs.stripe.com/api/refunds/object; the amount in minor units."""

    id: str
    amount: _Amount
    payment_intent: str | _PaymentIntent | None = None
    status: str | None = None
    metadata: dict[str, str] | None = None
    created: _Second = 0


class _EvidenceDetails(msgspec.Struct, frozen=True):
    due_by: _Second | None = None
    """None if no answer is taken."""


class StripeDispute(msgspec.Struct, frozen=True):
    """https://docs.stripe.com/api/disputes/object; the amount in minor units."""

    id: str
    amount: _Amount
    status: str
    payment_intent: str | _PaymentIntent | None = None
    evidence_details: _EvidenceDetails | None = None


class StripeWarning(msgspec.Struct, frozen=True):
    """https://docs.stripe.com/api/radar/early_fraud_warnings/object"""

    id: str
    actionable: bool
    payment_intent: str | _PaymentIntent | None = None


class StripeList(msgspec.Struct, Generic[T], frozen=True):
    """https://docs.stripe.com/api/pagination"""

    data: list[T]
    has_more: bool


class _Invoice(msgspec.Struct, frozen=True):
    hosted_invoice_url: str | None = None


class _Invoiced(msgspec.Struct, frozen=True):
    invoice: str | _Invoice | None = None


class StripeEndpoint(msgspec.Struct, frozen=True):
    """https://docs.stripe.com/api/webhook_endpoints/object; `secret` only where it was made."""

    id: str
    url: str
    status: str
    enabled_events: list[str]
    api_version: str | None = None
    secret: str = ""


class _EventData(msgspec.Struct, frozen=True):
    object: msgspec.Raw


class _Event(msgspec.Struct, frozen=True):
    object: str
    id: str
    type: str
    created: _Second | str
    """Unix time; thin events have an RFC 3339 text."""
    data: _EventData | None = None


class _Named(msgspec.Struct, frozen=True):
    id: str | None = None


class _Charge(msgspec.Struct, frozen=True):
    payment_intent: str | _PaymentIntent | None = None


_decode_event: Final = msgspec.json.Decoder(_Event).decode
_decode_named: Final = msgspec.json.Decoder(_Named).decode
decode_session: Final = msgspec.json.Decoder(StripeSession).decode
decode_sessions: Final = msgspec.json.Decoder(StripeList[StripeSession]).decode
decode_refunds: Final = msgspec.json.Decoder(StripeList[StripeRefund]).decode
decode_disputes: Final = msgspec.json.Decoder(StripeList[StripeDispute]).decode
decode_refund: Final = msgspec.json.Decoder(StripeRefund).decode
_decode_dispute: Final = msgspec.json.Decoder(StripeDispute).decode
decode_warnings: Final = msgspec.json.Decoder(StripeList[StripeWarning]).decode
_decode_warning: Final = msgspec.json.Decoder(StripeWarning).decode
_decode_charge: Final = msgspec.json.Decoder(_Charge).decode
_decode_invoiced: Final = msgspec.json.Decoder(_Invoiced).decode
decode_endpoint: Final = msgspec.json.Decoder(StripeEndpoint).decode
_reading = maker(ProviderCheckout)
_record = maker(EventRecord)
_checkout = maker(CheckoutEvent)
decode_endpoints: Final = msgspec.json.Decoder(StripeList[StripeEndpoint]).decode


def reading_of(session: StripeSession, *, as_of: int, failed: bool = False) -> ProviderCheckout:
    """A session as the domain knows it. `as_of`: Stripe's second; `failed`: an event said that its debit bounced."""
    totals = session.total_details or _Totals()
    details = session.customer_details or _Details()
    metadata = session.metadata or {}
    return _reading(
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
        payment=_id_of(session.payment_intent),
        reference=session.client_reference_id,
        product=metadata.get("pid"),
        shop=metadata.get("shop"),
        seal=metadata.get("seal"),
        contents=tuple(metadata.get("contents", "").split()),
        discounts=metadata.get("discounts") == "yes",
        waiver=metadata.get("waiver", ""),
        tax_country=_tax_country(details) if session.automatic_tax and session.automatic_tax.enabled else "",
        tax_number=_tax_number(details) if details.tax_ids else "",
        invoice=_invoice(session) if session.invoice else "",
    )


def _tax_country(details: _Details) -> str:
    """Kept only where a tax was calculated: elsewhere it would record where a customer lives, without need."""
    country = (details.address and details.address.country) or ""
    return country if _COUNTRY.fullmatch(country) else ""


def _tax_number(details: _Details) -> str:
    numbers = (" ".join((one.value or "").split())[:_LONGEST_NUMBER] for one in details.tax_ids or ())
    return ", ".join(number for number in numbers if number)[: 2 * _LONGEST_NUMBER]


def _invoice(session: StripeSession) -> str:
    invoice = _id_of(session.invoice) or ""
    return invoice if _INVOICE.fullmatch(invoice) else ""


def _id_of(intent: str | _PaymentIntent | None) -> str | None:
    return intent.id if isinstance(intent, _PaymentIntent) else intent


def fact_of(thing: StripeRefund | StripeDispute, *, as_of: int) -> Fact:
    """A refund or dispute as the domain knows it. A refund without a status counts as pending."""
    refund = isinstance(thing, StripeRefund)
    payment = _id_of(thing.payment_intent)
    return Fact(
        object_id=thing.id[:255],
        kind=FactKind.REFUND if refund else FactKind.DISPUTE,
        payment=payment if payment is not None and is_payment(payment) else None,
        as_of=as_of,
        status=(thing.status or "pending")[:60],
        amount=thing.amount,
        request=(thing.metadata or {}).get(REQUEST, "")[:60] if isinstance(thing, StripeRefund) else "",
        answer_by=_answer_by(thing) if isinstance(thing, StripeDispute) else 0,
    )


def _answer_by(dispute: StripeDispute) -> int:
    """Stripe's 0 says that the bank takes no evidence. https://docs.stripe.com/api/disputes/object"""
    due_by = None if dispute.evidence_details is None else dispute.evidence_details.due_by
    return UNANSWERABLE if due_by == 0 else due_by or 0


def warning_of(thing: StripeWarning, *, as_of: int) -> Fact:
    """A fraud warning as the domain knows it."""
    payment = _id_of(thing.payment_intent)
    return Fact(
        object_id=thing.id[:255],
        kind=FactKind.WARNING,
        payment=payment if payment is not None and is_payment(payment) else None,
        as_of=as_of,
        status=ACTIONABLE if thing.actionable else "over",
        amount=0,
    )


def invoice_url_of(body: str) -> str | None:
    """The address of the hosted invoice of a session that was expanded with it."""
    invoice = _decode_invoiced(body).invoice
    return invoice.hosted_invoice_url if isinstance(invoice, _Invoice) else None


def _status(session: StripeSession, *, failed: bool) -> CheckoutStatus:
    """A free order (100 % coupon) counts as paid."""
    if session.status == "expired":
        return CheckoutStatus.EXPIRED
    if session.status not in ("complete", None):
        return CheckoutStatus.OPEN
    if session.payment_status in ("paid", "no_payment_required"):
        return CheckoutStatus.PAID
    intent = session.payment_intent
    bounced = isinstance(intent, _PaymentIntent) and intent.status in _BOUNCED
    return CheckoutStatus.FAILED if failed or bounced else CheckoutStatus.UNPAID


def news_of(body: bytes) -> WebhookEvent:
    """A verified delivery, parsed. Never raises: a signature proves the sender, not that the body is valid."""
    try:
        event = _decode_event(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return InvalidWebhook(reason="this is no event of Stripe's API")
    if event.object == _THIN:
        return InvalidWebhook(
            reason="this is a thin event (v2.core.event): register the endpoint for snapshot events instead"
        )
    if event.object != "event" or event.data is None or isinstance(event.created, str):
        return InvalidWebhook(reason="this is no event of Stripe's API")
    try:
        if event.type in CHECKOUT_EVENTS:  # its session is decoded once, id and all
            return _checkout_event(event, event.created, decode_session(event.data.object))
        named = _decode_named(event.data.object)
        return _told(_record_of(event, named.id), event.data.object, as_of=event.created)
    except (msgspec.MsgspecError, RecursionError):
        return InvalidWebhook(reason=f"this {event.type[:60]!r} has no object that we can read")


def _record_of(event: _Event, object_id: str | None) -> EventRecord:
    return _record(id=event.id[:255], type=event.type[:255], object_id=(object_id or "")[:255])


def _checkout_event(event: _Event, created: int, session: StripeSession) -> WebhookEvent:
    if not is_provider_ref(session.id):
        return InvalidWebhook(reason="its checkout session has an id of a form that we do not know")
    if session.client_reference_id is None and session.metadata == OF_DOCTOR:
        return IgnoredEvent(event=_record_of(event, session.id))
    failed = event.type == "checkout.session.async_payment_failed"
    reading = reading_of(session, as_of=created, failed=failed)
    return _checkout(event=_record_of(event, session.id), reading=reading)


def _told(event: EventRecord, thing: msgspec.Raw, *, as_of: int) -> WebhookEvent:
    """What an event of that second (Unix time) says, by its type. Raises msgspec.MsgspecError."""
    if event.type in REFUND_EVENTS:
        return FactEvent(event=event, fact=fact_of(decode_refund(thing), as_of=as_of))
    if event.type in DISPUTE_EVENTS:
        return FactEvent(event=event, fact=fact_of(_decode_dispute(thing), as_of=as_of))
    if event.type in WARNING_EVENTS:
        return FactEvent(event=event, fact=warning_of(_decode_warning(thing), as_of=as_of))
    payment = _id_of(_decode_charge(thing).payment_intent) if event.type in _CHARGE_EVENTS else None
    if payment is None or not is_payment(payment):
        return IgnoredEvent(event=event)
    return PaymentChangedEvent(event=event, payment=payment)
