"""How long a drill takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """So many rounds, or so many seconds of every fault; then so many seconds at most for the mails to arrive."""

    rounds: int = 1
    seconds: float = 0.0
    settles_within: float = 180.0
