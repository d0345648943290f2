"""Copies of a live database file: made, looked into, and made fit to take its place."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from adapters.sql import erasures
from adapters.sql.record import micros
from adapters.sqlite.connections import AlreadyServed, ServeLock, open_reader
from adapters.sqlite.foreign import ForeignFile, check_shop, distrust
from adapters.sqlite.store import SqliteStore
from domain.ports import StoreUnavailable
from domain.records import ErasedAddress
from domain.usecases.reconcile import CURSOR
from domain.values import CheckoutId

LOOKED_BACK: Final = timedelta(days=30)
"""How far before a backup the first sweep after it begins: what was under way then, such as a bank debit or a
refund, may have been settled since, and the provider lists by when it was begun."""
_BESIDE: Final = ("-wal", "-shm", "-journal")


class BadCopy(Exception):
    """The file is no sound copy of a shop's database; the message says why."""


class InTheWay(Exception):
    """A database exists already, or a server runs on it; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What is in a copy."""

    shop: str
    schema: tuple[str, ...]
    """The names of the migrations it has had."""
    purchases: int
    users: int


class SqliteCopies:
    """Copies of the database at one path. (A database server has tools of its own for that.)"""

    def __init__(self, path: Path) -> None:
        self.path = path

    def snapshot(self, target: Path) -> None:
        """Copy the live file, as of one moment, while others write. Durable when it returns. Raises StoreUnavailable.

        https://sqlite.org/backup.html: in one step, which holds up no writer in WAL mode. The copy is a file by
        itself, without a write-ahead log beside it.
        """
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            with (
                contextlib.closing(open_reader(self.path)) as source,
                contextlib.closing(sqlite3.connect(target, isolation_level=None)) as copy,
            ):
                source.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            target.unlink(missing_ok=True)
            raise StoreUnavailable(f"cannot copy {self.path}: {error}") from error
        with target.open("rb") as file:
            os.fsync(file.fileno())

    def look_into(self, copy: Path) -> Copied:
        """Check a copy from its first page to its last. Raises BadCopy."""
        with _opened(copy) as connection:
            try:
                had = check_shop(connection)
            except ForeignFile as error:
                raise BadCopy(f"the database {error}") from error
            shop = connection.execute("SELECT id FROM shop").fetchone()
            if shop is None:
                raise BadCopy("it belongs to no shop")
            counts = connection.execute(
                "SELECT (SELECT count(*) FROM purchases), (SELECT count(*) FROM users)"
            ).fetchone()
        return Copied(shop=shop[0], schema=tuple(had), purchases=counts[0], users=counts[1])

    def erased_orders_in(self, copy: Path) -> list[CheckoutId]:
        """The checkouts of erased buyers in the copy. Raises BadCopy."""
        with _opened(copy) as connection:
            found = connection.execute("SELECT checkout_id FROM erasures ORDER BY checkout_id")
            return [CheckoutId(row[0]) for row in found]

    def erased_addresses_in(self, copy: Path) -> list[ErasedAddress]:
        """The erased addresses in the copy. Raises BadCopy."""
        with _opened(copy) as connection:
            found = connection.execute("SELECT tag, at FROM erased_addresses ORDER BY tag")
            return list(map(erasures.address_from_row, found))

    @contextlib.contextmanager
    def held_free(self) -> Iterator[None]:
        """While it is held, no server can start on this path, and it has no database. Raises InTheWay."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            lock = ServeLock(self.path)
        except AlreadyServed as error:
            raise InTheWay(f"a server runs on {self.path}: stop it first") from error
        try:
            self.check_free()
            yield
        finally:
            lock.release()

    def check_free(self) -> None:
        """Raises InTheWay."""
        for there in (self.path, *(self._beside(self.path, suffix) for suffix in _BESIDE)):
            if there.exists():
                raise InTheWay(
                    f"{there} exists, and nothing is overwritten: move it away first "
                    f"(with {', '.join(self.path.name + suffix for suffix in _BESIDE[:2])} where they are)"
                )

    @contextlib.asynccontextmanager
    async def opened_alone(self, copy: Path) -> AsyncIterator[SqliteStore]:
        """A store on a private copy: migrated, and a single plain file again afterwards."""
        store = SqliteStore.open(copy, serving=True)
        try:
            yield store
        finally:
            store.close()
            with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode = DELETE")
            copy.with_name(copy.name + ".lock").unlink(missing_ok=True)

    def make_fit(self, copy: Path, *, moment: datetime) -> None:
        """Ready a copy of that moment for the time after it, of which it knows nothing. Raises BadCopy.

        Sessions end, since later sign-outs are lost. Queued emails may have been sent: from the moment of the
        copy on, that is unknown. The next sweep begins where everything since is within it.
        """
        since = micros(moment - LOOKED_BACK)
        with _opened(copy, writing=True) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM sessions")
            connection.execute(
                "UPDATE outbox SET unknown_since = coalesce(unknown_since, ?) WHERE state = 'queued'",
                (micros(moment),),
            )
            connection.execute(
                "INSERT INTO cursors (name, at) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET at = min(at, ?2)",
                (CURSOR, since),
            )
            connection.execute("COMMIT")

    def put_in_place(self, copy: Path) -> None:
        """Give a copy, which lies in the same folder, the name of the database; durable when it returns."""
        with copy.open("rb") as file:
            os.fsync(file.fileno())
        self.check_free()
        copy.rename(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @staticmethod
    def _beside(path: Path, suffix: str) -> Path:
        return path.with_name(path.name + suffix)


@contextlib.contextmanager
def _opened(copy: Path, *, writing: bool = False) -> Iterator[sqlite3.Connection]:
    """A copy that is one plain file: opened without making any other beside it. Raises BadCopy."""
    mode = "mode=rw" if writing else "mode=ro&immutable=1"
    try:
        with contextlib.closing(
            sqlite3.connect(f"{copy.resolve().as_uri()}?{mode}", uri=True, isolation_level=None)
        ) as connection:
            distrust(connection, copy, writing=writing)
            yield connection
    except sqlite3.Error as error:
        raise BadCopy(f"it cannot be read as a shop's database: {error}") from error
