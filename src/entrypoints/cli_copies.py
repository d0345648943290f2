"""`coatcheck backup`, `restore` and `move`: copies of a whole shop."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from entrypoints.cli_running import Refusal, beside, place_of, run, settings_of
from entrypoints.container import Container
from entrypoints.places import tutorial_file
from entrypoints.safe_output import say
from entrypoints.settings import PostgresAddress, read_database


@click.command()
@click.argument("target")
def backup(target: str) -> None:
    """Back up database and goods to TARGET (a folder or s3://bucket/prefix) while the shop keeps running.

    A backup is consistent and contains no secrets. Contents already at TARGET are not copied again. Erasures are stored
    apart, so that restoring an older backup applies them again. If TARGET ends with .db, only the database is copied,
    to that file.
    """
    from entrypoints.maintenance.backup_commands import backed_up_lines, copy_database  # noqa: PLC0415 - most commands need none of it

    if target.endswith(".db"):
        lines = beside(lambda container: copy_database(container, Path(target)))
    else:
        place = place_of(target, "TARGET")
        lines = beside(lambda container: backed_up_lines(container, place))
    for line in lines:
        say(line)


@click.command()
@click.argument("source")
@click.option("--check", is_flag=True, help="Read and verify the whole backup without changing anything.")
def restore(source: str, check: bool) -> None:
    """Restore the newest backup in SOURCE (a folder or s3://bucket/prefix), or the one that SOURCE names.

    There must be no database yet, and no server running. Afterwards, run `coatcheck reconcile` to book what was sold
    since the backup.
    """
    from entrypoints.maintenance.backup import split_source  # noqa: PLC0415 - most commands need none of it
    from entrypoints.maintenance.backup_commands import looked_lines, restored_lines  # noqa: PLC0415 - most commands need none of it

    settings = settings_of()
    where, name = split_source(source)
    place = place_of(where, "SOURCE")
    container = Container(settings=settings)
    if check:
        lines, sound = run(lambda: looked_lines(container, place, name))
    else:
        lines, sound = run(lambda: restored_lines(container, place, name)), True
    for line in lines:
        say(line)
    if not sound:
        sys.exit(1)


@click.command()
@click.argument("source")
@click.argument("target")
@click.option("--product", "renamed", metavar="OLD=NEW", multiple=True,
              help="The id here of a product of the tutorial's shop; repeatable.")  # fmt: skip
def move(source: str, target: str, renamed: tuple[str, ...]) -> None:
    """Move a shop from SOURCE (sqlite:///path) to TARGET (postgresql://user:password@host:5432/name).

    Stop the server first. All rows are counted and hashed on both sides, the source is left unchanged, and the command
    may be run again at any time. SOURCE may also be the database of a shop built along the tutorial: its sales are then
    imported into a shop with this catalogue, at postgresql://… or in a new sqlite:///path. Exits with 1 if rows were
    skipped.
    """
    from entrypoints.maintenance.copy_commands import adopted_lines, moved_lines  # noqa: PLC0415 - most commands need none of it

    problems: list[str] = []
    here = read_database(source, problems=problems, named="SOURCE")
    there = read_database(target, problems=problems, named="TARGET")
    if isinstance(here, PostgresAddress):
        problems.append(
            "SOURCE is sqlite:///…: between servers a database is moved by pg_dump and pg_restore"
        )
    problems += [
        f"--product is written like p1=the-book, not {pair!r}" for pair in renamed if "=" not in pair
    ]
    if problems or isinstance(here, PostgresAddress):
        raise Refusal("\n".join(problems))
    old = tutorial_file(here)
    if old is None:
        told = run(lambda: asyncio.to_thread(moved_lines, here, there))
    else:
        settings = settings_of()
        names = dict(pair.split("=", 1) for pair in renamed)
        told = run(lambda: adopted_lines(settings, old, there, names))
    for line in told.lines:
        say(line)
    if not told.all_well:
        sys.exit(1)
