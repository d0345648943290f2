"""One connection: how it is made, what it is set to, and what it must promise before anything is written."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from typing import Any, Final

import psycopg
from psycopg.adapt import AdaptersMap, Dumper
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Format, TransactionStatus
from psycopg.types.string import StrDumperUnknown

from adapters.postgres import UnfitDatabase
from adapters.sql.dialect import for_psycopg
from adapters.sql.record import Execute, Values
from domain.ports import StoreUnavailable

Connection = psycopg.Connection[tuple[Any, ...]]

LOCK_MS: Final = 4000
_STATEMENT_MS: Final = 8000
_STATEMENTS_KEPT: Final = 400
# A peer that is gone without a word is noticed within some ten seconds; what the address says itself wins.
_DEFAULTS: Final = {
    "connect_timeout": "5", "keepalives_idle": "5", "keepalives_interval": "2", "keepalives_count": "3",
    "tcp_user_timeout": "10000", "application_name": "coatcheck", "client_encoding": "utf8",
}  # fmt: skip
# Under SERIALIZABLE a sequential scan reads, and conflicts with, the whole table, however few rows it returns:
# https://www.postgresql.org/docs/current/transaction-iso.html#XACT-SERIALIZABLE
_SET_UP: Final = f"""SET lock_timeout = {LOCK_MS}; SET statement_timeout = {_STATEMENT_MS};
  SET idle_in_transaction_session_timeout = 30000; SET client_min_messages = warning; SET enable_seqscan = off"""
# Each list is planned for its filters: the plan that PostgreSQL keeps after five times suits none of them well.
_SET_UP_FOR_SURVEYS: Final = """SET enable_seqscan = on; SET jit = off; SET statement_timeout = 20000;
  SET plan_cache_mode = force_custom_plan; SET default_transaction_read_only = on"""
_PROMISES: Final = """SELECT current_setting('transaction_read_only'), current_setting('fsync'),
  current_setting('full_page_writes'), current_setting('synchronous_commit'),
  current_setting('synchronous_standby_names') <> '', current_setting('server_encoding')"""


class _BigInt(Dumper):
    """Every integer as int8, so that a statement is prepared once whatever the size of its numbers."""

    oid = psycopg.adapters.types["int8"].oid
    format = Format.BINARY

    def dump(self, obj: int) -> bytes:
        return struct.pack("!q", obj)


class _Text(StrDumperUnknown):
    """PostgreSQL's text holds no NUL: what shoppers send is looked up, and not found, without one."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in obj else obj)


def _adapters() -> AdaptersMap:
    adapters = AdaptersMap(psycopg.adapters)
    adapters.register_dumper(int, _BigInt)
    adapters.register_dumper(str, _Text)
    return adapters


OPTIONS: Final[dict[str, Any]] = {"autocommit": True, "prepare_threshold": 0, "context": _adapters()}
"""How connections are made: transactions begin and end where we say so, and every statement is prepared."""


def conninfo(url: str) -> str:
    """The address as it was written, with our defaults where it says nothing. Raises UnfitDatabase."""
    try:
        written = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # libpq's words would show parts of the address, the password perhaps.
        raise UnfitDatabase(
            "DATABASE_URL cannot be read: write it like postgresql://user:password@host:5432/name, "
            "with %XX for characters that mean something in an address"
        ) from None
    missing = {name: value for name, value in _DEFAULTS.items() if name not in written}
    return make_conninfo(url, **missing)


def connect(info: str) -> Connection:
    """A connection beside the pool. Raises StoreUnavailable."""
    with opening():
        return psycopg.connect(info, **OPTIONS)


@contextlib.contextmanager
def opening() -> Iterator[None]:
    """While a connection is made and checked. Raises StoreUnavailable for psycopg.Error."""
    try:
        yield
    except psycopg.Error as error:
        raise StoreUnavailable(f"cannot open the database: {' '.join(str(error).split())}") from error


def execute_on(connection: Connection) -> Execute:
    """Runs the statements of the records on a connection."""
    execute = connection.execute
    return lambda statement, values=(): execute(for_psycopg(statement), values)


class PipelinedStatements:
    """Runs the statements of the records in a pipeline: only a statement whose answer is read waits for the server.

    `BEGIN` and the first question, a row that is only written and the next question, share a round trip. An error is
    raised where the next answer is read, before anything is committed.
    https://www.psycopg.org/psycopg3/docs/advanced/pipeline.html
    """

    def __init__(self, connection: Connection, pipeline: psycopg.Pipeline) -> None:
        self._execute = connection.execute
        self._pipeline = pipeline
        self._last: _PipelinedCursor | None = None

    def __call__(self, statement: str, values: Values = ()) -> _PipelinedCursor:
        """Send a statement, without waiting for it."""
        self._last = _PipelinedCursor(self._execute(for_psycopg(statement), values), self._pipeline)
        return self._last

    def finish(self) -> None:
        """Wait for whatever was not answered. Raises psycopg.Error."""
        if self._last is None or not self._last.answered:
            self._pipeline.sync()


class _PipelinedCursor:
    """The result of a statement, which may not have arrived yet; reading it waits. Results arrive in order."""

    __slots__ = ("_cursor", "_pipeline")

    def __init__(self, cursor: psycopg.Cursor[tuple[Any, ...]], pipeline: psycopg.Pipeline) -> None:
        self._cursor = cursor
        self._pipeline = pipeline

    @property
    def answered(self) -> bool:
        """Whether its answer has come, and so those of all before it."""
        return self._cursor.pgresult is not None

    @property
    def rowcount(self) -> int:
        if not self.answered:
            self._pipeline.sync()
        return self._cursor.rowcount

    def fetchone(self) -> Any:
        return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor)


def roll_back(connection: Connection) -> None:
    """Leave whatever transaction it is in. Never raises."""
    if connection.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
        with contextlib.suppress(psycopg.Error):
            connection.execute("ROLLBACK", prepare=False)


def prepare_survey(connection: Connection) -> None:
    """Set a connection up for long reads, which may scan tables: they are not serializable, and conflict with nothing.

    Raises UnfitDatabase, psycopg.Error.
    """
    prepare_session(connection)
    connection.execute(_SET_UP_FOR_SURVEYS, prepare=False)


def prepare_session(connection: Connection) -> None:
    """Set a connection up, and see that what is committed on it lasts. Raises UnfitDatabase, psycopg.Error.

    Each connection is asked anew: after a failover it may lead to another server.
    """
    connection.prepared_max = _STATEMENTS_KEPT
    connection.execute(_SET_UP, prepare=False)
    [(read_only, fsync, full_pages, commit, standbys, encoding)] = connection.execute(_PROMISES).fetchall()
    if read_only == "on":
        raise UnfitDatabase(
            "the database takes no writes (a standby?): put target_session_attrs=read-write into DATABASE_URL, "
            "and name every host in it"
        )
    for name, found in (("fsync", fsync), ("full_page_writes", full_pages)):
        if found != "on":
            raise UnfitDatabase(
                f"the database says {name} is {found}, so it could lose a sale: set {name} = on in postgresql.conf"
            )
    if commit == "off" or (commit == "local" and standbys):
        raise UnfitDatabase(
            f"the database says synchronous_commit is {commit}, so it could lose a sale: "
            "set synchronous_commit = on in postgresql.conf, for this database and for this user"
        )
    if encoding != "UTF8":
        raise UnfitDatabase(
            f"the database keeps {encoding}, not every character: create it with ENCODING 'UTF8'"
        )
