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

from sqlite_utils import Database

from adapters.sql import erasures
from adapters.sql.audit_chain import AuditChain
from adapters.sql.record import micros
from adapters.sqlite.connections import AlreadyServed, ServeLock, open_reader
from adapters.sqlite.foreign import distrust, objection_to
from adapters.sqlite.migrating import applied_migrations
from adapters.sqlite.snapshots import sync_folder, write_snapshot
from adapters.sqlite.store import SqliteStore
from domain.ports import StoreUnavailable
from domain.records import ErasedAddress
from domain.usecases.reconcile_cursors import SESSIONS
from domain.values import CheckoutId

LOOKED_BACK: Final = timedelta(days=30)
"""How far before a backup the first sweep after it begins: what was under way then, such as a bank debit or a
refund, may have been settled since, and the provider lists by when it was begun."""
_BESIDE: Final = ("-wal", "-shm", "-journal")
_ENDED: Final = ("sessions", "staff_sessions", "staff_links")
_MARK_UNKNOWN: Final = "UPDATE outbox SET unknown_since = coalesce(unknown_since, ?) WHERE state = 'queued'"
_LOOK_BACK: Final = """INSERT INTO cursors (name, at) VALUES (?1, ?2)
  ON CONFLICT (name) DO UPDATE SET at = min(at, ?2)"""
_HELD: Final = """SELECT (SELECT id FROM shop), (SELECT base_url FROM shop), (SELECT count(*) FROM purchases),
  (SELECT count(*) FROM users)"""


class BadCopy(Exception):
    """The file is no sound copy of a shop's database; the message says why."""


class InTheWay(Exception):
    """A database exists already, or a server runs on it; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What is in a copy."""

    shop: str
    base_url: str | None
    """The BASE_URL that its shop was served under; None if it never was."""
    schema: tuple[str, ...]
    """The names of the migrations it has had."""
    purchases: int
    users: int
    audit: str | None = None
    """The newest link of the audit log; None if it has none yet."""


class SqliteCopies:
    """Copies of the database at one path. (A database server has tools of its own for that.)"""

    def __init__(self, path: Path) -> None:
        self.path = path

    def snapshot(self, target: Path) -> None:
        """Copy the live file, as of one moment, while others write. Durable when it returns.

        Raises StoreUnavailable, OSError.
        """
        try:
            with contextlib.closing(open_reader(self.path)) as source:
                write_snapshot(source, target)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"cannot copy {self.path}: {error}") from error
        sync_folder(target.parent)

    def look_into(self, copy: Path) -> Copied:
        """Check a copy from its first page to its last. Raises BadCopy."""
        with _opened(copy) as connection:
            if objection := objection_to(connection):
                raise BadCopy(f"the database {objection}")
            shop, base_url, purchases, users = connection.execute(_HELD).fetchone()
            if shop is None:
                raise BadCopy("it belongs to no shop")
            had = tuple(applied_migrations(Database(connection)))
            newest = _newest_link(connection)
        return Copied(
            shop=shop, base_url=base_url, schema=had, purchases=purchases, users=users, audit=newest
        )

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
        with contextlib.closing(lock):
            self.check_free()
            yield

    def check_free(self) -> None:
        """Raises InTheWay."""
        for suffix in ("", *_BESIDE):
            there = self.path.with_name(self.path.name + suffix)
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

        Sessions end, since later sign-outs are lost, and links for staff, which may have been used since. Queued emails
        may have been sent: from the moment of the copy on, that is unknown. The next sweep begins where everything
        since is within it.
        """
        with _opened(copy, writing=True) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            for table in _held_tables(connection):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - one of _ENDED
            connection.execute(_MARK_UNKNOWN, (micros(moment),))
            connection.execute(_LOOK_BACK, (SESSIONS.name, micros(moment - LOOKED_BACK)))
            connection.execute("COMMIT")

    def put_in_place(self, copy: Path) -> None:
        """Give a copy, which lies in the same folder, the name of the database; durable when it returns."""
        with copy.open("rb") as file:
            os.fsync(file.fileno())
        self.check_free()
        copy.rename(self.path)
        sync_folder(self.path.parent)


def _held_tables(connection: sqlite3.Connection) -> list[str]:
    """Those of `_ENDED` that a copy has: an older release may have made it."""
    held = _tables(connection)
    return [table for table in _ENDED if table in held]


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def _newest_link(connection: sqlite3.Connection) -> str | None:
    if "audit_checkpoint" not in _tables(connection):  # an older release made it
        return None
    newest = AuditChain(connection.execute).newest()
    return None if newest is None else str(newest)


@contextlib.contextmanager
def _opened(copy: Path, *, writing: bool = False) -> Iterator[sqlite3.Connection]:
    """A copy that is one plain file: opened without making any other beside it. Raises BadCopy."""
    address = f"{copy.resolve().as_uri()}?{'mode=rw' if writing else 'mode=ro&immutable=1'}"
    try:
        with contextlib.closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            distrust(connection, copy, writing=writing)
            yield connection
    except sqlite3.Error as error:
        raise BadCopy(f"it cannot be read as a shop's database: {error}") from error
