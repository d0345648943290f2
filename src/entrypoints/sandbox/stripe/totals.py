"""The totals of a session: subtotal, discount, tax. https://docs.stripe.com/api/checkout/sessions/object

Every address is taxed at 10 %. A price that includes tax stays as stated, as at Stripe: its subtotal
is "before discounts or taxes are applied", which does not deduct included tax (the same at
https://github.com/strangerstudios/paid-memberships-pro/pull/3685).
"""

from __future__ import annotations

from typing import Final

from entrypoints.sandbox.world import Json, World, now

_INCLUSIVE: Final = "inclusive"
_EXCLUSIVE: Final = "exclusive"
_USUALLY_EXCLUSIVE: Final = frozenset({"usd", "cad"})


def reckon(world: World, session: Json) -> None:
    """Update a session's totals from its lines, its discount, and whether it is taxed."""
    lines = world.lines[session["id"]]
    sums = [line["amount"] * line["quantity"] for line in lines]
    subtotal = sum(sums)
    discount = min(_discount(world, session, subtotal), subtotal)
    added = included = 0
    if session["automatic_tax"]["enabled"]:
        for line, amount in zip(lines, _after_discount(sums, discount), strict=True):
            if _behavior(line) == _INCLUSIVE:
                included += amount - (amount * 20 + 11) // 22  # the net is 10/11, halves up
            else:
                added += (amount + 5) // 10
    world.taxes[session["id"]] = [
        {"amount": amount, "rate": _rate(inclusive=inclusive), "taxability_reason": "standard_rated",
         "taxable_amount": subtotal - discount - (amount if inclusive else 0)}
        for amount, inclusive in ((included, True), (added, False)) if amount
    ]  # fmt: skip
    session["amount_subtotal"] = subtotal
    session["amount_total"] = subtotal - discount + added
    session["total_details"] = {
        "amount_discount": discount, "amount_shipping": 0, "amount_tax": added + included,
    }  # fmt: skip


def _rate(*, inclusive: bool) -> Json:
    """https://docs.stripe.com/api/tax_rates/object"""
    return {
        "id": "txr_sandbox", "object": "tax_rate", "active": True, "country": None, "created": now(),
        "description": None, "display_name": "VAT", "effective_percentage": 10.0, "flat_amount": None,
        "inclusive": inclusive, "jurisdiction": None, "jurisdiction_level": "country", "livemode": False,
        "metadata": {}, "percentage": 10.0, "rate_type": "percentage", "state": None, "tax_type": "vat",
    }  # fmt: skip


def tax_is_included(world: World, session: Json) -> bool:
    """Whether the first line's price includes tax."""
    return _behavior(world.lines[session["id"]][0]) == _INCLUSIVE


def _behavior(line: Json) -> str:
    """https://docs.stripe.com/tax/set-up: if unset, Stripe's default depends on the currency."""
    if line["tax_behavior"] in (_INCLUSIVE, _EXCLUSIVE):
        return str(line["tax_behavior"])
    return _EXCLUSIVE if line["currency"] in _USUALLY_EXCLUSIVE else _INCLUSIVE


def _discount(world: World, session: Json, subtotal: int) -> int:
    if not session["discounts"]:
        return 0
    code = world.codes[session["discounts"][0]["promotion_code"]]
    coupon = world.coupons[code["promotion"]["coupon"]]
    if coupon["percent_off"] is None:
        return int(coupon["amount_off"])
    return int(subtotal * coupon["percent_off"] / 100 + 0.5)


def _after_discount(sums: list[int], discount: int) -> list[int]:
    """The discount spread over the lines; the last one absorbs the rounding."""
    subtotal, left = sum(sums), discount
    rest: list[int] = []
    for at, amount in enumerate(sums):
        share = left if at == len(sums) - 1 else discount * amount // (subtotal or 1)
        left -= share
        rest.append(amount - share)
    return rest
