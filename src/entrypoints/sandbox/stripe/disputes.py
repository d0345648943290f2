"""Disputes: a shopper's bank reclaims money, or inquires first. https://docs.stripe.com/disputes/how-disputes-work"""

from __future__ import annotations

from typing import Any, Final

from entrypoints.sandbox.stripe.listing import page, same, shown
from entrypoints.sandbox.stripe.money import money
from entrypoints.sandbox.stripe.objects import Call, Refusal, Routes, Told, flag, make_event, metadata_of
from entrypoints.sandbox.world import Json, World, fresh_id, now

_CHARGEBACK: Final = ("needs_response", "under_review")
_INQUIRY: Final = ("warning_needs_response", "warning_under_review")
OPEN: Final = (*_CHARGEBACK, *_INQUIRY)
CLOSED: Final = ("won", "lost", "warning_closed", "prevented")
_NINE_DAYS: Final = 9 * 86400
_FEE: Final = 1500
# https://docs.stripe.com/testing#evidence: the text of the evidence decides at once.
_VERDICTS: Final = {"winning_evidence": "won", "losing_evidence": "lost"}
_EVIDENCE: Final = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
    "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file",
    "uncategorized_text",
)  # fmt: skip


def open_dispute(
    world: World, charge: Json, *, status: str = "needs_response", amount: int | None = None,
    reason: str = "fraudulent", created: int | None = None,
) -> Told:  # fmt: skip
    """A dispute of the whole charge, or of `amount`. An inquiry (`warning_…`) withdraws no money yet."""
    if not charge["paid"]:
        raise Refusal(400, f"Charge {charge['id']} was not paid; nobody disputes it.", param="charge")
    if status not in (*OPEN, "prevented"):
        raise Refusal(400, f"No dispute begins as {status}", param="status")
    disputed = charge["amount"] if amount is None else amount
    if not 0 < disputed <= charge["amount"]:
        raise Refusal(400, f"Nobody disputes {disputed} of {charge['amount']}.", param="amount")
    name, second = fresh_id("dp_"), now()
    world.disputes[name] = dispute = {
        "id": name, "object": "dispute", "amount": disputed, "balance_transactions": [], "charge": charge["id"],
        "created": second, "currency": charge["currency"], "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": second + _NINE_DAYS, "enhanced_eligibility": {}, "has_evidence": False, "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": status in _INQUIRY, "livemode": False, "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {"brand": "visa", "case_type": "inquiry" if status in _INQUIRY else "chargeback",
                     "network_reason_code": "10.4"},
            "type": "card",
        },
        "reason": reason, "status": status,
    }  # fmt: skip
    charge["disputed"] = True
    events = [make_event(world, "charge.dispute.created", dispute, created=created)]
    if status in _CHARGEBACK:
        events.append(_withdraw(world, dispute, created))
    return dispute, events


def _withdraw(world: World, dispute: Json, created: int | None) -> Json:
    dispute["is_charge_refundable"] = False
    dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    _book(dispute, -dispute["amount"], _FEE, "dispute")
    return make_event(world, "charge.dispute.funds_withdrawn", dispute, created=created)


def _book(dispute: Json, amount: int, fee: int, category: str) -> None:
    """https://docs.stripe.com/api/balance_transactions/object: the amount the dispute withdrew or returned."""
    second = now()
    details = [{"amount": fee, "application": None, "currency": dispute["currency"], "description": "Dispute fee",
                "type": "stripe_fee"}]  # fmt: skip
    dispute["balance_transactions"].append({
        "id": fresh_id("txn_"), "object": "balance_transaction", "amount": amount, "available_on": second,
        "balance_type": "payments", "created": second, "currency": dispute["currency"],
        "description": f"Chargeback of {money(abs(amount), dispute['currency'])} for {dispute['charge']}",
        "exchange_rate": None, "fee": fee, "fee_details": details if fee else [], "net": amount - fee,
        "reporting_category": category, "source": dispute["id"], "status": "available", "type": "adjustment",
    })  # fmt: skip


def update_dispute(world: World, dispute: Json, status: str, *, created: int | None = None) -> Told:
    """Another open status: under review, or an inquiry that became a chargeback, which withdraws the money."""
    _must_be_open(dispute)
    if status not in OPEN or (status in _INQUIRY and dispute["status"] in _CHARGEBACK):
        raise Refusal(400, f"A dispute that is {dispute['status']} does not become {status}.", param="status")
    grew = dispute["status"] in _INQUIRY and status in _CHARGEBACK
    dispute["status"] = status
    events = [_withdraw(world, dispute, created)] if grew else []
    return dispute, [make_event(world, "charge.dispute.updated", dispute, created=created), *events]


def close_dispute(world: World, dispute: Json, status: str, *, created: int | None = None) -> Told:
    """Close a dispute. A won one returns the amount withdrawn."""
    _must_be_open(dispute)
    fitting = ("won", "lost") if dispute["status"] in _CHARGEBACK else CLOSED
    if status not in fitting:
        raise Refusal(400, f"A dispute that is {dispute['status']} does not end as {status}.", param="status")
    withdrawn = bool(dispute["balance_transactions"])
    dispute["status"] = status
    events = []
    if status == "won" and withdrawn:
        _book(dispute, dispute["amount"], 0, "dispute_reversal")
        events.append(make_event(world, "charge.dispute.funds_reinstated", dispute, created=created))
    return dispute, [make_event(world, "charge.dispute.closed", dispute, created=created), *events]


def _must_be_open(dispute: Json) -> None:
    if dispute["status"] not in OPEN:
        raise Refusal(400, f"This dispute is already closed ({dispute['status']}).", param="status")


# ------------------------------------------------------------------ over the API


def _update(call: Call) -> Told:
    """https://docs.stripe.com/api/disputes/update: evidence is submitted at once unless the call defers it."""
    world, params = call.world, call.params
    dispute = call.one_of(world.disputes, "dispute")
    call.only("evidence", "metadata", "submit")
    evidence: Json = params.get("evidence") or {}
    for name in evidence:
        if name not in _EVIDENCE:
            param = f"evidence[{name}]"
            raise Refusal(400, f"Received unknown parameter: {param}", param=param, code="parameter_unknown")
    dispute["metadata"] = metadata_of(params, dispute["metadata"])
    details = dispute["evidence_details"]
    if evidence:
        _must_be_open(dispute)
        dispute["evidence"].update(evidence)
        details["has_evidence"] = True
    handed_in = bool(evidence) and flag(params.get("submit", "true"))
    if handed_in:
        details["submission_count"] += 1
        dispute["status"] = dispute["status"].replace("needs_response", "under_review")
    events = [make_event(world, "charge.dispute.updated", dispute)]
    verdict = _VERDICTS.get(str(evidence.get("uncategorized_text")))
    if handed_in and verdict:
        events += close_dispute(world, dispute, verdict)[1]
    return shown(call, dispute), events


def _close(call: Call) -> Told:
    """https://docs.stripe.com/api/disputes/close: the shop concedes."""
    dispute = call.one_of(call.world.disputes, "dispute")
    status = "warning_closed" if dispute["status"] in _INQUIRY else "lost"
    _, events = close_dispute(call.world, dispute, status)
    return shown(call, dispute), events


def _list(call: Call) -> Told:
    filters: Any = {"payment_intent": same("payment_intent"), "charge": same("charge")}
    return page(call, "/v1/disputes", call.world.disputes, filters), []


ROUTES: Final[Routes] = {
    ("GET", "disputes"): _list,
    ("GET", "disputes/{}"): lambda call: (shown(call, call.one_of(call.world.disputes, "dispute")), []),
    ("POST", "disputes/{}"): _update,
    ("POST", "disputes/{}/close"): _close,
}
