"""`python -m bench.imports`: upload a file of a million sales, check it, and import it twice.

Shows how long each step takes, how much memory the process grows by, and how long the event loop and a small
transaction of somebody else wait meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import uvloop

from adapters.memory.catalogue import MemoryCatalogue
from adapters.postgres.store import PostgresStore
from adapters.sqlite.store import SqliteStore
from adapters.system import SystemClock, SystemRandomness
from domain.import_plan import PRESETS, plan_of
from domain.keys import Keyring
from domain.ports import Store
from domain.staff import Actor
from domain.usecases.import_rows import ImportRows
from domain.usecases.manage_uploads import ManageUploads, Seen
from domain.usecases.receive_upload import ReceiveUpload, Receiving
from domain.usecases.run_uploads import RunUploads
from entrypoints.testing import an_edition
from entrypoints.testing.fakes import SECRET
from testkit.postgres import a_postgres

_CHUNK: Final = 65_536
_HOST: Final = Actor.on_host("bench")


def main() -> int:
    """0 if every row was imported once."""
    parser = argparse.ArgumentParser(prog="bench.imports", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--engine", choices=("sqlite", "postgres"), default="sqlite")
    asked = parser.parse_args()
    with ExitStack() as stack:
        store: Store
        if asked.engine == "sqlite":
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            store = SqliteStore.open(folder / "bench.db", serving=True)
        else:
            server = stack.enter_context(a_postgres())
            store = PostgresStore.open(server.url(server.new_database()))
        stack.callback(store.close)  # type: ignore[attr-defined]  # both engines have it
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_measure(store, asked.rows))


def rows(number: int) -> Iterator[bytes]:
    """A file in our own format, in chunks of some kilobytes."""
    held = [b"external_id,address,product,currency,paid,at,licence_key\n"]
    for n in range(number):
        day = f"20{n % 24:02}-{n % 12 + 1:02}-{n % 28 + 1:02}"
        held.append(f"order-{n},buyer.{n}@example.com,book,usd,{n % 90 + 9}.00,{day},KEY-{n:012}\n".encode())
        if len(held) == 800:
            yield b"".join(held)
            held = []
    yield b"".join(held)


async def _measure(store: Store, number: int) -> int:
    clock, randomness = SystemClock(), SystemRandomness()
    catalogue = MemoryCatalogue(an_edition())
    booking = ImportRows(store=store, catalogue=catalogue, keyring=Keyring.of((SECRET,)), clock=clock)
    receive = ReceiveUpload(store=store, clock=clock, randomness=randomness)
    manage = ManageUploads(store=store, catalogue=catalogue, clock=clock, randomness=randomness, rows=booking)
    work = RunUploads(store=store, catalogue=catalogue, clock=clock, rows=booking)
    imported = []
    for time_round in ("first", "second"):
        async with _step(store, f"{time_round} upload"):
            receiving = await receive.begin("sales.csv", actor=_HOST, form=f"upload {time_round}")
            assert isinstance(receiving, Receiving)
            for chunk in rows(number):
                await receiving.feed(chunk)
            upload = await receiving.end()
            print(f"  {upload.size / 1e6:.0f} MB, {upload.lines:,} lines")
        async with _step(store, f"{time_round} dry run", rows=number):
            await manage.plan(upload.id, plan_of(PRESETS["own"]), actor=_HOST)
            await work()
        async with _step(store, f"{time_round} import", rows=number):
            await manage.start(upload.id, email=False, actor=_HOST, form=f"import {time_round}")
            await work()
        seen = await manage.look(upload.id, actor=_HOST)
        assert isinstance(seen, Seen)
        report = seen.upload.report
        print(
            f"  {seen.upload.state.value}: {report.new:,} new, {report.known:,} known, {dict(report.refused)}",
            flush=True,
        )
        imported.append((report.new, report.known))
    return 0 if imported == [(number, 0), (0, number)] else 1


@contextlib.asynccontextmanager
async def _step(store: Store, name: str, *, rows: int = 0) -> AsyncIterator[None]:
    waits = _Waits(store)
    watching = asyncio.create_task(waits.watch())
    before, begun = _memory("VmRSS"), time.perf_counter()
    _forget_peak()
    try:
        yield
    finally:
        took = time.perf_counter() - begun
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        speed = f", {rows / took:,.0f} rows/s" if rows else ""
        print(
            f"{name:16} {took:7.1f} s{speed}; memory {before:.0f} MB, at most {_memory('VmHWM') - before:.0f} more; "
            f"loop held up {waits.of(waits.loop)}; transactions of others {waits.of(waits.store)}",
            flush=True,
        )


class _Waits:
    """What others wait for, in milliseconds: a turn of the event loop, and a transaction that writes a row."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.loop: list[float] = []
        self.store: list[float] = []

    async def watch(self) -> None:
        clock, number = SystemClock(), 0
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.01)
            slept = time.perf_counter()
            self.loop.append(1000 * (slept - begun - 0.01))
            number += 1
            await self._store.transact(
                lambda tx, number=number: tx.shop.advance_cursor(f"bench {number % 100}", to=clock.now())  # type: ignore[misc]  # its default is a number
            )
            self.store.append(1000 * (time.perf_counter() - slept))

    @staticmethod
    def of(waits: list[float]) -> str:
        """The median, the 99th percentile and the worst."""
        if not waits:
            return "-"
        ordered = sorted(waits)
        return (
            f"{ordered[len(ordered) // 2]:.1f}/{ordered[len(ordered) * 99 // 100]:.1f}/{ordered[-1]:.1f} ms"
        )


def _forget_peak() -> None:
    """VmHWM begins anew (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def _memory(what: str) -> float:
    """Megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(what))) / 1024


if __name__ == "__main__":
    sys.exit(main())
