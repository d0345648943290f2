"""`make drills`: the long form, two hours and more; `--short` takes some minutes. Exit code 1 when a law broke."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from bench.drills.report import table, write_json
from bench.drills.running import AWAY, DRILLS, run


def main() -> int:
    names = [drill.name for drill in DRILLS]
    parser = argparse.ArgumentParser(prog="python -m bench.drills", description=__doc__)
    parser.add_argument(
        "drill", nargs="*", metavar="DRILL", help=f"{', '.join(names)}; all of them without a name"
    )
    parser.add_argument("--short", action="store_true", help="some minutes in all, as in CI")
    parser.add_argument("--rounds", type=int, help="so many rounds of each")
    parser.add_argument("--away", type=float, metavar="SECONDS", help="so long every fault of the providers")
    parser.add_argument("--seed", type=int, default=1, help="of everything that chance decides")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table there too")
    told = parser.parse_args()
    if unknown := set(told.drill) - set(names):
        parser.error(f"there is no drill {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    chosen = []
    for drill in DRILLS:
        if told.drill and drill.name not in told.drill:
            continue
        scale = drill.short if told.short else drill.long
        if drill is AWAY and told.away:
            scale = replace(scale, seconds=told.away)
        scale = replace(scale, rounds=told.rounds or scale.rounds)
        chosen.append((drill, scale))
    if missing := {name for drill, _ in chosen for name in drill.missing}:
        parser.error(f"install {', '.join(sorted(missing))} first: make tools")
    with tempfile.TemporaryDirectory(prefix="drills-") as folder:
        outcomes = asyncio.run(
            run(
                chosen,
                Path(folder),
                seed=told.seed,
                say=lambda words: print(words, file=sys.stderr, flush=True),
            )
        )
    print(table(outcomes))
    if told.json is not None:
        write_json(outcomes, told.json)
    return 0 if all(outcome.held for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
