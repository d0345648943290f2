"""What a shop on PostgreSQL can be refused for, and how its store is opened; psycopg is imported only then."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from adapters.postgres.copying import PostgresTarget
    from adapters.postgres.store import PostgresStore


class UnfitDatabase(Exception):
    """The database does not promise what the store rests on; the message says what to set."""


class TargetRefused(Exception):
    """A shop cannot be moved there as it is; the message says what to do."""


class PostgresNotInstalled(Exception):
    """The library that speaks to PostgreSQL is missing; the message says what to do."""


class NoBackupHere(Exception):
    """The server's own tools back it up; the message says which."""


def open_postgres(url: str) -> PostgresStore:
    """Connect, migrate and check. Raises PostgresNotInstalled, UnfitDatabase, StoreUnavailable."""
    with _installed("DATABASE_URL"):
        from adapters.postgres.store import PostgresStore  # noqa: PLC0415 - an extra: SQLite needs none of it
    return PostgresStore.open(url)


def target_on_postgres(url: str) -> PostgresTarget:
    """Where a shop can be moved to. Raises PostgresNotInstalled, UnfitDatabase."""
    with _installed("TARGET"):
        from adapters.postgres.copying import PostgresTarget  # noqa: PLC0415 - as above
    return PostgresTarget(url)


@contextlib.contextmanager
def _installed(address: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise PostgresNotInstalled(
            f'{address} begins with postgresql://, which needs one more package: pip install "coatcheck[postgres]"'
        ) from error


def no_copies() -> NoReturn:
    """Raises NoBackupHere."""
    raise NoBackupHere(
        "a database on PostgreSQL is backed up by its own tools: pg_dump, or base backups and WAL for any "
        "moment (docs/postgresql.md)"
    )
