"""Moments as people read them, in the shop's time zone and the language of the request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

from minijinja import pass_state

from entrypoints.http.sentences import LANGUAGE


def day(at: datetime, zone: tzinfo) -> str:
    """`24 November 2026`, as it is in a time zone."""
    return LANGUAGE.get().day(at.astimezone(zone).date())


def moment(at: datetime, zone: tzinfo) -> str:
    """`24 November 2026, 09:05 UTC`."""
    return f"{day(at, zone)}, {at.astimezone(zone):%H:%M} {_named(at, zone)}"


def opening(at: datetime, zone: tzinfo) -> str:
    """`24 December 2026, 18:00 UTC`, with seconds only if there are any: before that moment nothing is sold."""
    if not at.second:
        return moment(at, zone)
    return f"{day(at, zone)}, {at.astimezone(zone):%H:%M:%S} {_named(at, zone)}"


def _named(at: datetime, zone: tzinfo) -> str:
    """`CET`; `UTC-03` where the database has no letters for a time zone: alone, the number would read as a minus."""
    name = f"{at.astimezone(zone):%Z}"
    return f"UTC{name}" if name.startswith(("+", "-")) else name


def in_shop(words: Callable[[datetime, tzinfo], str]) -> Callable[[Any, datetime], str]:
    """A filter that writes a moment as it is in the time zone of the page's shop."""

    @pass_state
    def filtered(state: Any, at: datetime) -> str:
        return words(at, state.lookup("shop").zone)

    return filtered
