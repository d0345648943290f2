"""The store on an SQLite file: writes go to the one writer, reads to a connection of their own."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar, cast

from adapters.sql.schema import MIGRATIONS, Migration
from adapters.sqlite.cached_view import CachedReads
from adapters.sqlite.connections import ServeLock, open_reader, open_writer
from adapters.sqlite.snapshots import delete_copies_aside
from adapters.sqlite.surveys import Surveys
from adapters.sqlite.writer import GroupWriter
from domain.ports import StoreFigures, StoreUnavailable
from domain.transaction import ReadTransaction, Transaction

T = TypeVar("T")
_SCRUB_TRIES: Final = 50
_SCRUB_PAUSE: Final = 0.1


class SqliteStore:
    """One database file. One process serves it; others may read, and write now and then."""

    def __init__(self, path: Path, *, writer: sqlite3.Connection, lock: ServeLock | None) -> None:
        self.path = path
        self._lock = lock
        self._write_connection = writer
        self._writer = GroupWriter(writer)
        self._reader = open_reader(path)
        self._view = CachedReads(self._reader)
        self._surveys = Surveys(path)
        # Reads run in the event loop, one at a time; the lock is for programs with several loops.
        self._reading = threading.Lock()

    @classmethod
    def open(cls, path: Path, *, serving: bool, steps: Sequence[Migration] = MIGRATIONS) -> SqliteStore:
        """Open, migrate by these steps, and check. `serving`: this process owns the file, and does its checkpoints.

        Raises NotDurable, AlreadyServed (each with a sentence that says what to do), StoreUnavailable.
        """
        lock = ServeLock(path) if serving else None
        try:
            writer = open_writer(path, checkpoints=serving, steps=steps)
            if serving:
                with contextlib.suppress(OSError):  # the next start tries again
                    delete_copies_aside(path, all_of_them=False)
        except BaseException as error:
            if lock is not None:
                lock.close()
            if isinstance(error, sqlite3.Error):
                raise StoreUnavailable(f"cannot open {path}: {error}") from error
            raise
        return cls(path, writer=writer, lock=lock)

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        """See Store."""
        return cast("T", await self._writer.submit(work))

    async def read(self, work: Callable[[ReadTransaction], T]) -> T:
        """See Store. Runs at once, in the loop: a read takes microseconds, a hop to a thread takes more."""
        with self._reading:
            try:
                return self._view.run(work, commits=self._writer.commits)
            except sqlite3.Error as error:
                raise StoreUnavailable(f"{type(error).__name__}: {error}") from error

    async def survey(self, work: Callable[[ReadTransaction], T]) -> T:
        """See Store."""
        return await self._surveys.run(work)

    async def scrub(self) -> None:
        """See Store. `secure_delete` overwrites what is deleted in the file; what is left is in the WAL.

        https://sqlite.org/pragma.html#pragma_wal_checkpoint: TRUNCATE moves it all into the file and leaves none of
        it behind, unless a reader still has an older state. Only the serving process may do it. Copies made before a
        migration hold what was erased since, and are deleted.
        """
        if self._lock is None:
            raise StoreUnavailable("only the process that serves the database can scrub it")
        try:
            delete_copies_aside(self.path, all_of_them=True)
        except OSError as error:
            raise StoreUnavailable(f"a copy of the database cannot be deleted: {error.strerror}") from error
        for _ in range(_SCRUB_TRIES):
            if await self._writer.between(_truncate_wal):
                return
            await asyncio.sleep(_SCRUB_PAUSE)
        raise StoreUnavailable("another process reads an older state of the database, so its WAL is kept")

    async def ready(self) -> None:
        """Whether a write could begin now, behind what waits. Raises StoreUnavailable.

        Nothing is written, unless the last write failed: then one that changes nothing says whether the disk takes it
        again.
        """
        await self._writer.submit(_touch if self._writer.failing else lambda _: None)

    def figures(self) -> StoreFigures:
        """See Store."""
        return StoreFigures(commits=self._writer.commits, waiting=self._writer.waiting)

    def close(self) -> None:
        """Finish the transactions that wait, then close the file."""
        self._surveys.close()
        self._writer.close()
        self._reader.close()
        self._write_connection.close()
        if self._lock is not None:
            self._lock.close()


def _touch(tx: Transaction) -> None:
    """Write a row that says nothing, to see whether the disk takes it."""
    tx.shop.advance_cursor("touched", to=datetime.fromtimestamp(0, tz=UTC))


def _truncate_wal(connection: sqlite3.Connection) -> bool:
    busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return not busy
