"""What all records have in common: a connection that takes statements, and how values are written in a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final, Protocol, TypeVar

T = TypeVar("T")
V = TypeVar("V")
Row = tuple[Any, ...]
Values = Sequence[Any] | Mapping[str, Any]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Cursor(Protocol):
    """What a statement answers, with either library (PEP 249)."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Execute(Protocol):
    """Runs a statement, which is a constant and so is prepared once, inside whatever transaction there is."""

    def __call__(self, statement: str, values: Values = (), /) -> Cursor: ...


class Table:
    """A table: its columns, and the key by which its rows are put in order when they are moved elsewhere."""

    __slots__ = ("columns", "key", "name")

    def __init__(self, name: str, columns: str, *, key: str) -> None:
        self.name = name
        self.columns = tuple(columns.replace(",", "").split())
        self.key = tuple(key.split(", "))

    @property
    def select(self) -> str:
        """All rows in the order of the key. Text is in the order of its bytes, on every engine."""
        return f"SELECT {', '.join(self.columns)} FROM {self.name} ORDER BY {', '.join(self.key)}"


class Record:
    """Reads and writes one of the shop's records. What each method promises is said on its port."""

    __slots__ = ("_sql",)
    tables: ClassVar[list[Table]] = []
    """With every column."""

    def __init__(self, execute: Execute) -> None:
        self._sql = execute

    def _one(self, made: Callable[[Row], T], statement: str, values: Values = ()) -> T | None:
        row = self._sql(statement, values).fetchone()
        return None if row is None else made(row)

    def _all(self, made: Callable[[Row], T], statement: str, values: Values = ()) -> list[T]:
        return [made(row) for row in self._sql(statement, values)]

    def _value(self, statement: str, values: Values = ()) -> Any:
        """The first column of the one row that there always is."""
        return self._sql(statement, values).fetchone()[0]

    def _any(self, statement: str, values: Values = ()) -> bool:
        return self._sql(statement, values).fetchone() is not None

    def _changed(self, statement: str, values: Values = ()) -> bool:
        return self._sql(statement, values).rowcount > 0


def insert(table: str, columns: str) -> str:
    """The statement that writes one row."""
    return f"INSERT INTO {table} ({columns}) VALUES ({','.join('?' * len(columns.split()))})"


def first(row: Row) -> Any:
    """Of a row with one column."""
    return row[0]


def maybe(convert: Callable[[V], T], value: V | None) -> T | None:
    """The same value converted, where there may be none."""
    return None if value is None else convert(value)


def micros(moment: datetime) -> int:
    """An aware moment as microseconds since 1970 in UTC."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment(value: int) -> datetime:
    """Microseconds since 1970 as an aware moment in UTC."""
    return _EPOCH + value * _MICROSECOND


def spaced(text: str) -> tuple[Any, ...]:
    """Ids in one column, with a space between."""
    return tuple(text.split(" ")) if text else ()
