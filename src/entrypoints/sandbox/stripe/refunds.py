"""Refunds, and their effect on the charge. https://docs.stripe.com/refunds"""

from __future__ import annotations

from typing import Any, Final

from entrypoints.sandbox.stripe.listing import page, same, shown
from entrypoints.sandbox.stripe.money import money
from entrypoints.sandbox.stripe.objects import (
    Call,
    Refusal,
    Routes,
    Told,
    make_event,
    metadata_of,
    missing,
    whole,
)
from entrypoints.sandbox.world import Json, World, fresh_id, now

_REASONS: Final = ("duplicate", "fraudulent", "requested_by_customer")
_GIVEN_BACK: Final = ("won", "warning_closed")
_NEXT: Final[dict[str, tuple[str, ...]]] = {
    "pending": ("succeeded", "failed", "canceled"),
    # A bank can return a refund weeks after it was sent.
    "succeeded": ("failed",),
}


def left_of(charge: Json) -> int:
    """The amount that can still be refunded."""
    return int(charge["amount"] - charge["amount_refunded"]) if charge["paid"] else 0


def create_refund(
    world: World, charge: Json, *, amount: int | None = None, status: str = "succeeded", reason: str | None = None,
    metadata: Json | None = None, created: int | None = None,
) -> Told:  # fmt: skip
    """Refund `amount`, or the rest of the charge. A refund that fails is pending first, as at Stripe."""
    if status not in ("succeeded", "pending", "failed"):
        raise Refusal(400, f"No refund begins as {status}", param="status")
    amount = _allowed(world, charge, amount)
    name = fresh_id("re_")
    world.refunds[name] = refund = {
        "id": name, "object": "refund", "amount": amount, "balance_transaction": fresh_id("txn_"),
        "charge": charge["id"], "created": now(), "currency": charge["currency"],
        "destination_details": {"card": {"reference_status": "pending", "reference_type":
            "acquirer_reference_number", "type": "refund"}, "type": "card"},
        "metadata": metadata or {}, "payment_intent": charge["payment_intent"], "reason": reason,
        "receipt_number": None, "source_transfer_reversal": None,
        "status": "succeeded" if status == "succeeded" else "pending", "transfer_reversal": None,
    }  # fmt: skip
    if status != "succeeded":
        refund["pending_reason"] = "processing"
    _add_to(charge, amount)
    events = [
        make_event(world, "refund.created", refund, created=created),
        # It contains no refund: https://docs.stripe.com/changelog/2022-11-15/charge-refunds-not-expanded
        make_event(world, "charge.refunded", charge, created=created),
    ]
    if status == "failed":
        events += settle_refund(world, refund, "failed", created=created)[1]
    return refund, events


def _allowed(world: World, charge: Json, amount: int | None) -> int:
    if not charge["paid"]:
        words = f"Charge {charge['id']} was not paid; there is nothing to refund."
        raise Refusal(400, words, param="charge")
    if charge["disputed"] and _is_charged_back(world, charge):
        words = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise Refusal(400, words, code="charge_disputed", saved=True)
    left, currency = left_of(charge), charge["currency"]
    if left == 0:
        words = f"Charge {charge['id']} has already been refunded."
        raise Refusal(400, words, code="charge_already_refunded", saved=True)
    if amount is None:
        return left
    if amount < 1:
        raise Refusal(400, "Invalid positive integer", param="amount", code="parameter_invalid_integer")
    if amount > left:
        words = (
            f"Refund amount ({money(amount, currency)}) is greater than unrefunded amount on charge "
            f"({money(left, currency)})"
        )
        raise Refusal(400, words, param="amount", code="amount_too_large", saved=True)
    return amount


def _is_charged_back(world: World, charge: Json) -> bool:
    against = (d for d in world.disputes.values() if d["charge"] == charge["id"])
    return any(not d["is_charge_refundable"] and d["status"] not in _GIVEN_BACK for d in against)


def _add_to(charge: Json, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] >= charge["amount"]


def settle_refund(world: World, refund: Json, status: str, *, created: int | None = None) -> Told:
    """Set a refund's next status. A failed or canceled one returns its amount to the charge."""
    if status not in _NEXT.get(refund["status"], ()):
        raise Refusal(400, f"A refund that is {refund['status']} does not become {status}.", param="status")
    refund["status"] = status
    refund.pop("pending_reason", None)
    kinds = ["refund.updated"]
    if status in ("failed", "canceled"):
        _add_to(world.charges[refund["charge"]], -refund["amount"])
    if status == "failed":
        refund["failure_reason"] = "lost_or_stolen_card"
        refund["failure_balance_transaction"] = fresh_id("txn_")
        kinds.append("refund.failed")
    return refund, [make_event(world, kind, refund, created=created) for kind in kinds]


# ------------------------------------------------------------------ over the API


def _create(call: Call) -> Told:
    params = call.params
    call.only("payment_intent", "charge", "amount", "reason", "metadata")
    reason = params.get("reason")
    if reason is not None and reason not in _REASONS:
        raise Refusal(400, f"Invalid reason: must be one of {', '.join(_REASONS)}", param="reason")
    amount = whole(params["amount"], "amount", least=1) if "amount" in params else None
    refund, events = create_refund(
        call.world, _charge_of(call), amount=amount, reason=reason, metadata=metadata_of(params)
    )
    return shown(call, refund), events


def _charge_of(call: Call) -> Json:
    world, params = call.world, call.params
    if "charge" in params:
        charge = world.charges.get(params["charge"])
        if charge is None:
            words = f"No such charge: '{params['charge']}'"
            raise Refusal(404, words, param="charge", code="resource_missing")
        return charge
    if "payment_intent" not in params:
        raise missing("payment_intent")
    intent = world.intents.get(params["payment_intent"])
    if intent is None:
        words = f"No such payment_intent: '{params['payment_intent']}'"
        raise Refusal(404, words, param="payment_intent", code="resource_missing")
    charge = world.charges.get(intent["latest_charge"])
    if charge is None or not charge["paid"]:
        words = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise Refusal(400, words, param="payment_intent", code="payment_intent_unexpected_state")
    return charge


def _update(call: Call) -> Told:
    refund = call.one_of(call.world.refunds, "refund")
    call.only("metadata")
    refund["metadata"] = metadata_of(call.params, refund["metadata"])
    return shown(call, refund), [make_event(call.world, "refund.updated", refund)]


def _list(call: Call) -> Told:
    filters: Any = {"payment_intent": same("payment_intent"), "charge": same("charge")}
    return page(call, "/v1/refunds", call.world.refunds, filters), []


ROUTES: Final[Routes] = {
    ("POST", "refunds"): _create,
    ("GET", "refunds"): _list,
    ("GET", "refunds/{}"): lambda call: (shown(call, call.one_of(call.world.refunds, "refund")), []),
    ("POST", "refunds/{}"): _update,
}
