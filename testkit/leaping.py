"""An event loop whose clock leaps to the next timer when there is nothing else to do: ten seconds cost none."""

from __future__ import annotations

import asyncio
import selectors


class _Leaping(selectors.DefaultSelector):
    def __init__(self, patience: float) -> None:
        super().__init__()
        self.leapt = 0.0
        self._patience = patience

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(min(self._patience, timeout or 0))
        if ready or not timeout:
            return ready or super().select(timeout)
        self.leapt += timeout
        return []


class LeapingLoop(asyncio.SelectorEventLoop):
    """For work that waits for no thread or process, and for peers in this loop alone."""

    def __init__(self, *, patience: float = 0) -> None:
        """`patience`: the seconds in which what a peer sent has surely arrived; no leap is made before."""
        self._leaping = _Leaping(patience)
        super().__init__(self._leaping)

    def time(self) -> float:
        return super().time() + self._leaping.leapt
