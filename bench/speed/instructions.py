"""Instructions a request costs, counted by callgrind: the same on a busy machine as on an idle one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

from bench.speed.counted import MOST_CLAIMS
from bench.speed.figures import Figure, Goal
from bench.speed.stage import Stage
from testkit.servers import ROOT, clean_environment

_FEW = 50
_CASES = (
    ("instructions-guest", "instructions: storefront, guest", 2050, None),
    ("instructions-owner", "instructions: storefront, session without purchases", 2050, None),
    ("instructions-claim", "instructions: webhook to durable claim, one by one", MOST_CLAIMS, 900),
)


def instructions(stage: Stage) -> Iterator[Figure]:
    """Two runs of different length: their difference is the requests, without the start."""
    if shutil.which("valgrind") is None:
        for name, what, _, _ in _CASES:
            yield Figure(name, what, "k", note="valgrind is not installed")
        return
    _run(stage, [1] * 3, [])  # once for nothing, so that no run compiles what the others find compiled
    least = _count(stage, [_FEW] * 3)
    for position, (name, what, many, goal) in enumerate(_CASES):
        lengths = [many if position == n else _FEW for n in range(3)]
        each = (_count(stage, lengths) - least) / (many - _FEW)
        yield Figure(
            name, what, "k", [each / 1000], note="without server and wire", goal=goal, judged=Goal.AT_MOST
        )


def _count(stage: Stage, lengths: list[int]) -> int:
    told = _run(stage, lengths, ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"])
    found = re.search(r"Collected : (\d+)", told)
    assert found is not None, told[-2000:]
    return int(found[1])


def _run(stage: Stage, lengths: list[int], under: list[str]) -> str:
    folder = stage.folder / "counted"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    # One hash seed: the same work, the same count.
    environment = clean_environment(PYTHONPATH=f"{ROOT}:{ROOT / 'src'}:{ROOT / 'tests'}", PYTHONHASHSEED="0")
    environment.pop("PYTHONWARNINGS")
    command = [*under, sys.executable, "-m", "bench.speed.counted", str(folder), *map(str, lengths)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    words = "\n".join(line for line in done.stderr.splitlines() if not line.startswith("=="))
    assert done.returncode == 0, f"status {done.returncode}: {words[-3000:]}"
    return done.stderr
