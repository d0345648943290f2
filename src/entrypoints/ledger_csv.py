"""The ledger as CSV (RFC 4180), safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import Final

from domain.ledger import LedgerLine
from domain.purchase import order_number
from domain.values import decimal_text

COLUMNS: Final = (
    "date", "kind", "status", "order", "product", "product_name", "currency", "amount", "stripe_session",
    "stripe_payment", "stripe_object", "mode", "source",
)  # fmt: skip
WITH_ADDRESSES: Final = (*COLUMNS, "paid_address")
_MODES: Final = {True: "live", False: "test", None: ""}
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_row(cells: tuple[str, ...]) -> bytes:
    """One record with its line break, in UTF-8."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def ledger_cells(line: LedgerLine, *, with_address: bool) -> tuple[str, ...]:
    """The cells of one line, in the order of `COLUMNS`.

    What a spreadsheet would run as a formula is made text (https://owasp.org/www-community/attacks/CSV_Injection). The
    amount is the shop's own number, and stays one.
    """
    purchase = line.purchase
    currency = purchase.paid.currency
    before = (
        f"{line.at:%Y-%m-%dT%H:%M:%SZ}", line.kind.value, line.status, order_number(purchase.checkout),
        purchase.product, purchase.product_name, currency.upper(),
    )  # fmt: skip
    ids = (purchase.provider_ref or "", purchase.payment or "", line.object_id)
    after = (*ids, _MODES[purchase.livemode], purchase.source.value)
    address = (str(purchase.paid_email or ""),) if with_address else ()
    amount = decimal_text(line.amount, currency)
    return (*map(as_text, before), amount, *map(as_text, (*after, *address)))


def as_text(cell: str) -> str:
    """The cell, which no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULAS) else cell
