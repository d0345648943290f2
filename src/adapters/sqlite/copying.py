"""A shop's database file as what is to be moved elsewhere: read as of one moment, and never written to."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from sqlite_utils import Database

from adapters.sql.record import Row
from adapters.sql.transaction import TABLES
from adapters.sqlite.connections import AlreadyServed, ServeLock, open_reader
from adapters.sqlite.foreign import distrust, objection_to


class NotMovable(Exception):
    """The file cannot be moved as it is; the message says what to do."""


def is_shop(path: Path) -> bool:
    """Whether a file is a shop's database."""
    try:
        with contextlib.closing(open_reader(path)) as connection:
            return _has_shop(connection)
    except sqlite3.Error:
        return False


def _has_shop(connection: sqlite3.Connection) -> bool:
    return {"shop", "users", "purchases"} <= set(Database(connection).table_names())


class ShopFile:
    """The database at one path."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def opened(self) -> Iterator[OpenShopFile]:
        """While it is open, no server can start on it, and all reads see one moment. Raises NotMovable."""
        if not self.path.is_file():
            raise NotMovable(f"{self.path}: there is no such file")
        try:
            with contextlib.closing(self._lock()), contextlib.closing(open_reader(self.path)) as connection:
                distrust(connection, self.path)
                connection.execute("PRAGMA cache_size = -4000")  # every page is read once
                connection.execute("BEGIN")
                self._check(connection)
                yield OpenShopFile(connection)
        except sqlite3.Error as error:
            raise NotMovable(f"{self.path} cannot be read: {error}") from error

    def _lock(self) -> ServeLock:
        try:
            return ServeLock(self.path)
        except AlreadyServed as error:
            raise NotMovable(
                f"a server runs on {self.path}: stop it first, so that nothing is sold meanwhile"
            ) from error
        except OSError as error:
            raise NotMovable(f"{self.path} cannot be held while it is read ({error.strerror})") from error

    def _check(self, connection: sqlite3.Connection) -> None:
        if not _has_shop(connection):
            raise NotMovable(
                f"{self.path} is neither a shop's database nor the tutorial's (users, magic_links, purchases)"
            )
        if objection := objection_to(connection, up_to_date=True):
            raise NotMovable(f"{self.path} {objection}")
        if connection.execute("SELECT id FROM shop").fetchone() is None:
            raise NotMovable(f"{self.path} belongs to no shop: it was never served")


class OpenShopFile:
    """What is in it, at one moment."""

    tables: Final[Sequence[str]] = tuple(TABLES)
    """In an order in which they can be written: what is referred to comes first."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @property
    def shop(self) -> str:
        """The shop's id."""
        return str(self._connection.execute("SELECT id FROM shop").fetchone()[0])

    @property
    def base_url(self) -> str | None:
        """The BASE_URL that it was served under; None if it never was."""
        found: str | None = self._connection.execute("SELECT base_url FROM shop").fetchone()[0]
        return found

    def count(self, table: str) -> int:
        """How many rows there are."""
        return int(self._connection.execute(f"SELECT count(*) FROM {TABLES[table].name}").fetchone()[0])  # noqa: S608 - constants

    def rows(self, table: str) -> Iterator[Row]:
        """All of them in the order of their key, one at a time."""
        return iter(self._connection.execute(TABLES[table].select))
