"""`python -m bench.fuzz asgi | schema | wire | all`: one table, and exit 1 if a law broke."""

from __future__ import annotations

import argparse
import math
import sys

from bench.fuzz.asgi import fuzz_asgi
from bench.fuzz.report import Outcome, print_table
from bench.fuzz.schema import fuzz_schema
from bench.fuzz.wire import fuzz_wire


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=__doc__)
    parser.add_argument("what", choices=("asgi", "schema", "wire", "all"), nargs="?", default="all")
    parser.add_argument(
        "--requests", type=int, help="how many (default: 1000000 asgi, 50000 schema, 20000 wire)"
    )
    parser.add_argument("--seed", type=int, default=1, help="another seed, other requests")
    parser.add_argument("--processes", type=int, default=1, help="shops at once (asgi only)")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="stop each kind after so long, and say what was found"
    )
    told = parser.parse_args()
    seconds = told.minutes * 60
    outcomes: list[Outcome] = []
    if told.what in ("asgi", "all"):
        outcomes.append(
            fuzz_asgi(
                requests=told.requests or 1_000_000, seed=told.seed, processes=told.processes, seconds=seconds
            )
        )
    if told.what in ("schema", "all"):
        outcomes.append(fuzz_schema(requests=told.requests or 50_000, seed=told.seed, seconds=seconds))
    if told.what in ("wire", "all"):
        outcomes.append(fuzz_wire(requests=told.requests or 20_000, seed=told.seed, seconds=seconds))
    return 0 if print_table(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
