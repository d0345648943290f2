"""Move a shop's records from one engine to another: every row unchanged, counted and hashed on both sides.

See docs/decisions/0014-a-shop-moves-in-one-transaction.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from domain.audit import ByHand

Row = tuple[str | int | None, ...]
Progress = Callable[[int], None]
"""Called with the number of rows processed since the last call."""
_TOLD_EVERY: Final = 500
_ENCODER: Final = msgspec.msgpack.Encoder()


class Source(Protocol):
    """The records to move, as of one moment: adapters.sqlite.copying."""

    @property
    def tables(self) -> Sequence[str]:
        """The names of the tables, in an order in which they can be written."""

    @property
    def shop(self) -> str:
        """The shop's id."""

    @property
    def base_url(self) -> str | None:
        """The BASE_URL that it was served under; None if it never was."""

    def count(self, table: str) -> int:
        """How many rows there are."""

    def rows(self, table: str) -> Iterator[Row]:
        """All rows in the order of their key."""


class Place(Protocol):
    """The target of a move, inside one transaction: adapters.postgres.copying."""

    @property
    def is_empty(self) -> bool:
        """Whether no table has a row."""

    @property
    def note(self) -> str | None:
        """The note of the last move about the rows it wrote."""

    @property
    def base_url(self) -> str | None:
        """The BASE_URL that it was served under; None if it never was."""

    def rows(self, table: str) -> Iterator[Row]:
        """All rows in the order of their key."""

    def clear(self) -> None:
        """Delete all rows."""

    def put(self, table: str, rows: Iterable[Row]) -> None:
        """Write rows."""

    def keep(self, note: str, *, base_url: str | None, asked: ByHand) -> None:
        """Store the note and that BASE_URL, with the audit line of the move, which is none of `rows`, and commit."""


class Target(Protocol):
    """A database that a shop can be moved to."""

    def opened(self, shop: str) -> AbstractContextManager[Place]:
        """Open it for that shop, exclusively, in a transaction that is rolled back unless `keep` is called."""


class CannotMove(Exception):
    """Nothing was moved; the message gives the reason and the fix."""


@dataclass(frozen=True, slots=True)
class Sum:
    """The checksum of a table: row count, and a SHA-256 over all rows in the order of their key."""

    rows: int
    sha256: str


class _Summing:
    """Counts and hashes rows as they pass through."""

    def __init__(self, done: Progress) -> None:
        self._hash = hashlib.sha256()
        self._rows = 0
        self._done = done

    def passing(self, rows: Iterable[Row]) -> Iterator[Row]:
        number = 0
        for number, row in enumerate(rows, 1):
            self._hash.update(_ENCODER.encode(row))
            if not number % _TOLD_EVERY:
                self._done(_TOLD_EVERY)
            yield row
        self._done(number % _TOLD_EVERY)
        self._rows += number

    @property
    def sum(self) -> Sum:
        return Sum(rows=self._rows, sha256=self._hash.hexdigest())


def add_up(rows: Iterable[Row], done: Progress) -> Sum:
    """The checksum of rows, from either side."""
    summing = _Summing(done)
    for _ in summing.passing(rows):
        pass
    return summing.sum


def note_of(sums: Mapping[str, Sum], *, base_url: str | None) -> str:
    """One digest for all tables and the shop's address."""
    lines = "".join(f"{table} {found.rows} {found.sha256}\n" for table, found in sums.items())
    lines += f"served under {base_url}\n"
    return hashlib.sha256(lines.encode()).hexdigest()


def all_rows(source: Source) -> int:
    """The number of rows to move."""
    return sum(source.count(table) for table in source.tables)


def is_moved(source: Source, place: Place, done: Progress) -> bool:
    """Whether the target already has all rows; raises CannotMove if its rows come from elsewhere.

    True: nothing is left to do. False: ready to move; the rows of an untouched earlier move were deleted.
    """
    if place.is_empty:
        return False
    here = {table: add_up(_portable(source.rows(table)), done) for table in source.tables}
    there = {table: add_up(place.rows(table), done) for table in source.tables}
    if here == there and source.base_url == place.base_url:
        return True
    if place.note != note_of(there, base_url=place.base_url):
        differ = [table for table in source.tables if here[table] != there[table]] or ["its BASE_URL"]
        raise CannotMove(
            f"the target holds rows that do not come from the source (in {', '.join(differ)}), and nothing is "
            "overwritten: if the shop has been served there since it was moved, go on there; otherwise create an "
            "empty database"
        )
    place.clear()
    return False


def move(source: Source, place: Place, done: Progress, *, asked: ByHand) -> Mapping[str, Sum]:
    """Write all rows, read them back, and commit if they are the same. Raises CannotMove."""
    here: dict[str, Sum] = {}
    for table in source.tables:
        summing = _Summing(done)
        place.put(table, summing.passing(_portable(source.rows(table))))
        here[table] = summing.sum
    there = {table: add_up(place.rows(table), done) for table in source.tables}
    for table in source.tables:
        if here[table] != there[table]:
            raise CannotMove(
                f"{table}: {here[table].rows} rows were written, and {there[table].rows} read back that are not the "
                "same; nothing was moved: see what changes rows there (a trigger?), and run this again"
            )
    place.keep(note_of(here, base_url=source.base_url), base_url=source.base_url, asked=asked)
    return here


def _portable(rows: Iterable[Row]) -> Iterator[Row]:
    """Replace NUL in texts, which PostgreSQL cannot store, by the same substitute as its store does."""
    for row in rows:
        if any(type(value) is str and "\0" in value for value in row):
            yield tuple(v.replace("\0", "\N{REPLACEMENT CHARACTER}") if type(v) is str else v for v in row)
        else:
            yield row
