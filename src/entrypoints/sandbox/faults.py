"""Injected faults: errors, delays and broken answers of an API."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import Any, Final

_HANG: Final = 60.0
_STATUS: Final = {
    "down": 503, "hang": 503, "400": 400, "401": 401, "403": 403, "409": 409, "429": 429, "500": 500, "reset": 503
}  # fmt: skip
FAULTS: Final = frozenset({"", "truncated", *_STATUS})
"""`reset` closes the connection before any work; `truncated` does the work and cuts the answer's body."""
MAIL_FAULTS: Final = FAULTS | {"daily-quota", "monthly-quota", "408", "429-html"}
"""Those of the email service; the last two answer in HTML, as a proxy before it would."""


REFUND_FAULTS: Final = frozenset({"", "400", "500", "500-done", "lost", "lost-before"})
"""Those of making a refund. 400 and 500 are saved under the idempotency key, as Stripe does with failures; `500-done`
makes the refund all the same; `lost` makes it and closes the connection, `lost-before` closes it and makes none."""


async def stumble(fault: str, client: Any) -> int | None:
    """Simulate a fault. Returns the status to answer with; None: do the work anyway."""
    if fault == "hang":
        await asyncio.sleep(_HANG)
    if fault == "reset":
        hang_up(client)
    return _STATUS.get(fault)


def cut(body: bytes, fault: str) -> bytes:
    """The part of an answer's body that is sent."""
    return body[: len(body) // 2] if fault == "truncated" else body


def hang_up(client: Any) -> None:
    """Close the connection under the server: servers have no API for that, so find its socket (Linux)."""
    peer = (str(client[0]), int(client[1]))
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError, ValueError):
            found = socket.socket(fileno=int(entry.name))
            try:
                if found.getpeername()[:2] == peer:
                    found.shutdown(socket.SHUT_RDWR)
            finally:
                found.detach()  # the server closes it
