"""Time, chance, and the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from domain.redacting import redacted_start
from domain.transaction import ReadTransaction, Transaction

T = TypeVar("T")


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""


class Randomness(Protocol):
    """Chance that nobody can guess."""

    def token(self, size: int) -> bytes:
        """`size` bytes from the operating system's generator; never the same again."""


class ProviderSaid(Exception):
    """A provider's answer that is no success. Its words are kept without the addresses and keys they name."""

    def __init__(self, words: str = "") -> None:
        super().__init__(redacted_start(words))


class StoreUnavailable(Exception):
    """The store could not do it, now: busy, locked, full or broken. Whether it was done may be unknown."""


class StoreBusy(StoreUnavailable):
    """Too much is waiting: it was refused before it began, so it was not done."""


@dataclass(frozen=True, slots=True)
class StoreFigures:
    """What a store counts of itself since it was opened; None where it does not count that."""

    commits: int | None = None
    """Transactions committed."""
    waiting: int | None = None
    """Works that have not begun."""


class Store(Protocol):
    """Where the records are kept."""

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` as one serializable transaction; returns once the commit is durable.

        `work` may run more than once and touches nothing but its transaction. If it raises, nothing of it is kept and
        the exception comes back to this caller alone. Cancelling the caller does not withdraw a work that has
        begun. Raises StoreBusy (not done) or StoreUnavailable (perhaps done).
        """

    async def read(self, work: Callable[[ReadTransaction], T]) -> T:
        """Run `work` on one consistent, committed state. Raises StoreUnavailable."""

    async def scrub(self) -> None:
        """See to it that nothing that was erased can be read back from what the store keeps on this machine.

        Returns when that is so. Raises StoreUnavailable.
        """

    async def ready(self) -> None:
        """Return if a write could begin now, behind what waits. Raises StoreBusy or StoreUnavailable."""

    def figures(self) -> StoreFigures:
        """The store's own counters, for /metrics; cheap."""

    def close(self) -> None:
        """Finish what waits and let go of files and connections. Nothing is asked of the store afterwards."""
