"""Stripe's objects as its published schema describes them (API version 2026-10-28)."""

from __future__ import annotations

from typing import Any, Final

from entrypoints.sandbox.world import Json, World, fresh_id, now

API_VERSION: Final = "2026-10-28.endive"
_DAY: Final = 86400


class Refusal(Exception):
    """An error object of Stripe's. https://docs.stripe.com/api/errors"""

    def __init__(
        self, status: int, message: str, *, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"error": {"type": "invalid_request_error", "message": message}}
        if param:
            self.body["error"]["param"] = param
        if code:
            self.body["error"]["code"] = code


def _line(world: World, item: Json, position: int) -> Json:
    quantity = int(item.get("quantity", 1))
    if "price" in item:
        price = world.prices.get(item["price"])
        if price is None:
            raise Refusal(400, f"No such price: '{item['price']}'", code="resource_missing")
        name = world.products.get(price["product"], {}).get("name", "A product")
        return {"name": name, "description": "", "amount": price["unit_amount"], "quantity": quantity,
                "currency": price["currency"]}  # fmt: skip
    data = item.get("price_data") or {}
    for needed in ("currency", "unit_amount"):
        if needed not in data:
            param = f"line_items[{position}][price_data][{needed}]"
            raise Refusal(400, f"Missing required param: {param}.", param=param, code="parameter_missing")
    amount = int(data["unit_amount"])
    product = data.get("product_data") or {}
    if amount < 0 or amount > 99_999_999:
        raise Refusal(400, "Invalid integer", param=f"line_items[{position}][price_data][unit_amount]")
    return {"name": product.get("name", "A product"), "description": product.get("description", ""),
            "amount": amount, "quantity": quantity, "currency": data["currency"].lower()}  # fmt: skip


_KNOWN: Final = frozenset(
    {
        "mode", "line_items", "success_url", "cancel_url", "client_reference_id", "customer_email", "metadata",
        "payment_intent_data", "expires_at", "allow_promotion_codes", "expand", "payment_method_types",
        "allowed_payment_method_types", "submit_type", "locale", "customer_creation", "phone_number_collection",
        "return_url", "ui_mode",
    }
)  # fmt: skip


def create_session(world: World, params: Json) -> Json:
    """https://docs.stripe.com/api/checkout/sessions/create"""
    for name in params:
        if name not in _KNOWN:
            raise Refusal(400, f"Received unknown parameter: {name}", param=name, code="parameter_unknown")
    for name in ("line_items", "success_url"):
        if name not in params:
            raise Refusal(400, f"Missing required param: {name}.", param=name, code="parameter_missing")
    if params.get("customer_email") and "@" not in params["customer_email"]:
        raise Refusal(400, f"Invalid email address: {params['customer_email']}", param="customer_email")
    lines = [_line(world, item, at) for at, item in enumerate(params["line_items"])]
    total = sum(line["amount"] * line["quantity"] for line in lines)
    cs = fresh_id("cs_test_", length=58)
    created = now()
    world.lines[cs] = lines
    world.sessions[cs] = session = {
        "id": cs,
        "object": "checkout.session",
        "adaptive_pricing": None,
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "consent": None,
        "consent_collection": None,
        "created": created,
        "currency": lines[0]["currency"],
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None, "shipping_address": None, "submit": None, "terms_of_service_acceptance": None,
        },
        "customer": None,
        "customer_creation": "if_required",
        "customer_details": None,
        "customer_email": params.get("customer_email"),
        "discounts": [],
        "expires_at": int(params.get("expires_at", created + _DAY)),
        "invoice": None,
        "invoice_creation": None,
        "livemode": False,
        "locale": None,
        "metadata": params.get("metadata") or {},
        "mode": params.get("mode", "payment"),
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": None,
        "subscription": None,
        "success_url": params["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "url": f"{world.own_url}/c/pay/{cs}",
        "wallet_options": None,
    }  # fmt: skip
    world.intent_metadata[cs] = (params.get("payment_intent_data") or {}).get("metadata") or {}
    return session


def settle_session(world: World, cs: str, *, email: str, name: str, delayed: bool) -> Json:
    """The shopper finished: paid by card, or with a bank debit under way (`delayed`)."""
    session = world.sessions[cs]
    intent = _intent(world, session, status="processing" if delayed else "succeeded")
    world.intents[intent["id"]] = intent
    session.update(
        status="complete",
        payment_status="unpaid" if delayed else "paid",
        payment_intent=intent["id"],
        url=None,
        customer_details={
            "address": None, "business_name": None, "email": email, "individual_name": None, "name": name or None,
            "phone": None, "tax_exempt": "none", "tax_ids": [],
        },
    )  # fmt: skip
    return session


def _intent(world: World, session: Json, *, status: str) -> Json:
    return {
        "id": fresh_id("pi_"),
        "object": "payment_intent",
        "amount": session["amount_total"],
        "amount_received": session["amount_total"] if status == "succeeded" else 0,
        "capture_method": "automatic_async",
        "confirmation_method": "automatic",
        "created": now(),
        "currency": session["currency"],
        "livemode": False,
        "metadata": world.intent_metadata[session["id"]],
        "payment_method_types": ["card"],
        "status": status,
    }


def make_event(world: World, kind: str, thing: Json) -> Json:
    """https://docs.stripe.com/api/events/object: a snapshot of the object as it stands."""
    event: Json = {
        "id": fresh_id("evt_"),
        "object": "event",
        "api_version": API_VERSION,
        "created": now(),
        "data": {"object": {**thing}},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
    world.events[event["id"]] = event
    return event


def make_list(url: str, items: list[Any], *, has_more: bool) -> Json:
    """https://docs.stripe.com/api/pagination"""
    return {"object": "list", "data": items, "has_more": has_more, "url": url}
