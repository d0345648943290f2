"""Coupons, and the promotion codes that shoppers enter. https://docs.stripe.com/api/promotion_codes"""

from __future__ import annotations

from typing import Any, Final

from entrypoints.sandbox.stripe.listing import Filters, page, shown
from entrypoints.sandbox.stripe.objects import Call, Refusal, Routes, Told, flag, metadata_of, missing, whole
from entrypoints.sandbox.stripe.totals import reckon
from entrypoints.sandbox.world import Json, World, fresh_id, now

INVALID: Final = "This code is invalid."
"""The message of Stripe's page, whatever the reason."""
_COUPON: Final = ("id", "percent_off", "amount_off", "currency", "duration", "name", "max_redemptions",
                  "redeem_by", "metadata", "applies_to")  # fmt: skip
_CODE: Final = (
    "code",
    "active",
    "coupon",
    "promotion",
    "expires_at",
    "max_redemptions",
    "metadata",
    "restrictions",
)
_FILTERS: Final[Filters] = {
    "active": lambda code, wanted: bool(code["active"] is flag(wanted)),
    "code": lambda code, wanted: bool(code["code"].lower() == str(wanted).lower()),
    "coupon": lambda code, wanted: bool(code["promotion"]["coupon"] == wanted),
}


def stock(world: World) -> None:
    """Add the initial codes of every world, unless it has them."""
    for word, terms in (
        ("TENOFF", {"percent_off": 10.0}),
        ("FIVER", {"amount_off": 500, "currency": "usd"}),
        ("GIFT", {"percent_off": 100.0}),
    ):
        if any(code["code"] == word for code in world.codes.values()):
            continue
        coupon = _coupon(f"coupon_{word.lower()}", name=word, **terms)
        world.coupons[coupon["id"]] = coupon
        code = _code(word, coupon)
        world.codes[code["id"]] = code


def apply_code(world: World, session: Json, typed: str) -> None:
    """Give the session the discount of the code entered. Refuses with the wording of Stripe's page."""
    code = next((c for c in world.codes.values() if c["code"].lower() == typed.strip().lower()), None)
    if code is None or not session["allow_promotion_codes"] or not _is_good(world, code, session):
        raise Refusal(400, INVALID, param="promotion_code")
    session["discounts"] = [{"coupon": None, "promotion_code": code["id"]}]
    reckon(world, session)


def take_code_back(world: World, session: Json) -> None:
    """Remove the discount, if the shopper may enter codes: one that the merchant gave stays."""
    if session["allow_promotion_codes"]:
        session["discounts"] = []
        reckon(world, session)


def give_code(world: World, session: Json, params: Json) -> None:
    """Give a new session, whose totals are known, the discount that the merchant asks for.

    https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-discounts
    """
    asked = params.get("discounts")
    if asked is None:
        return
    if params.get("allow_promotion_codes") is not None:
        words = "You may only specify one of these parameters: allow_promotion_codes, discounts."
        raise Refusal(400, words)
    [first, *others] = asked
    if others or set(first) != {"promotion_code"}:
        raise Refusal(400, "Only up to one promotion code may be specified.", param="discounts")
    param = "discounts[0][promotion_code]"
    code = world.codes.get(first["promotion_code"])
    if code is None:
        words = f"No such promotion code: '{first['promotion_code']}'"
        raise Refusal(400, words, param=param, code="resource_missing")
    if not _is_good(world, code, session):
        raise Refusal(400, "This promotion code cannot be redeemed.", param=param)
    session["discounts"] = [{"coupon": None, "promotion_code": code["id"]}]
    reckon(world, session)


def redeem(world: World, session: Json) -> None:
    """Count the code of a finished session; a used-up code becomes inactive."""
    for discount in session["discounts"]:
        code = world.codes[discount["promotion_code"]]
        coupon = world.coupons[code["promotion"]["coupon"]]
        for thing in (code, coupon):
            thing["times_redeemed"] += 1
        code["active"] = code["active"] and not _used_up(code)
        coupon["valid"] = coupon["valid"] and not _used_up(coupon)


def _used_up(thing: Json) -> bool:
    return thing["max_redemptions"] is not None and thing["times_redeemed"] >= thing["max_redemptions"]


def _is_good(world: World, code: Json, session: Json) -> bool:
    coupon, currency = world.coupons[code["promotion"]["coupon"]], session["currency"]
    over = any(end is not None and end <= now() for end in (code["expires_at"], coupon["redeem_by"]))
    fits = coupon["amount_off"] is None or coupon["currency"] == currency
    least, of = (code["restrictions"][name] for name in ("minimum_amount", "minimum_amount_currency"))
    enough = least is None or (of == currency and session["amount_subtotal"] >= least)
    # A price made for the session is of a product of its own, to which no coupon of certain products applies.
    return bool(
        code["active"] and coupon["valid"] and not over and fits and enough and "applies_to" not in coupon
    )


def _coupon(
    name_of_it: str, *, name: str | None, percent_off: float | None = None, amount_off: int | None = None,
    currency: str | None = None, **more: Any,
) -> Json:  # fmt: skip
    return {
        "id": name_of_it, "object": "coupon", "amount_off": amount_off, "created": now(), "currency": currency,
        "duration": "once", "duration_in_months": None, "livemode": False, "max_redemptions": None, "metadata": {},
        "name": name, "percent_off": percent_off, "redeem_by": None, "times_redeemed": 0, "valid": True, **more,
    }  # fmt: skip


def _code(word: str, coupon: Json, **more: Any) -> Json:
    return {
        "id": fresh_id("promo_"), "object": "promotion_code", "active": True, "code": word, "created": now(),
        "customer": None, "customer_account": None, "expires_at": None, "livemode": False, "max_redemptions": None,
        "metadata": {}, "promotion": {"coupon": coupon["id"], "type": "coupon"}, "times_redeemed": 0,
        "restrictions": {
            "first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None,
        },
        **more,
    }  # fmt: skip


# ------------------------------------------------------------------ over the API


def _create_coupon(call: Call) -> Told:
    params = call.params
    call.only(*_COUPON)
    if ("percent_off" in params) is ("amount_off" in params):
        raise Refusal(400, "You must pass exactly one of percent_off or amount_off.", param="percent_off")
    terms: Json = {}
    if "percent_off" in params:
        terms["percent_off"] = _percent(params["percent_off"])
    else:
        if "currency" not in params:
            raise missing("currency")
        terms["amount_off"] = whole(params["amount_off"], "amount_off", least=1)
        terms["currency"] = str(params["currency"]).lower()
    if "applies_to" in params:
        terms["applies_to"] = {"products": list(params["applies_to"]["products"])}
    coupon = _coupon(str(params.get("id") or fresh_id("", length=8)), name=params.get("name"), **terms,
                     metadata=metadata_of(params), **_ends(params, "redeem_by"))  # fmt: skip
    if coupon["id"] in call.world.coupons:
        raise Refusal(400, "Coupon already exists.", param="id", code="resource_already_exists")
    call.world.coupons[coupon["id"]] = coupon
    return coupon, []


def _percent(value: Any) -> float:
    try:
        percent = float(value)
    except ValueError:
        percent = 0.0
    if not 0 < percent <= 100:
        raise Refusal(
            400, "Coupons' percent_off must be greater than 0 and at most 100.", param="percent_off"
        )
    return percent


def _ends(params: Json, until: str) -> Json:
    """The limits of a coupon or a code: number of uses, and expiry."""
    return {name: whole(params[name], name) for name in ("max_redemptions", until) if name in params}


def _restrictions(params: Json) -> Json:
    asked: Json = {}
    if "minimum_amount" in params:
        if "minimum_amount_currency" not in params:
            raise missing("restrictions[minimum_amount_currency]")
        asked["minimum_amount"] = whole(params["minimum_amount"], "restrictions[minimum_amount]", least=1)
        asked["minimum_amount_currency"] = str(params["minimum_amount_currency"]).lower()
    if "first_time_transaction" in params:
        asked["first_time_transaction"] = flag(params["first_time_transaction"])
    return asked


def _create_code(call: Call) -> Told:
    params = call.params
    call.only(*_CODE)
    promotion = params.get("promotion") or {}
    coupon_id = promotion.get("coupon") or params.get("coupon")
    if coupon_id is None:
        raise missing("promotion[coupon]")
    coupon = call.world.coupons.get(coupon_id)
    if coupon is None:
        raise Refusal(400, f"No such coupon: '{coupon_id}'", param="coupon", code="resource_missing")
    word = str(params.get("code") or fresh_id("", length=8).upper())
    if any(c["code"].lower() == word.lower() and c["active"] for c in call.world.codes.values()):
        raise Refusal(400, "An active promotion code with this code already exists.", param="code")
    code = _code(word, coupon, active=flag(params.get("active", "true")), metadata=metadata_of(params),
                 **_ends(params, "expires_at"))  # fmt: skip
    if "restrictions" in params:
        code["restrictions"] |= _restrictions(params["restrictions"])
    call.world.codes[code["id"]] = code
    return shown(call, code), []


def _update_code(call: Call) -> Told:
    code = call.one_of(call.world.codes, "promotion code")
    call.only("active", "metadata")
    code["active"] = flag(call.params.get("active", code["active"]))
    code["metadata"] = metadata_of(call.params, code["metadata"])
    return shown(call, code), []


ROUTES: Final[Routes] = {
    ("POST", "coupons"): _create_coupon,
    ("GET", "coupons"): lambda call: (page(call, "/v1/coupons", call.world.coupons, {}), []),
    ("GET", "coupons/{}"): lambda call: (shown(call, call.one_of(call.world.coupons, "coupon")), []),
    ("POST", "promotion_codes"): _create_code,
    ("GET", "promotion_codes"): lambda call: (
        page(call, "/v1/promotion_codes", call.world.codes, _FILTERS),
        [],
    ),
    ("GET", "promotion_codes/{}"): lambda call: (
        shown(call, call.one_of(call.world.codes, "promotion code")),
        [],
    ),
    ("POST", "promotion_codes/{}"): _update_code,
}
