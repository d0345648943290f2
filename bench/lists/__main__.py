"""`python -m bench.lists`: fill a database with sales, and time each kind of list and search."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from adapters.postgres.store import PostgresStore
from adapters.sqlite.store import SqliteStore
from bench.lists.past import Past
from bench.lists.searches import searches
from bench.speed.engines import Engine, Postgres, Sqlite
from domain.ports import Store
from domain.transaction import ReadTransaction
from testkit.postgres import a_postgres

_LONGEST: Final = 0.1
_TIMES: Final = 7
Search = Callable[[ReadTransaction], object]


def main() -> int:
    """0 if every search takes less than 100 ms (the median of seven, the first one included)."""
    parser = argparse.ArgumentParser(prog="bench.lists", description=__doc__)
    parser.add_argument("--sales", type=int, default=1_000_000)
    parser.add_argument("--engine", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--folder", type=Path, help="where the SQLite file is kept, and found again")
    parser.add_argument("--only", default="", help="searches whose names contain this")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = asked.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        past, begun = Past(asked.sales), time.perf_counter()
        store: Store
        if asked.engine == "sqlite":
            engine: Engine = Sqlite(folder)
            if not (folder / "bench.db").exists():
                engine.fill(past.lots())
            store = SqliteStore.open(folder / "bench.db", serving=True)
        else:
            engine = Postgres(stack.enter_context(a_postgres()))
            engine.fill(past.lots())
            store = PostgresStore.open(engine.url)
        print(f"{asked.sales} sales, filled in {time.perf_counter() - begun:.0f} s", flush=True)
        stack.callback(store.close)  # type: ignore[attr-defined]  # both engines have it
        slow = asyncio.run(_measure(store, searches(past), asked.only))
    print(
        f"{len(slow)} took more than {_LONGEST * 1000:.0f} ms: {', '.join(slow)}" if slow else "all in time"
    )
    return 1 if slow else 0


async def _measure(store: Store, named: Mapping[str, Search], only: str) -> list[str]:
    slow: list[str] = []
    for name, search in named.items():
        if only not in name:
            continue
        took: list[float] = []
        for _ in range(_TIMES):
            begun = time.perf_counter()
            found = await store.survey(search)
            took.append(time.perf_counter() - begun)
        middle = statistics.median(took)
        print(f"{name:44} {middle * 1000:8.1f} ms  (worst {max(took) * 1000:6.1f})  {found}", flush=True)
        if middle >= _LONGEST:
            slow.append(name)
    return slow


if __name__ == "__main__":
    sys.exit(main())
