"""The one writer: a thread that runs whatever waits in one durable transaction, a savepoint each."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

from adapters.sqlite.books import SqliteBooks
from domain.books import Books
from domain.ports import StoreBusy, StoreUnavailable

T = TypeVar("T")

MOST_WAITING: Final = 256
LONGEST_WAIT: Final = 5.0
_GROUP: Final = 64


@dataclass(slots=True)
class _Job:
    work: Callable[[Any], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    queued_at: float
    outside: bool = False
    """Whether it runs by itself, outside any transaction, on the connection in place of the books."""
    result: Any = None
    error: BaseException | None = None


@dataclass(slots=True)
class _Queue:
    jobs: deque[_Job] = field(default_factory=deque)
    awake: threading.Condition = field(default_factory=threading.Condition)
    closed: bool = False


class GroupWriter:
    """Runs works one after the other and commits those that waited together, once, durably."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._books = SqliteBooks(connection)
        self._queue = _Queue()
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self.commits = 0
        """How many transactions were committed: fewer than works, when they were grouped."""
        self._thread.start()

    async def submit(self, work: Callable[[Books], Any]) -> Any:
        """The result of `work`, once it is durable. See Store.transact."""
        return await self._wait_for(work, outside=False)

    async def between(self, act: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `act` on the writer's connection, between two transactions. Raises StoreUnavailable."""
        return cast("T", await self._wait_for(act, outside=True))

    async def _wait_for(self, work: Callable[[Any], Any], *, outside: bool) -> Any:
        loop = asyncio.get_running_loop()
        job = _Job(
            work=work, loop=loop, future=loop.create_future(), queued_at=time.monotonic(), outside=outside
        )
        queue = self._queue
        with queue.awake:
            if queue.closed:
                raise StoreUnavailable("the store is closed")
            if len(queue.jobs) >= MOST_WAITING:
                raise StoreBusy(f"{MOST_WAITING} works wait already")
            queue.jobs.append(job)
            queue.awake.notify()
        # Cancelling the caller must not withdraw the work: the future is only where the answer is left.
        return await job.future

    def close(self) -> None:
        """Finish what waits, then stop."""
        with self._queue.awake:
            self._queue.closed = True
            self._queue.awake.notify()
        self._thread.join()

    def _run(self) -> None:
        queue = self._queue
        while True:
            with queue.awake:
                while not queue.jobs and not queue.closed:
                    queue.awake.wait()
                if not queue.jobs:
                    return
                group = _next_group(queue.jobs)
            if group[0].outside:
                self._answer([self._act(group[0])])
                continue
            self._answer(self._turn_away_late(group))
            self._answer(self._commit(group))

    def _act(self, job: _Job) -> _Job:
        try:
            job.result = job.work(self._connection)
        except BaseException as error:
            job.error = _told(error)
        return job

    def _turn_away_late(self, group: list[_Job]) -> list[_Job]:
        """Take out of the group who waited too long; nothing of theirs has begun."""
        limit = time.monotonic() - LONGEST_WAIT
        late = [job for job in group if job.queued_at < limit]
        if late:
            group[:] = [job for job in group if job.queued_at >= limit]
            for job in late:
                job.error = StoreBusy(f"waited more than {LONGEST_WAIT} s for its turn")
        return late

    def _commit(self, group: list[_Job]) -> list[_Job]:
        if not group:
            return group
        try:
            self._run_together(group)
        except sqlite3.Error as error:
            self._roll_back()
            if len(group) == 1 or _is_locked(error):
                for job in group:
                    job.error = _unavailable(error)
            else:
                # The whole transaction is gone (SQLITE_FULL does that): each again, alone, once.
                for job in group:
                    job.error = job.result = None
                    self._commit([job])
        return group

    def _run_together(self, group: list[_Job]) -> None:
        """Raises sqlite3.Error if the transaction as a whole failed."""
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        if len(group) == 1:
            self._run_alone(group[0])
        elif not self._run_without_savepoints(group):
            run("BEGIN IMMEDIATE")
            self._run_with_savepoints(group)
        if self._connection.in_transaction:
            run("COMMIT")
            self.commits += 1

    def _run_without_savepoints(self, group: list[_Job]) -> bool:
        """The usual case: no work raises, so nothing has to be undone. False, and all undone, if one did."""
        try:
            for job in group:
                job.result = job.work(self._books)
        except sqlite3.Error:
            raise
        except BaseException:
            self._roll_back()
            return False
        return True

    def _run_with_savepoints(self, group: list[_Job]) -> None:
        """One that raises undoes itself alone."""
        run = self._connection.execute
        for job in group:
            run("SAVEPOINT work")
            try:
                job.result = job.work(self._books)
            except BaseException as error:
                if not self._connection.in_transaction:
                    raise sqlite3.OperationalError("the transaction ended under us") from error
                run("ROLLBACK TO work")
                job.error = _told(error)
            run("RELEASE work")

    def _run_alone(self, job: _Job) -> None:
        try:
            job.result = job.work(self._books)
        except BaseException as error:
            job.error = _told(error)
            self._roll_back()

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _answer(self, group: list[_Job]) -> None:
        """Leave every answer in its caller's loop; callers of one loop share one wake-up."""
        if not group:
            return
        by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
        for job in group:
            by_loop.setdefault(job.loop, []).append(job)
        for loop, jobs in by_loop.items():
            try:
                loop.call_soon_threadsafe(_settle, jobs)
            except RuntimeError:  # the loop is closed: nobody waits there any more
                continue


def _next_group(jobs: deque[_Job]) -> list[_Job]:
    """Those who waited longest, up to the first that has to run by itself; or that one alone."""
    group = [jobs.popleft()]
    while jobs and len(group) < _GROUP and not group[0].outside and not jobs[0].outside:
        group.append(jobs.popleft())
    return group


def _settle(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.done():  # its caller was cancelled
            continue
        if job.error is None:
            job.future.set_result(job.result)
        else:
            job.future.set_exception(job.error)


def _told(error: BaseException) -> BaseException:
    return _unavailable(error) if isinstance(error, sqlite3.Error) else error


def _unavailable(error: sqlite3.Error) -> StoreUnavailable:
    kind = StoreBusy if _is_locked(error) else StoreUnavailable
    found = kind(f"{type(error).__name__}: {error}")
    found.__cause__ = error
    return found


def _is_locked(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
