"""`coatcheck export`: every record as JSON lines, or sales and refunds as CSV for the accountant."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Final

import click

from domain.export import COLUMNS as COLUMNS_OF
from domain.export import ExportKind
from domain.purchase import Source
from domain.rights import NotAllowed
from domain.sale_list import AddressState, SaleState
from entrypoints.acting import actor_here, new_form
from entrypoints.cli_output import export_lines
from entrypoints.cli_running import NothingDone, Refusal, beside, calendar_day
from entrypoints.cli_words import NOT_ALLOWED
from entrypoints.container import Container
from entrypoints.export_table import SALE_FILTERS, BadChoice, choice_of, export_of, format_of, named, written
from entrypoints.ledger_csv import COLUMNS, WITH_ADDRESSES, csv_row, ledger_cells
from entrypoints.maintenance.progress import progress


@click.command()
@click.option(
    "--format", "as_", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True,
    help="csv without --list: a row for each sale, refund and lost dispute.",
)  # fmt: skip
@click.option(
    "--list", "kind", type=click.Choice([kind.value for kind in ExportKind]),
    help="Export this list alone, as a table.",
)  # fmt: skip
@click.option(
    "--from",
    "first",
    metavar="DATE",
    callback=calendar_day,
    help="From this day on, such as 2026-11-01 (csv, and --list sales).",
)
@click.option("--to", "last", metavar="DATE", callback=calendar_day, help="To this day, inclusive.")
@click.option("--with-addresses", is_flag=True, help="Include addresses of customers (csv, and --list).")
@click.option("--columns", metavar="A,B", help="With --list: these columns; see docs/operations.md.")
@click.option(
    "--only",
    metavar="FIELD=VALUE",
    multiple=True,
    help=(
        "With --list sales: text (the beginning of an address), state, product, source, currency, least, most, opened, "
        "address, promotion, tests. Repeatable."
    ),
)
@click.option(
    "--timezone", metavar="NAME", help="With --list: the time zone of times (default: that of shop.toml)."
)
@click.option("--bom", is_flag=True, help="With --list and csv: begin with a byte order mark, for Excel.")
def export(
    *, as_: str, kind: str | None, first: date | None, last: date | None, with_addresses: bool,
    columns: str | None, only: tuple[str, ...], timezone: str | None, bom: bool,
) -> None:  # fmt: skip
    """Write all records to stdout as JSON lines: users, purchases, emails, quarantine entries, audit log.

    With --format csv: sales, refunds and lost disputes for the accountant, each with its own time (UTC); days
    are those of `timezone` in shop.toml. Refunds and lost
    disputes are negative. Test purchases are left out once the shop has gone live; addresses, unless --with-addresses
    is given.

    With --list: one list as a table, with the columns of your choice, the newest first.
    """
    if first is not None and last is not None and first > last:
        raise Refusal(f"--from {first} is after --to {last}")
    if kind is None and (columns or only or timezone or bom):
        raise Refusal("--columns, --only, --timezone and --bom require --list")
    if kind is None and as_ != "csv" and (first or last or with_addresses):
        raise Refusal("--from, --to and --with-addresses require --format csv or --list")
    if kind not in (None, ExportKind.SALES.value) and (first or last or only):
        raise Refusal("--from, --to and --only narrow down sales: they require --list sales")

    async def work(container: Container) -> None:
        lines = export_lines(container)
        if kind is not None:
            chosen = dict(pair.partition("=")[::2] for pair in only)
            chosen |= {"format": as_, "timezone": timezone or "", "bom": "yes" if bom else ""}
            chosen |= {"from": str(first or ""), "to": str(last or "")}
            lines = await _list(container, ExportKind(kind), chosen, columns, with_addresses=with_addresses)
        elif as_ == "csv":
            lines = _csv(container, first, last, with_addresses=with_addresses)
        with progress("Writing", shown=not sys.stdout.isatty()) as done:
            async for line in lines:
                sys.stdout.buffer.write(line)
                done(1)
        sys.stdout.buffer.flush()

    beside(work)


async def _list(
    container: Container,
    kind: ExportKind,
    chosen: dict[str, str],
    columns: str | None,
    *,
    with_addresses: bool,
) -> AsyncIterator[bytes]:
    shop = container.catalogue().current().shop
    names = [name.strip() for name in (columns or "").split(",") if name.strip()]
    if with_addresses and not names:
        names = list(COLUMNS_OF[kind])
    unknown = {*chosen} - _FIELDS
    try:
        if unknown:
            raise BadChoice("--only", ", ".join(sorted(unknown)))
        wanted = export_of(kind, chosen, names, zone=shop.zone, currency=shop.currency)
        form = format_of(chosen, zone=shop.zone)
        wanted = await named(wanted, chosen, container.sale_names())
    except BadChoice as error:
        raise Refusal(f"{error}; {_instead(error.field, kind)}") from None
    if wanted.has_addresses and not with_addresses:
        raise Refusal("these columns name people by address: add --with-addresses")
    table = await container.export_list()(wanted, actor=actor_here(), form=new_form(container.randomness()))
    if isinstance(table, NotAllowed):
        raise NothingDone(NOT_ALLOWED)
    return written(table, wanted.columns, form)


_FIELDS: Final = {"format", "timezone", "bom", *SALE_FILTERS}
_ONLY: Final = [name for name in SALE_FILTERS if name not in ("from", "to")]
_NARROWS: Final[Mapping[str, Sequence[str]]] = {
    "state": [choice_of(state) for state in SaleState],
    "source": [source.value for source in Source],
    "opened": ["yes", "no"],
    "address": [choice_of(state) for state in AddressState],
    "tests": ["no"],
    "--only": _ONLY,
}


_WRITTEN: Final = {
    "timezone": "write it like Europe/Berlin",
    "currency": "write it as three letters, such as EUR",
    "least": "write it like 12.50, with the digits that the currency has",
    "most": "write it like 12.50, with the digits that the currency has",
    "text": "write the beginning of an address that one to 20 customers have, or a domain such as @example.org",
}


def _instead(field: str, kind: ExportKind) -> str:
    """What may be written there."""
    if field in _WRITTEN:
        return _WRITTEN[field]
    names = COLUMNS_OF[kind] if field == "columns" else _NARROWS.get(field, ())
    return f"choose among {', '.join(names)}" if names else "see `coatcheck export --help`"


async def _csv(
    container: Container, first: date | None, last: date | None, *, with_addresses: bool
) -> AsyncIterator[bytes]:
    yield csv_row(WITH_ADDRESSES if with_addresses else COLUMNS)
    zone = container.catalogue().current().shop.zone
    async for line in container.list_ledger()(first=first, last=last, zone=zone):
        yield csv_row(ledger_cells(line, with_address=with_addresses))
