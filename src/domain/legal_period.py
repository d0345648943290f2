"""The fourteen days of the law of distance contracts, counted by the calendar of the shop.

Directive 2011/83/EU, art. 9 (to withdraw) and 13 (to pay back). Regulation (EEC, Euratom) 1182/71, art. 3: the day of
the event is not counted, and a last day on a weekend is moved to Monday.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from domain.local_time import day_of

PERIOD: Final = timedelta(days=14)
"""To withdraw, from the day of the contract, and to pay back, from the day of the withdrawal."""
_SATURDAY: Final = 5


def last_day(of: datetime, zone: tzinfo) -> date:
    """The last day of a period of 14 days that began with something on that day."""
    last = day_of(of, zone) + PERIOD
    return last + timedelta(days=max(0, 7 - last.weekday())) if last.weekday() >= _SATURDAY else last
