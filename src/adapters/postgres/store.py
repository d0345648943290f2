"""The store on PostgreSQL: any number of nodes, each with a few connections and as many threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from psycopg_pool import ConnectionPool

from adapters.postgres.migrating import check_uniqueness, migrate
from adapters.postgres.scrubbing import scrub
from adapters.postgres.session import (
    OPTIONS,
    Connection,
    connect,
    conninfo,
    opening,
    prepare_session,
    prepare_survey,
)
from adapters.postgres.transactions import Transactions
from adapters.postgres.worker_pool import WorkerPool
from domain.ports import StoreFigures
from domain.transaction import ReadTransaction, Transaction

T = TypeVar("T")

CONNECTIONS: Final = 6
"""Of one process. More of them are in each other's way under SERIALIZABLE more often than they help."""

REPORTS: Final = 2
"""Connections for long reads, made when the first is asked for."""


class PostgresStore:
    """One database."""

    def __init__(self, info: str) -> None:
        self._info = info
        # Connections are made when they are needed, and bad ones given up quickly.
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            info, kwargs=OPTIONS, min_size=1, max_size=CONNECTIONS, configure=prepare_session,
            reconnect_timeout=3.0, name="coatcheck", open=True,
        )  # fmt: skip
        self._desk = WorkerPool(threads=CONNECTIONS)
        self._transactions = Transactions(self._pool)
        self._reports_pool: ConnectionPool[Connection] = ConnectionPool(
            info, kwargs=OPTIONS, min_size=0, max_size=REPORTS, configure=prepare_survey,
            reconnect_timeout=3.0, name="coatcheck-reports", open=True,
        )  # fmt: skip
        self._reports_desk = WorkerPool(threads=REPORTS)
        self._reports = Transactions(self._reports_pool)

    @classmethod
    def open(cls, url: str) -> PostgresStore:
        """Connect, check, migrate. Raises UnfitDatabase (with a sentence that says what to do), StoreUnavailable."""
        info = conninfo(url)
        with opening(), connect(info) as connection:
            prepare_session(connection)
            connection.execute("SET statement_timeout = 0")
            migrate(connection)
            check_uniqueness(connection)
        return cls(info)

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        """See Store."""
        return await self._desk.do(partial(self._transactions.write, work))

    async def read(self, work: Callable[[ReadTransaction], T]) -> T:
        """See Store. Reads from the primary, so access decisions are never out of date."""
        return await self._desk.do(partial(self._transactions.read, work))

    async def survey(self, work: Callable[[ReadTransaction], T]) -> T:
        """See Store. From the primary, too: after a refund its page must show it."""
        return await self._reports_desk.do(partial(self._reports.read, work))

    async def scrub(self) -> None:
        """See Store, and docs/postgresql.md for what archives and base backups keep."""
        await self._desk.do(partial(scrub, self._info))

    async def ready(self) -> None:
        """Whether a write could begin now, behind what waits. Raises StoreUnavailable."""
        await self.transact(lambda tx: None)

    def figures(self) -> StoreFigures:
        """See Store. Other nodes commit to the same database, so nothing is counted here."""
        return StoreFigures()

    def close(self) -> None:
        """Finish the transactions that wait, then close the connections."""
        self._reports_desk.close(cut=self._reports.cut)
        self._desk.close(cut=self._transactions.cut)
        self._reports_pool.close()
        self._pool.close()
