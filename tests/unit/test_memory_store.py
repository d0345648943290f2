"""The store in memory keeps the contract; five that lie are caught by it, each by a test of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from random import Random
from typing import Any, TypeVar

import pytest
from contracts import samples
from contracts.store import StoreContract

from adapters.memory.magic_links import MagicLinks
from adapters.memory.purchases import Purchases
from adapters.memory.store import MemoryStore
from adapters.memory.tables import Tables
from adapters.memory.transaction import MemoryTransaction
from domain.ports import Store
from domain.purchase import Purchase
from domain.transaction import ReadTransaction, Transaction
from domain.values import CheckoutId, Digest, EmailAddress, LinkId
from testkit.stepping import Actor, Stage, pause, run

T = TypeVar("T")


class InMemory(StoreContract):
    """How to open and run a store whose every await is a step of ours."""

    def open_store(self) -> Store:
        return MemoryStore(pause=pause)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return run(work)

    def together(self, *works: Callable[[], Coroutine[Any, Any, T]]) -> list[T | BaseException]:
        answers: list[Any] = [None] * len(works)

        def begin(at: int) -> Callable[[], Coroutine[Any, Any, None]]:
            async def keep() -> None:
                try:
                    answers[at] = await works[at]()
                except LookupError as error:
                    answers[at] = error

            return keep

        entropy = Random(len(works))
        actors = [Actor(str(at), begin(at), retried=False) for at in range(len(works))]
        Stage(choose=lambda names: entropy.randrange(len(names)), crash=lambda: False).play(actors)
        return answers


class TestMemoryStore(InMemory):
    pass


def broken_promises(store: type[MemoryStore]) -> set[str]:
    """Which tests of the contract a store fails."""

    class Wrong(InMemory):
        def open_store(self) -> Store:
            return store(pause=pause)

    failed = set()
    for name in (n for n in dir(Wrong) if n.startswith("test_")):
        contract = Wrong()
        contract.store = contract.open_store()
        try:
            getattr(contract, name)()
        except (AssertionError, pytest.fail.Exception, LookupError, AttributeError, TypeError):
            failed.add(name)
    promises = sum(name.startswith("test_") for name in dir(Wrong))
    assert len(failed) < promises / 2, "it is wrong in one thing, and keeps most promises"
    return failed


def test_a_read_that_writes_is_refused() -> None:
    store = MemoryStore()
    for write in (
        lambda tx: tx.shop.open("s"),
        lambda tx: tx.erasures.erase(EmailAddress.parse("anna@example.com"), at=samples.NOW),
        lambda tx: tx.outbox.queue(samples.a_mail()),
    ):
        before = store.tables.copy()
        with pytest.raises((TypeError, AttributeError)):
            asyncio.run(store.read(write))
        assert store.tables == before


def test_the_honest_store_breaks_none() -> None:
    assert broken_promises(MemoryStore) == set()


class NoRollback(MemoryStore):
    async def transact(self, work: Callable[[Transaction], T]) -> T:
        await self._pause("begin")
        return work(MemoryTransaction(self.tables))


def test_a_store_that_does_not_roll_back_is_caught() -> None:
    assert "test_a_work_that_raises_leaves_nothing_and_its_exception_comes_back" in broken_promises(
        NoRollback
    )


class BookedTwice(Purchases):
    def book(self, purchase: Purchase) -> bool:
        key = CheckoutId(f"{purchase.checkout}{len(self._t.purchases) or ''}")
        self._t.purchases[key] = purchase
        return True


class NoUniqueness(MemoryStore):
    async def transact(self, work: Callable[[Transaction], T]) -> T:
        await self._pause("begin")
        tx = MemoryTransaction(self.tables)
        tx.purchases = BookedTwice(self.tables)
        return work(tx)


def test_a_store_without_uniqueness_is_caught() -> None:
    assert "test_of_many_at_once_exactly_one_is_first" in broken_promises(NoUniqueness)


class LostWrite(MemoryStore):
    """Two that begin together read the same state, and the later commit overwrites the earlier."""

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        mine = self.tables.copy()
        await self._pause("begin")
        result = work(MemoryTransaction(mine))
        await self._pause("committing")
        self.tables = mine
        return result


def test_a_store_that_loses_writes_is_caught() -> None:
    assert "test_every_commit_is_kept" in broken_promises(LostWrite)


class UsedTwice(MagicLinks):
    def consume(self, link: LinkId, *, at: datetime, used_with: Digest | None = None) -> bool:
        super().consume(link, at=at, used_with=used_with)
        return True


class DoubleYes(MemoryStore):
    async def transact(self, work: Callable[[Transaction], T]) -> T:
        await self._pause("begin")
        tx = MemoryTransaction(self.tables)
        tx.links = UsedTwice(self.tables)
        return work(tx)


def test_a_store_that_says_yes_twice_is_caught() -> None:
    assert "test_of_many_at_once_exactly_one_is_first" in broken_promises(DoubleYes)


class DirtyRead(MemoryStore):
    """Writes in place, and takes a failed work back a moment later."""

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        before: Tables = self.tables.copy()
        await self._pause("begin")
        try:
            return work(MemoryTransaction(self.tables))
        except LookupError:
            await self._pause("taking back")
            self.tables = before
            raise

    async def read(self, work: Callable[[ReadTransaction], T]) -> T:
        await self._pause("read")
        return await super().read(work)


def test_a_store_that_shows_what_is_not_committed_is_caught() -> None:
    assert "test_nobody_reads_what_is_not_committed" in broken_promises(DirtyRead)
