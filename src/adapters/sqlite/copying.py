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
from adapters.sqlite.foreign import ForeignFile, check_shop, distrust


class NotMovable(Exception):
    """The file cannot be moved as it is; the message says what to do."""


def is_shop(path: Path) -> bool:
    """Whether a file is a shop's database."""
    try:
        with contextlib.closing(open_reader(path)) as connection:
            return _has_shop(Database(connection))
    except sqlite3.Error:
        return False


def _has_shop(db: Database) -> bool:
    return {"shop", "users", "purchases"} <= set(db.table_names())


class ShopFile:
    """The database at one path."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def opened(self) -> Iterator[OpenShopFile]:
        """While it is open, no server can start on it, and all reads see one moment. Raises NotMovable."""
        if not self.path.is_file():
            raise NotMovable(f"{self.path}: there is no such file")
        with self._lock(), self._in_words(), contextlib.closing(open_reader(self.path)) as connection:
            distrust(connection, self.path)
            connection.execute("PRAGMA cache_size = -4000")  # every page is read once
            connection.execute("BEGIN")
            self._check(connection)
            yield OpenShopFile(connection)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        try:
            lock = ServeLock(self.path)
        except AlreadyServed as error:
            raise NotMovable(
                f"a server runs on {self.path}: stop it first, so that nothing is sold meanwhile"
            ) from error
        except OSError as error:
            raise NotMovable(f"{self.path} cannot be held while it is read ({error.strerror})") from error
        try:
            yield
        finally:
            lock.release()

    @contextlib.contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise NotMovable(f"{self.path} cannot be read: {error}") from error

    def _check(self, connection: sqlite3.Connection) -> None:
        db = Database(connection)
        if not _has_shop(db):
            raise NotMovable(
                f"{self.path} is neither a shop's database nor the tutorial's (users, magic_links, purchases)"
            )
        try:
            check_shop(connection, up_to_date=True)
        except ForeignFile as error:
            raise NotMovable(f"{self.path} {error}") from error
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

    def count(self, table: str) -> int:
        """How many rows there are."""
        return int(self._connection.execute(f"SELECT count(*) FROM {TABLES[table].name}").fetchone()[0])  # noqa: S608 - constants

    def rows(self, table: str) -> Iterator[Row]:
        """All of them in the order of their key, one at a time."""
        return iter(self._connection.execute(TABLES[table].select))
