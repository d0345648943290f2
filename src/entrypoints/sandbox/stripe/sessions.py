"""Checkout sessions, from creation to the bank's final answer. https://docs.stripe.com/api/checkout/sessions"""

from __future__ import annotations

import re
from typing import Any, Final

from entrypoints.sandbox.stripe.customers import make_customer
from entrypoints.sandbox.stripe.invoices import make_invoice
from entrypoints.sandbox.stripe.limits import check_names, check_session, check_tax_code
from entrypoints.sandbox.stripe.listing import Filters, page, same, shown
from entrypoints.sandbox.stripe.money import check_amount, check_currency, check_total
from entrypoints.sandbox.stripe.objects import Call, Refusal, Routes, Told, flag, make_event, missing, whole
from entrypoints.sandbox.stripe.payments import bank_decides, charge_for, make_intent
from entrypoints.sandbox.stripe.promotions import give_code, redeem
from entrypoints.sandbox.stripe.totals import reckon
from entrypoints.sandbox.world import Json, World, fresh_id, now

_DAY: Final = 86400
_BEHAVIORS: Final = ("inclusive", "exclusive", "unspecified")
LOCALES: Final = (
    "auto", "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA", "hr", "hu",
    "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv", "th",
    "tr", "vi", "zh", "zh-HK", "zh-TW",
)  # fmt: skip
_SELF: Final = {"type": "self"}
_USUAL_WAYS: Final = ("card", "sepa_debit")
"""Delayed payment methods can be enabled in Stripe's dashboard without any change to the shop."""
_KNOWN: Final = (
    "mode", "line_items", "success_url", "cancel_url", "client_reference_id", "customer_email", "metadata",
    "payment_intent_data", "expires_at", "allow_promotion_codes", "allowed_payment_method_types", "submit_type",
    "locale", "customer_creation", "phone_number_collection", "return_url", "ui_mode", "automatic_tax",
    "invoice_creation", "billing_address_collection", "tax_id_collection", "discounts",
)  # fmt: skip
_REMOVED: Final = {"payment_method_types": "2026-10-28"}
"""Parameters that callers of this and later API versions may not send any more."""


def _line(world: World, item: Json, position: int) -> Json:
    check_names("line_items[]", f"line_items[{position}]", item)
    quantity = whole(item.get("quantity", 1), f"line_items[{position}][quantity]", least=1)
    at = f"line_items[{position}][price_data]"
    if "price" in item:
        price = world.prices.get(item["price"])
        if price is None:
            raise Refusal(400, f"No such price: '{item['price']}'", code="resource_missing")
        name = world.products.get(price["product"], {}).get("name", "A product")
        return {"name": name, "description": "", "amount": price["unit_amount"], "quantity": quantity,
                "currency": price["currency"], "tax_behavior": price["tax_behavior"], "tax_code": None}  # fmt: skip
    data = item.get("price_data") or {}
    check_names("line_items[][price_data]", at, data)
    for needed in ("currency", "unit_amount"):
        if needed not in data:
            raise missing(f"{at}[{needed}]")
    currency = check_currency(data["currency"], f"{at}[currency]")
    amount = whole(data["unit_amount"], f"{at}[unit_amount]")
    check_amount(amount, currency, f"{at}[unit_amount]")
    product = data.get("product_data") or {}
    check_names("line_items[][price_data][product_data]", f"{at}[product_data]", product)
    if "product_data" in data and not product.get("name"):
        raise missing(f"{at}[product_data][name]")
    behavior, code = data.get("tax_behavior", "unspecified"), product.get("tax_code")
    if behavior not in _BEHAVIORS:
        raise Refusal(
            400, f"Invalid tax_behavior: must be one of {', '.join(_BEHAVIORS)}", param=f"{at}[tax_behavior]"
        )
    check_tax_code(code, f"{at}[product_data][tax_code]")
    return {"name": product.get("name", "A product"), "description": product.get("description", ""),
            "amount": amount, "quantity": quantity, "currency": currency,
            "tax_behavior": behavior, "tax_code": code}  # fmt: skip


def _create(call: Call) -> Told:
    session = create_session(call)
    return shown(call, session), []


def create_session(call: Call) -> Json:
    """https://docs.stripe.com/api/checkout/sessions/create"""
    world, params = call.world, call.params
    call.only(*_KNOWN, *(name for name, since in _REMOVED.items() if call.version < since))
    call.need("line_items", "success_url")
    check_session(world, params)
    if params.get("customer_email") and "@" not in params["customer_email"]:
        raise Refusal(400, f"Invalid email address: {params['customer_email']}", param="customer_email")
    lines = [_line(world, item, at) for at, item in enumerate(params["line_items"])]
    check_total(sum(line["amount"] * line["quantity"] for line in lines), lines[0]["currency"])
    choices = _choices(params)
    cs = fresh_id("cs_test_", length=58)
    created = now()
    world.lines[cs] = lines
    session: Json = {
        "id": cs,
        "object": "checkout.session",
        "adaptive_pricing": None,
        "after_expiration": None,
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
        "livemode": False,
        "metadata": params.get("metadata") or {},
        "mode": params.get("mode", "payment"),
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {},
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
        "url": f"{world.pay_url}/c/pay/{cs}",
        "wallet_options": None,
        **choices,
    }  # fmt: skip
    reckon(world, session)
    give_code(world, session, params)
    world.sessions[cs] = session
    world.intent_metadata[cs] = (params.get("payment_intent_data") or {}).get("metadata") or {}
    return session


def _choices(params: Json) -> Json:
    """The fields and options of the page, as the session lists them."""
    collects = params.get("billing_address_collection")
    if collects not in (None, "auto", "required"):
        raise Refusal(
            400, "Invalid billing_address_collection: must be one of auto or required",
            param="billing_address_collection",
        )  # fmt: skip
    locale = params.get("locale")
    if locale is not None and locale not in LOCALES:
        raise Refusal(400, f"Invalid locale: must be one of {', '.join(LOCALES)}", param="locale")
    taxed = flag((params.get("automatic_tax") or {}).get("enabled"))
    codes = params.get("allow_promotion_codes")
    kinds = params.get("allowed_payment_method_types") or params.get("payment_method_types") or _USUAL_WAYS
    choices: Json = {
        "allow_promotion_codes": None if codes is None else flag(codes),
        # The stand-in knows the tax rate of every place, so the status never waits for an address.
        "automatic_tax": {"enabled": taxed, "liability": _SELF if taxed else None,
                          "provider": "stripe" if taxed else None, "status": "complete" if taxed else None},
        "billing_address_collection": collects,
        "invoice_creation": _invoice_creation(params.get("invoice_creation")),
        "locale": locale,
        "payment_method_types": [str(kind) for kind in kinds],
    }  # fmt: skip
    asked = params.get("tax_id_collection")
    if asked is not None:
        choices["tax_id_collection"] = {
            "enabled": flag(asked.get("enabled")), "required": asked.get("required", "never"),
        }  # fmt: skip
    return choices


def _invoice_creation(asked: Json | None) -> Json | None:
    if asked is None:
        return None
    data = asked.get("invoice_data") or {}
    return {
        "enabled": flag(asked.get("enabled")),
        "invoice_data": {
            "account_tax_ids": None, "custom_fields": data.get("custom_fields"),
            "description": data.get("description"), "footer": data.get("footer"), "issuer": None,
            "metadata": data.get("metadata") or {}, "rendering_options": None,
        },
    }  # fmt: skip


def takes_debits(session: Json) -> bool:
    """Whether the session's page offers a bank debit."""
    return any(kind != "card" for kind in session["payment_method_types"])


def takes_cards(session: Json) -> bool:
    """Whether the session's page offers a card."""
    return "card" in session["payment_method_types"]


# ------------------------------------------------------------------ paid, or not


def settle_session(
    world: World, cs: str, *, email: str, name: str, delayed: bool, address: Json | None = None,
    tax_ids: list[Json] | None = None, card: str = "",
) -> Json:  # fmt: skip
    """Complete a session: paid by card, with a bank debit under way (`delayed`), or with nothing to pay."""
    session = world.sessions[cs]
    free = session["amount_total"] == 0
    session.update(
        status="complete",
        payment_status="no_payment_required" if free else "unpaid" if delayed else "paid",
        url=None,
        customer_details={
            "address": address, "business_name": None, "email": email, "individual_name": None, "name": name or None,
            "phone": None, "tax_exempt": "none", "tax_ids": tax_ids or [],
        },
    )  # fmt: skip
    redeem(world, session)
    if _wants_invoice(session):
        session["customer"] = make_customer(world, email=email, name=name or None)["id"]
    if not free:
        _charge(world, session, delayed=delayed, card=re.sub(r"\D", "", card))
    if session["payment_status"] != "unpaid":
        _invoice(world, session)
    return session


def _charge(world: World, session: Json, *, delayed: bool, card: str) -> None:
    kinds = session["payment_method_types"]
    debit = next((kind for kind in kinds if kind != "card"), "sepa_debit")
    intent = make_intent(
        world, amount=session["amount_total"], currency=session["currency"], kind=debit if delayed else "card",
        metadata=world.intent_metadata[session["id"]], customer=session["customer"],
    )  # fmt: skip
    details = session["customer_details"]
    billing = {"email": details["email"], "name": details["name"]}
    if details["address"]:
        billing["address"] = details["address"]
    charge_for(world, intent, billing, pending=delayed, **({"card": card} if card else {}))
    session["payment_intent"] = intent["id"]
    world.paid_by[intent["id"]] = session["id"]


def _wants_invoice(session: Json) -> bool:
    return bool(session["invoice_creation"] and session["invoice_creation"]["enabled"])


def _invoice(world: World, session: Json) -> None:
    if _wants_invoice(session) and session["invoice"] is None:
        session["invoice"] = make_invoice(world, session)["id"]


def completed(world: World, session: Json) -> Json:
    """The event of a finished session."""
    return make_event(world, "checkout.session.completed", session)


def bank_says(world: World, cs: str, *, succeeds: bool, created: int | None = None) -> Json:
    """Settle a bank debit, days later; return its event."""
    session = world.sessions[cs]
    bank_decides(world, world.intents[session["payment_intent"]], succeeds=succeeds)
    if succeeds:
        session["payment_status"] = "paid"
        _invoice(world, session)
    kind = "checkout.session.async_payment_" + ("succeeded" if succeeds else "failed")
    return make_event(world, kind, session, created=created)


def expire_session(world: World, session: Json) -> Json:
    """https://docs.stripe.com/api/checkout/sessions/expire; returns the event."""
    if session["status"] != "open":
        raise Refusal(400, 'Only Checkout Sessions with a status in ["open"] can be expired.')
    session.update(status="expired", url=None)
    return make_event(world, "checkout.session.expired", session)


# ------------------------------------------------------------------ over the API


def session_of(call: Call) -> Json:
    """The session that the path names."""
    found = call.world.sessions.get(call.ids[0])
    if found is None:
        words = f"No such checkout.session: {call.ids[0]}"
        raise Refusal(404, words, param="session", code="resource_missing")
    return found


def _has_email(session: Json, wanted: Any) -> bool:
    details = session["customer_details"] or {}
    return isinstance(wanted, dict) and details.get("email") == wanted.get("email")


_FILTERS: Final[Filters] = {
    "status": same("status"), "payment_intent": same("payment_intent"), "customer": same("customer"),
    "customer_details": _has_email,
}  # fmt: skip


def _list(call: Call) -> Told:
    intent = call.params.get("payment_intent")
    paid = call.world.sessions.get(call.world.paid_by.get(intent, "")) if intent is not None else None
    among = None if intent is None else [paid] if paid else []
    return page(call, "/v1/checkout/sessions", call.world.sessions, _FILTERS, among=among), []


def _expire(call: Call) -> Told:
    session = session_of(call)
    return session, [expire_session(call.world, session)]


ROUTES: Final[Routes] = {
    ("POST", "checkout/sessions"): _create,
    ("GET", "checkout/sessions"): _list,
    ("GET", "checkout/sessions/{}"): lambda call: (shown(call, session_of(call)), []),
    ("POST", "checkout/sessions/{}/expire"): _expire,
}
