"""The store on an SQLite file: the contract, the same answers as memory, and rare statements that scan no table."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from contracts import samples
from contracts.histories import HISTORIES, REFUNDED_BEFORE_BOOKED, Op, gives_the_fakes_answers
from contracts.store import StoreContract
from hypothesis import example, given, settings
from sqlite_utils import Database

from adapters.sql import address_changes, checkouts, forgetting, open_payments, retention, shop
from adapters.sql.transaction import SqlTransaction
from adapters.sqlite.migrating import migrations
from adapters.sqlite.store import SqliteStore
from domain.mail import MailKind
from domain.ports import Store
from domain.staff import Actor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.resend_outcomes import AccessQueued
from domain.usecases.resend_to_customer import ResendToCustomer
from domain.usecases.show_customer import Customer, ShowCustomer
from domain.values import CheckoutId, UserId
from entrypoints.testing import Shop

T = TypeVar("T")


class TestSqliteStore(StoreContract):
    @pytest.fixture(autouse=True)
    def opened(self, tmp_path: Path) -> Iterator[None]:
        self._folder, self._stores = tmp_path, []
        self.store = self.open_store()
        yield
        for store in self._stores:
            store.close()

    def open_store(self) -> Store:
        store = SqliteStore.open(self._folder / f"{len(self._stores)}.db", serving=True)
        self._stores.append(store)
        return store

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(work)

    def together(self, *works: Callable[[], Coroutine[Any, Any, T]]) -> list[T | BaseException]:
        async def all_at_once() -> list[T | BaseException]:
            return await asyncio.gather(*(work() for work in works), return_exceptions=True)

        return asyncio.run(all_at_once())


def test_while_a_survey_goes_on_others_read_and_write(tmp_path: Path) -> None:
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

    store = SqliteStore.open(tmp_path / "shop.db", serving=True)
    try:
        before, waited, after = asyncio.run(together())
        assert waited
        assert before == after, "one state from beginning to end"
    finally:
        store.close()


@settings(max_examples=150)
@given(HISTORIES)
@example(REFUNDED_BEFORE_BOOKED)
def test_sqlite_and_memory_give_the_same_answers(
    tmp_path_factory: pytest.TempPathFactory, history: list[Op]
) -> None:
    """Any history of works: each answer, and everything that stands in the store afterwards."""
    sqlite = SqliteStore.open(tmp_path_factory.mktemp("same") / "shop.db", serving=True)
    try:
        gives_the_fakes_answers(sqlite, history, run=asyncio.run)
    finally:
        sqlite.close()


def plan_of(statement: str, values: Any) -> list[str]:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrations.apply(Database(connection))
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


def scans_of(statement: str, values: Any) -> list[str]:
    """The steps of SQLite's plan that read a whole table, and what is no index of these rows alone."""
    steps = [step for step in plan_of(statement, values) if step.startswith("SCAN")]
    return [step for step in steps if not step.endswith("_of_test_mode")]


class Recorded:
    """A store of one connection that records every statement."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        migrations.apply(Database(self._connection))
        self.statements: dict[str, Any] = {}

    def execute(self, statement: str, values: Any = ()) -> sqlite3.Cursor:
        self.statements[statement] = values
        return self._connection.execute(statement, values)

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        return work(cast("Transaction", SqlTransaction(self.execute)))

    async def read(self, work: Callable[[ReadTransaction], T]) -> T:
        return work(cast("ReadTransaction", SqlTransaction(self.execute)))


@pytest.mark.parametrize("wanted", [str(samples.ANNA), "c1aa", "c1aabbcc"])
def test_a_customer_is_found_and_emailed_without_a_scan(wanted: str) -> None:
    """By address, by the beginning of an order number, and by a whole id."""
    store, memory = Recorded(), Shop()
    order, link = CheckoutId("c1aabbcc"), samples.a_link("l1")

    def fill(tx: Transaction) -> None:
        tx.users.get_or_add(samples.ANNA, new_id=UserId("u1"), now=samples.NOW)
        for row in (order, "c2"):
            tx.purchases.book(samples.a_purchase(row))
        tx.sessions.add(samples.a_session("s1", mailbox=samples.ANNA))
        tx.links.add(link)
        tx.outbox.queue(samples.a_mail("login:l1", link="l1", kind=MailKind.LOGIN))
        tx.address_changes.begin(samples.a_move())

    asyncio.run(store.transact(fill))
    store.statements.clear()
    assert isinstance(asyncio.run(ShowCustomer(store=store, clock=memory.clock)(wanted)), Customer)
    resend = ResendToCustomer(
        store=store, catalogue=memory.catalogue, keyring=memory.keyring, clock=memory.clock, randomness=memory.randomness
    )  # fmt: skip
    assert isinstance(asyncio.run(resend(wanted, actor=Actor.on_host("ada"), form="f1")), AccessQueued)
    assert len(store.statements) > 10
    for statement, values in store.statements.items():
        steps = [step for step in scans_of(statement, values) if "json_each" not in step]
        assert not steps, (statement, steps)


def test_an_erasure_scans_no_table() -> None:
    values = {"address": "a", "move": "m", "until": 1}
    for statement in (
        *forgetting.FORGET, *forgetting.FORGET_MOVE, *forgetting.FORGET_FORMER_SALES, *forgetting.FORGET_FORMER_PERSON,
        forgetting.FORMER, address_changes.MOVED_FROM, checkouts.OF_ADDRESS,
    ):  # fmt: skip
        assert not scans_of(statement, values), statement


def test_a_start_with_a_live_key_scans_no_table() -> None:
    for statement in (shop.TEST_PURCHASES, retention.DROP_TEST_CHECKOUTS):
        assert not scans_of(statement, (9,)), statement


def test_pruning_scans_no_table() -> None:
    values = dict.fromkeys(retention.AGES, 1)
    for statement in retention.PRUNE:
        if "FROM problems" in statement:
            continue  # at most one row for each thing that Stripe can refuse
        assert not scans_of(statement, values), statement


def test_what_is_under_way_for_an_address_is_found_without_a_walk_through_the_checkouts() -> None:
    values = {"address": "a", "since": 1, "change": "m"}
    for statement in (checkouts.PENDING, checkouts.FOLLOW):
        steps = plan_of(statement, values)
        assert not [step for step in steps if step.startswith("SCAN") or "checkouts_started" in step], (
            statement
        )


def test_duplicate_payment_pages_are_found_without_a_scan() -> None:
    values = {"now": 1, "since": 0, "paid": "c1", "limit": 9}
    for statement in (open_payments.DUPLICATES_OF_ALL, open_payments.DUPLICATES_OF_ONE):
        assert not scans_of(statement, values), statement
