"""What Stripe refuses in a new Checkout Session, with its own errors. https://docs.stripe.com/api/checkout/sessions/create"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from entrypoints.sandbox.stripe.objects import Refusal
from entrypoints.sandbox.stripe.tax_codes import TAX_CODES
from entrypoints.sandbox.world import Json, World, now

_SOONEST: Final = 30 * 60
_LATEST: Final = 24 * 60 * 60
_ON_ITS_WAY: Final = 60
"""Seconds between the moment a shop reckons from and ours."""
_LONGEST_URL: Final = 5000
# https://docs.stripe.com/api/metadata
_MOST_KEYS, _LONGEST_KEY, _LONGEST_VALUE = 50, 40, 500
_METHODS: Final = """
acss_debit affirm afterpay_clearpay alipay alma amazon_pay au_becs_debit bacs_debit bancontact billie bizum blik
boleto card cashapp crypto customer_balance eps fpx giropay grabpay ideal kakao_pay klarna konbini kr_card link
mb_way mobilepay multibanco naver_pay nz_bank_account oxxo p24 pay_by_bank payco paynow paypal paypay payto pix
promptpay revolut_pay samsung_pay satispay scalapay sepa_debit sequra sofort sunbit swish twint upi
us_bank_account wechat_pay zip
"""
METHODS: Final = tuple(_METHODS.split())
NESTED: Final[Mapping[str, frozenset[str]]] = {
    "line_items[]": frozenset(
        {"adjustable_quantity", "metadata", "price", "price_data", "quantity", "tax_rates"}
    ),
    "line_items[][price_data]": frozenset(
        {"currency", "product", "product_data", "recurring", "tax_behavior", "unit_amount", "unit_amount_decimal"}
    ),
    "line_items[][price_data][product_data]": frozenset(
        {"description", "images", "metadata", "name", "tax_code", "tax_details", "unit_label"}
    ),
    "payment_intent_data": frozenset({
        "application_fee_amount", "capture_method", "description", "metadata", "on_behalf_of", "receipt_email",
        "setup_future_usage", "shipping", "statement_descriptor", "statement_descriptor_suffix", "transfer_data",
        "transfer_group",
    }),
    "automatic_tax": frozenset({"enabled", "liability"}),
    "invoice_creation": frozenset({"enabled", "invoice_data"}),
    "tax_id_collection": frozenset({"enabled", "required"}),
}  # fmt: skip
"""The parameters that others may hold."""


def check_session(world: World, params: Json) -> None:
    """Refuse what Stripe documents that it refuses, whatever is in the line items."""
    for name in ("payment_intent_data", "automatic_tax", "invoice_creation", "tax_id_collection"):
        check_names(name, name, params.get(name))
    if not world.business_name:
        raise Refusal(
            400,
            "In order to use Checkout, you must set an account or business name at "
            "https://dashboard.stripe.com/account.",
        )
    _check_text(params.get("client_reference_id"), "client_reference_id", longest=200)
    for name in ("success_url", "cancel_url"):
        _check_url(params.get(name), name)
    _check_metadata(params.get("metadata"), "metadata")
    _check_metadata(
        (params.get("payment_intent_data") or {}).get("metadata"), "payment_intent_data[metadata]"
    )
    _check_end(params.get("expires_at"))
    for name in ("allowed_payment_method_types", "payment_method_types"):
        _check_methods(params.get(name), name)
    if str((params.get("automatic_tax") or {}).get("enabled")).lower() == "true" and not world.head_office:
        raise Refusal(
            400,
            "You must have a valid head office address to enable automatic tax calculation in test mode. Visit "
            "https://dashboard.stripe.com/test/settings/tax to update it.",
            param="automatic_tax",
        )


def check_names(pattern: str, at: str, given: Any) -> None:
    """Refuse parameters that Stripe does not know inside another one."""
    for name in given if isinstance(given, dict) else ():
        if name not in NESTED[pattern]:
            param = f"{at}[{name}]"
            raise Refusal(400, f"Received unknown parameter: {param}", param=param, code="parameter_unknown")


def check_tax_code(code: str | None, param: str) -> None:
    """Refuse a code that https://docs.stripe.com/tax/tax-codes does not list."""
    if code is not None and code not in TAX_CODES:
        raise Refusal(400, f"No such tax code: '{code}'", param=param, code="resource_missing")


def _check_text(value: str | None, param: str, *, longest: int) -> None:
    if value is not None and len(value) > longest:
        words = f"Invalid string: {value[:10]}...{value[-4:]}; must be at most {longest} characters"
        raise Refusal(400, words, param=param)


def _check_url(value: str | None, param: str) -> None:
    if value is None:
        return
    _check_text(value, param, longest=_LONGEST_URL)
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good or any(char.isspace() for char in value):
        raise Refusal(400, "Not a valid URL", param=param, code="url_invalid")


def _check_metadata(given: Any, param: str) -> None:
    if given is None or given == "":
        return
    if not isinstance(given, dict):
        raise Refusal(400, "Invalid object", param=param)
    if len(given) > _MOST_KEYS:
        words = f"Metadata can have up to {_MOST_KEYS} keys, but you passed in {len(given)}."
        raise Refusal(400, words, param=param)
    for key, value in given.items():
        if len(key) > _LONGEST_KEY:
            raise _too_long("keys", "key", key, _LONGEST_KEY, param)
        if len(str(value)) > _LONGEST_VALUE:
            raise _too_long("values", "value", str(value), _LONGEST_VALUE, param)


def _too_long(kinds: str, kind: str, text: str, longest: int, param: str) -> Refusal:
    words = f"Metadata {kinds} can have up to {longest} characters, but you passed in a {kind} that is {len(text)}"
    return Refusal(400, f"{words} characters. Invalid {kind}: {text}", param=param)


def _check_end(given: Any) -> None:
    if given is None:
        return
    try:
        left = int(given) - now()
    except ValueError as error:
        raise Refusal(
            400, f"Invalid integer: {given}", param="expires_at", code="parameter_invalid_integer"
        ) from error
    if not _SOONEST - _ON_ITS_WAY <= left <= _LATEST + _ON_ITS_WAY:
        raise Refusal(
            400,
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.",
            param="expires_at",
        )


def _check_methods(given: Any, param: str) -> None:
    for at, name in enumerate(given or ()):
        if name not in METHODS:
            words = f"Invalid {param}[{at}]: must be one of {', '.join(METHODS[:-1])}, or {METHODS[-1]}"
            raise Refusal(400, words, param=f"{param}[{at}]")
