"""The figures as a file, with the machine they were taken on."""

from __future__ import annotations

import json
import os
import platform
import re
import sqlite3
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from benchmarks.plot import plot
from benchmarks.stage import Wish
from support.servers import ROOT

_LIBRARIES = ("granian", "litestar", "minijinja", "msgspec", "stripe", "resend", "brotli", "zstandard")


def write(figures: Sequence[Figure], wish: Wish, target: Path) -> None:
    """The JSON file; and beside it, under the same name, the plot."""
    told = {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": machine(),
        "versions": {
            "python": platform.python_version(), "sqlite": sqlite3.sqlite_version,
            **{name: version(name) for name in _LIBRARIES},
        },
        "load": {
            "made_by": "wrk, one thread, 64 connections",
            "shares_the_cores": True,
            "note": "wrk, the server and the stand-in for Stripe share the cores; so do wrk and the peer.",
        },
        "runs_of_each": wish.runs,
        "sales_a_run": wish.sales,
        "figures": [figure.told() for figure in figures],
    }  # fmt: skip
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    target.with_suffix(".svg").write_text(plot(figures, told["machine"]))


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else None
    return {
        "cpu": found[1] if found else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "load_before": round(os.getloadavg()[0], 2),
    }


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
