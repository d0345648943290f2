"""The tax rate of a sale, calculated from its amounts: the payment provider sends the rate only in a further answer."""

from __future__ import annotations

from typing import Final

from domain.purchase import Breakdown
from domain.values import Money

_PERCENT: Final = 100
"""Rates are counted in hundredths of a percent here."""
_ALL: Final = 100 * _PERCENT


def tax_rate(paid: Money, breakdown: Breakdown) -> str | None:
    """The tax in percent of the amount without it, such as `19` or `8.1`; None without a tax.

    Amounts are rounded to the cent, so many rates lead to the same ones: the shortest is given, a whole one or one with
    one decimal. If none of those leads to just these amounts (several taxes on one sale, or a long rate), it is rounded
    to two decimals.
    """
    tax, net = breakdown.tax, paid.amount - breakdown.tax
    if tax <= 0 or net <= 0:
        return None
    rates = (_nearest(tax, net, step=step) for step in (_PERCENT, _PERCENT // 10))
    found = next(
        (rate for rate in rates if _leads_to(rate, paid.amount, breakdown)), _nearest(tax, net, step=1)
    )
    whole, rest = divmod(found, _PERCENT)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".") if rest else str(whole)


def _nearest(tax: int, net: int, *, step: int) -> int:
    """The rate, rounded half up to a multiple of `step`."""
    return (2 * _ALL * tax + net * step) // (2 * net * step) * step


def _leads_to(rate: int, paid: int, breakdown: Breakdown) -> bool:
    """Whether this rate, of the amount without tax or in the amount with it, is the tax to the nearest cent."""
    tax = breakdown.tax
    if breakdown.tax_on_top:
        return 2 * abs(_ALL * tax - (paid - tax) * rate) <= _ALL
    return 2 * abs((_ALL + rate) * tax - paid * rate) <= _ALL + rate
