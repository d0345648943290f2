"""A database on PostgreSQL as the place that a shop is moved to: all of it in one transaction, or nothing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

import psycopg
from psycopg.pq import TransactionStatus

from adapters.postgres import TargetRefused
from adapters.postgres.migrating import check_uniqueness, migrate
from adapters.postgres.session import Connection, connect, conninfo, execute_on, prepare_session, roll_back
from adapters.sql.audit import Audit
from adapters.sql.record import Row
from adapters.sql.transaction import TABLES
from domain.audit import AuditAction, ByHand

_PATIENT: Final = """SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;
  SET enable_seqscan = on"""
_OTHERS_GONE_WITHIN: Final = 5.0
# A node keeps a connection open as long as it serves. The name is what the address says, or ours.
_OTHERS: Final = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
  AND pid <> pg_backend_pid() AND application_name IN ('coatcheck', current_setting('application_name'))"""
_TABLES_THERE: Final = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()"
_NOTE: Final = "CREATE TABLE IF NOT EXISTS moved_in (single BIGINT PRIMARY KEY, digest text NOT NULL)"
_PUT_SHOP: Final = """INSERT INTO shop (single, id, base_url) VALUES (1, %s, %s)
  ON CONFLICT (single) DO UPDATE SET base_url = excluded.base_url"""
_PUT_NOTE: Final = """INSERT INTO moved_in (single, digest) VALUES (1, %s)
  ON CONFLICT (single) DO UPDATE SET digest = excluded.digest"""
_ROWS_AT_ONCE: Final = 200
_FORM: Final = "moved:"
_MOVED_LINES: Final = TABLES["audit"].select.replace(" ORDER BY", f" WHERE form NOT LIKE '{_FORM}%' ORDER BY")
"""Without the line of the move itself, which its source does not have."""


class PostgresTarget:
    """The database at one address."""

    def __init__(self, url: str) -> None:
        self._info = conninfo(url)

    @contextlib.contextmanager
    def opened(self, shop: str) -> Iterator[OpenTarget]:
        """For that shop, alone, inside a transaction that `keep` ends; what is not kept by then never was there.

        Raises TargetRefused, UnfitDatabase, StoreUnavailable.
        """
        with connect(self._info) as hand, _in_words():
            prepare_session(hand)
            hand.execute(_PATIENT, prepare=False)
            _wait_until_alone(hand)
            _check_whose(hand, shop)
            migrate(hand)
            check_uniqueness(hand)
            hand.execute(_NOTE, prepare=False)
            hand.execute("BEGIN ISOLATION LEVEL SERIALIZABLE", prepare=False)
            try:
                # Every node asks for the shop's id when it starts: none can, until this is done.
                hand.execute("LOCK TABLE shop IN ACCESS EXCLUSIVE MODE", prepare=False)
                # One that did so in the moment before has a connection open, or has named its shop.
                _wait_until_alone(hand)
                _check_id(hand, shop)
                yield OpenTarget(hand, shop)
            finally:
                roll_back(hand)


class OpenTarget:
    """What is in it, and what is put there."""

    def __init__(self, connection: Connection, shop: str) -> None:
        self._connection = connection
        self._shop = shop

    @property
    def is_empty(self) -> bool:
        """Whether no table has a row."""
        return not any(
            self._connection.execute(f"SELECT 1 FROM {name} LIMIT 1".encode()).fetchone()  # noqa: S608 - constants
            for name in TABLES
        )

    @property
    def note(self) -> str | None:
        """What the last move noted of what it put there."""
        row = self._connection.execute("SELECT digest FROM moved_in").fetchone()
        return None if row is None else str(row[0])

    @property
    def base_url(self) -> str | None:
        """The BASE_URL that it was served under; None if it never was."""
        row = self._connection.execute("SELECT base_url FROM shop").fetchone()
        return None if row is None else row[0]

    def rows(self, table: str) -> Iterator[Row]:
        """All rows in the order of their key, some hundred at a time."""
        with self._connection.cursor(name="moving") as cursor:
            cursor.itersize = _ROWS_AT_ONCE
            select = _MOVED_LINES if table == "audit" else TABLES[table].select
            yield from cursor.execute(select.encode())

    def clear(self) -> None:
        """Take out what an earlier move put there, and leave nothing of it in the files, erased people included."""
        self._connection.execute(f"TRUNCATE {', '.join(TABLES)}".encode(), prepare=False)

    def put(self, table: str, rows: Iterable[Row]) -> None:
        """Write rows, as they come."""
        to = f"COPY {table} ({', '.join(TABLES[table].columns)}) FROM STDIN"
        with self._connection.cursor() as cursor, cursor.copy(to.encode()) as copy:
            for row in rows:
                copy.write_row(row)

    def keep(self, note: str, *, base_url: str | None, asked: ByHand) -> None:
        """Commit, with the audit line of the move itself, which is none of the rows.

        If it raises StoreUnavailable, the outcome is unknown, and `note` tells it the next time.
        """
        run = self._connection.execute
        run(_PUT_SHOP, (self._shop, base_url))
        run(_PUT_NOTE, (note,))
        line = replace(asked.line(AuditAction.MOVE, self._shop), form=f"{_FORM}{asked.form}")
        Audit(execute_on(self._connection)).append(line)
        run("COMMIT", prepare=False)
        # So that the first node plans by what there is.
        run(f"ANALYZE {', '.join(TABLES)}".encode(), prepare=False)


def _wait_until_alone(connection: Connection) -> None:
    """A move that was killed takes a moment to be gone from the server."""
    deadline = time.monotonic() + _OTHERS_GONE_WITHIN
    while True:
        # Inside a transaction the server repeats its first answer.
        if connection.info.transaction_status is TransactionStatus.INTRANS:
            connection.execute("SELECT pg_stat_clear_snapshot()")
        [(others,)] = connection.execute(_OTHERS).fetchall()
        if not others:
            return
        if time.monotonic() > deadline:
            raise TargetRefused(
                f"the target is in use: {others} connections of a shop are open to it; stop every node on it first"
            )
        time.sleep(0.1)


def _check_whose(connection: Connection, shop: str) -> None:
    """Before anything is written there."""
    there = {row[0] for row in connection.execute(_TABLES_THERE)}
    if there and "migrations" not in there:
        raise TargetRefused(
            f"the target holds tables of another program ({', '.join(sorted(there)[:3])}): "
            "create a database for the shop alone"
        )
    if "shop" in there:
        _check_id(connection, shop)


def _check_id(connection: Connection, shop: str) -> None:
    for (found,) in connection.execute("SELECT id FROM shop"):
        if found != shop:
            raise TargetRefused(
                f"the target belongs to another shop ({found}; this one is {shop}): create an empty database"
            )


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise TargetRefused(_sentence(error)) from error


def _sentence(error: psycopg.Error) -> str:
    match error:
        case psycopg.errors.DiskFull():
            return "the target's disk is full: nothing was moved; make room there, and run it again"
        case psycopg.errors.LockNotAvailable():
            return "the target is in use: another program holds its tables; stop it, and run this again"
        case psycopg.errors.InsufficientPrivilege():
            return f"the target does not let this user do it ({error.diag.message_primary}): let it own the database"
        case _:  # never the whole of its words: they can hold what was written
            kind = f"{type(error).__name__}, {error.sqlstate or 'the line broke'}"
            outcome = "all of it was moved or nothing; run this again, which finds out"
            return f"the target failed ({kind}): {outcome}"
