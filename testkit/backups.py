"""A shop's database with the folder of its backups, which a test can spoil."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.files.vault import FolderVault
from adapters.memory.goods import MemoryGoods
from adapters.sqlite.copies import SqliteCopies
from adapters.sqlite.store import SqliteStore
from domain.keys import Keyring
from domain.usecases.erase_again import EraseAgain, ErasedAgain
from entrypoints.maintenance.backup import back_up
from entrypoints.maintenance.erasures import Erasures
from entrypoints.maintenance.restore import restore

KEYRING = Keyring.of(("a secret of at least thirty-two characters",))


class Clock:
    """It strikes the next hour whenever it is looked at."""

    def __init__(self) -> None:
        self._moment = datetime(2026, 3, 2, tzinfo=UTC)

    def now(self) -> datetime:
        self._moment += timedelta(hours=1)
        return self._moment


class Place:
    """A shop's database and the folder of its backups."""

    def __init__(self, folder: Path) -> None:
        self.database, self.vault = folder / "coatcheck.db", FolderVault(folder / "backups")
        self.backups = folder / "backups"
        self.copies, self.clock = SqliteCopies(self.database), Clock()

    @contextlib.contextmanager
    def opened(self) -> Iterator[Callable[[Callable[[Any], Any]], Any]]:
        store = SqliteStore.open(self.database, serving=True)
        try:
            yield lambda work: asyncio.run(store.transact(work))
        finally:
            store.close()

    def back_up(self) -> str:
        return back_up(
            self.vault,
            self.copies,
            MemoryGoods(),
            version="1.0",
            now=self.clock.now,
            done=lambda _: None,
        ).name

    def spoil(self, statement: str) -> None:
        with contextlib.closing(sqlite3.connect(self.database, isolation_level=None)) as connection:
            connection.executescript(statement)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def restore(self, name: str) -> ErasedAgain:
        for path in self.database.parent.glob("coatcheck.db*"):
            path.unlink()

        async def again(store: Any, erasures: Erasures) -> ErasedAgain:
            erase = EraseAgain(store=store, clock=self.clock, keyring=KEYRING)
            return await erase(erasures.orders, erasures.addresses)

        done = restore(self.vault, self.copies, name, goods_dir=None, erase_again=again, done=lambda _: None)
        return asyncio.run(done).erased
