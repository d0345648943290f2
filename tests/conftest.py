"""Hypothesis profiles: derandomised in CI, more of everything at night."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

_QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile(
    "ci", deadline=None, derandomize=True, print_blob=True, suppress_health_check=_QUIET
)
settings.register_profile("laptop", deadline=None, suppress_health_check=_QUIET)
settings.register_profile("nightly", deadline=None, max_examples=5000, suppress_health_check=_QUIET)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "laptop"))

_LONG = ("storm", "drill", "fuzz")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with long tests go first: where files run beside each other, none of them should be left for the end."""
    long = {item.path for item in items if any(item.get_closest_marker(mark) for mark in _LONG)}
    items.sort(key=lambda item: item.path not in long)
