"""Early fraud warnings. https://docs.stripe.com/api/radar/early_fraud_warnings"""

from __future__ import annotations

from typing import Any, Final

from entrypoints.sandbox.stripe.listing import page, same, shown
from entrypoints.sandbox.stripe.objects import Call, Routes, Told, make_event
from entrypoints.sandbox.world import Json, World, fresh_id, now

_PATH: Final = "radar/early_fraud_warnings"


def warn_of(world: World, charge: Json, *, created: int | None = None) -> Told:
    """The issuer of the card suspects fraud. A disputed or refunded charge has a warning that nobody can act on."""
    name = fresh_id("issfr_")
    world.warnings[name] = warning = {
        "id": name, "object": "radar.early_fraud_warning",
        "actionable": not (charge["disputed"] or charge["refunded"]), "charge": charge["id"], "created": now(),
        "fraud_type": "made_with_stolen_card", "livemode": False, "payment_intent": charge["payment_intent"],
    }  # fmt: skip
    return warning, [make_event(world, "radar.early_fraud_warning.created", warning, created=created)]


def _list(call: Call) -> Told:
    filters: Any = {"payment_intent": same("payment_intent"), "charge": same("charge")}
    return page(call, f"/v1/{_PATH}", call.world.warnings, filters), []


ROUTES: Final[Routes] = {
    ("GET", _PATH): _list,
    ("GET", f"{_PATH}/{{}}"): lambda call: (shown(call, call.one_of(call.world.warnings, "warning")), []),
}
