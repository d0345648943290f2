"""The clock, randomness, and the store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from domain.frozen import frozen
from domain.redacting import redacted_start
from domain.transaction import ReadTransaction, Transaction

T = TypeVar("T")


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """The current time, timezone-aware, in UTC."""


class Randomness(Protocol):
    """Unpredictable randomness."""

    def token(self, size: int) -> bytes:
        """`size` bytes from the operating system's generator; never the same again."""


class ProviderSaid(Exception):
    """A provider's error. Its message is kept, with addresses and keys redacted."""

    def __init__(self, words: str = "") -> None:
        super().__init__(redacted_start(words))


class StoreUnavailable(Exception):
    """The store failed: busy, locked, full or broken. The transaction may or may not have committed."""


class StoreBusy(StoreUnavailable):
    """The queue is full: the transaction was refused before it began, so nothing was committed."""


@frozen
class StoreFigures:
    """A store's counters since it was opened; None for a counter that it does not keep."""

    commits: int | None = None
    """Transactions committed."""
    waiting: int | None = None
    """Transactions that have not begun."""


class Store(Protocol):
    """The store of all records."""

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` as one serializable transaction; returns once the commit is durable.

        `work` may run more than once and touches nothing but its transaction. If it raises, the transaction is rolled
        back and the exception reaches this caller alone. Cancelling the caller does not stop a transaction that has
        begun. Raises StoreBusy (not committed) or StoreUnavailable (perhaps committed).
        """

    async def read(self, work: Callable[[ReadTransaction], T]) -> T:
        """Run `work` on one consistent, committed state. Raises StoreUnavailable."""

    async def survey(self, work: Callable[[ReadTransaction], T]) -> T:
        """The same for what may take long: lists, searches and sums for the merchant.

        Where `read` would hold up customers it runs beside them, on connections of its own, which cannot write. Raises
        StoreBusy if too many wait, and StoreUnavailable, also for a read of more than 20 seconds.
        """

    async def scrub(self) -> None:
        """Ensure that erased data cannot be recovered from the store's files on this machine.

        Returns when that is done. Raises StoreUnavailable.
        """

    async def ready(self) -> None:
        """Return once a write could run, after those already queued. Raises StoreBusy or StoreUnavailable."""

    def figures(self) -> StoreFigures:
        """The store's own counters, for /metrics; cheap."""

    def close(self) -> None:
        """Finish queued work and close files and connections. The store is not used afterwards."""
