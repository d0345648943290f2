"""Where the tools are that `make tools` brings. Missing ones fail in CI, and are skipped on a laptop with a word."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from testkit.bring import CI, PROGRAMS, TOOLS
from testkit.postgres import binaries


def _needed(path: str | Path | None, what: str) -> str:
    if path is not None and Path(path).exists():
        return str(path)
    if CI:
        pytest.fail(f"{what} is missing")
    pytest.skip(f"{what} is missing: `make tools` installs it")


def chromium() -> str:
    return _needed(shutil.which("chromium"), "chromium")


def webkit() -> Path:
    """WebKitGTK's small browser, which its driver drives."""
    found = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    return Path(_needed(found[-1] if found else None, "WebKitGTK's MiniBrowser"))


def stripe_cli() -> str:
    return _needed(TOOLS / "stripe", "the Stripe CLI")


def stripe_schema() -> Path:
    return Path(_needed(TOOLS / "stripe-schema.json", "Stripe's schema"))


def program(name: str) -> str:
    """A program of the system's packages: gcc, haproxy, patroni, etcd."""
    return _needed(shutil.which(name, path=PROGRAMS), name)


def postgres_binaries() -> Path:
    return Path(_needed(binaries(), "PostgreSQL"))
