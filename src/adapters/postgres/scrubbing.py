"""See to it that what was erased cannot be read back from the database's own files."""

from __future__ import annotations

import time
from typing import Final

import psycopg

from adapters.postgres.schema import PERSONAL
from adapters.postgres.session import LOCK_MS, Connection, Engine, connect
from domain.ports import StoreUnavailable

_SMALL: Final = 32 * 2**20
_WAIT_FOR_READERS: Final = 5.0
_OLDER_READERS: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND backend_xmin IS NOT NULL AND xact_start < %s"
)


def scrub(info: str, engine: Engine) -> None:
    """Take out the old versions of rows of which an erasure took something. Raises StoreUnavailable.

    VACUUM makes them unreachable; where a table is small enough to be written anew while everybody waits a moment
    (VACUUM FULL), no byte of them is left in its files. CockroachDB and YugabyteDB throw old versions out by
    themselves, after a time that is set there.
    """
    if engine is not Engine.POSTGRESQL:
        return
    try:
        with connect(info) as connection:
            connection.execute("SELECT set_config('lock_timeout', %s::text, false)", (str(LOCK_MS),))
            _wait_for_readers(connection)
            for table in PERSONAL:
                full = "FULL" if _size(connection, table) <= _SMALL else ""
                connection.execute(f"VACUUM {full} {table}".encode(), prepare=False)
    except psycopg.Error as error:
        raise StoreUnavailable(f"cannot vacuum: {type(error).__name__} ({error.sqlstate})") from error


def _size(connection: Connection, table: str) -> int:
    row = connection.execute("SELECT pg_total_relation_size(%s::regclass)", (table,)).fetchone()
    assert row is not None
    return int(row[0])


def _wait_for_readers(connection: Connection) -> None:
    """Whoever still reads a state from before the erasure keeps its rows alive."""
    row = connection.execute("SELECT now()").fetchone()
    assert row is not None
    deadline = time.monotonic() + _WAIT_FOR_READERS
    while time.monotonic() < deadline:
        older = connection.execute(_OLDER_READERS, (row[0],)).fetchone()
        if older is None or not older[0]:
            return
        time.sleep(0.05)
    raise StoreUnavailable("another program reads an older state of the database, so the old rows are kept")
