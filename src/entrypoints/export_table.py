"""An exported table as CSV (RFC 4180) or JSON lines, and what may be chosen for it."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from enum import Enum
from typing import Final, TypeVar

import msgspec

from domain.amounts import AmountProblem, typed_amount
from domain.currencies import CURRENCIES
from domain.export import COLUMNS, Export, ExportKind, Value
from domain.local_time import zone_named
from domain.purchase import Source
from domain.sale_list import AddressState, SaleFilter, SaleState
from domain.usecases.export_list import Table
from domain.usecases.list_sales import days
from domain.values import Money, ProductId, decimal_text
from entrypoints.ledger_csv import as_text
from entrypoints.sale_names import SaleNames

SALE_FILTERS: Final = (
    "text", "state", "product", "source", "from", "to", "currency", "least", "most", "opened", "address", "promotion",
    "tests",
)  # fmt: skip
"""The fields that narrow sales down, in the addresses of lists, in exports and on the command line."""
_BOM: Final = "\N{BYTE ORDER MARK}".encode()
E = TypeVar("E", bound=Enum)


class BadChoice(Exception):
    """What was chosen means nothing; `field` is its name."""

    def __init__(self, field: str, typed: str) -> None:
        super().__init__(f"{field} cannot be {typed[:80]!r}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Format:
    """How a table is written."""

    as_csv: bool
    zone: tzinfo
    bom: bool = False
    """For CSV: a byte order mark first, by which Excel knows UTF-8."""

    @property
    def media_type(self) -> str:
        """Of the file."""
        return "text/csv" if self.as_csv else "application/jsonl"

    @property
    def ending(self) -> str:
        """Of the file's name."""
        return "csv" if self.as_csv else "jsonl"


def format_of(chosen: Mapping[str, str], *, zone: tzinfo) -> Format:
    """The format that fields name (`format`, `timezone`, `bom`); `zone`: the shop's. Raises BadChoice."""
    name, written = chosen.get("format", "csv"), chosen.get("timezone", "")
    if name not in ("csv", "jsonl"):
        raise BadChoice("format", name)
    found = zone_named(written) if written else zone
    if found is None:
        raise BadChoice("timezone", written)
    return Format(as_csv=name == "csv", zone=found, bom=bool(chosen.get("bom")))


def export_of(
    kind: ExportKind, chosen: Mapping[str, str], columns: Sequence[str], *, zone: tzinfo, currency: str
) -> Export:
    """What fields name, but for customers and promotion codes (`named`).

    Dates are days of `zone` and amounts are in `currency`, both the shop's, where none is chosen. Raises BadChoice.
    """
    for name in columns:
        if name not in COLUMNS[kind]:
            raise BadChoice("columns", name)
    first, last = _day(chosen, "from"), _day(chosen, "to")
    if first is not None and last is not None and first > last:
        raise BadChoice("from", chosen["from"])
    begin, end = days(first, last, zone)
    opened = chosen.get("opened", "")
    if opened not in ("", "yes", "no"):
        raise BadChoice("opened", opened)
    if chosen.get("tests", "") not in ("", "no"):
        raise BadChoice("tests", chosen["tests"])
    if chosen.get("least") or chosen.get("most"):
        chosen = {"currency": currency, **chosen}
    wanted = SaleFilter(
        state=_named(SaleState, chosen, "state"),
        product=ProductId(chosen["product"]) if chosen.get("product") else None,
        source=_source(chosen),
        booked_from=begin,
        booked_before=end,
        currency=_currency(chosen),
        least=_amount(chosen, "least"),
        most=_amount(chosen, "most"),
        opened={"": None, "yes": True, "no": False}[opened],
        address=_named(AddressState, chosen, "address"),
        promotion=chosen.get("promotion", "").strip() or None,
        counted=chosen.get("tests") == "no",
    )
    return Export.of(kind, frozenset(columns), sales=wanted)


async def named(wanted: Export, chosen: Mapping[str, str], names: SaleNames) -> Export:
    """The export, narrowed down to the customers whose address begins with the field `text`. Raises BadChoice."""
    text = chosen.get("text", "").strip()
    found = await names(wanted.sales, text=text)
    if found is None or found.more:
        raise BadChoice("text", text)
    return replace(wanted, sales=found.wanted)


def choice_of(member: Enum) -> str:
    """How a member of `SaleState` or `AddressState` is written: `partly-refunded`."""
    return member.name.lower().replace("_", "-")


def _named(kind: type[E], chosen: Mapping[str, str], field: str) -> E | None:
    written = chosen.get(field, "")
    if not written:
        return None
    for member in kind:
        if choice_of(member) == written:
            return member
    raise BadChoice(field, written)


def _source(chosen: Mapping[str, str]) -> Source | None:
    written = chosen.get("source", "")
    try:
        return Source(written) if written else None
    except ValueError:
        raise BadChoice("source", written) from None


def _day(chosen: Mapping[str, str], field: str) -> date | None:
    written = chosen.get(field, "")
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        raise BadChoice(field, written) from None


def _currency(chosen: Mapping[str, str]) -> str | None:
    code = chosen.get("currency", "").strip().lower()
    if code and code not in CURRENCIES:
        raise BadChoice("currency", code)
    return code or None


def _amount(chosen: Mapping[str, str], field: str) -> int | None:
    typed, currency = chosen.get(field, "").strip(), _currency(chosen)
    if not typed or currency is None:
        return None
    amount = typed_amount(typed, currency=currency, charged=False)
    if isinstance(amount, AmountProblem):
        raise BadChoice(field, typed)
    return amount.amount


async def written(table: Table, columns: Sequence[str], form: Format) -> AsyncGenerator[bytes, None]:
    """The file, a page at a time."""
    if form.as_csv:
        yield (_BOM if form.bom else b"") + _csv([columns])
        async for page in table:
            yield _csv([[_cell(value, form.zone) for value in row] for row in page])
        return
    encode = msgspec.json.Encoder().encode
    async for page in table:
        lines = (
            encode({name: _plain(value, form.zone) for name, value in zip(columns, row, strict=True)})
            for row in page
        )
        yield b"".join(line + b"\n" for line in lines)


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: Value, zone: tzinfo) -> str:
    """Numbers and times are the shop's own; texts must not become formulas."""
    match value:
        case None:
            return ""
        case Money():
            return decimal_text(value.amount, value.currency)
        case datetime():
            return _moment(value, zone)
        case str():
            return as_text(value)
        case _:
            return str(value)


def _plain(value: Value, zone: tzinfo) -> str | int | None:
    """Amounts in minor units, as in `coatcheck export`."""
    match value:
        case Money():
            return value.amount
        case datetime():
            return _moment(value, zone)
        case _:
            return value


def _moment(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")
