"""What is watched while something is measured: the memory of the shop, the WAL, the oldest read of PostgreSQL."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import psycopg

_PAUSE: Final = 0.1
_OLDEST: Final = """SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8,
  coalesce(max(age(backend_xmin)), 0)::int8 FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"""
_PAGE: Final = 4096 / 2**20
"""MB."""


class Gauge(Protocol):
    """Looks, and keeps the highest of what it saw."""

    def look(self) -> None:
        """Look once."""
        ...


class Memory:
    """Of the shop's processes, in MB."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.first = self.last = self.most = self._now()

    def look(self) -> None:
        """Look once."""
        self.last = self._now()
        self.most = max(self.most, self.last)

    def _now(self) -> float:
        return sum(map(_resident, family(self._pid)))

    def __str__(self) -> str:
        return f"{self.first:.0f} MB before, at most {self.most:.0f} MB, {self.last:.0f} MB at the end"


def family(pid: int) -> Iterator[int]:
    """A process and its children."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from family(int(child))


def _resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


class Wal:
    """The size of SQLite's write-ahead log, in MB."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + "-wal")
        self.most = 0.0

    def look(self) -> None:
        """Look once."""
        with contextlib.suppress(FileNotFoundError):
            self.most = max(self.most, self._path.stat().st_size / 1e6)

    def __str__(self) -> str:
        return f"WAL at most {self.most:.1f} MB"


class OldestRead:
    """How long the oldest transaction was open, and how many transactions it kept VACUUM from tidying behind."""

    def __init__(self, url: str) -> None:
        self._db: psycopg.Connection[Any] = psycopg.connect(url, autocommit=True)
        self.seconds, self.behind = 0.0, 0

    def look(self) -> None:
        """Look once."""
        [(seconds, behind)] = self._db.execute(_OLDEST).fetchall()
        self.seconds, self.behind = max(self.seconds, seconds), max(self.behind, behind)

    def __str__(self) -> str:
        return f"oldest transaction {self.seconds:.2f} s, backend_xmin at most {self.behind:,} transactions behind"


@contextlib.contextmanager
def watching(*gauges: Gauge) -> Iterator[None]:
    """Look at them ten times a second, in a thread."""
    ended = threading.Event()
    failed: list[BaseException] = []

    def look() -> None:
        try:
            while not ended.wait(_PAUSE):
                for gauge in gauges:
                    gauge.look()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    if failed:
        raise failed[0]


@dataclass
class Times:
    """Seconds that something took, again and again."""

    took: list[float]

    @property
    def middle(self) -> float:
        """The median, in milliseconds."""
        return 1000 * sorted(self.took)[len(self.took) // 2]

    @property
    def worst(self) -> float:
        """In milliseconds."""
        return 1000 * max(self.took)

    def __str__(self) -> str:
        return f"{len(self.took)}, median {self.middle:.0f} ms, worst {self.worst:.0f} ms"
