"""Wait for what happens. The deadline is there so that nothing hangs; it judges nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

LONG_ENOUGH = 60.0


def wait_until(holds: Callable[[], bool], *, within: float = LONG_ENOUGH, pause: float = 0.05) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(pause)


def wait_until_still(look: Callable[[], int], *, pause: float = 0.3) -> None:
    """Until it shows the same twice."""
    seen: list[int] = []

    def is_still() -> bool:
        seen.append(look())
        return seen[-2:-1] == seen[-1:]

    wait_until(is_still, pause=pause)
