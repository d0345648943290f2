"""Moments as people read them, in the shop's time zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any

from minijinja import pass_state


@lru_cache(maxsize=1024)
def day(at: datetime, zone: tzinfo) -> str:
    """`24 November 2026`, as it is in a time zone."""
    there = at.astimezone(zone)
    return f"{there.day} {there:%B %Y}"


def moment(at: datetime, zone: tzinfo) -> str:
    """`24 November 2026, 09:05 UTC`."""
    return f"{day(at, zone)}, {at.astimezone(zone):%H:%M %Z}"


def opening(at: datetime, zone: tzinfo) -> str:
    """`24 December 2026, 18:00 UTC`, with seconds only if there are any: before that moment nothing is sold."""
    return f"{day(at, zone)}, {at.astimezone(zone):%H:%M:%S %Z}" if at.second else moment(at, zone)


def in_shop(words: Callable[[datetime, tzinfo], str]) -> Callable[[Any, datetime], str]:
    """A filter that writes a moment as it is in the time zone of the page's shop."""

    @pass_state
    def filtered(state: Any, at: datetime) -> str:
        return words(at, state.lookup("shop").zone)

    return filtered
