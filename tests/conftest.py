"""Hypothesis profiles (derandomised in CI, more of everything at night), and what `make test` leaves out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No test asks anybody outside: one certificate of nobody's spares every client of httpx 30 ms of reading the system's.
os.environ["SSL_CERT_FILE"] = str(Path(__file__).parents[1] / "testkit" / "one_certificate.pem")
os.environ.pop("SSL_CERT_DIR", None)

pytest.register_assert_rewrite("contracts")  # so that a contract that is broken shows the values

_QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile(
    "ci", deadline=None, derandomize=True, print_blob=True, suppress_health_check=_QUIET
)
settings.register_profile("laptop", deadline=None, suppress_health_check=_QUIET)
settings.register_profile("nightly", deadline=None, max_examples=5000, suppress_health_check=_QUIET)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "laptop"))

_LONG = ("long", "storm", "drill", "fuzz")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make test` leaves out, and let its files go first: none of them should be left for the end."""
    for item in items:
        if _is_long(item):
            item.add_marker(pytest.mark.long)
    long = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: item.path not in long)


def _is_long(item: pytest.Item) -> bool:
    """Long by its own mark; a browser's story but for the one; or what runs on SQLite already, on PostgreSQL."""
    if any(item.get_closest_marker(mark) for mark in _LONG):
        return True
    if item.get_closest_marker("browser") and not item.get_closest_marker("story"):
        return True
    return item.get_closest_marker("engines") is not None and "postgres" in item.name
