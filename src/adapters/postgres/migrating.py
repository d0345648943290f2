"""Bring the schema up to date, whoever else does so at the same moment, and see that it is whole."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator, Sequence
from typing import Final

import psycopg

from adapters.postgres.connecting import UnfitDatabase
from adapters.postgres.schema import MIGRATIONS, UNIQUE, Migration
from adapters.postgres.session import Connection, Engine

_LOCK: Final = 0x636F6174  # "coat": any number that no other program on this database takes
_NUMBERS: Final = (
    "CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, name text NOT NULL)",
    "CREATE TABLE IF NOT EXISTS migration_lock (single BIGINT PRIMARY KEY)",
    "INSERT INTO migration_lock (single) VALUES (1) ON CONFLICT DO NOTHING",
)
_UNIQUE_INDEX: Final = re.compile(r"CREATE UNIQUE INDEX .* USING \w+ \(([^)]*)\)")
_TRIES: Final = 10


def migrate(
    guard: Connection, hand: Connection, engine: Engine, migrations: Sequence[Migration] = MIGRATIONS
) -> None:
    """Apply what is pending. `guard` keeps others out meanwhile, `hand` does the work. Raises UnfitDatabase.

    A migration is one transaction on PostgreSQL. CockroachDB and YugabyteDB end the transaction at a change of the
    schema, so there it is statement by statement; and the lock has a connection of its own.
    """
    with _alone(guard, hand, engine):
        done = {row[0] for row in hand.execute("SELECT number FROM migrations")}
        newest = migrations[-1].number
        if done and max(done) > newest:
            raise UnfitDatabase(
                f"the database is of a newer release (its migration {max(done)}, this one knows {newest}): "
                "install that release"
            )
        for migration in migrations:
            if migration.number in done:
                continue
            with hand.transaction() if engine is Engine.POSTGRESQL else contextlib.nullcontext():
                for statement in migration.statements(engine):
                    hand.execute(statement.encode(), prepare=False)
                hand.execute(
                    "INSERT INTO migrations (number, name) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                    (migration.number, migration.name),
                )


@contextlib.contextmanager
def _alone(guard: Connection, hand: Connection, engine: Engine) -> Iterator[None]:
    """Hold the lock: PostgreSQL's advisory one; a row where there is none that could be relied on."""
    if engine is Engine.POSTGRESQL:
        guard.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        try:
            _make_numbers(hand)
            yield
        finally:
            guard.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))
        return
    _make_numbers(hand)
    guard.execute("BEGIN", prepare=False)
    guard.execute("SELECT single FROM migration_lock WHERE single = 1 FOR UPDATE")
    try:
        yield
    finally:
        guard.execute("COMMIT", prepare=False)


def _make_numbers(hand: Connection) -> None:
    """Two who create one table at once can disturb each other in spite of IF NOT EXISTS: again."""
    for number in range(_TRIES):
        try:
            for statement in _NUMBERS:
                hand.execute(statement.encode(), prepare=False)
        except psycopg.Error:
            if number == _TRIES - 1 or hand.closed:
                raise
            time.sleep(0.05 * (number + 1))
        else:
            return


def check_uniqueness(connection: Connection) -> None:
    """Raises UnfitDatabase if somebody dropped a unique index."""
    held: dict[str, set[tuple[str, ...]]] = {}
    for table, definition in connection.execute(
        "SELECT tablename::text, indexdef::text FROM pg_indexes WHERE schemaname = current_schema()"
    ):
        found = _UNIQUE_INDEX.fullmatch(definition)
        if found is not None:
            columns = tuple(part.split()[0].strip('"') for part in found[1].split(","))
            held.setdefault(table, set()).add(columns)
    missing = [
        f"{t} ({', '.join(columns)})" for t, columns in UNIQUE.items() if columns not in held.get(t, ())
    ]
    if missing:
        raise UnfitDatabase(
            f"the database lost its unique index on {', '.join(missing)}: restore it from a backup before selling"
        )
