"""Customers: the recipients of invoices. https://docs.stripe.com/api/customers"""

from __future__ import annotations

from typing import Any, Final

from entrypoints.sandbox.stripe.listing import page, same, shown
from entrypoints.sandbox.stripe.objects import Call, Routes, Told, metadata_of
from entrypoints.sandbox.world import Json, World, fresh_id, now


def make_customer(world: World, *, email: str | None, name: str | None, **more: Any) -> Json:
    """Create the customer of a session with an invoice: every invoice has a customer."""
    given = fresh_id("cus_", length=14)
    world.customers[given] = customer = {
        "id": given, "object": "customer", "address": None, "balance": 0, "created": now(), "currency": None,
        "default_source": None, "delinquent": False, "description": None, "discount": None, "email": email,
        "invoice_prefix": given[-8:].upper(), "livemode": False, "metadata": {}, "name": name, "phone": None,
        "preferred_locales": [], "shipping": None, "tax_exempt": "none", "test_clock": None, **more,
    }  # fmt: skip
    return customer


def _create(call: Call) -> Told:
    params = call.params
    call.only("email", "name", "description", "metadata")
    customer = make_customer(
        call.world, email=params.get("email"), name=params.get("name"), description=params.get("description"),
        metadata=metadata_of(params),
    )  # fmt: skip
    return customer, []


ROUTES: Final[Routes] = {
    ("POST", "customers"): _create,
    ("GET", "customers"): lambda call: (
        page(call, "/v1/customers", call.world.customers, {"email": same("email")}),
        [],
    ),
    ("GET", "customers/{}"): lambda call: (shown(call, call.one_of(call.world.customers, "customer")), []),
}
