"""Bring a database file up to date, and see that it is whole."""

from __future__ import annotations

from collections.abc import Callable

from sqlite_utils import Database, Migrations

from adapters.sql.schema import MIGRATIONS, UNIQUE, Migration

migrations = Migrations("coatcheck")


def _apply(migration: Migration) -> Callable[[Database], None]:
    """Statement by statement: `executescript` would commit the transaction that all migrations share."""

    def run(db: Database) -> None:
        for statement in migration.on_sqlite():
            db.execute(statement)

    return run


for step in MIGRATIONS:
    migrations(name=step.name)(_apply(step))


def unknown_migrations(db: Database) -> list[str]:
    """The names of those that a database had of another release."""
    return sorted({had.name for had in migrations.applied(db)} - {step.name for step in MIGRATIONS})


def missing_uniqueness(db: Database) -> list[str]:
    """The `table (column)` pairs without the unique index they need: the file was tampered with."""
    missing: list[str] = []
    for table, columns in UNIQUE.items():
        found = db.table(table)
        unique = {tuple(index.columns) for index in found.indexes if index.unique}
        if columns not in unique and tuple(found.pks) != columns:
            missing.append(f"{table} ({', '.join(columns)})")
    return missing
