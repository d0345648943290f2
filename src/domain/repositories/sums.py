"""Sums of closed days. Each docstring is a contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from domain.day_sums import DaySum, SumsState


class ReadDaySums(Protocol):
    """What was summed, and what would be. Reading only."""

    def count(self, day: date, begin: datetime, end: datetime) -> Sequence[DaySum]:
        """The sums of what happened from `begin` to before `end`, counted now, as those of this day.

        In order of currency and product; nothing for those of which nothing happened.
        """

    def stored(self, first: date, last: date) -> Sequence[DaySum]:
        """The stored sums of these days, both included; in order of day, currency and product."""

    def totals(self, first: date, last: date) -> Sequence[DaySum]:
        """The same over all products (the product is ""); in order of day and currency."""

    def state(self) -> SumsState | None:
        """How far the days are closed; None before the first one is."""

    def touched(self, *, limit: int) -> Sequence[tuple[datetime, int]]:
        """Moments whose day may have changed since it was closed, the oldest first, and how often each was noted."""

    def first_moment(self) -> datetime | None:
        """When the first checkout that is still stored began, or the first sale was booked; None if there is none."""


class DaySums(ReadDaySums, Protocol):
    """Sums of closed days."""

    def touch(self, moments: Sequence[datetime]) -> None:
        """Note that what happened at these moments has changed."""

    def replace(self, day: date, sums: Sequence[DaySum]) -> None:
        """Make these the sums of a day. `started` never falls: checkouts that nobody paid are pruned."""

    def untouch(self, moment: datetime, times: int) -> bool:
        """Forget that a moment was touched, unless it was noted again or forgotten since; whether we did."""

    def close(self, state: SumsState) -> None:
        """Note how far the days are closed."""

    def clear(self) -> None:
        """Forget all sums, and that any day was closed."""
