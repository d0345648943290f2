"""More sales at once than a shop begins a second: some bought through its pages, the rest begun beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import httpx

from domain.ports import Store
from domain.session import Visitor
from domain.transaction import Transaction
from domain.usecases.checkout_outcomes import RedirectToPayment
from domain.usecases.start_checkout import StartCheckout
from domain.values import ProductId
from entrypoints.container import Container
from entrypoints.environment import read_environment
from entrypoints.run.opening import close_shop, open_shop
from entrypoints.settings import settle
from testkit.servers import ShopServer
from testkit.storm import Sale, Storm

T = TypeVar("T")
_BROWSER: Final = "session"
"""The cookie of a browser, on http://localhost."""


class _NoLimits:
    """The shop begins 20 checkouts a second, and no more; here there is always a place."""

    def acquire(self, *_: object, **__: object) -> None:
        """There is a place."""

    def release(self, ref: str) -> None:
        """None was taken."""


class _Generous:
    """A transaction without limits."""

    limits = _NoLimits()

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)


class _GenerousStore:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        return await self._store.transact(lambda tx: work(cast("Transaction", _Generous(tx))))


class Beside:
    """Begins checkouts in this process, as `POST /buy` does it and with its very code, but for the limits."""

    def __init__(self, shop: ShopServer) -> None:
        self._container = Container(settings=settle(read_environment(shop.environment, dotenv=None)))

    async def __aenter__(self) -> Beside:
        container = self._container
        await open_shop(container)
        self._start = StartCheckout(
            store=cast("Store", _GenerousStore(container.store())),
            payments=container.payments(),
            catalogue=container.catalogue(),
            code_links=container.code_links(),
            keyring=container.keyring(),
            clock=container.clock(),
            randomness=container.randomness(),
            base_url=container.settings().base_url,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await close_shop(self._container)

    async def buy(self, sale: Sale) -> httpx.Cookies:
        """A checkout of a browser of its own; its cookies."""
        visitor = Visitor(token_hash=None, network="192.0.2.1", label="a storm", device=None)
        begun = await self._start(visitor, ProductId(sale.product), again=False)
        assert isinstance(begun, RedirectToPayment), begun
        sale.cs = begun.url.rpartition("/")[2]
        cookies = httpx.Cookies()
        cookies.set(_BROWSER, begun.new_token or "")
        return cookies


async def sell(
    storm: Storm, sales: list[Sale], beside: Beside, *, bought: float, rate: float, at_once: int
) -> None:
    """Every sale, its redirect racing its webhooks; of each hundred so many are bought through POST /buy.

    `rate`: so many of the others are begun a second, at most.
    """
    through_pages = int(len(sales) * bought)

    async def on_its_own(sale: Sale, room: asyncio.Semaphore) -> None:
        try:
            cookies = await beside.buy(sale)
            await storm.pay(sale)
            await storm.learn(sale, cookies)
        finally:
            room.release()

    async def others() -> None:
        room = asyncio.Semaphore(at_once)
        async with asyncio.TaskGroup() as group:
            for sale in sales[through_pages:]:
                await room.acquire()
                group.create_task(on_its_own(sale, room))
                await asyncio.sleep(1 / rate)

    async with asyncio.TaskGroup() as group:
        group.create_task(storm.all_sales(sales[:through_pages], storm.race))
        group.create_task(others())
