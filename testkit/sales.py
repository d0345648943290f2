"""Sales at the stand-in without a shop: sessions begun over Stripe's API and paid without a browser."""

from __future__ import annotations

from typing import Any

from testkit.servers import Sandbox
from testkit.stripe_schema import ask_raw, form, holds


def params(
    *, amount: int = 900, currency: str = "usd", price: dict[str, Any] | None = None, **more: Any
) -> Any:
    line = {
        "currency": currency,
        "unit_amount": amount,
        "product_data": {"name": "The book"},
        **(price or {}),
    }
    return {
        "mode": "payment", "line_items": [{"quantity": 1, "price_data": line}], "success_url": "https://shop.example/",
        "metadata": {"pid": "book"}, "payment_intent_data": {"metadata": {"pid": "book"}}, **more,
    }  # fmt: skip


def begin(box: Sandbox, **told: Any) -> Any:
    made = ask_raw(box, "POST", "/v1/checkout/sessions", form(params(**told)))
    holds("checkout.session", made)
    return made


def sold(box: Sandbox, *, pay: dict[str, Any] | None = None, **told: Any) -> Any:
    """A paid session, as it is afterwards."""
    made = begin(box, **told)
    box.pay(made["id"], **(pay or {}))
    after = ask_raw(box, "GET", f"/v1/checkout/sessions/{made['id']}")
    holds("checkout.session", after)
    return after


def charge_of(box: Sandbox, session: Any) -> Any:
    [charge] = ask_raw(box, "GET", f"/v1/charges?payment_intent={session['payment_intent']}")["data"]
    holds("charge", charge)
    return charge
