"""`coatcheck sales`: what the shop took, as a table or as JSON lines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date

import click
import msgspec

from domain.day_sums import DaySum
from domain.local_time import day_of
from domain.sales_sum import SalesBy, SalesSum, totals, week_of
from domain.usecases.sum_days import Difference
from domain.values import money_text
from entrypoints.cli_running import Refusal, beside, calendar_day
from entrypoints.container import Container
from entrypoints.maintenance.progress import progress
from entrypoints.safe_output import say

_HEAD = ("", "sales", "gross", "refunded", "disputed", "net")


@click.command()
@click.option("--week", is_flag=True, help="Since Monday.")
@click.option("--month", is_flag=True, help="Since the first of the month.")
@click.option(
    "--from",
    "first",
    metavar="DATE",
    callback=calendar_day,
    help="From this day on, such as 2026-11-01.",
)
@click.option("--to", "last", metavar="DATE", callback=calendar_day, help="To this day, inclusive.")
@click.option(
    "--by", type=click.Choice([by.value for by in SalesBy]), default=SalesBy.MONTH.value, show_default=True,
    help="A line for each of these.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="JSON lines, amounts in minor units.")
def sales(*, week: bool, month: bool, first: date | None, last: date | None, by: str, as_json: bool) -> None:
    """Show what was sold: gross, refunded, lost in disputes, and net, in each currency.

    Days are those of `timezone` in shop.toml. A refund or dispute counts with its sale, in the period of the sale.
    """
    if week + month + (first is not None) > 1:
        raise Refusal("--week, --month and --from: choose one of them")

    async def work(container: Container) -> Sequence[SalesSum]:
        zone = container.catalogue().current().shop.zone
        today = day_of(container.clock().now(), zone)
        start = week_of(today) if week else today.replace(day=1) if month else first
        with progress("Reading", shown=sys.stderr.isatty()) as done:
            return await container.sum_sales()(SalesBy(by), first=start, last=last, zone=zone, look=done)

    sums = beside(work)
    for line in json_lines(sums) if as_json else table(sums):
        say(line)


@click.command()
@click.option("--check", is_flag=True, help="Count every closed day again, and list those that differ.")
@click.pass_context
def sums(context: click.Context, *, check: bool) -> None:
    """Sum the days that are over, as the server does by itself, for the figures of the back office.

    With --check, every closed day is counted again and compared with what is stored. Exits with 1 if one differs.
    """

    async def work(container: Container) -> Sequence[Difference]:
        sum_days = container.sum_days()
        while await sum_days.close():
            pass
        if not check:
            return ()
        with progress("Counting", shown=sys.stderr.isatty()) as done:
            return await sum_days.check(look=done)

    differences = beside(work)
    for line in difference_lines(differences) if check else ["All days that are over are summed."]:
        say(line)
    context.exit(1 if differences else 0)


def difference_lines(differences: Sequence[Difference]) -> list[str]:
    """Each day that differs, with what is stored and what was counted."""
    if not differences:
        return ["Every closed day was counted again, and none differs."]
    lines: list[str] = []
    for one in differences:
        lines.append(f"{one.day.isoformat()} differs")
        lines += [f"  stored   {_sum_line(held)}" for held in one.stored]
        lines += [f"  counted  {_sum_line(held)}" for held in one.counted]
    return lines


def _sum_line(one: DaySum) -> str:
    amounts = (
        f"gross {money_text(one.gross, one.currency)}, refunded {money_text(one.refunded, one.currency)}"
    )
    begun = f"started {one.started}, paid {one.paid}, opened {one.opened}"
    return f"{one.product}: sales {one.sales}, {amounts}, free {one.free}, {begun}"


def json_lines(sums: Sequence[SalesSum]) -> list[str]:
    """One object for each sum."""
    return [
        msgspec.json.encode(
            {
                "of": one.of, "currency": one.currency, "sales": one.sales, "gross": one.gross,
                "refunded": one.refunded, "disputed": one.lost, "net": one.net,
            }
        ).decode()
        for one in sums
    ]  # fmt: skip


def table(sums: Sequence[SalesSum]) -> list[str]:
    """The sums under each other, with the totals of each currency at the end."""
    if not sums:
        return ["Nothing was sold in that time."]
    rows = [_HEAD, *map(_row, sums), *(_row(one, called="total") for one in totals(sums))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]


def _row(one: SalesSum, *, called: str | None = None) -> tuple[str, ...]:
    amounts = (one.gross, one.refunded, one.lost, one.net)
    return (called or one.of, str(one.sales), *(money_text(amount, one.currency) for amount in amounts))
