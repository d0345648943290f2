"""Calls that only the fixtures of the official Stripe CLI make (`stripe trigger …`): they pay without a browser."""

from __future__ import annotations

from typing import Final

from entrypoints.sandbox.stripe.disputes import open_dispute
from entrypoints.sandbox.stripe.objects import (
    Call,
    Refusal,
    Routes,
    Told,
    flag,
    make_event,
    metadata_of,
    whole,
)
from entrypoints.sandbox.stripe.payments import BILLING, charge_for, make_intent
from entrypoints.sandbox.stripe.sessions import bank_says, completed, session_of, settle_session
from entrypoints.sandbox.world import Json, fresh_id, now

# https://docs.stripe.com/testing: payment methods that exist without being created.
_DISPUTED: Final = {
    "pm_card_createDispute": "needs_response",
    "pm_card_createDisputeInquiry": "warning_needs_response",
}
# https://docs.stripe.com/payments/sepa-debit/accept-a-payment#test-integration: the bank declines.
_BOUNCES: Final = frozenset({"AT861904300235473202", "IT60X0542811101000000123456"})
_INTENT: Final = (
    "amount", "currency", "payment_method", "payment_method_types", "confirm", "description", "metadata",
    "shipping", "return_url",
)  # fmt: skip


def _product(call: Call) -> Told:
    params = call.params
    product: Json = {
        "id": fresh_id("prod_", length=14), "object": "product", "active": True, "created": now(),
        "images": [], "livemode": False, "marketing_features": [], "metadata": {},
        "name": params.get("name", "A product"), "updated": now(), "description": params.get("description"),
    }  # fmt: skip
    call.world.products[product["id"]] = product
    return product, []


def _price(call: Call) -> Told:
    params = call.params
    price: Json = {
        "id": fresh_id("price_"), "object": "price", "active": True, "billing_scheme": "per_unit",
        "created": now(), "currency": params.get("currency", "usd"), "livemode": False, "metadata": {},
        "product": params.get("product", ""), "tax_behavior": params.get("tax_behavior", "unspecified"),
        "type": "one_time", "unit_amount": whole(params.get("unit_amount", 1000), "unit_amount"),
    }  # fmt: skip
    call.world.prices[price["id"]] = price
    return price, []


def _method(call: Call) -> Told:
    params = call.params
    billing = params.get("billing_details") or {}
    kind = params.get("type", "card")
    method: Json = {
        "id": fresh_id("pm_"), "object": "payment_method", "created": now(), "livemode": False,
        "type": kind, "metadata": {},
        "billing_details": {**BILLING, "address": None, "email": billing.get("email"), "name": billing.get("name")},
    }  # fmt: skip
    iban = str((params.get("sepa_debit") or {}).get("iban", ""))
    if kind == "sepa_debit":
        method["sepa_debit"] = {
            "bank_code": None, "branch_code": None, "country": iban[:2], "fingerprint": None,
            "generated_from": None, "last4": iban[-4:],
        }  # fmt: skip
    call.world.methods[method["id"]] = method
    call.world.bounces[method["id"]] = iban in _BOUNCES
    return method, []


def _page(call: Call) -> Told:
    session = session_of(call)
    return {"id": fresh_id("ppage_"), "object": "checkout.session", "session_id": session["id"],
            "line_item_group": {"total": session["amount_total"]}, "mode": session["mode"],
            "currency": session["currency"], "livemode": False}, []  # fmt: skip


def _confirm_page(call: Call) -> Told:
    """Pay the session; the bank of a debit answers at once."""
    world, session = call.world, session_of(call)
    if session["status"] != "open":
        raise Refusal(400, "This Checkout Session has already been completed.")
    method = world.methods.get(call.params.get("payment_method", ""), {})
    billing = method.get("billing_details") or {}
    delayed = method.get("type", "card") != "card"
    email = billing.get("email") or "stripe@example.com"
    settle_session(world, session["id"], email=email, name=billing.get("name") or "", delayed=delayed)
    events = [completed(world, session)]
    if delayed:
        events.append(bank_says(world, session["id"], succeeds=not world.bounces[method["id"]]))
    return session, events


def _intent(call: Call) -> Told:
    world, params = call.world, call.params
    call.only(*_INTENT)
    call.need("amount", "currency")
    kinds = params.get("payment_method_types") or ["card"]
    intent = make_intent(
        world, amount=whole(params["amount"], "amount", least=1), currency=str(params["currency"]).lower(),
        kind=str(kinds[0]), metadata=metadata_of(params), description=params.get("description"),
        payment_method=params.get("payment_method"),
    )  # fmt: skip
    events = [make_event(world, "payment_intent.created", intent)]
    if flag(params.get("confirm")):
        events += _confirmed(call, intent)
    elif intent["payment_method"]:
        intent["status"] = "requires_confirmation"
    return intent, events


def _confirm(call: Call) -> Told:
    intent = call.one_of(call.world.intents, "payment_intent")
    call.only("payment_method", "return_url")
    intent["payment_method"] = call.params.get("payment_method", intent["payment_method"])
    return intent, _confirmed(call, intent)


def _confirmed(call: Call, intent: Json) -> list[Json]:
    """Pay the intent; a payment with a test method for disputes is disputed at once."""
    world, method = call.world, str(intent["payment_method"] or "")
    if intent["status"] not in ("requires_payment_method", "requires_confirmation"):
        words = f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}."
        raise Refusal(400, words, code="payment_intent_unexpected_state")
    if not method:
        raise Refusal(400, "You cannot confirm this PaymentIntent without a payment method.",
                      param="payment_method", code="parameter_missing")  # fmt: skip
    if "chargeDeclined" in method:
        raise Refusal(402, "Your card was declined.", code="card_declined", kind="card_error")
    charge = charge_for(world, intent, {})
    paid = [
        make_event(world, "charge.succeeded", charge),
        make_event(world, "payment_intent.succeeded", intent),
    ]
    if method in _DISPUTED:
        paid += open_dispute(world, charge, status=_DISPUTED[method])[1]
    return paid


ROUTES: Final[Routes] = {
    ("POST", "products"): _product,
    ("POST", "prices"): _price,
    ("POST", "payment_methods"): _method,
    ("GET", "payment_pages/{}"): _page,
    ("POST", "payment_pages/{}/confirm"): _confirm_page,
    ("POST", "payment_intents"): _intent,
    ("POST", "payment_intents/{}/confirm"): _confirm,
}
