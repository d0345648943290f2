"""Bring a database file up to date, and see that it is whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlite_utils import Database, Migrations

from adapters.sql.schema import MIGRATIONS, UNIQUE, Migration


def history_of(steps: Sequence[Migration]) -> Migrations:
    """These steps, as sqlite-utils applies them."""
    history = Migrations("coatcheck")
    for step in steps:

        @history(name=step.name)
        def apply(db: Database, *, migration: Migration = step) -> None:
            """Statement by statement: `executescript` would commit the transaction that all migrations share."""
            for statement in migration.on_sqlite():
                db.execute(statement)

    return history


migrations: Final = history_of(MIGRATIONS)


def applied_migrations(db: Database) -> list[str]:
    """The names of those that a database had, in their order."""
    return [had.name for had in migrations.applied(db)]


def unknown_migrations(db: Database, steps: Sequence[Migration] = MIGRATIONS) -> list[str]:
    """The names of those that a database had of a newer release."""
    return sorted(set(applied_migrations(db)) - {step.name for step in steps})


def missing_uniqueness(db: Database) -> list[str]:
    """The `table (column)` pairs without the unique index they need: the file was tampered with."""
    missing: list[str] = []
    for table, columns in UNIQUE.items():
        found = db.table(table)
        unique = {tuple(index.columns) for index in found.indexes if index.unique}
        if columns not in unique and tuple(found.pks) != columns:
            missing.append(f"{table} ({', '.join(columns)})")
    return missing
