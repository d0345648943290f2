"""Instructions a request costs, counted by callgrind: the same on a busy machine as on an idle one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.figures import Figure
from benchmarks.stage import Stage
from support.servers import ROOT, clean_environment

_FEW, _MANY = 50, 350
_CASES = (
    ("instructions-guest", "instructions: storefront, guest", 0),
    ("instructions-owner", "instructions: storefront, session without purchases", 1),
    ("instructions-claim", "instructions: webhook to durable claim, one by one", 2),
)


def instructions(stage: Stage) -> Iterator[Figure]:
    """Two runs of different length: their difference is the requests, without the start."""
    if shutil.which("valgrind") is None:
        for name, what, _ in _CASES:
            yield Figure(name, what, "k", note="valgrind is not installed")
        return
    least = _count(stage, [_FEW] * 3)
    for name, what, position in _CASES:
        lengths = [_MANY if position == n else _FEW for n in range(3)]
        each = (_count(stage, lengths) - least) / (_MANY - _FEW)
        yield Figure(name, what, "k", [each / 1000], note="without server and wire")


def _count(stage: Stage, lengths: list[int]) -> int:
    folder = stage.folder / "counted"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    # One hash seed and no random layout of memory: the same work, the same count.
    environment = clean_environment(PYTHONPATH=f"{ROOT}:{ROOT / 'src'}:{ROOT / 'tests'}", PYTHONHASHSEED="0")
    environment.pop("PYTHONWARNINGS")
    command = [
        "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, "-m", "benchmarks.counted",
        str(folder), *map(str, lengths),
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    words = "\n".join(line for line in done.stderr.splitlines() if not line.startswith("=="))
    assert done.returncode == 0, f"status {done.returncode}: {words[-3000:]}"
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert found is not None, done.stderr[-2000:]
    return int(found[1])
