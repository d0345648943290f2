"""The store on an SQLite file: the contract, the same answers as memory, and rare statements that scan no table."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from contracts.histories import HISTORIES, Op, gives_the_fakes_answers
from contracts.store import StoreContract
from hypothesis import given, settings
from sqlite_utils import Database

from adapters.sql import address_changes, checkouts, forgetting, open_payments, retention, shop
from adapters.sqlite.migrating import migrations
from adapters.sqlite.store import SqliteStore
from domain.ports import Store

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


@settings(max_examples=150)
@given(HISTORIES)
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
