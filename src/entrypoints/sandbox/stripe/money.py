"""Amounts in minor units, formatted for display."""

from __future__ import annotations

from typing import Final

# https://docs.stripe.com/currencies#zero-decimal, #three-decimal and "special cases": the latter are always whole.
_ZERO_DECIMAL: Final = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
)
_THREE_DECIMAL: Final = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
_ALWAYS_WHOLE: Final = frozenset({"isk", "ugx"})


def money(amount: int, currency: str) -> str:
    """The amount with its currency, `1,200.00 USD`; a discount has its minus."""
    digits = 0 if currency in _ZERO_DECIMAL else 3 if currency in _THREE_DECIMAL else 2
    if currency in _ALWAYS_WHOLE and amount % 100 == 0:
        amount, digits = amount // 100, 0
    sign = "-" if amount < 0 else ""
    whole, rest = divmod(abs(amount), 10**digits)
    point = f".{rest:0{digits}d}" if digits else ""
    return f"{sign}{whole:,}{point} {currency.upper()}"
