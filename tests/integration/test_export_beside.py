"""Between two pages an export holds no state of the database: the WAL is emptied, and rows are vacuumed, as without it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from adapters.postgres.store import PostgresStore
from adapters.sqlite.store import SqliteStore
from adapters.system import SystemClock, SystemRandomness
from bench.lists.past import Past
from bench.speed.engines import Postgres, Sqlite
from domain.export import ROWS_AT_ONCE, Export, ExportKind
from domain.ports import Store
from domain.rights import NotAllowed
from domain.sale_list import SaleFilter
from domain.staff import Actor
from domain.usecases.export_list import ExportList
from testkit.postgres import PostgresServer
from testkit.waiting import wait_until

SALES = 2 * ROWS_AT_ONCE + 200
WHO_READS = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND (backend_xmin IS NOT NULL OR xact_start IS NOT NULL)"""


async def pages(store: Store, between: Callable[[], object]) -> list[int]:
    """The lengths of the pages of an export; after each, a sale of another's is written, and `between` is called."""
    export = ExportList(store=store, clock=SystemClock(), randomness=SystemRandomness())
    wanted = Export.of(ExportKind.SALES, frozenset(), sales=SaleFilter())
    table = await export(wanted, actor=Actor.on_host("tests"), form="f" * 32)
    assert not isinstance(table, NotAllowed)
    lengths = []
    async for page in table:
        lengths.append(len(page))
        await store.transact(lambda tx: tx.shop.advance_cursor("touched", to=SystemClock().now()))
        between()
    return lengths


def test_the_wal_can_be_emptied_between_two_pages(tmp_path: Path) -> None:
    engine = Sqlite(tmp_path)
    engine.fill(Past(SALES).lots())
    sizes = []
    with closing(SqliteStore.open(engine.path, serving=True)) as store:
        wal = engine.path.with_name(f"{engine.path.name}-wal")

        async def export() -> list[int]:
            return await pages(store, lambda: sizes.append((wal.stat().st_size > 0, truncated(engine.path))))

        assert asyncio.run(export()) == [ROWS_AT_ONCE, ROWS_AT_ONCE, 200]
    assert sizes == [(True, True)] * 3


def truncated(path: Path) -> bool:
    """Whether all of the WAL could be moved into the file: nobody reads an older state."""
    with closing(sqlite3.connect(path, timeout=0)) as db:
        return db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


@pytest.mark.long
def test_no_transaction_is_open_between_two_pages(postgres: PostgresServer) -> None:
    engine = Postgres(postgres)
    engine.fill(Past(SALES).lots())
    database = engine.url.rpartition("/")[2].partition("?")[0]

    def nobody_reads() -> None:
        wait_until(lambda: postgres.execute(WHO_READS, database=database) == [(0,)])

    with closing(PostgresStore.open(engine.url)) as store:
        assert asyncio.run(pages(store, nobody_reads)) == [ROWS_AT_ONCE, ROWS_AT_ONCE, 200]
    postgres.drop(database)
