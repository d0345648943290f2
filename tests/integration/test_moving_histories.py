"""Any history of a shop, and the books of twenty thousand sales, are moved from SQLite to PostgreSQL whole."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest
from contracts.histories import HISTORIES, Op, everything
from hypothesis import given, settings

from adapters.postgres.store import PostgresStore
from adapters.sqlite.store import SqliteStore
from domain.transaction import Transaction
from testkit.moving import a_shop_file, carry
from testkit.postgres import PostgresServer
from testkit.servers import clean_environment

pytestmark = pytest.mark.long


class TestAnyHistory:
    @pytest.fixture(autouse=True)
    def databases(self, tmp_path: Path, postgres: PostgresServer) -> None:
        self._folder, self._server, self._number = tmp_path, postgres, 0

    @given(history=HISTORIES)
    @settings(max_examples=12)
    def test_has_the_same_books_afterwards(self, history: list[Op]) -> None:
        self._number += 1
        path, name = self._folder / f"{self._number}.db", self._server.new_database()
        here = SqliteStore.open(path, serving=True)
        asyncio.run(here.transact(lambda tx: tx.shop.open("a-shop")))
        for work in history:
            asyncio.run(here.transact(work))
        everything_here = asyncio.run(here.transact(everything))
        here.close()
        carry(path, self._server.url(name))
        there = PostgresStore.open(self._server.url(name))
        try:
            [moved] = asyncio.run(there.transact(_take_entry_of_the_move))
            assert moved == "move"
            assert asyncio.run(there.transact(everything)) == everything_here
        finally:
            there.close()
            self._server.drop(name)


def _take_entry_of_the_move(tx: Transaction) -> list[str]:
    """What the move itself wrote: one entry of the audit log, which is taken out."""
    rows = tx.audit._sql("DELETE FROM audit WHERE action = 'move' RETURNING action")  # type: ignore[attr-defined]
    return [str(action) for (action,) in rows]


WEIGHED = (
    "import sys; from entrypoints.cli import main; main(sys.argv[1:], standalone_mode=False); "
    "print(open('/proc/self/status').read())"
)
"""The command, and what the system says of its process afterwards. (`ru_maxrss` of a child begins with its parent's.)"""


def test_twenty_thousand_sales_are_moved_in_the_memory_of_a_few(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    """20,000 letters of 4 KB are 80 MB: they pass through, and are never held."""
    peaks = []
    for number in (3, 20_000):
        path, name = tmp_path / f"{number}.db", postgres.new_database()
        a_shop_file(path, sales=number, letter="x" * 4096)
        done = subprocess.run(
            [sys.executable, "-c", WEIGHED, "move", f"sqlite:///{path}", postgres.url(name)],
            env=clean_environment(), cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        assert f"{number} sales, {number} buyers" in done.stdout
        [peak] = re.findall(r"VmHWM:\s+(\d+) kB", done.stdout)
        peaks.append(int(peak))
        postgres.drop(name)
    assert peaks[1] - peaks[0] < 20_000, f"{peaks} KB"
