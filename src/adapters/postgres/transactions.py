"""Run one unit of work as a transaction. Retry only when it is certain that nothing was committed."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from adapters.postgres.session import Connection, PipelinedStatements, execute_on, roll_back
from adapters.postgres.worker_pool import Answer
from adapters.sql.transaction import SqlTransaction
from domain.ports import StoreBusy, StoreUnavailable
from domain.transaction import ReadTransaction, Transaction

T = TypeVar("T")

TRY_FOR: Final = 5.0
_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.25
_BEGIN: Final = "BEGIN ISOLATION LEVEL SERIALIZABLE"
_TURN: Final = 0x7475726E
"""The advisory lock that writers share, and that a transaction with too many conflicts takes alone."""
_TOGETHER: Final = f"SELECT pg_advisory_xact_lock_shared({_TURN})"
_TOGETHER_FOR: Final = 3
_BEGIN_READING: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# Serialization failure and deadlock; a unique index that was checked before and is violated all the same, which is a
# serialization failure by another name (https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html);
# a server that is going down, is coming up, has become a standby, or has no connection to spare.
_AGAIN: Final = frozenset({"40001", "40P01", "23505", "25006", "57P01", "57P02", "57P03", "53300"})
_CONFLICTS: Final = frozenset({"40001", "40P01", "23505"})
_LOST: Final = frozenset({"25006", "57P01", "57P02", "57P03"})
_BUSY: Final = frozenset({"40001", "40P01", "55P03"})
_UNCERTAIN: Final = ("08", "40003", "57", "58", "XX")
"""Classes of errors after which the outcome of a COMMIT that was sent is unknown."""


class _Again(Exception):
    """It was surely not done; `final` is what to raise if it cannot be tried again."""

    def __init__(self, error: psycopg.Error) -> None:
        self.final = _unavailable(error)
        self.conflict = error.sqlstate in _CONFLICTS
        """Whether others were in its way (or a line broke)."""


class Transactions:
    """Runs works on connections of a pool; called by as many threads as the pool has connections."""

    def __init__(self, pool: ConnectionPool[Connection]) -> None:
        self._pool = pool
        self._taken: set[Connection] = set()
        self._lock = threading.Lock()
        self.repeated = 0
        """How often a transaction was run again, since another was in its way or a line broke."""

    def write(self, work: Callable[[Transaction], T], answer: Answer[T]) -> None:
        """Answers once the commit is durable. Raises what `work` raises, StoreBusy or StoreUnavailable."""
        answer(self._repeating(lambda conflicts: self._write_once(work, alone=conflicts >= _TOGETHER_FOR)))

    def read(self, work: Callable[[ReadTransaction], T], answer: Answer[T]) -> None:
        """Answers of one committed state. Raises what `work` raises, or StoreUnavailable."""
        self._repeating(lambda _: self._read_once(work, answer))

    def cut(self) -> None:
        """Shut down the connections on which a thread still waits."""
        with self._lock:
            for connection in self._taken:
                with contextlib.suppress(psycopg.Error, OSError):
                    line = socket.socket(fileno=connection.fileno())
                    try:
                        line.shutdown(socket.SHUT_RDWR)
                    finally:
                        line.detach()

    def _repeating(self, attempt: Callable[[int], T]) -> T:
        """Full jitter, so that conflicting transactions do not conflict again."""
        deadline = time.monotonic() + TRY_FOR
        pause, conflicts = _FIRST_PAUSE, 0
        while True:
            try:
                return attempt(conflicts)
            except _Again as again:
                conflicts += again.conflict
                if time.monotonic() + pause > deadline:
                    raise again.final from again.__cause__
                self.repeated += 1
            time.sleep(random.uniform(0, pause))  # noqa: S311 - no secret
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _write_once(self, work: Callable[[Transaction], T], *, alone: bool) -> T:
        """`alone`: while no other transaction writes, on any node, so that it succeeds."""
        with self._connection() as connection, _turn(connection) if alone else contextlib.nullcontext():
            with contextlib.ExitStack() as leaving:
                with _nothing_done(connection):
                    statements = PipelinedStatements(connection, leaving.enter_context(connection.pipeline()))
                    connection.execute(_BEGIN, prepare=False)
                    if not alone:
                        connection.execute(_TOGETHER, prepare=False)
                    result = work(SqlTransaction(statements))
                    statements.finish()
                _commit(connection, leaving.close)
            return result

    def _read_once(self, work: Callable[[ReadTransaction], T], answer: Answer[T]) -> None:
        with self._connection() as connection, _nothing_done(connection):
            connection.execute(_BEGIN_READING, prepare=False)
            answer(work(SqlTransaction(execute_on(connection))))

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            connection = self._pool.getconn(timeout=TRY_FOR)
        except PoolTimeout as error:
            raise StoreUnavailable("the database cannot be reached") from error
        with self._lock:
            self._taken.add(connection)
        try:
            yield connection
        finally:
            with self._lock:
                self._taken.discard(connection)
            roll_back(connection)
            self._pool.putconn(connection)


@contextlib.contextmanager
def _turn(connection: Connection) -> Iterator[None]:
    """Wait for all writers, and keep new ones from starting. Taken before BEGIN, so their commits are visible."""
    with _nothing_done(connection):
        connection.execute("SELECT pg_advisory_lock(%s)", (_TURN,))
    try:
        yield
    finally:
        roll_back(connection)
        try:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_TURN,))
        except psycopg.Error:
            connection.close()  # with it, the lock is gone


@contextlib.contextmanager
def _nothing_done(connection: Connection) -> Iterator[None]:
    """Before COMMIT is sent nothing is done, whatever breaks."""
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate in _LOST:
            connection.close()
        if connection.closed or error.sqlstate in _AGAIN:
            raise _Again(error) from error
        raise _unavailable(error) from error


def _commit(connection: Connection, leave_pipeline: Callable[[], None]) -> None:
    """Raises _Again if it was certainly not committed, StoreUnavailable if the outcome is unknown."""
    warned: list[str | None] = []

    def note(diagnostic: psycopg.errors.Diagnostic) -> None:
        # A COMMIT warns when it stopped waiting for its standbys (and of nothing else): it is done here, and may be
        # lost with this server. https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/replication/syncrep.c
        if diagnostic.severity_nonlocalized == "WARNING":
            warned.append(diagnostic.message_primary)

    connection.add_notice_handler(note)
    try:
        committing = connection.execute("COMMIT", prepare=False)
        leave_pipeline()  # sends it, and waits for its answer
        done = committing.statusmessage
    except psycopg.Error as error:
        if connection.closed or error.sqlstate is None or error.sqlstate.startswith(_UNCERTAIN):
            raise StoreUnavailable("the line broke at the commit; whether it was done is unknown") from error
        if error.sqlstate in _AGAIN:
            raise _Again(error) from error
        raise _unavailable(error) from error
    finally:
        if not connection.closed:
            connection.remove_notice_handler(note)
    if done != "COMMIT":
        raise StoreUnavailable(f"the database answered {done} to a commit")
    if warned:
        raise StoreUnavailable("committed, but no standby confirmed it")


def _unavailable(error: psycopg.Error) -> StoreUnavailable:
    """Names the kind of error, never its words: they can hold what was written."""
    kind = StoreBusy if error.sqlstate in _BUSY else StoreUnavailable
    return kind(f"{type(error).__name__} ({error.sqlstate or 'the line broke'})")
