"""Migrate the schema, safely from several processes at once, and check that it is complete."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from adapters.postgres import UnfitDatabase
from adapters.postgres.session import LOCK_MS, Connection
from adapters.sql.schema import MIGRATIONS, UNIQUE, Migration

_LOCK: Final = 0x636F6174  # "coat": any number that no other program on this database takes
# However long others keep the lock.
_TAKE_LOCK: Final = f"SET lock_timeout = 0; SELECT pg_advisory_lock({_LOCK}); SET lock_timeout = {LOCK_MS}"
_NAMES: Final = "CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, name text NOT NULL)"
_DONE: Final = "INSERT INTO migrations (number, name) VALUES (%s, %s)"
_INDEX: Final = re.compile(r"CREATE UNIQUE INDEX .* USING \w+ \(([^)]*)\)(?: WHERE \((\w+) IS NOT NULL\))?")
_INDEXES: Final = "SELECT tablename::text, indexdef::text FROM pg_indexes WHERE schemaname = current_schema()"


def migrate(connection: Connection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Apply what is pending, each migration in a transaction. Raises UnfitDatabase."""
    connection.execute(_TAKE_LOCK, prepare=False)
    try:
        connection.execute(_NAMES, prepare=False)
        done = {row[0] for row in connection.execute("SELECT name FROM migrations")}
        if unknown := sorted(done - {migration.name for migration in migrations}):
            raise UnfitDatabase(
                f"the database was made by a newer release of Coatcheck ({', '.join(unknown)}): install that release "
                "(docs/upgrading.md)"
            )
        for migration in migrations:
            if migration.name in done:
                continue
            with connection.transaction():
                for statement in migration.on_postgres():
                    connection.execute(statement.encode(), prepare=False)
                connection.execute(_DONE, (migration.number, migration.name))
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def check_uniqueness(connection: Connection) -> None:
    """Raises UnfitDatabase if a unique index is missing."""
    held: dict[str, set[tuple[str, ...]]] = {}
    for table, definition in connection.execute(_INDEXES):
        found = _INDEX.fullmatch(definition)
        columns = () if found is None else tuple(part.split()[0].strip('"') for part in found[1].split(","))
        if found is not None and found[2] in (None, columns[0]):
            held.setdefault(table, set()).add(columns)
    if missing := [f"{t} ({', '.join(key)})" for t, key in UNIQUE.items() if key not in held.get(t, ())]:
        raise UnfitDatabase(
            f"the database lost its unique index on {', '.join(missing)}: restore it from a backup before selling"
        )
