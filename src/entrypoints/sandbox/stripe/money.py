"""Amounts in minor units: what Stripe charges in each currency, and how an amount is displayed.

https://docs.stripe.com/currencies: "Supported presentment currencies", "Zero-decimal currencies", "Special cases",
"Minimum and maximum charge amounts". The stand-in is outside the shop, so it has a table of its own.
"""

from __future__ import annotations

from typing import Final

from entrypoints.sandbox.stripe.objects import Refusal

_CODES: Final = """
usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf
clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils
inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk
mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp
sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw
"""
SUPPORTED: Final = tuple(_CODES.split())
"""In Stripe's own order."""
_ZERO_DECIMAL: Final = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
)
_THREE_DECIMAL: Final = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
_ALWAYS_WHOLE: Final = frozenset({"isk", "ugx"})
# In units of the currency, times 100.
_LEAST: Final = {
    50: "usd ars aud brl cad chf cop eur idr ils inr nzd php rub sgd zar", 30: "gbp", 100: "bgn",
    200: "aed myr pln ron", 250: "dkk", 300: "nok sek", 400: "hkd", 1000: "mxn thb", 1500: "czk", 5000: "jpy krw",
    17500: "huf",
}  # fmt: skip
_MINIMUM: Final = {code: hundredths for hundredths, codes in _LEAST.items() for code in codes.split()}
_MAXIMUM: Final = {"idr": 999_999_999_999, "cop": 9_999_999_999, "inr": 999_999_999}
_SIGNS: Final = {
    "usd": "$",
    "aud": "$",
    "cad": "$",
    "hkd": "$",
    "eur": "€",
    "gbp": "£",
    "jpy": "¥",
    "inr": "₹",
}


def check_currency(currency: str, param: str) -> str:
    """The currency in lower case; refused if Stripe does not charge it."""
    code = currency.lower()
    if code not in SUPPORTED:
        words = f"Invalid currency: {currency}. Stripe currently supports these currencies: {', '.join(SUPPORTED)}"
        raise Refusal(400, words, param=param)
    return code


def check_amount(amount: int, currency: str, param: str) -> None:
    """Refuse a line's amount that is finer than Stripe charges in its currency."""
    step = 100 if currency in _ALWAYS_WHOLE else 10 if currency in _THREE_DECIMAL else 1
    if amount % step:
        words = f"Invalid integer: {amount}. Amounts in {currency} must be evenly divisible by {step}."
        raise Refusal(400, words, param=param, code="parameter_invalid_integer")


def check_total(total: int, currency: str) -> None:
    """Refuse a total that Stripe does not charge; nothing at all is fine."""
    least, most = smallest_charge(currency), _MAXIMUM.get(currency, 99_999_999)
    if 0 < total < least:
        words = f"The Checkout Session's total amount due must add up to at least {_signed(least, currency)}"
        raise Refusal(400, words, code="amount_too_small")
    if total > most:
        words = f"The Checkout Session's total amount due must be no more than {_signed(most, currency)}"
        raise Refusal(400, words, code="amount_too_large")


def smallest_charge(currency: str) -> int:
    """In minor units; 1 where Stripe documents none."""
    hundredths = _MINIMUM.get(currency, 1)
    least: int = hundredths * 10 ** _digits(currency) // 100
    return max(1, least)


def _digits(currency: str) -> int:
    return 0 if currency in _ZERO_DECIMAL else 3 if currency in _THREE_DECIMAL else 2


def _signed(amount: int, currency: str) -> str:
    """`$0.50 usd`, as in Stripe's errors."""
    number, code = money(amount, currency).split(" ")
    return f"{_SIGNS.get(currency, '')}{number} {code.lower()}"


def money(amount: int, currency: str) -> str:
    """The amount with its currency, `1,200.00 USD`; a discount has its minus."""
    digits = _digits(currency)
    if currency in _ALWAYS_WHOLE and amount % 100 == 0:
        amount, digits = amount // 100, 0
    sign = "-" if amount < 0 else ""
    whole, rest = divmod(abs(amount), 10**digits)
    point = f".{rest:0{digits}d}" if digits else ""
    return f"{sign}{whole:,}{point} {currency.upper()}"
