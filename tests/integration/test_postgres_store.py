"""The store on PostgreSQL: the contract, and the same answers as memory."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import psycopg
import pytest
from contracts import samples
from contracts.histories import HISTORIES, REFUNDED_BEFORE_BOOKED, Op, gives_the_fakes_answers
from contracts.store import StoreContract
from hypothesis import example, given, settings

from adapters.postgres.store import PostgresStore
from adapters.sql.dialect import for_psycopg
from adapters.sql.sale_lists import RETURNED
from adapters.sql.searches import PAID_WITH
from adapters.sql.transaction import TABLES
from domain.ports import Store
from domain.transaction import ReadTransaction, Transaction
from testkit.postgres import PostgresServer

T = TypeVar("T")


class TestPostgresStore(StoreContract):
    @pytest.fixture(autouse=True)
    def opened(self, postgres: PostgresServer) -> Iterator[None]:
        self._server, self._stores, self._databases = postgres, [], []
        self.store = self.open_store()
        yield
        for store in self._stores:
            store.close()
        for database in self._databases:
            postgres.drop(database)

    def open_store(self) -> Store:
        self._databases.append(self._server.new_database())
        store = PostgresStore.open(self._server.url(self._databases[-1]))
        self._stores.append(store)
        return store

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(work)

    def together(self, *works: Callable[[], Coroutine[Any, Any, T]]) -> list[T | BaseException]:
        async def all_at_once() -> list[T | BaseException]:
            return await asyncio.gather(*(work() for work in works), return_exceptions=True)

        return asyncio.run(all_at_once())


def test_while_a_survey_goes_on_others_read_and_write(postgres: PostgresServer) -> None:
    """It waits, in its thread, for a sale that is booked after it began; and does not see it."""
    booked = threading.Event()

    def survey(tx: ReadTransaction) -> tuple[int, bool, int]:
        before = len(tx.purchases.page_after("", limit=9))
        waited = booked.wait(timeout=20)
        return before, waited, len(tx.purchases.page_after("", limit=9))

    async def together() -> tuple[int, bool, int]:
        begun = asyncio.create_task(store.survey(survey))
        await asyncio.sleep(0)
        await store.transact(lambda tx: tx.purchases.book(samples.a_purchase("c1", user=None)))
        assert len(await store.read(lambda tx: tx.purchases.page_after("", limit=9))) == 1
        booked.set()
        return await begun

    database = postgres.new_database()
    store = PostgresStore.open(postgres.url(database))
    try:
        before, waited, after = asyncio.run(together())
        assert waited
        assert before == after, "one state from beginning to end"
    finally:
        store.close()
        postgres.drop(database)


_MANY_PURCHASES = """INSERT INTO purchases (checkout_id, pid, product_name, amount, currency, booked_at, contents,
  licences, mailbox, paid_email) SELECT lpad(n::text, 9, '0'), 'a', 'A', 900, 'usd', n, '', '', n || '@example.com',
  n || '@example.com' FROM generate_series(1, 50000) n"""
_MANY_EMAILS = """INSERT INTO outbox (key, kind, mailbox, template, language, parameters, queued_at, due_at, state,
  attempts, problem, delivery) SELECT 'access:' || n, 'access', n || '@example.com', 'access_link', 'en', '{}', n, n,
  'sent', 1, '', CASE WHEN n % 20 = 0 THEN 'bounced' ELSE 'delivered' END FROM generate_series(1, 50000) n"""


def test_addresses_are_looked_up_by_their_own_index(postgres: PostgresServer) -> None:
    """Whatever the planner expects: no statistics of addresses are kept."""
    database = postgres.new_database()
    url = postgres.url(database)
    PostgresStore.open(url).close()
    lookups = {
        "purchases_paid_email": (PAID_WITH, ("nobody@example.com", 21)),
        "outbox_mailbox": (RETURNED, ('["1@example.com", "20@example.com"]',)),
    }
    try:
        with psycopg.connect(url, autocommit=True) as db:
            db.execute("SET session_replication_role = replica")
            for rows in (_MANY_PURCHASES, _MANY_EMAILS):
                db.execute(rows)
            db.execute("VACUUM ANALYZE purchases, outbox")
            for index, (statement, values) in lookups.items():
                plan = db.execute(f"EXPLAIN {for_psycopg(statement)}", values).fetchall()
                steps = "\n".join(row[0] for row in plan)
                assert re.findall(r"(?:using|Bitmap Index Scan on) (\w+)", steps) == [index], steps
    finally:
        postgres.drop(database)


@settings(max_examples=60)
@given(HISTORIES)
@example(REFUNDED_BEFORE_BOOKED)
@pytest.mark.long
def test_postgres_and_memory_give_the_same_answers(emptied: PostgresStore, history: list[Op]) -> None:
    """Any history of works: each answer, and everything that stands in the store afterwards."""
    asyncio.run(emptied.transact(empty))
    with asyncio.Runner() as runner:
        gives_the_fakes_answers(emptied, history, run=runner.run)


def empty(tx: Transaction) -> None:
    """Cheaper than a database for each example."""
    for table in reversed(TABLES):
        tx.users._sql(f"DELETE FROM {table}")  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def emptied(postgres: PostgresServer) -> Iterator[PostgresStore]:
    store = PostgresStore.open(postgres.url(postgres.new_database()))
    yield store
    store.close()
