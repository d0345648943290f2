"""`python -m bench.lists.export`: export a million sales while others write; time, memory, commits and the WAL."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
import tracemalloc
from contextlib import ExitStack
from datetime import UTC, timedelta
from pathlib import Path
from typing import Final

from adapters.sqlite.store import SqliteStore
from adapters.system import SystemClock, SystemRandomness
from bench.lists.past import Past
from bench.speed.engines import Sqlite
from domain.export import COLUMNS, Export, ExportKind
from domain.limits import Limit
from domain.rights import NotAllowed
from domain.sale_list import SaleFilter
from domain.staff import Actor
from domain.usecases.export_list import ExportList
from entrypoints.export_table import Format, written

_PAUSE: Final = 0.05
_EVERY: Final = 100_000
_LIMIT: Final = Limit(kind="bench", most=10**9, window=timedelta(seconds=1))


def main() -> int:
    """0 if memory did not grow with the number of rows."""
    parser = argparse.ArgumentParser(prog="bench.lists.export", description=__doc__)
    parser.add_argument("--sales", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the SQLite file is kept, and found again")
    parser.add_argument("--trace", action="store_true", help="count Python's own memory, which takes longer")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = asked.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        engine = Sqlite(folder)
        if not (folder / "bench.db").exists():
            engine.fill(Past(asked.sales).lots())
        store = SqliteStore.open(folder / "bench.db", serving=True)
        stack.callback(store.close)
        return 0 if asyncio.run(_measure(store, folder / "bench.db-wal", trace=asked.trace)) else 1


async def _measure(store: SqliteStore, wal: Path, *, trace: bool) -> bool:
    commits: list[float] = []
    largest = [0]
    writing = asyncio.create_task(_write(store, wal, commits, largest))
    wanted = Export.of(ExportKind.SALES, frozenset(COLUMNS[ExportKind.SALES]), sales=SaleFilter())
    export = ExportList(store=store, clock=SystemClock(), randomness=SystemRandomness())
    table = await export(wanted, actor=Actor.on_host("bench"), form=SystemRandomness().token(16).hex())
    assert not isinstance(table, NotAllowed)
    if trace:
        tracemalloc.start()
    begun, size, lines, told = time.perf_counter(), 0, 0, []
    async for part in written(table, wanted.columns, Format(as_csv=True, zone=UTC)):
        size, lines = size + len(part), lines + part.count(b"\n")
        if lines // _EVERY > len(told):
            told.append(_resident())
            print(f"{lines:9} lines, {told[-1] / 2**20:6.1f} MB resident", flush=True)
    took = time.perf_counter() - begun
    writing.cancel()
    commits.sort()
    print(f"{lines} lines, {size / 2**20:.0f} MB in {took:.0f} s: {lines / took:.0f} a second")
    print(
        f"{len(commits)} commits meanwhile: median {commits[len(commits) // 2] * 1000:.1f} ms, "
        f"99 % within {commits[len(commits) * 99 // 100] * 1000:.1f} ms, worst {commits[-1] * 1000:.1f} ms; "
        f"the WAL had at most {largest[0] / 2**20:.1f} MB"
    )
    if trace:
        print(f"Python's own memory: at most {tracemalloc.get_traced_memory()[1] / 2**20:.1f} MB")
    return not told or max(told) < told[0] * 1.2


async def _write(store: SqliteStore, wal: Path, commits: list[float], largest: list[int]) -> None:
    clock = SystemClock()
    while True:
        begun, now = time.perf_counter(), clock.now()
        ref = str(len(commits))
        await store.transact(
            lambda tx, now=now, ref=ref: tx.limits.acquire("bench", _LIMIT, now=now, ref=ref)
        )
        commits.append(time.perf_counter() - begun)
        largest[0] = max(largest[0], _size(wal))
        await asyncio.sleep(_PAUSE)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _resident() -> int:
    """Bytes of this process that are in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


if __name__ == "__main__":
    sys.exit(main())
