"""The days and times of the shop's own time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=64)
def zone_named(name: str) -> tzinfo | None:
    """The time zone of a name of the IANA database, as `Europe/Berlin`; None if this machine does not know it."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ValueError, LookupError, OSError):  # what is no name, what is unknown, what is a folder
        return None


def day_of(moment: datetime, zone: tzinfo) -> date:
    """The day that it is there at a moment."""
    return moment.astimezone(zone).date()


def begin_of(day: date, zone: tzinfo) -> datetime:
    """When a day begins there, in UTC; where a clock change leaves out midnight, the moment of the change."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
