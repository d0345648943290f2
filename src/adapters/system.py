"""The machine's own clock and randomness."""

from __future__ import annotations

import os
from datetime import UTC, datetime


class SystemClock:
    """The time of the machine."""

    def now(self) -> datetime:
        """See Clock."""
        return datetime.now(UTC)


class SystemRandomness:
    """The operating system's generator."""

    def token(self, size: int) -> bytes:
        """See Randomness."""
        return os.urandom(size)
