"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and what to do where it is not fine."""

    about: str
    fine: bool
    words: str
    warns: bool = False
    """It may be meant like this, but the merchant should know."""
