"""The databases a shop is measured on, and how rows are laid into them in bulk, beside the shop's own way."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg import sql

from adapters.postgres.store import PostgresStore
from adapters.sqlite.connections import open_writer
from testkit.postgres import PostgresServer, binaries

Row = tuple[Any, ...]
_SENT = """UPDATE outbox SET state = 'sent', settled_at = queued_at, subject = 'Your purchase: The Last Cloakroom',
  body_sha256 = {} WHERE state = 'queued'"""
"""What a sent email leaves behind once its body is deleted."""


@dataclass(frozen=True)
class Lot:
    """Rows of one table, in the order of its primary key."""

    table: str
    columns: str
    rows: Iterable[Row]


class Engine(Protocol):
    """One database."""

    name: str
    url: str

    def fill(self, lots: Iterable[Lot]) -> None:
        """Lay the past into a database that has not been opened yet: as quickly as it goes."""
        ...

    def add(self, lots: Iterable[Lot]) -> None:
        """Lay rows into a database that is being served, in one transaction."""
        ...

    def call_mails_sent(self) -> None:
        """Mark what waits in the outbox as sent."""
        ...

    def counts(self) -> dict[str, int]:
        """How many purchases, users and access emails there are."""
        ...


class Sqlite:
    """A file in a folder."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "bench.db"
        self.url = f"sqlite:///{self.path}"

    def fill(self, lots: Iterable[Lot]) -> None:
        """Indexes are made at the end, and nothing is durable on the way: it is all or nothing."""
        with closing(open_writer(self.path, checkpoints=True)) as db:
            db.execute("PRAGMA journal_mode = OFF")
            db.execute("PRAGMA synchronous = OFF")
            db.execute("PRAGMA foreign_keys = OFF")
            db.execute("PRAGMA cache_size = -1000000")
            indexes = db.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL"
            ).fetchall()
            for name, _ in indexes:
                db.execute(f"DROP INDEX {name}")
            db.execute("BEGIN")
            _insert(db, lots)
            for _, sql in indexes:
                db.execute(sql)
            db.execute("COMMIT")
            db.execute("PRAGMA journal_mode = WAL")

    def add(self, lots: Iterable[Lot]) -> None:
        with closing(open_writer(self.path, checkpoints=False)) as db:
            db.execute("BEGIN IMMEDIATE")
            _insert(db, lots)
            db.execute("COMMIT")

    def call_mails_sent(self) -> None:
        with closing(open_writer(self.path, checkpoints=False)) as db:
            db.execute(_SENT.format("randomblob(32)"))

    def counts(self) -> dict[str, int]:
        return {
            "purchases": self._number("SELECT count(*) FROM purchases"),
            "users": self._number("SELECT count(*) FROM users"),
            "access_emails": self._number("SELECT count(*) FROM outbox WHERE kind = 'access'"),
        }

    def _number(self, query: str) -> int:
        with closing(sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True, timeout=30)) as db:
            return int(db.execute(query).fetchone()[0])


def _insert(db: sqlite3.Connection, lots: Iterable[Lot]) -> None:
    for lot in lots:
        marks = ",".join("?" * len(lot.columns.split(",")))
        db.executemany(f"INSERT INTO {lot.table} ({lot.columns}) VALUES ({marks})", lot.rows)


class Postgres:
    """A database of its own on a server."""

    name = "postgres"

    def __init__(self, server: PostgresServer) -> None:
        self.url = server.url(server.new_database())

    def fill(self, lots: Iterable[Lot]) -> None:
        """As above; and the server is told what is in its tables now, as it would be after a while."""
        PostgresStore.open(self.url).close()
        with psycopg.connect(self.url, autocommit=True) as db:
            db.execute("SET maintenance_work_mem = '512MB'")
            indexes = db.execute(
                "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND NOT EXISTS "
                "(SELECT 1 FROM pg_constraint WHERE conname = indexname)"
            ).fetchall()
            with db.transaction():
                db.execute("SET LOCAL session_replication_role = replica")
                for name, _ in indexes:
                    db.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
                _copy(db, lots)
                for _, statement in indexes:
                    db.execute(statement)
            db.execute("VACUUM ANALYZE")
            db.execute("CHECKPOINT")

    def add(self, lots: Iterable[Lot]) -> None:
        with psycopg.connect(self.url) as db:
            _copy(db, lots)

    def call_mails_sent(self) -> None:
        with psycopg.connect(self.url) as db:
            db.execute(_SENT.format("sha256(convert_to(key, 'UTF8'))"))

    def counts(self) -> dict[str, int]:
        with psycopg.connect(self.url) as db:
            told = db.execute(
                "SELECT (SELECT count(*) FROM purchases), (SELECT count(*) FROM users), "
                "(SELECT count(*) FROM outbox WHERE kind = 'access')"
            ).fetchone()
        assert told is not None
        return dict(zip(("purchases", "users", "access_emails"), told, strict=True))


def _copy(db: psycopg.Connection[Any], lots: Iterable[Lot]) -> None:
    for lot in lots:
        columns = [sql.Identifier(name.strip()) for name in lot.columns.split(",")]
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(lot.table), sql.SQL(", ").join(columns)
        )
        with db.cursor().copy(into) as copy:
            for row in lot.rows:
                copy.write_row(row)


@contextlib.contextmanager
def a_server() -> Iterator[PostgresServer]:
    """PostgreSQL with its own settings, on a disk: what it calls durable is."""
    place = binaries()
    assert place is not None, "PostgreSQL is not installed"
    with tempfile.TemporaryDirectory(prefix="coatcheck-bench-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(place, Path(folder), {"shared_buffers": "256MB", "max_wal_size": "4GB"})
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()


ENGINES: Sequence[str] = ("sqlite", "postgres")
