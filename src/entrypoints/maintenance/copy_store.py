"""Move a shop's records from one engine to another: every row as it is, counted and hashed on both sides.

See docs/decisions/0014-a-shop-moves-in-one-transaction.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

Row = tuple[str | int | None, ...]
Progress = Callable[[int], None]
"""Told how many rows more are done."""
_TOLD_EVERY: Final = 500
_ENCODER: Final = msgspec.msgpack.Encoder()


class Source(Protocol):
    """What is to be moved, as of one moment: adapters.sqlite.copying."""

    @property
    def tables(self) -> Sequence[str]:
        """Their names, in an order in which they can be written."""

    @property
    def shop(self) -> str:
        """The shop's id."""

    def count(self, table: str) -> int:
        """How many rows there are."""

    def rows(self, table: str) -> Iterator[Row]:
        """All rows in the order of their key."""


class Place(Protocol):
    """Where it is moved to, inside one transaction: adapters.postgres.copying."""

    @property
    def is_empty(self) -> bool:
        """Whether no table has a row."""

    @property
    def note(self) -> str | None:
        """What the last move noted of what it put there."""

    def rows(self, table: str) -> Iterator[Row]:
        """All rows in the order of their key."""

    def clear(self) -> None:
        """Take everything out."""

    def put(self, table: str, rows: Iterable[Row]) -> None:
        """Write rows."""

    def keep(self, note: str) -> None:
        """Make it last."""


class Target(Protocol):
    """A database that a shop can be moved to."""

    def opened(self, shop: str) -> AbstractContextManager[Place]:
        """For that shop, alone, inside a transaction; what is not kept by its end never was there."""


class CannotMove(Exception):
    """Nothing was moved; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Sum:
    """The rows of a table: how many, and a SHA-256 over all of them in the order of their key."""

    rows: int
    sha256: str


class _Summing:
    """Adds up rows that pass by."""

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
    """The sum of rows, whichever side they are read on."""
    summing = _Summing(done)
    for _ in summing.passing(rows):
        pass
    return summing.sum


def note_of(sums: Mapping[str, Sum]) -> str:
    """One digest for all tables."""
    lines = "".join(f"{table} {found.rows} {found.sha256}\n" for table, found in sums.items())
    return hashlib.sha256(lines.encode()).hexdigest()


def all_rows(source: Source) -> int:
    """How many there are to move."""
    return sum(source.count(table) for table in source.tables)


def is_moved(source: Source, place: Place, done: Progress) -> bool:
    """Whether everything stands there already; raises CannotMove if what stands there did not come from here.

    True: nothing is left to do. False: it may be moved; what an untouched earlier move left is taken out.
    """
    if place.is_empty:
        return False
    here = {table: add_up(_portable(source.rows(table)), done) for table in source.tables}
    there = {table: add_up(place.rows(table), done) for table in source.tables}
    if here == there:
        return True
    if place.note != note_of(there):
        differ = [table for table in source.tables if here[table] != there[table]]
        raise CannotMove(
            f"the target holds rows that do not come from the source (in {', '.join(differ)}), and nothing is "
            "overwritten: if the shop has been served there since it was moved, go on there; otherwise create an "
            "empty database"
        )
    place.clear()
    return False


def move(source: Source, place: Place, done: Progress) -> Mapping[str, Sum]:
    """Write everything, read it back, and keep it if it is the same. Raises CannotMove."""
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
    place.keep(note_of(here))
    return here


def _portable(rows: Iterable[Row]) -> Iterator[Row]:
    """Without NUL in texts, which PostgreSQL's cannot hold: its store writes the same in its place."""
    for row in rows:
        if any(type(value) is str and "\0" in value for value in row):
            yield tuple(v.replace("\0", "\N{REPLACEMENT CHARACTER}") if type(v) is str else v for v in row)
        else:
            yield row
