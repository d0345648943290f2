"""Invoices of paid sessions. https://docs.stripe.com/payments/checkout/receipts"""

from __future__ import annotations

from typing import Final

from entrypoints.sandbox.stripe.listing import page, same, shown
from entrypoints.sandbox.stripe.objects import Routes
from entrypoints.sandbox.stripe.totals import tax_is_included
from entrypoints.sandbox.world import Json, World, fresh_id, now

_SELF: Final = {"type": "self"}


def make_invoice(world: World, session: Json) -> Json:
    """The paid invoice of a paid session."""
    name, second = fresh_id("in_"), now()
    page_of_it = f"{world.pay_url}/invoices/{name}"
    data = session["invoice_creation"]["invoice_data"]
    details, totals = session["customer_details"], session["total_details"]
    total, tax = session["amount_total"], totals["amount_tax"]
    taxed = session["automatic_tax"]
    world.invoices[name] = invoice = {
        "id": name, "object": "invoice", "account_country": "DE", "account_name": "Sandbox", "account_tax_ids": None,
        "amount_due": total, "amount_overpaid": 0, "amount_paid": total, "amount_paid_off_stripe": 0,
        "amount_remaining": 0, "amount_shipping": 0, "application": None, "attempt_count": 1, "attempted": True,
        "auto_advance": False, "automatic_tax": {**taxed, "disabled_reason": None},
        "automatically_finalizes_at": None, "billing_reason": "manual", "collection_method": "charge_automatically",
        "created": second, "currency": session["currency"], "custom_fields": data["custom_fields"],
        "customer": session["customer"], "customer_account": None, "customer_address": details["address"],
        "customer_email": details["email"], "customer_name": details["name"], "customer_phone": None,
        "customer_shipping": None, "customer_tax_exempt": "none", "customer_tax_ids": details["tax_ids"],
        "default_payment_method": None, "default_source": None, "default_tax_rates": [],
        "description": data["description"], "discounts": [], "due_date": None, "effective_at": second,
        "ending_balance": 0, "footer": data["footer"], "from_invoice": None, "hosted_invoice_url": page_of_it,
        "invoice_pdf": f"{page_of_it}/pdf", "issuer": _SELF, "last_finalization_error": None,
        "latest_revision": None, "lines": _lines(world, session, name, second), "livemode": False,
        "metadata": data["metadata"], "next_payment_attempt": None,
        "number": f"SANDBOX-{len(world.invoices) + 1:04}", "on_behalf_of": None, "parent": None,
        "payment_settings": {
            "default_mandate": None, "payment_method_options": None, "payment_method_types": None,
        },
        "period_end": second, "period_start": second, "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0, "receipt_number": None, "rendering": None, "shipping_cost": None,
        "shipping_details": None, "starting_balance": 0, "statement_descriptor": None, "status": "paid",
        "status_transitions": {
            "finalized_at": second, "marked_uncollectible_at": None, "paid_at": second, "voided_at": None,
        },
        "subtotal": session["amount_subtotal"], "subtotal_excluding_tax": None, "test_clock": None, "total": total,
        "total_discount_amounts": [], "total_excluding_tax": total - tax, "total_pretax_credit_amounts": [],
        "total_taxes": _taxes(world, session) if taxed["enabled"] else [], "webhooks_delivered_at": second,
    }  # fmt: skip
    return invoice


def _taxes(world: World, session: Json) -> list[Json]:
    tax = session["total_details"]["amount_tax"]
    return [{
        "amount": tax, "tax_behavior": "inclusive" if tax_is_included(world, session) else "exclusive",
        "tax_rate_details": None, "taxability_reason": "standard_rated",
        "taxable_amount": session["amount_total"] - tax, "type": "tax_rate_details",
    }]  # fmt: skip


def _lines(world: World, session: Json, invoice: str, second: int) -> Json:
    items = [
        {
            "id": fresh_id("il_"), "object": "line_item", "amount": line["amount"] * line["quantity"],
            "currency": line["currency"], "description": line["name"], "discount_amounts": [], "discountable": True,
            "discounts": [], "invoice": invoice, "livemode": False, "metadata": {}, "parent": None,
            "period": {"end": second, "start": second}, "pretax_credit_amounts": [], "pricing": None,
            "quantity": line["quantity"], "subscription": None, "subtotal": line["amount"] * line["quantity"],
            "taxes": [],
        }
        for line in world.lines[session["id"]]
    ]  # fmt: skip
    return {"object": "list", "data": items, "has_more": False, "url": f"/v1/invoices/{invoice}/lines"}


ROUTES: Final[Routes] = {
    ("GET", "invoices"): lambda call: (
        page(call, "/v1/invoices", call.world.invoices, {n: same(n) for n in ("customer", "status")}),
        [],
    ),
    ("GET", "invoices/{}"): lambda call: (shown(call, call.one_of(call.world.invoices, "invoice")), []),
}
