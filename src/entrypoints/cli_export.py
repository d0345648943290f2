"""`coatcheck export`: every record as JSON lines, or sales and refunds as CSV for the accountant."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import date

import click

from entrypoints.cli_output import export_lines
from entrypoints.cli_running import Refusal, beside, calendar_day
from entrypoints.container import Container
from entrypoints.ledger_csv import COLUMNS, WITH_ADDRESSES, csv_row, ledger_cells
from entrypoints.maintenance.progress import progress


@click.command()
@click.option(
    "--format", "as_", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True,
    help="csv: a row for each sale, refund and lost dispute.",
)  # fmt: skip
@click.option(
    "--from",
    "first",
    metavar="DATE",
    callback=calendar_day,
    help="csv: from this day on, such as 2026-11-01.",
)
@click.option("--to", "last", metavar="DATE", callback=calendar_day, help="csv: to this day, inclusive.")
@click.option("--with-addresses", is_flag=True, help="csv: with the address given at the payment.")
def export(*, as_: str, first: date | None, last: date | None, with_addresses: bool) -> None:
    """Write all records to stdout as JSON lines: users, purchases, emails, quarantine entries, audit log.

    With --format csv: sales, refunds and lost disputes for the accountant, each with its own time (UTC); days
    are those of `timezone` in shop.toml. Refunds and lost
    disputes are negative. Test purchases are left out once the shop has gone live; addresses, unless --with-addresses
    is given.
    """
    if as_ != "csv" and (first or last or with_addresses):
        raise Refusal("--from, --to and --with-addresses require --format csv")
    if first is not None and last is not None and first > last:
        raise Refusal(f"--from {first} is after --to {last}")

    async def work(container: Container) -> None:
        lines = export_lines(container)
        if as_ == "csv":
            lines = _csv(container, first, last, with_addresses=with_addresses)
        with progress("Writing", shown=not sys.stdout.isatty()) as done:
            async for line in lines:
                sys.stdout.buffer.write(line)
                done(1)
        sys.stdout.buffer.flush()

    beside(work)


async def _csv(
    container: Container, first: date | None, last: date | None, *, with_addresses: bool
) -> AsyncIterator[bytes]:
    yield csv_row(WITH_ADDRESSES if with_addresses else COLUMNS)
    zone = container.catalogue().current().shop.zone
    async for line in container.list_ledger()(first=first, last=last, zone=zone):
        yield csv_row(ledger_cells(line, with_address=with_addresses))
