"""Open the file as we need it, and refuse it if it does not promise what the store rests on."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sqlite_utils import Database

from adapters.sql.schema import MIGRATIONS, Migration
from adapters.sqlite.migrating import applied_migrations, history_of, missing_uniqueness, unknown_migrations
from adapters.sqlite.snapshots import CannotCopyAside, copy_aside

BUSY_MS: Final = 4000
_OPTIONS: Final[dict[str, Any]] = {
    "isolation_level": None, "check_same_thread": False, "timeout": BUSY_MS / 1000, "cached_statements": 512,
}  # fmt: skip
# 64 MB of WAL before its pages are moved into the file: random keys touch the same pages again and again.
_CHECKPOINT_PAGES: Final = 16_000
# With a million purchases twice or four times as much makes claims no faster (what is random misses it either way,
# and the system's own cache is near), and would be most of what a process holds.
_WRITER_CACHE_KB: Final = 16_000
_READER_CACHE_KB: Final = 8_000
_STEP: Final = 1024 * 1024


class NotDurable(Exception):
    """The database does not promise durability or uniqueness; the message says what to do."""


class AlreadyServed(Exception):
    """Another process serves this database."""


def open_writer(
    path: Path, *, checkpoints: bool, steps: Sequence[Migration] = MIGRATIONS
) -> sqlite3.Connection:
    """The one connection that writes, to a database that has had these migrations. Raises NotDurable, sqlite3.Error.

    `checkpoints`: only one process may move pages from the WAL into the file (SQLite up to 3.51.2 can lose
    pages when two do, https://sqlite.org/wal.html#walresetbug): the server; the command line does not.
    """
    old = os.umask(0o077)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection: sqlite3.Connection = sqlite3.connect(path, **_OPTIONS)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute(f"PRAGMA cache_size = -{_WRITER_CACHE_KB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES if checkpoints else 0}")
        if checkpoints:
            _write_wal_again(connection, path.with_name(path.name + "-wal"))
        _migrate(connection, path, steps)
    finally:
        os.umask(old)
    _check_promises(connection)
    return connection


def _write_wal_again(connection: sqlite3.Connection, wal: Path) -> None:
    """Put onto the disk what a killed process left in the WAL. Raises NotDurable, sqlite3.Error.

    If an fsync of its failed, Linux goes on reading those pages from memory, never writes them out and answers 0 to the
    next fsync (https://lwn.net/Articles/752063/). SQLite would take them for commits and put new ones behind them: a
    power cut then loses those too, since a WAL ends at its first hole. Writing the same bytes marks the pages again.
    """
    connection.execute("BEGIN IMMEDIATE")  # no other process writes to it meanwhile
    try:
        with wal.open("r+b") as file:
            while block := file.read(_STEP):
                file.seek(-len(block), os.SEEK_CUR)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:  # nothing was written yet
        pass
    except OSError as error:
        raise NotDurable(
            f"the disk does not take what is in {wal} ({error.strerror}): check the disk before selling"
        ) from error
    finally:
        connection.execute("ROLLBACK")


def _migrate(connection: sqlite3.Connection, path: Path, steps: Sequence[Migration]) -> None:
    """Apply what is pending, under the write lock: any number of processes may start at once. Raises NotDurable.

    A database that holds anything is copied aside first, as it is under that lock.
    """
    db = Database(connection)
    connection.execute("BEGIN IMMEDIATE")
    with connection:  # commits it, or rolls it back
        if unknown := unknown_migrations(db, steps):
            raise NotDurable(
                f"the database was made by a newer release of Coatcheck ({', '.join(unknown)}): install that release, "
                "or go back to the copy that it made aside (docs/upgrading.md)"
            )
        had = applied_migrations(db)
        pending = [step.name for step in steps if step.name not in had]
        if had and pending:
            with contextlib.closing(open_reader(path)) as reader:
                try:
                    copy_aside(reader, path, before=pending[0])
                except CannotCopyAside as error:
                    raise NotDurable(str(error)) from error
        history_of(steps).apply(db)


def _check_promises(connection: sqlite3.Connection) -> None:
    for pragma, promise in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
        found = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
        if found != promise:
            raise NotDurable(
                f"the database says {pragma} is {found}, not {promise}, so it could lose a sale: "
                "put it on a local disk (no network share) and start again"
            )
    if missing := missing_uniqueness(Database(connection)):
        raise NotDurable(
            f"the database lost its unique index on {', '.join(missing)}: restore it from a backup before selling"
        )


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, whatever it is asked."""
    address = f"{path.resolve().as_uri()}?mode=ro"
    connection: sqlite3.Connection = sqlite3.connect(address, uri=True, **_OPTIONS)
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA cache_size = -{_READER_CACHE_KB}")
    return connection


class ServeLock:
    """Held by the one process that serves a database; the system lets go of it when that process dies."""

    def __init__(self, path: Path) -> None:
        """Raises AlreadyServed."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.with_name(path.name + ".lock").open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise AlreadyServed(
                f"another process serves {path} already: stop it first (SQLite is served by one process)"
            ) from error

    def close(self) -> None:
        """Let another process serve."""
        self._file.close()
