"""What was measured: runs, median, and how it stands to its goal."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Goal(Enum):
    """How a figure is judged."""

    TIMES = "times"
    """Our median over the other's is at least the goal."""
    AT_MOST = "at most"
    """Our median is at most the goal."""
    AT_LEAST = "at least"
    """Our median is at least the goal."""
    AROUND_HALF = "half, give or take"
    """Our median is no further from a half than the goal: chance."""
    NONE = "none"
    """Printed to be seen, and compared with later runs."""


@dataclass(frozen=True)
class Figure:
    """One row. `other` is what it stands against in the same run: the peer, a bare handler, an empty database."""

    name: str
    what: str
    unit: str
    ours: Sequence[float] = ()
    other: Sequence[float] = ()
    against: str = ""
    goal: float | None = None
    judged: Goal = Goal.NONE
    engine: str = ""
    note: str = ""
    extra: dict[str, object] = field(default_factory=dict)

    @property
    def was_run(self) -> bool:
        return bool(self.ours)

    @property
    def median(self) -> float | None:
        return statistics.median(self.ours) if self.ours else None

    @property
    def ratio(self) -> float | None:
        if not self.ours or not self.other:
            return None
        return statistics.median(self.ours) / statistics.median(self.other)

    @property
    def met(self) -> bool | None:
        """None: no goal, or not run."""
        if not self.ours or self.goal is None:
            return None
        match self.judged:
            case Goal.TIMES:
                return self.ratio is not None and self.ratio >= self.goal
            case Goal.AT_MOST:
                return statistics.median(self.ours) <= self.goal
            case Goal.AT_LEAST:
                return statistics.median(self.ours) >= self.goal
            case Goal.AROUND_HALF:
                return abs(statistics.median(self.ours) - 0.5) <= self.goal
            case Goal.NONE:
                return None

    @property
    def score(self) -> float | None:
        """How far past its goal: 1 is the goal, 2 twice as good. None where there is no such measure."""
        median = self.median
        if self.goal is None or median is None:
            return None
        match self.judged:
            case Goal.TIMES:
                return None if self.ratio is None else self.ratio / self.goal
            case Goal.AT_MOST:
                return self.goal / median
            case Goal.AT_LEAST:
                return median / self.goal
            case _:
                return None

    def line(self) -> str:
        """As it is printed."""
        title = f"{self.what}{f' ({self.engine})' if self.engine else ''}"
        if not self.ours:
            return f"{title:58} not run: {self.note}"
        parts = [f"{title:58} {_short(self.median)} {self.unit}"]
        if self.ratio is not None:
            parts.append(f"{self.ratio:.2f} x {self.against} ({_short(statistics.median(self.other))})")
        if self.goal is not None:
            parts.append(f"goal {self._goal_words()}: {'met' if self.met else 'BELOW'}")
        return "; ".join(parts + ([self.note] if self.note else []))

    def _goal_words(self) -> str:
        match self.judged:
            case Goal.TIMES:
                return f"≥ {self.goal:g} x"
            case Goal.AT_MOST:
                return f"≤ {self.goal:g} {self.unit}"
            case Goal.AT_LEAST:
                return f"≥ {self.goal:g} {self.unit}"
            case _:
                return f".5 ± {self.goal:g}"

    def told(self) -> dict[str, object]:
        """As it stands in the JSON file."""
        return {
            "name": self.name, "what": self.what, "engine": self.engine or None, "unit": self.unit,
            "runs": [_round(value) for value in self.ours], "median": _round(self.median),
            "against": self.against or None, "against_runs": [_round(value) for value in self.other],
            "against_median": _round(statistics.median(self.other)) if self.other else None,
            "ratio": _round(self.ratio), "goal": self.goal, "judged": self.judged.value, "met": self.met,
            "run": self.was_run, "note": self.note, **self.extra,
        }  # fmt: skip

    @classmethod
    def of(cls, told: dict[str, Any]) -> Figure:
        """Back from the JSON file."""
        return cls(
            name=told["name"], what=told["what"], unit=told["unit"], ours=told["runs"], other=told["against_runs"],
            against=told["against"] or "", goal=told["goal"], judged=Goal(told["judged"]), engine=told["engine"] or "",
            note=told["note"],
        )  # fmt: skip


def _round(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}") if value < 10_000 else round(value)


def _short(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def alternating(runs: int, *measures: Callable[[], float]) -> list[list[float]]:
    """Each measure `runs` times, in turn, so that a slow minute of the machine hits all."""
    found: list[list[float]] = [[] for _ in measures]
    for _ in range(runs):
        for kept, measure in zip(found, measures, strict=True):
            kept.append(measure())
    return found
