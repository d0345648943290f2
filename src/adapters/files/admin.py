"""What shop.toml says of the back office: [admin]."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from adapters.files.reading import Reader, line_of_key
from domain.amounts import AmountProblem, written_price
from domain.currencies import CURRENCIES
from domain.values import Money


class AdminTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[admin] in shop.toml."""

    support_refunds: str | dict[str, str] = {}
    """An amount in the shop's currency, or one for each currency."""


def support_refunds(
    reader: Reader, path: Path, text: str, table: AdminTable, *, currency: str, last: tuple[Money, ...]
) -> tuple[Money, ...]:
    """Its meaning; the `last` good one while it has none, which is noted."""
    written = table.support_refunds
    amounts = {currency: written} if isinstance(written, str) else written
    problem = _problem(amounts)
    if problem is not None:
        reader.complain(path, f"support_refunds {problem}", line=line_of_key(text, "support_refunds"))
        return last
    found = (written_price(amount, currency=code.lower()) for code, amount in amounts.items())
    return tuple(amount for amount in found if isinstance(amount, Money))


def _problem(amounts: Mapping[str, str]) -> str | None:
    for code, amount in amounts.items():
        if code.lower() not in CURRENCIES:
            return f"has {code!r}, which Stripe does not charge: write {{ usd = '50.00' }}"
        if isinstance(written_price(amount, currency=code.lower()), AmountProblem):
            return f"is {amount!r} in {code}: write an amount such as '50.00'"
    return None
