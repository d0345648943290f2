"""Worker threads for async callers, with a bounded queue, a longest wait, and cancellation."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar, cast

from domain.ports import StoreBusy, StoreUnavailable

T = TypeVar("T")
Answer = Callable[[T], None]

MOST_WAITING: Final = 256
LONGEST_WAIT: Final = 5.0
LONGEST_RUN: Final = 20.0
_TO_CLOSE: Final = 10.0


@dataclass(slots=True, eq=False)
class _Job:
    act: Callable[[Answer[Any]], None]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    begun: bool = False
    withdrawn: bool = False

    def leave(self, settle: Callable[[Any], None], outcome: Any) -> None:
        # A closed loop raises; it has no callers left.
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._settle, settle, outcome)

    def _settle(self, settle: Callable[[Any], None], outcome: Any) -> None:
        if not self.future.done():  # or it was answered already, or its caller gave up
            settle(outcome)


class WorkerPool:
    """As many threads as there are connections; in front of them a bounded queue."""

    def __init__(self, *, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="coatcheck-postgres")
        self._lock = threading.Lock()
        self._waiting = self._running = 0
        self._closed = False

    async def do(self, act: Callable[[Answer[T]], None]) -> T:
        """What `act` answers, or raises, in a thread. It may go on after its answer.

        Raises StoreBusy: too many wait, or no thread was free for 5 s; it was not begun. StoreUnavailable: it was
        begun, and there is no answer yet.
        """
        loop = asyncio.get_running_loop()
        job = _Job(act=act, loop=loop, future=loop.create_future())
        with self._lock:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            if self._waiting >= MOST_WAITING:
                raise StoreBusy(f"{MOST_WAITING} works wait already")
            self._waiting += 1
            self._threads.submit(self._run, job)
        try:
            await self._outcome(job)
        except BaseException:
            # Cancelling the caller does not withdraw the work: the future is only where the answer is left.
            job.future.cancel()
            raise
        return cast("T", job.future.result())

    async def _outcome(self, job: _Job) -> None:
        await asyncio.wait({job.future}, timeout=LONGEST_WAIT)
        if job.future.done():
            return
        with self._lock:
            job.withdrawn = not job.begun
        if job.withdrawn:
            raise StoreBusy(f"waited more than {LONGEST_WAIT} s for its turn")
        await asyncio.wait({job.future}, timeout=LONGEST_RUN)
        if not job.future.done():
            raise StoreUnavailable("the database does not answer; whether it was done is unknown")

    def _run(self, job: _Job) -> None:
        with self._lock:
            self._waiting -= 1
            if job.withdrawn:
                return
            job.begun = True
            self._running += 1
        try:
            job.act(partial(job.leave, job.future.set_result))
        except BaseException as error:
            job.leave(job.future.set_exception, error)
        finally:
            with self._lock:
                self._running -= 1

    def close(self, *, cut: Callable[[], None]) -> None:
        """Finish what waits, then stop. What does not come to an end is cut off by `cut`."""
        with self._lock:
            self._closed = True
        deadline = time.monotonic() + _TO_CLOSE
        while (self._waiting or self._running) and time.monotonic() < deadline:
            time.sleep(0.005)
        if self._waiting or self._running:
            cut()
        self._threads.shutdown(cancel_futures=True)
