"""The ledger as CSV (RFC 4180), safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
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


_INNER: Final = re.compile(r"([;\t\r\n])(?=[=+\-@＝＋－＠])")
"""Where a cell of its own begins to a spreadsheet that is set to another country, and looks for semicolons or tabs."""


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
    """The cell, of which no spreadsheet takes any part for a formula."""
    inner = _INNER.sub(r"\1'", cell)
    return f"'{inner}" if cell.startswith(_FORMULAS) else inner
