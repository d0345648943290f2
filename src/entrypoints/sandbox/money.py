"""Amounts in minor units, for people to read."""

from __future__ import annotations

from typing import Final

_ZERO_DECIMAL: Final = frozenset({"jpy", "krw", "vnd", "clp"})


def money(amount: int, currency: str) -> str:
    """The amount with its currency; a discount has its minus."""
    sign, size = "-" if amount < 0 else "", abs(amount)
    if currency in _ZERO_DECIMAL:
        return f"{sign}{size} {currency.upper()}"
    return f"{sign}{size // 100}.{size % 100:02d} {currency.upper()}"
