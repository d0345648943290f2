"""What is known of each answered request, for logs, metrics and traces."""

from __future__ import annotations

from typing import NamedTuple


class AccessLine(NamedTuple):
    """One answered request, at a Unix time. `route` is the template, so that no token and no id is in it."""

    at: float
    method: str
    route: str
    status: int
    seconds: float
    request_id: str
