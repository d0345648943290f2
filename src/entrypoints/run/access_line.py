"""The record of an answered request, for logs, metrics and traces."""

from __future__ import annotations

from typing import NamedTuple


class AccessLine(NamedTuple):
    """One answered request, at a Unix time. `route` is the template, so it contains no token and no id."""

    at: float
    method: str
    route: str
    status: int
    seconds: float
    request_id: str
