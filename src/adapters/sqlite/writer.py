"""The single writer: groups waiting works into one durable transaction, and answers all of them after the commit."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from adapters.sql.transaction import SqlTransaction
from adapters.sqlite.connections import BUSY_MS
from domain.ports import StoreBusy, StoreUnavailable
from domain.transaction import Transaction

T = TypeVar("T")

MOST_WAITING: Final = 256
LONGEST_WAIT: Final = 5.0
_GROUP: Final = 64
_LOOKS_EVERY: Final = 0.5
_LONGEST_TURN: Final = 0.005
"""Seconds that the works of one group may keep a loop; the rest of the group waits for the next."""


@dataclass(slots=True)
class _Job:
    work: Callable[[Any], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    queued_at: float
    outside: bool = False
    """Whether it runs by itself, outside any transaction, on the connection in place of a transaction."""
    result: Any = None
    error: BaseException | None = None

    def run(self, on: Any) -> None:
        """Note what the work answers or raises, in place of an earlier attempt's outcome."""
        self.result = self.error = None
        try:
            self.result = self.work(on)
        except BaseException as error:
            self.error = _as_answer(error)


class GroupWriter:
    """Runs works one after the other and commits those that waited together, once, durably.

    Works run in the event loop of the oldest job, the commit, which waits for the disk, in a thread. A
    work is a dozen statements of microseconds. In a thread of its own each of them would release the
    interpreter's lock and then queue for it behind the loop, which costs more than the statements (decision 8).
    While the disk is waited for, the loop goes on with other requests; their works are the next group.
    What is not the usual case (a work that raises, a lock held by another process, a full disk) is undone and
    run again in the thread, with care.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA busy_timeout = 0")  # the loop never waits for a lock; the thread does
        self._connection = connection
        self._tx = SqlTransaction(connection.execute)
        self._changed = threading.Condition()
        self._jobs: deque[_Job] = deque()
        self._closed = False
        self.under_way = False
        """Whether a group has begun and is not committed yet."""
        self._watched_until = 0.0
        """Until then a timer checks for jobs that wait too long."""
        self._leader: asyncio.AbstractEventLoop | None = None
        """The loop that was asked to begin the next group."""
        self._to_finish: queue.SimpleQueue[tuple[list[_Job], bool] | None] = queue.SimpleQueue()
        self.commits = 0
        """How many transactions were committed: fewer than works, when they were grouped."""
        self.failing = False
        """Whether the last transaction that wrote something could not be kept."""
        self._changes = connection.total_changes
        self._thread = threading.Thread(target=self._finish_groups, name="sqlite-commit", daemon=True)
        self._thread.start()

    async def submit(self, work: Callable[[Transaction], Any]) -> Any:
        """The result of `work`, once it is durable. See Store.transact."""
        return await self._wait_for(work, outside=False)

    async def between(self, act: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `act` on the writer's connection, between two transactions. Raises StoreUnavailable."""
        return cast("T", await self._wait_for(act, outside=True))

    @property
    def waiting(self) -> int:
        """How many works have not begun."""
        return len(self._jobs)

    async def _wait_for(self, work: Callable[[Any], Any], *, outside: bool) -> Any:
        loop = asyncio.get_running_loop()
        job = _Job(work, loop, loop.create_future(), queued_at=time.monotonic(), outside=outside)
        with self._changed:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            if len(self._jobs) >= MOST_WAITING:
                raise StoreBusy(f"{MOST_WAITING} works wait already")
            self._jobs.append(job)
            leads = not self.under_way and (self._leader is None or self._leader.is_closed())
            if leads:
                self._leader = loop
        if self._watched_until < job.queued_at:
            self._watch(loop)
        if leads:
            loop.call_soon(self._begin)  # jobs of the same turn of the loop join
        # Cancelling the caller must not withdraw the work: the future is only where the answer is left.
        return await job.future

    def close(self) -> None:
        """Finish what waits, then stop."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self.under_way)
            self.under_way = True
        while group := self._next_group():
            self._answer(self._run_with_care(group))
        self._to_finish.put(None)
        self._thread.join()

    # ------------------------------------------------------------------ the usual case, in a loop

    def _begin(self) -> None:
        """Run the next group's works; the thread finishes it."""
        with self._changed:
            self._leader = None
            if self.under_way or not self._jobs:
                return
            self.under_way = True
        group = self._next_group()
        self._to_finish.put((group, self._run_at_once(group)))

    def _run_at_once(self, group: list[_Job]) -> bool:
        """Run works up to the commit. False, and nothing of it is left, if that takes care or patience."""
        if not group or group[0].outside:
            return False
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            until = time.monotonic() + _LONGEST_TURN
            for done, job in enumerate(group, start=1):
                job.result = job.work(self._tx)
                if time.monotonic() > until:
                    with self._changed:
                        self._jobs.extendleft(reversed(group[done:]))
                    del group[done:]
                    break
        except BaseException:
            self._roll_back()
            return False
        return True

    def _next_group(self) -> list[_Job]:
        """The oldest jobs, up to the first that has to run by itself; jobs that waited too long are refused."""
        group: list[_Job] = []
        self._turn_the_late_away()
        with self._changed:
            while self._jobs and len(group) < _GROUP:
                if group and (group[0].outside or self._jobs[0].outside):
                    break
                group.append(self._jobs.popleft())
        return group

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Check by a timer for jobs that wait too long: while a commit hangs, no group begins."""

        def look() -> None:
            self._turn_the_late_away()
            self._watched_until = 0.0
            if self._jobs:
                self._watch(loop)

        # If no look moves it on by then, the loop is gone, and another starts over.
        self._watched_until = time.monotonic() + 2 * _LOOKS_EVERY
        loop.call_later(_LOOKS_EVERY, look)

    def _turn_the_late_away(self) -> None:
        limit = time.monotonic() - LONGEST_WAIT
        late: list[_Job] = []
        with self._changed:
            while self._jobs and self._jobs[0].queued_at < limit:
                late.append(self._jobs.popleft())
        for job in late:
            job.error = StoreBusy(f"waited more than {LONGEST_WAIT} s for its turn")
        self._answer(late)

    # ------------------------------------------------------------------ in the thread

    def _finish_groups(self) -> None:
        while (handed := self._to_finish.get()) is not None:
            group, has_run = handed
            self._answer(self._commit(group) if has_run else self._run_with_care(group))
            while not self._pass_on():
                self._answer(self._run_with_care(self._next_group()))

    def _pass_on(self) -> bool:
        """Let the loop of the oldest job begin the next group. False if that loop is gone."""
        with self._changed:
            self.under_way = False
            self._changed.notify_all()
            if not self._jobs or self._closed:
                return True
            self._leader = self._jobs[0].loop
            try:
                self._leader.call_soon_threadsafe(self._begin)
            except RuntimeError:
                self._leader, self.under_way = None, True
                return False
            return True

    def _commit(self, group: list[_Job]) -> list[_Job]:
        try:
            self._keep()
        except sqlite3.Error as error:
            self._undo(group, error)
        return group

    def _keep(self) -> None:
        """Commit. Raises sqlite3.Error."""
        self._connection.execute("COMMIT")
        self.commits += 1
        if self._connection.total_changes != self._changes:
            self._changes, self.failing = self._connection.total_changes, False

    def _run_with_care(self, group: list[_Job]) -> list[_Job]:
        """Wait for other writers, and keep a failing work from affecting the others."""
        if not group:
            return group
        if group[0].outside:
            group[0].run(self._connection)
            return group
        try:
            self._begin_patiently()
            if len(group) == 1:
                self._run_alone(group[0])
            else:
                self._run_with_savepoints(group)
            if self._connection.in_transaction:
                self._keep()
        except sqlite3.Error as error:
            self._undo(group, error)
        return group

    def _undo(self, group: list[_Job], error: sqlite3.Error) -> None:
        """The transaction as a whole failed."""
        self._roll_back()
        self.failing = self.failing or not _is_locked(error)
        if len(group) == 1 or _is_locked(error):
            for job in group:
                job.error = _as_answer(error)
        else:
            # The whole transaction is gone (SQLITE_FULL does that): each again, alone, once.
            for job in group:
                job.error = job.result = None
                self._run_with_care([job])

    def _begin_patiently(self) -> None:
        """Raises sqlite3.Error if another process writes for too long."""
        self._connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        finally:
            self._connection.execute("PRAGMA busy_timeout = 0")

    def _run_with_savepoints(self, group: list[_Job]) -> None:
        """One that raises undoes itself alone. Raises sqlite3.Error if the transaction ended."""
        run = self._connection.execute
        for job in group:
            run("SAVEPOINT work")
            job.run(self._tx)
            if job.error is not None:
                if not self._connection.in_transaction:
                    raise sqlite3.OperationalError("the transaction ended under us") from job.error
                run("ROLLBACK TO work")
            run("RELEASE work")

    def _run_alone(self, job: _Job) -> None:
        try:
            job.result = job.work(self._tx)
        except sqlite3.Error:  # of the transaction, not of the work
            raise
        except BaseException as error:
            job.error = error
            self._roll_back()

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._changes = self._connection.total_changes  # what was rolled back is counted, too

    def _answer(self, group: list[_Job]) -> None:
        """Leave every answer in its caller's loop; callers of one loop share one wake-up."""
        by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
        for job in group:
            by_loop.setdefault(job.loop, []).append(job)
        for loop, jobs in by_loop.items():
            try:
                loop.call_soon_threadsafe(_settle, jobs)
            except RuntimeError:  # the loop is closed; it has no callers left
                continue


def _settle(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.done():  # its caller was cancelled
            continue
        if job.error is None:
            job.future.set_result(job.result)
        else:
            job.future.set_exception(job.error)


def _as_answer(error: BaseException) -> BaseException:
    """The error that the caller gets: SQLite's errors as the store's."""
    if not isinstance(error, sqlite3.Error):
        return error
    kind = StoreBusy if _is_locked(error) else StoreUnavailable
    found = kind(f"{type(error).__name__}: {error}")
    found.__cause__ = error
    return found


def _is_locked(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
