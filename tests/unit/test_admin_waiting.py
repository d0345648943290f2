"""The number beside "To do": when a page waits for it, and when it shows the last one."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from domain.ports import StoreUnavailable
from domain.usecases.list_todo import TodoList
from entrypoints.admin.frame import AdminFrame
from entrypoints.admin.waiting import Waiting
from entrypoints.testing import Shop


class Counting:
    """Counts when it is let."""

    def __init__(self) -> None:
        self.begun, self.let, self.rows = 0, asyncio.Event(), 1
        self.let.set()

    async def __call__(self) -> TodoList:
        self.begun += 1
        await self.let.wait()
        if self.rows < 0:
            raise StoreUnavailable("busy")
        rows: Any = [None] * self.rows
        return TodoList(rows=rows)


def a_number() -> tuple[Waiting, Counting, Shop]:
    shop, counting = Shop(), Counting()
    listing: Any = counting
    return Waiting(list_todo=listing, clock=shop.clock), counting, shop


async def let_run() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def test_the_first_page_waits_for_the_number_and_the_next_ones_do_not_count() -> None:
    async def story() -> None:
        waiting, counting, shop = a_number()
        await waiting.refresh()
        assert waiting.number == 1
        shop.clock.tick(seconds=29)
        await waiting.refresh()
        assert counting.begun == 1

    asyncio.run(story())


def test_after_half_a_minute_a_page_shows_the_last_number_while_it_is_counted_once() -> None:
    async def story() -> None:
        waiting, counting, shop = a_number()
        await waiting.refresh()
        counting.let.clear()
        counting.rows = 2
        shop.clock.tick(seconds=30)
        for _ in range(3):
            await waiting.refresh()
            await let_run()
        assert (waiting.number, counting.begun) == (1, 2)
        counting.let.set()
        await let_run()
        assert waiting.number == 2

    asyncio.run(story())


def test_a_page_waits_for_the_number_after_five_minutes_and_after_a_form() -> None:
    async def story() -> None:
        waiting, counting, shop = a_number()
        await waiting.refresh()
        counting.rows = 2
        shop.clock.tick(minutes=5)
        await waiting.refresh()
        assert waiting.number == 2
        counting.rows = 3
        waiting.forget()
        await waiting.refresh()
        assert waiting.number == 3

    asyncio.run(story())


def test_a_busy_store_leaves_the_number_as_it_was() -> None:
    async def story() -> None:
        waiting, counting, shop = a_number()
        await waiting.refresh()
        counting.rows = -1
        for pause in (0.5, 5):
            shop.clock.tick(minutes=pause)
            await waiting.refresh()
            await let_run()
        assert (waiting.number, counting.begun) == (1, 3)

    asyncio.run(story())


def test_what_was_counted_before_a_form_is_not_shown_after_it() -> None:
    async def story() -> None:
        waiting, counting, shop = a_number()
        await waiting.refresh()
        counting.let.clear()
        shop.clock.tick(seconds=30)
        await waiting.refresh()
        await let_run()
        waiting.forget()
        counting.let.set()
        await let_run()
        counting.rows = 2
        await waiting.refresh()
        assert (waiting.number, counting.begun) == (2, 3)

    asyncio.run(story())


@pytest.mark.parametrize(("counts", "begun"), [(True, 0), (False, 1)])
def test_a_page_that_counts_what_waits_itself_has_it_counted_once(counts: bool, begun: int) -> None:
    async def story() -> None:
        waiting, counting, _shop = a_number()
        somebody = object()

        async def identify(*_: object, **__: object) -> object:
            return somebody

        frame: Any = SimpleNamespace(
            cookie=SimpleNamespace(visitor=lambda request: None), identify=identify, waiting=waiting
        )
        request: Any = SimpleNamespace(headers={})
        here: object = await AdminFrame.here(frame, request, counts=counts)
        assert here is somebody
        assert counting.begun == begun

    asyncio.run(story())
