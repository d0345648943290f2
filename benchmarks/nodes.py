"""Throughput of one, two and three nodes on one database. Needs an engine that several processes may serve."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import Figure
from benchmarks.stage import Stage


def nodes(stage: Stage) -> Iterator[Figure]:
    """Not there yet."""
    for number in (1, 2, 3):
        yield Figure(
            f"nodes-{number}", f"webhook over {number} node{'s' if number > 1 else ''}", "/s", engine="postgres",
            note="no such run yet",
        )  # fmt: skip
