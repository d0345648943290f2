"""Payment intents and their charges. https://docs.stripe.com/api/payment_intents, https://docs.stripe.com/api/charges"""

from __future__ import annotations

from typing import Any, Final

from entrypoints.sandbox.stripe.cards import brand_of
from entrypoints.sandbox.stripe.listing import page, same, shown
from entrypoints.sandbox.stripe.objects import Call, Routes, Told
from entrypoints.sandbox.world import Json, World, fresh_id, now

_USUAL_CARD: Final = "4242424242424242"
_USUAL_EXPIRY: Final = {"exp_month": 12, "exp_year": 2034}
_USUAL_ACCOUNT: Final = "3000"
NO_ADDRESS: Final = {
    "city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None,
}  # fmt: skip
BILLING: Final[Json] = {"address": NO_ADDRESS, "email": None, "name": None, "phone": None, "tax_id": None}


def make_intent(world: World, *, amount: int, currency: str, kind: str, metadata: Json, **more: Any) -> Json:
    """A payment that is not yet paid; `kind` is the type of payment method."""
    name = fresh_id("pi_")
    world.intents[name] = intent = {
        "id": name, "object": "payment_intent", "amount": amount, "amount_capturable": 0, "amount_received": 0,
        "application": None, "application_fee_amount": None, "automatic_payment_methods": None, "canceled_at": None,
        "cancellation_reason": None, "capture_method": "automatic_async",
        "client_secret": fresh_id(f"{name}_secret_"), "confirmation_method": "automatic", "created": now(),
        "currency": currency, "customer": None, "customer_account": None, "description": None,
        "last_payment_error": None, "latest_charge": None, "livemode": False, "metadata": metadata,
        "next_action": None, "on_behalf_of": None, "payment_method": None, "payment_method_options": None,
        "payment_method_types": [kind], "processing": None, "receipt_email": None, "review": None,
        "setup_future_usage": None, "shipping": None, "statement_descriptor": None,
        "statement_descriptor_suffix": None, "status": "requires_payment_method", "transfer_data": None,
        "transfer_group": None, **more,
    }  # fmt: skip
    return intent


def charge_for(
    world: World, intent: Json, billing: Json, *, pending: bool = False, card: str = _USUAL_CARD
) -> Json:
    """Charge the whole of an intent: at once, or with the bank's answer `pending`. `card`: the digits of its number."""
    kind = intent["payment_method_types"][0]
    details: Json = {"last4": _USUAL_ACCOUNT}
    if kind == "card":
        details = {"brand": brand_of(card), "last4": card[-4:], **_USUAL_EXPIRY}
    name = fresh_id("ch_")
    world.charges[name] = charge = {
        "id": name, "object": "charge", "amount": intent["amount"], "amount_captured": 0, "amount_refunded": 0,
        "application": None, "application_fee": None, "application_fee_amount": None, "balance_transaction": None,
        "billing_details": {**BILLING, **billing}, "calculated_statement_descriptor": "SANDBOX", "captured": False,
        "created": now(), "currency": intent["currency"], "customer": intent["customer"],
        "description": intent["description"], "disputed": False, "failure_balance_transaction": None,
        "failure_code": None, "failure_message": None, "fraud_details": {}, "livemode": False,
        "metadata": intent["metadata"], "on_behalf_of": None, "outcome": None, "paid": False,
        "payment_intent": intent["id"], "payment_method": intent["payment_method"],
        "payment_method_details": {"type": kind, kind: details}, "receipt_email": None,
        "receipt_number": None, "receipt_url": None, "refunded": False, "review": None, "shipping": None,
        "source_transfer": None, "statement_descriptor": None, "statement_descriptor_suffix": None,
        "status": "pending", "transfer_data": None, "transfer_group": None,
    }  # fmt: skip
    intent.update(latest_charge=name, status="processing")
    if not pending:
        bank_decides(world, intent, succeeds=True)
    return charge


def bank_decides(world: World, intent: Json, *, succeeds: bool) -> None:
    """Record the bank's answer in the intent and its charge."""
    charge = world.charges[intent["latest_charge"]]
    if succeeds:
        amount = intent["amount"]
        intent.update(status="succeeded", amount_received=amount, last_payment_error=None)
        charge.update(
            status="succeeded", paid=True, captured=True, amount_captured=amount, failure_code=None,
            failure_message=None,
            balance_transaction=fresh_id("txn_"),
            outcome={
                "advice_code": None, "network_advice_code": None, "network_decline_code": None,
                "network_status": "approved_by_network", "reason": None, "risk_level": "normal",
                "seller_message": "Payment complete.", "type": "authorized",
            },
        )  # fmt: skip
        return
    words = "The bank returned this debit."
    error = {
        "charge": charge["id"],
        "code": "payment_method_provider_decline",
        "message": words,
        "type": "card_error",
    }
    intent.update(status="requires_payment_method", amount_received=0, last_payment_error=error)
    charge.update(
        status="failed", paid=False, captured=False, amount_captured=0, failure_message=words,
        failure_code="payment_method_provider_decline",
    )  # fmt: skip


def _list_charges(call: Call) -> Told:
    intent = call.world.intents.get(call.params.get("payment_intent", ""))
    among = None if intent is None else [c for c in [call.world.charges.get(intent["latest_charge"])] if c]
    filters = {"payment_intent": same("payment_intent"), "customer": same("customer")}
    return page(call, "/v1/charges", call.world.charges, filters, among=among), []


def _list_intents(call: Call) -> Told:
    return page(call, "/v1/payment_intents", call.world.intents, {"customer": same("customer")}), []


ROUTES: Final[Routes] = {
    ("GET", "charges"): _list_charges,
    ("GET", "charges/{}"): lambda call: (shown(call, call.one_of(call.world.charges, "charge")), []),
    ("GET", "payment_intents"): _list_intents,
    ("GET", "payment_intents/{}"): lambda call: (
        shown(call, call.one_of(call.world.intents, "payment_intent")),
        [],
    ),
}
