"""See to it that what was erased cannot be read back from the database's own files."""

from __future__ import annotations

import time
from typing import Final

import psycopg

from adapters.postgres.session import LOCK_MS, Connection, connect
from adapters.postgres.worker_pool import Answer
from domain.ports import StoreUnavailable

PERSONAL: Final = (
    "users", "sessions", "checkouts", "purchases", "magic_links", "outbox", "moves", "downloads", "licence_line",
    "audit_reasons", "withdrawals", "sale_notes", "refund_requests", "upload_pieces", "uploads",
)  # fmt: skip
"""Tables from which an erasure takes something."""
_SMALL: Final = 32 * 2**20
_WAIT_FOR_READERS: Final = 5.0
# All roles see the snapshots of others, only superusers their start times. Standbys and slots that ask for it
# (hot_standby_feedback) keep old rows, too; a vacuum under way does not.
_OLDER_READERS: Final = """SELECT count(*) FROM (SELECT backend_xmin AS oldest FROM pg_stat_activity
  WHERE pid <> pg_backend_pid() AND (datname = current_database() OR datname IS NULL)
  AND coalesce(backend_type, '') <> 'autovacuum worker' UNION ALL SELECT xmin FROM pg_replication_slots) AS readers
  WHERE age(oldest) >= age(%s::text::xid)"""
_FULL_TRIES: Final = 10
_FULL_WAITS_MS: Final = 200
"""A rewrite that waits for its lock blocks all later statements on the table, so it waits briefly."""
_FULL_PAUSE: Final = 0.2


def scrub(info: str, answer: Answer[None]) -> None:
    """Take out the old versions of rows of which an erasure took something. Raises StoreUnavailable.

    VACUUM makes them unreachable; where a table is small enough to be written anew while everybody waits a moment
    (VACUUM FULL), no byte of them is left in its files. If another program holds a table for longer (a dump), it is
    vacuumed all the same, and StoreUnavailable says that it has to be tried again.
    """
    try:
        with connect(info) as connection:
            _wait_for_readers(connection)
            held = [table for table in PERSONAL if not _vacuum(connection, table)]
    except psycopg.Error as error:
        raise StoreUnavailable(f"cannot vacuum: {type(error).__name__} ({error.sqlstate})") from error
    if held:
        tables = ", ".join(held)
        raise StoreUnavailable(f"another program holds {tables}, so bytes of old rows are left there")
    answer(None)


def _vacuum(connection: Connection, table: str) -> bool:
    """Whether it was done as thoroughly as it should be."""
    [(size,)] = connection.execute("SELECT pg_total_relation_size(%s::regclass)", (table,)).fetchall()
    small = size <= _SMALL
    if small and _write_anew(connection, table):
        return True
    connection.execute(f"SET lock_timeout = {LOCK_MS}", prepare=False)
    connection.execute(f"VACUUM {table}".encode(), prepare=False)
    return not small


def _write_anew(connection: Connection, table: str) -> bool:
    connection.execute(f"SET lock_timeout = {_FULL_WAITS_MS}", prepare=False)
    for _ in range(_FULL_TRIES):
        try:
            connection.execute(f"VACUUM FULL {table}".encode(), prepare=False)
        except psycopg.errors.LockNotAvailable:
            time.sleep(_FULL_PAUSE)
        else:
            return True
    return False


def _wait_for_readers(connection: Connection) -> None:
    """A transaction that still reads a state from before the erasure keeps its rows alive."""
    [now] = connection.execute("SELECT pg_current_xact_id()::xid::text").fetchall()
    deadline = time.monotonic() + _WAIT_FOR_READERS
    while time.monotonic() < deadline:
        [(older,)] = connection.execute(_OLDER_READERS, now).fetchall()
        if not older:
            return
        time.sleep(0.05)
    raise StoreUnavailable("another program reads an older state of the database, so the old rows are kept")
