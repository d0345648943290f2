"""`python -m bench.lists.served`: the back office of a shop with a million sales, over HTTP, while guests are served.

Fills a database, serves it, signs an owner in with a passkey, and measures four things: every kind of search, home,
every list, and an export during which sales are booked and customers are deleted.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from bench.lists.exported import Exporting
from bench.lists.keys import pages, typed
from bench.lists.office import Office
from bench.lists.past import PRODUCTS, Past
from bench.speed.engines import Engine, Postgres, Sqlite, a_server
from testkit.office import Member
from testkit.servers import ShopServer

PARTS: Final = ("searches", "home", "lists", "export")
_SEARCHES: Final = 25
_HOMES: Final = 20
_LISTS: Final = 5
_SEARCH_GOAL, _HOME_GOAL = 100.0, 300.0


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
        gc.freeze()  # else Python looks through all of it now and then: more than a second, which is none of the shop's
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
        office = Office(past, engine, shop, owner, rate)
        office.wait_until_idle()
        yield office
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
