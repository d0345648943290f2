"""Broken on purpose: what an API on a bad day answers, or does not."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import Any, Final

_HANG: Final = 60.0
_STATUS: Final = {"down": 503, "hang": 503, "429": 429, "500": 500, "reset": 503}
FAULTS: Final = frozenset({"", "truncated", *_STATUS})
"""`reset` closes the connection before anything is done; `truncated` does it, and cuts the answer's body."""


async def stumble(fault: str, client: Any) -> int | None:
    """Act the fault. The status to answer with; None: the work is done all the same."""
    if fault == "hang":
        await asyncio.sleep(_HANG)
    if fault == "reset":
        _hang_up(client)
    return _STATUS.get(fault)


def cut(body: bytes, fault: str) -> bytes:
    """The body of an answer, as far as it comes through."""
    return body[: len(body) // 2] if fault == "truncated" else body


def _hang_up(client: Any) -> None:
    """Close the connection under the server: no server has a call for that, so its socket is looked for (Linux)."""
    peer = (str(client[0]), int(client[1]))
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError, ValueError):
            found = socket.socket(fileno=int(entry.name))
            try:
                if found.getpeername()[:2] == peer:
                    found.shutdown(socket.SHUT_RDWR)
            finally:
                found.detach()  # it is the server's to close
