"""What a shop on PostgreSQL can be refused for, and how its store is opened; psycopg is imported only then."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from adapters.postgres.moving import PostgresTarget
    from adapters.postgres.store import PostgresStore


class PostgresNotInstalled(Exception):
    """The library that speaks to PostgreSQL is missing; the message says what to do."""


class UnfitDatabase(Exception):
    """The database does not promise what the books rest on; the message says what to set."""


class TargetRefused(Exception):
    """A shop cannot be moved there as it is; the message says what to do."""


class NoBackupHere(Exception):
    """The server's own tools back it up; the message says which."""


def open_postgres(url: str) -> PostgresStore:
    """Connect, migrate and check. Raises PostgresNotInstalled, UnfitDatabase, StoreUnavailable."""
    try:
        from adapters.postgres.store import PostgresStore  # noqa: PLC0415 - an extra: SQLite needs none of it
    except ImportError as error:
        raise PostgresNotInstalled(
            'DATABASE_URL begins with postgresql://, which needs one more package: pip install "coatcheck[postgres]"'
        ) from error
    return PostgresStore.open(url)


def target_on_postgres(url: str) -> PostgresTarget:
    """Where a shop can be moved to. Raises PostgresNotInstalled, UnfitDatabase."""
    try:
        from adapters.postgres.moving import PostgresTarget  # noqa: PLC0415 - as in `open_postgres`
    except ImportError as error:
        raise PostgresNotInstalled(
            'TARGET begins with postgresql://, which needs one more package: pip install "coatcheck[postgres]"'
        ) from error
    return PostgresTarget(url)


def no_copies() -> NoReturn:
    """Raises NoBackupHere."""
    raise NoBackupHere(
        "a database on PostgreSQL is backed up by its own tools: pg_dump, or base backups and WAL for any "
        "moment (docs/postgresql.md)"
    )
