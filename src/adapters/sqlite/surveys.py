"""Long reads: in threads, on read-only connections of their own, so that neither the event loop nor a sale waits."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from adapters.sql.transaction import SqlTransaction
from adapters.sqlite.connections import open_reader
from domain.ports import StoreBusy, StoreUnavailable
from domain.transaction import ReadTransaction

T = TypeVar("T")

THREADS: Final = 2
MOST_WAITING: Final = 32
LONGEST: Final = 20.0
"""Seconds. A read that goes on for longer keeps the WAL from being moved into the file."""
_STEPS: Final = 20_000
"""Of SQLite's virtual machine between two looks at the time: a millisecond or so."""


class Surveys:
    """Reads in threads, each with a connection that it opens when it is first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="coatcheck-survey")
        self._own = threading.local()
        self._lock = threading.Lock()
        self._opened: list[sqlite3.Connection] = []
        self._asked = 0

    async def run(self, work: Callable[[ReadTransaction], T]) -> T:
        """See Store.survey."""
        with self._lock:
            if self._asked >= THREADS + MOST_WAITING:
                raise StoreBusy(f"{MOST_WAITING} long reads wait already")
            self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, work)
        finally:
            with self._lock:
                self._asked -= 1

    def _read(self, work: Callable[[ReadTransaction], T]) -> T:
        try:
            connection = self._connection()
            until = time.monotonic() + LONGEST
            connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
            connection.execute("BEGIN")
            try:
                return work(SqlTransaction(connection.execute))
            finally:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise StoreUnavailable(f"{type(error).__name__}: {error}") from error

    def _connection(self) -> sqlite3.Connection:
        held: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if held is None:
            held = self._own.connection = open_reader(self._path)
            with self._lock:
                self._opened.append(held)
        return held

    def close(self) -> None:
        """End what runs, and close the connections."""
        with self._lock:
            for connection in self._opened:
                connection.interrupt()
        self._threads.shutdown(cancel_futures=True)
        for connection in self._opened:
            connection.close()
