"""The databases a shop is measured on, and how rows are laid into them in bulk, beside the shop's own way."""

from __future__ import annotations

import importlib.util
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from adapters.sqlite.connections import open_writer

Row = tuple[Any, ...]


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
        """How many purchases, users and tickets there are."""
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
            db.execute("UPDATE outbox SET state = 'sent', sent_at = queued_at WHERE state = 'queued'")

    def counts(self) -> dict[str, int]:
        return {
            "purchases": self._number("SELECT count(*) FROM purchases"),
            "users": self._number("SELECT count(*) FROM users"),
            "tickets": self._number("SELECT count(*) FROM outbox WHERE kind = 'ticket'"),
        }

    def _number(self, query: str) -> int:
        with closing(sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True, timeout=30)) as db:
            return int(db.execute(query).fetchone()[0])


def _insert(db: sqlite3.Connection, lots: Iterable[Lot]) -> None:
    for lot in lots:
        marks = ",".join("?" * len(lot.columns.split(",")))
        db.executemany(f"INSERT INTO {lot.table} ({lot.columns}) VALUES ({marks})", lot.rows)


def engine(name: str, folder: Path) -> Engine | str:
    """The engine of that name; or, in a sentence, why it cannot be measured here."""
    if name == "sqlite":
        return Sqlite(folder)
    if importlib.util.find_spec("adapters.postgres") is None:
        return "there is no adapter for it yet"
    return "no bulk loader for it yet"


ENGINES: Sequence[str] = ("sqlite", "postgres")
