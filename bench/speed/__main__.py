"""`make bench`: the shop against the tutorial's own system, medians of alternating runs on this machine."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.speed.engines import ENGINES
from bench.speed.figures import Figure
from bench.speed.instructions import instructions
from bench.speed.logins import logins, timing
from bench.speed.nodes import nodes
from bench.speed.pages import guests, owners
from bench.speed.report import write
from bench.speed.schedules import schedules
from bench.speed.stage import Stage, Wish
from bench.speed.starting import cold_start, memory, unit_suite
from bench.speed.webhook import bytes_a_sale, floor, webhook, webhook_full
from testkit.servers import ROOT

Bench = Callable[[Stage], Iterator[Figure]]
BENCHES: dict[str, Bench] = {
    "guest": guests,
    "owner": owners,
    "webhook": webhook,
    "webhook-full": webhook_full,
    "floor": floor,
    "bytes-sale": bytes_a_sale,
    "login": logins,
    "login-timing": timing,
    "nodes": nodes,
    "memory": memory,
    "cold-start": cold_start,
    "unit-suite": unit_suite,
    "race": schedules,
    "instructions": instructions,
}
LATEST = ROOT / "docs" / "benchmarks" / "latest.json"


def main() -> int:
    asked = _parser().parse_args()
    names = [name for given in asked.only or BENCHES for name in given.split(",")]
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no such row: {', '.join(unknown)}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    wish = Wish(
        runs=asked.runs,
        sales=asked.sales,
        seconds=asked.seconds,
        past=asked.past,
        engines=tuple(asked.engine or ENGINES),
    )
    target = asked.out or (None if asked.only else LATEST)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder, Stage(Path(folder), wish) as stage:
        for name in names:
            found: list[Figure] = []
            for figure in BENCHES[name](stage):
                print(figure.line(), flush=True)
                found.append(figure)
            if target is not None:  # at once: a long run may be broken off
                write(found, wish, target)
            figures += found
    return 1 if any(figure.met is False for figure in figures) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.speed", description=__doc__)
    parser.add_argument(
        "--only", action="append", metavar="ROW", help=f"of {', '.join(BENCHES)}; may be given often"
    )
    parser.add_argument("--engine", action="append", choices=ENGINES, help="default: all")
    parser.add_argument("--runs", type=int, default=5, help="of each measurement, in turn (default: 5)")
    parser.add_argument("--sales", type=int, default=3000, help="in one run of the webhook (default: 3000)")
    parser.add_argument("--seconds", type=int, default=4, help="of one run of a page (default: 4)")
    parser.add_argument(
        "--out", type=Path, help="write JSON there (default, for all rows: docs/benchmarks/latest.json)"
    )
    parser.add_argument("--past", type=int, default=1_000_000, help="purchases in the full database")
    return parser


if __name__ == "__main__":
    sys.exit(main())
