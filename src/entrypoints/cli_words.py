"""How the command line writes times and numbers of things."""

from __future__ import annotations

from datetime import datetime


def minute(at: datetime) -> str:
    """`2026-03-01 12:00 UTC`."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def counted(number: int, thing: str) -> str:
    """`1 email`, `2 emails`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
