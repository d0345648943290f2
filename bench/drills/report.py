"""The table at the end of the drills, and the same as JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

_HEAD: Final = (
    "drill", "rounds", "sales", "acknowledged", "lost", "doubled", "users", "emails", "answers ≥ 500",
    "ready again min/median/max", "verdict",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one drill."""

    drill: str
    rounds: int
    sales: int
    acknowledged: int
    lost: int
    doubled: int
    users: int
    access_emails: int
    answers: dict[int, int]
    """How often each status of 500 or more was answered."""
    ready_again: tuple[float, ...]
    """Seconds."""
    seconds: float
    notes: tuple[str, ...]
    broken: tuple[str, ...]
    """Every law that did not hold, as a sentence."""
    missed: tuple[str, ...] = ()
    """Every time that was not kept, as a sentence. `make drills` judges them; the tests, on a busy machine, do not."""

    @property
    def held(self) -> bool:
        return not self.broken and not self.missed


def table(outcomes: Sequence[Outcome]) -> str:
    """Aligned columns that are a Markdown table too; below it what was noted, and what broke."""
    rows = [_HEAD, *(_row(outcome) for outcome in outcomes)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEAD))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    lines.append("")
    for outcome in outcomes:
        lines += [f"- {outcome.drill}: {note}" for note in outcome.notes]
        lines += [f"- {outcome.drill} BROKE: {law}" for law in (*outcome.broken, *outcome.missed)]
    return "\n".join(lines)


def _row(outcome: Outcome) -> tuple[str, ...]:
    ready = outcome.ready_again
    times = (min(ready), statistics.median(ready), max(ready)) if ready else ()
    errors = ", ".join(f"{number} × {status}" for status, number in sorted(outcome.answers.items()))
    return (
        outcome.drill, str(outcome.rounds), str(outcome.sales), str(outcome.acknowledged), str(outcome.lost),
        str(outcome.doubled), str(outcome.users), str(outcome.access_emails), errors or "0",
        " / ".join(f"{seconds:.2f}" for seconds in times) + (" s" if times else "–"),
        "held" if outcome.held else "BROKEN",
    )  # fmt: skip


def write_json(outcomes: Sequence[Outcome], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    told = [{**asdict(outcome), "held": outcome.held} for outcome in outcomes]
    target.write_text(json.dumps(told, indent=2) + "\n")
