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

from bench.speed.figures import Figure
from bench.speed.plot import plot
from bench.speed.stage import Wish
from testkit.servers import ROOT

_LIBRARIES = ("granian", "litestar", "minijinja", "msgspec", "stripe", "resend", "brotli")

# As they are told.
ROWS = (
    "guest", "guest-bare", "owner", "library", "webhook", "webhook-full", "floor", "bytes-sale", "cold-start",
    "memory", "memory-full", "unit-suite", "race", "race-share", "login-timing", "guest-coded", "guest-again",
    "view", "receipt", "login-ask", "login-use", "nodes-1-storefront", "nodes-2-storefront", "nodes-3-storefront",
    "nodes-1-claims", "nodes-2-claims", "nodes-3-claims", "instructions-guest", "instructions-owner",
    "instructions-claim",
)  # fmt: skip


def write(figures: Sequence[Figure], wish: Wish, target: Path) -> None:
    """The JSON file; and beside it, under the same name, the plot.

    Rows that stand there already and were not measured now stay, with the moment at which they were: so one row can
    be measured again by itself.
    """
    moment = {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "load_average": [round(value, 1) for value in os.getloadavg()],
    }
    asked = {"sales_a_run": wish.sales, "seconds_a_run": wish.seconds}
    rows = {_key(row): row for row in _held(target)}
    rows |= {_key(row): {**row, **moment, **asked} for row in (figure.told() for figure in figures)}
    told = {
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
        "figures": sorted(rows.values(), key=lambda row: ROWS.index(row["name"]) if row["name"] in ROWS else 99),
    }  # fmt: skip
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    target.with_suffix(".svg").write_text(plot([Figure.of(row) for row in told["figures"]], told["machine"]))


def _held(target: Path) -> list[dict[str, Any]]:
    return list(json.loads(target.read_text())["figures"]) if target.exists() else []


def _key(row: dict[str, Any]) -> tuple[str, str]:
    return str(row["name"]), str(row["engine"])


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else None
    return {
        "cpu": found[1] if found else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
    }


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
