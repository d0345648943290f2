"""The machine's own clock and randomness."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Final

_PAGE: Final = 4096


class SystemClock:
    """The time of the machine."""

    def now(self) -> datetime:
        """See Clock."""
        return datetime.now(UTC)


class SystemRandomness:
    """The operating system's generator, asked for a page at a time; each byte is handed out once."""

    def __init__(self) -> None:
        self._page = b""
        self._at = 0

    def token(self, size: int) -> bytes:
        """See Randomness. Not for several threads at once; a process that forks must make its own."""
        if self._at + size > len(self._page):
            self._page, self._at = os.urandom(max(size, _PAGE)), 0
        found = self._page[self._at : self._at + size]
        self._at += size
        return found
