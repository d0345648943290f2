"""`coatcheck import`: the sales of another shop, from its CSV file."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import BinaryIO, Final

import click

from domain.csv_rows import Piece, Pieces, Records, UnreadableCsv, delimiter_of
from domain.import_plan import ASKED, FIXABLE, PRESETS, Field, Plan, is_source, plan_of
from domain.imports import Layout, MissingColumns
from domain.rights import NotAllowed
from domain.uploads import Report
from domain.values import ProductId
from entrypoints.acting import actor_here, new_form
from entrypoints.cli_running import NothingDone, Refusal, beside
from entrypoints.cli_words import NOT_ALLOWED, counted
from entrypoints.container import Container
from entrypoints.import_sentences import PROBLEMS, REASONS, lines_text
from entrypoints.maintenance.progress import progress
from entrypoints.safe_output import say

_BLOCK: Final = 65_536
_ASKED: Final = ", ".join(field.value for field in ASKED)


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--preset", required=True, type=click.Choice(list(PRESETS)), help="Where FILE comes from.")
@click.option("--source", default="", metavar="NAME",
              help="The name of the other shop, with --preset own.")  # fmt: skip
@click.option("--map", "mapped", multiple=True, metavar="FIELD=COLUMN",
              help=f"Which column is what ({_ASKED}); FIELD= for none. Repeatable.")  # fmt: skip
@click.option("--set", "always", multiple=True, metavar="FIELD=VALUE",
              help="The product or currency of all rows. Repeatable.")  # fmt: skip
@click.option("--product", "renamed", multiple=True, metavar="THERE=ID",
              help="THERE, a product of the other shop, is the product ID here. Repeatable.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Import nothing; say what would be imported.")
@click.option("--email", is_flag=True, help="Email each new owner an access link.")
def import_sales(
    file: BinaryIO,
    *,
    preset: str,
    source: str,
    mapped: tuple[str, ...],
    always: tuple[str, ...],
    renamed: tuple[str, ...],
    dry_run: bool,
    email: bool,
) -> None:
    """Import the sales of another shop from FILE, a CSV file of Gumroad, of Stripe, or of your own making.

    Their buyers find here what they bought there: they sign in with the address of the sale. Running it again adds what
    is new and nothing else, and never brings back anybody who deleted their account. Rows that were refunded in full
    are left out. Exits with 1 if rows were refused that need your attention.
    """
    plan = plan_of(
        PRESETS[preset],
        source=source,
        columns={field: (text,) if text else () for field, text in _fields(mapped, "--map", ASKED)},
        fixed=dict(_fields(always, "--set", FIXABLE)),
        products={there: ProductId(here) for there, here in _pairs(renamed, "--product")},
        email=email,
    )
    if not is_source(plan.source):
        raise Refusal("--source is up to 40 lower-case letters, digits and hyphens, such as lemon-squeezy")

    async def work(container: Container) -> Report | NotAllowed:
        with progress("Reading", shown=sys.stderr.isatty()) as done:
            form = new_form(container.randomness())
            lines, records, layout = _opened(file, plan)
            if not dry_run:
                await container.supply_licences()()  # as the server does whenever the catalogue changes
            return await container.import_file()(
                lines, records, layout, actor=actor_here(), form=form, dry_run=dry_run, look=done
            )

    try:
        found = beside(work, acts=not dry_run)
    except UnreadableCsv as error:
        raise Refusal(f"{file.name}, line {error.line}: {PROBLEMS[error.problem]}") from error
    except MissingColumns as error:
        raise Refusal(f"{file.name} has no column {', '.join(error.headings)}: name it with --map") from error
    if isinstance(found, NotAllowed):
        raise NothingDone(NOT_ALLOWED)
    for line in report_lines(found, dry_run=dry_run):
        say(line)
    if found.needs_attention:
        sys.exit(1)


def report_lines(report: Report, *, dry_run: bool) -> list[str]:
    """The sums, then why rows were refused, then the products that are to be named."""
    refused = sum(report.refused.values())
    new = f"{report.new:,} would be imported" if dry_run else f"{report.new:,} imported"
    lines = [f"{counted(report.rows, 'row')}: {new}, {report.known:,} known already, {refused:,} refused."]
    for reason, count in sorted(report.refused.items(), key=lambda pair: (pair[0].is_usual, -pair[1])):
        lines.append(f"  {REASONS[reason]}: {lines_text(report.lines[reason], count)}")
    for name, count in report.products.items():
        lines.append(f"  {counted(count, 'row')} of {name!r}: say what it is here with --product {name!r}=ID")
    return lines


def _opened(file: BinaryIO, plan: Plan) -> tuple[AsyncIterator[Sequence[str]], Records, Layout]:
    """The lines of a file, and what is in them. Raises UnreadableCsv, MissingColumns."""
    pieces = _pieces(file)
    first = next(pieces)
    delimiter = delimiter_of(first.lines[0])
    header = next(Records(delimiter).feed(first.lines), None)
    layout = Layout.of(plan, () if header is None else tuple(cell.strip() for cell in header.cells))

    async def lines() -> AsyncIterator[Sequence[str]]:
        yield first.lines
        for piece in pieces:
            yield piece.lines

    return lines(), Records(delimiter), layout


def _pieces(file: BinaryIO) -> Iterator[Piece]:
    """The file as it is read. It is not stored, so it may be of any size."""
    reading = Pieces(most=None)
    while block := file.read(_BLOCK):
        yield from reading.feed(block)
    yield from reading.end()


def _pairs(written: Sequence[str], option: str) -> Iterator[tuple[str, str]]:
    for text in written:
        there, sign, here = text.rpartition("=")
        if not sign:
            raise Refusal(f"{option} is written like NAME=VALUE, not {text!r}")
        yield there, here


def _fields(written: Sequence[str], option: str, allowed: Sequence[Field]) -> Iterator[tuple[Field, str]]:
    known: Mapping[str, Field] = {field.value: field for field in allowed}
    for text in written:
        name, sign, value = text.partition("=")
        if not sign or name not in known:
            raise Refusal(f"{option} is written like NAME=VALUE with one of {', '.join(known)}, not {text!r}")
        yield known[name], value
