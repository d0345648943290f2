"""`python -m bench.lists.served`: the back office of a shop with a million sales, over HTTP, while guests are served.

Fills a database, serves it, signs an owner in with a passkey, and measures four things: every kind of search, home,
every list, and an export during which sales are booked and customers are deleted.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from bench.lists.exported import Exporting
from bench.lists.guests import guests
from bench.lists.keys import pages, typed
from bench.lists.past import PRODUCTS, Past
from bench.lists.watching import Times, family
from bench.speed.engines import Engine, Postgres, Sqlite, a_server
from bench.speed.starting import work_of
from testkit.office import Member
from testkit.servers import ShopServer

PARTS: Final = ("searches", "home", "lists", "export")
_SEARCHES: Final = 25
_HOMES: Final = 20
_LISTS: Final = 5
_SEARCH_GOAL, _HOME_GOAL = 100.0, 300.0


@dataclass
class Office:
    """A shop that is served, and its owner's browser."""

    past: Past
    engine: Engine
    shop: ShopServer
    owner: Member
    rate: int
    missed: list[str] = field(default_factory=list)

    @property
    def pid(self) -> int:
        """Of the shop."""
        child = self.shop.process.child
        assert child is not None
        return child.pid

    def get(self, path: str) -> float:
        """How long a page takes; raises if it is none."""
        begun = time.perf_counter()
        answer = self.owner.get(path)
        took = time.perf_counter() - begun
        assert answer.status_code in (200, 303), (path, answer.status_code, answer.text[:500])
        assert "/admin/sign-in" not in answer.headers.get("location", ""), path
        return took

    def measure(
        self, kind: str, paths: Mapping[str, Sequence[str]], *, goal: float = 0.0, alone_goal: float = 0.0
    ) -> None:
        """Open these pages by themselves, then while guests are served; print a row for each name."""
        alone = {name: self._alone(those) for name, those in paths.items()}
        with guests(f"{self.shop.url}/", self.shop.folder, rate=self.rate) as served:
            crowded = {name: Times([self.get(path) for path in those]) for name, those in paths.items()}
        print(f"{kind:50}  work   alone: p50  worst   guests: p50  worst  (ms)")
        for name, (work, quiet) in alone.items():
            busy = crowded[name]
            missed = (goal and busy.worst >= goal) or (alone_goal and quiet.worst >= alone_goal)
            if missed:
                self.missed.append(f"{kind}: {name}")
            figures = f"{work:5.0f}   {quiet.middle:10.0f} {quiet.worst:6.0f}   {busy.middle:11.0f} {busy.worst:6.0f}"
            print(f"{name:50} {figures}{'  MISSED' if missed else ''}")
        print(f"guests: {served}", flush=True)

    def _alone(self, paths: Sequence[str]) -> tuple[float, Times]:
        """How many milliseconds each kept a core busy, which a busy machine changes little; and how long each took.

        On PostgreSQL, the work of the database comes on top.
        """
        before = self._work()
        took = [self.get(path) for path in paths]
        return 1000 * (self._work() - before) / len(paths), Times(took)

    def _work(self) -> float:
        return sum(map(work_of, family(self.pid)))


def main() -> int:
    """0 if every search took less than 100 ms and home less than 300, the slowest included."""
    parser = argparse.ArgumentParser(prog="bench.lists.served", description=__doc__)
    parser.add_argument("--sales", type=int, default=1_000_000)
    parser.add_argument("--engine", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--folder", type=Path, help="where the SQLite file is kept, and found again")
    parser.add_argument("--guests", type=int, default=500, help="pages a second; 0: as many as there can be")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part alone")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = asked.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        past = Past(asked.sales, now=_now(folder))
        begun = time.perf_counter()
        if asked.engine == "sqlite":
            sqlite = Sqlite(folder)
            engine: Engine = sqlite
            filled = sqlite.path.exists()
        else:
            engine, filled = Postgres(stack.enter_context(a_server())), False
        if not filled:
            engine.fill(past.lots())
        print(
            f"{asked.engine}: {past.number:,} sales, laid down in {time.perf_counter() - begun:.0f} s",
            flush=True,
        )
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        office = stack.enter_context(_office(past, engine, work, rate=asked.guests))
        for part in asked.only or PARTS:
            _PARTS[part](office)
            print(
                f"({part}: load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)",
                flush=True,
            )
    print(f"missed: {', '.join(office.missed)}" if office.missed else "all in time")
    return 1 if office.missed else 0


def _now(folder: Path) -> datetime:
    """When the past ended that was laid down in this folder; a moment ago for a new one."""
    kept = folder / "now"
    if not kept.exists():
        kept.write_text(datetime.now(UTC).isoformat())
    return datetime.fromisoformat(kept.read_text())


@contextmanager
def _office(past: Past, engine: Engine, folder: Path, *, rate: int) -> Iterator[Office]:
    shop = ShopServer(folder, more={"DATABASE_URL": engine.url})
    shop.environment.pop("PYTHONWARNINGS")
    for n in range(PRODUCTS):
        product = shop.catalogue / f"product-{n}"
        product.mkdir()
        (product / "product.toml").write_text(f'name = "Product {n}"\nprice = "9.00"\n')
        (product / "content.md").write_text("Thank you.\n")
    shop.sandbox.start()
    try:
        shop.cli("confirm-address")  # a folder that is found again was served at another port
        shop.cli("sums")  # in a shop, the days of the past were summed up one by one
        shop.start()
        owner = Member(shop, timeout=120, trust_env=False)
        assert owner.join(email=f"{time.time_ns()}@example.com").is_redirect
        yield Office(past, engine, shop, owner, rate)
    finally:
        for client in shop.clients:
            client.close()
        shop.process.stop()
        shop.sandbox.stop()


def _searches(office: Office) -> None:
    texts = typed(office.past, office.shop.url, number=_SEARCHES)
    paths = {
        name: [f"/admin/search?{urlencode({'q': text})}" for text in those] for name, those in texts.items()
    }
    office.measure("searches", paths, goal=_SEARCH_GOAL)


def _home(office: Office) -> None:
    office.get("/admin")
    office.measure("home", {"/admin": ["/admin"] * _HOMES}, alone_goal=_HOME_GOAL)


def _lists(office: Office) -> None:
    paths = {}
    for name, addresses in pages(office.past).items():
        for place, path in zip(("", ", far behind"), addresses, strict=False):
            paths[f"{name}{place}"] = [path] * _LISTS
    office.measure("lists", paths)


_PARTS: Final = {
    "searches": _searches, "home": _home, "lists": _lists, "export": lambda office: Exporting(office).run(),
}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
