"""The store in memory: one work at a time, and what a raising work wrote is taken back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from adapters.memory.tables import Tables
from adapters.memory.transaction import MemoryTransaction
from domain.ports import StoreFigures
from domain.transaction import ReadTransaction, Transaction

T = TypeVar("T")


async def _no_pause(place: str) -> None:
    """The pause between two steps; tests replace it."""


class MemoryStore:
    """A store for tests and trials.

    `pause` is awaited before a work begins and after it was committed: the two places where a real store gives
    way to others, and where a caller can be lost.
    """

    def __init__(self, *, pause: Callable[[str], Awaitable[None]] = _no_pause) -> None:
        self.tables = Tables()
        self._pause = pause

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        """See Store."""
        await self._pause("begin")
        before = self.tables.copy()
        try:
            result = work(MemoryTransaction(self.tables))
        except BaseException:
            self.tables = before
            raise
        await self._pause("committed")
        return result

    async def read(self, work: Callable[[ReadTransaction], T]) -> T:
        """See Store. A work that writes raises TypeError or AttributeError."""
        await self._pause("read")
        return work(MemoryTransaction(self.tables.read_only()))

    async def survey(self, work: Callable[[ReadTransaction], T]) -> T:
        """See Store."""
        return await self.read(work)

    async def scrub(self) -> None:
        """See Store. Nothing is kept of what was erased."""

    async def ready(self) -> None:
        """It always is."""

    def figures(self) -> StoreFigures:
        """See Store. Nothing is counted."""
        return StoreFigures()

    def close(self) -> None:
        """Nothing is held."""
