"""Look into a database file that came from elsewhere: nothing in it is run, and nothing in it goes on for ever."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from pathlib import Path
from typing import Final

from sqlite_utils import Database

from adapters.sql.schema import MIGRATIONS
from adapters.sqlite.migrating import applied_migrations, migrations, unknown_migrations

# In instructions of SQLite's machine: far more than the checks take, and an end to whatever has none.
_STEPS_AT_LEAST: Final = 200_000_000
_STEPS_A_BYTE: Final = 200
_STEPS_AT_ONCE: Final = 1_000_000
_ORDINARY: Final = ("table", "index")
_UNKNOWN_URGENCY: Final = "SELECT 1 FROM outbox WHERE urgency NOT BETWEEN 0 AND 3"
_STATISTICS: Final = frozenset({
    ("table", "sqlite_stat1", "sqlite_stat1", "CREATE TABLE sqlite_stat1(tbl,idx,stat)"),
    ("table", "sqlite_stat4", "sqlite_stat4", "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)"),
})  # fmt: skip
"""What ANALYZE makes."""
Thing = tuple[str, str, str, str]


def distrust(connection: sqlite3.Connection, path: Path, *, writing: bool = False) -> None:
    """Run no function that its schema names (https://sqlite.org/security.html), and bound what it may cost."""
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    if not writing:
        connection.execute("PRAGMA query_only = ON")
    turns = itertools.count()
    most = (_STEPS_AT_LEAST + _STEPS_A_BYTE * path.stat().st_size) // _STEPS_AT_ONCE
    connection.set_progress_handler(lambda: next(turns) > most, _STEPS_AT_ONCE)


def objection_to(connection: sqlite3.Connection, *, up_to_date: bool = False) -> str:
    """What is wrong with a shop's database, and what to do; "" if every page of it is sound.

    Its schema is to the letter what its migrations make. So it has no trigger and no view, and reading a table reads
    that table.
    """
    found = things_in(connection)
    # Before any table is read: a view can have the name of one, and no end.
    if any(kind not in _ORDINARY or sql.upper().startswith("CREATE VIRTUAL") for kind, *_, sql in found):
        return (
            f"was changed by another program: it holds {_named(found - _made(None))}; "
            "Coatcheck creates only ordinary tables and indexes"
        )
    db = Database(connection)
    if unknown := unknown_migrations(db):
        return f"was made by a newer Coatcheck ({', '.join(unknown)}): install that one first"
    had = applied_migrations(db)
    known = [migration.name for migration in MIGRATIONS]
    if up_to_date and len(had) < len(known):
        return "was made by an older Coatcheck: `coatcheck status` brings it up to date"
    expected = _made(known[len(had)] if len(had) < len(known) else None)
    if had != known[: len(had)] or found != expected:
        return (
            "was changed by another program: its tables and indexes are not those that Coatcheck makes: "
            f"{_named(found ^ expected)}"
        )
    damage = _damage_in(connection)
    return f"is damaged: {damage} (an earlier backup may be sound)" if damage else ""


def _damage_in(connection: sqlite3.Connection) -> str:
    """What is damaged in a database with our schema; "" if nothing is."""
    problems = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
    if problems != ["ok"]:
        return "; ".join(problems)[:300]
    if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        return "a row refers to a row that is missing"
    # SQLite loads no CHECK constraint of a file that it opens for reading, so its own check passes them over.
    if connection.execute(_UNKNOWN_URGENCY).fetchone() is not None:
        return "an email has an unknown urgency"
    return ""


def things_in(connection: sqlite3.Connection) -> set[Thing]:
    """Everything in a schema but what ANALYZE makes: type, name, table, and the SQL that made it."""
    rows = connection.execute("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master")
    return {(kind, name, table, " ".join(sql.split())) for kind, name, table, sql in rows} - _STATISTICS


def _made(stop_before: str | None) -> set[Thing]:
    with contextlib.closing(Database(memory=True)) as fresh:
        migrations.apply(fresh, stop_before=stop_before)
        return things_in(fresh.conn)


def _named(things: set[Thing]) -> str:
    return ", ".join(sorted({f"{kind} {name!r}" for kind, name, _, _ in things})[:5])
