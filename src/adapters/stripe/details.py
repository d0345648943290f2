"""How a payment was made and taxed, for receipts: from a checkout session with both expanded.

https://docs.stripe.com/api/checkout/sessions/object#checkout_session_object-total_details-breakdown
https://docs.stripe.com/api/charges/object#charge_object-payment_method_details
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from domain.ports import PaymentDetails, TaxLine

EXPANDED: Final = ("total_details.breakdown", "payment_intent.latest_charge")
_LONGEST: Final = 60
_NAMES: Final = {
    "amex": "American Express", "cartes_bancaires": "Cartes Bancaires", "diners": "Diners Club",
    "discover": "Discover", "eftpos_au": "eftpos", "jcb": "JCB", "mastercard": "Mastercard", "unionpay": "UnionPay",
    "visa": "Visa", "paypal": "PayPal", "sepa_debit": "SEPA Direct Debit", "us_bank_account": "ACH Direct Debit",
    "bacs_debit": "Bacs Direct Debit", "au_becs_debit": "BECS Direct Debit", "acss_debit": "Pre-authorized debit",
    "ideal": "iDEAL", "eps": "EPS", "blik": "BLIK", "p24": "Przelewy24", "wechat_pay": "WeChat Pay",
    "cashapp": "Cash App Pay", "amazon_pay": "Amazon Pay", "revolut_pay": "Revolut Pay", "mobilepay": "MobilePay",
    "customer_balance": "Bank transfer",
}  # fmt: skip
"""https://docs.stripe.com/api/payment_methods/object; any other reads well with capitals: Klarna, Bancontact."""


class _Rate(msgspec.Struct, frozen=True):
    percentage: float = 0.0
    effective_percentage: float | None = None
    display_name: str | None = None
    country: str | None = None


class _Tax(msgspec.Struct, frozen=True):
    amount: int = 0
    rate: _Rate = _Rate()


class _Breakdown(msgspec.Struct, frozen=True):
    taxes: list[_Tax] = []


class _Totals(msgspec.Struct, frozen=True):
    breakdown: _Breakdown | None = None


class _Charge(msgspec.Struct, frozen=True):
    payment_method_details: dict[str, Any] | None = None


class _Intent(msgspec.Struct, frozen=True):
    latest_charge: str | _Charge | None = None


class _Session(msgspec.Struct, frozen=True):
    total_details: _Totals | None = None
    payment_intent: str | _Intent | None = None


_decode: Final = msgspec.json.Decoder(_Session).decode


def details_of(body: str) -> PaymentDetails:
    """What a session says of its payment; nothing if it is not written as we know it: a receipt does without."""
    try:
        session = _decode(body)
    except msgspec.MsgspecError:
        return PaymentDetails()
    breakdown = session.total_details and session.total_details.breakdown
    intent = session.payment_intent
    charge = intent.latest_charge if isinstance(intent, _Intent) else None
    method, digits = _method_of(charge) if isinstance(charge, _Charge) else ("", "")
    taxes = [_line(tax.rate) for tax in breakdown.taxes if tax.amount] if breakdown else []
    return PaymentDetails(method=method, last_digits=digits, taxes=tuple(taxes))


def _line(rate: _Rate) -> TaxLine:
    percent = rate.percentage if rate.effective_percentage is None else rate.effective_percentage
    return TaxLine(
        name=(rate.display_name or "")[:_LONGEST], rate=f"{percent:g}", country=(rate.country or "")[:2]
    )


def _method_of(charge: _Charge) -> tuple[str, str]:
    """Its name, or the card's brand, and the last digits; the details are under a key of the method's name."""
    told = charge.payment_method_details or {}
    kind = told.get("type")
    if not isinstance(kind, str):
        return "", ""
    inner = told.get(kind)
    more = inner if isinstance(inner, dict) else {}
    name, digits = (more.get("brand") or kind) if kind == "card" else kind, more.get("last4")
    shown = _NAMES.get(str(name), str(name).replace("_", " ").title())
    return shown[:_LONGEST], digits[:4] if isinstance(digits, str) and digits.isdecimal() else ""
