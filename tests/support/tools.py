"""Where the tools are that `make bring` brings. Missing ones fail in CI, and are skipped on a laptop with a word."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support.bring import CI, TOOLS
from support.postgres import binaries


def _needed(path: str | Path | None, what: str) -> str:
    if path is not None and Path(path).exists():
        return str(path)
    if CI:
        pytest.fail(f"{what} is missing")
    pytest.skip(f"{what} is missing: run `make bring`, or install it")


def chromium() -> str:
    return _needed(shutil.which("chromium"), "chromium")


def stripe_cli() -> str:
    return _needed(TOOLS / "stripe", "the Stripe CLI")


def stripe_schema() -> Path:
    return Path(_needed(TOOLS / "stripe-schema.json", "Stripe's schema"))


def compiler() -> str:
    return _needed(shutil.which("gcc"), "a C compiler (gcc)")


def postgres_binaries() -> Path:
    return Path(_needed(binaries(), "PostgreSQL"))


def patroni() -> None:
    """Patroni, etcd and the PostgreSQL they look after."""
    for program in ("patroni", "etcd"):
        _needed(shutil.which(program), program)
    postgres_binaries()
