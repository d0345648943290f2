"""Where a drill takes place: a shop, a storm of sales that does not end by itself, and what is measured meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from bench.drills.audit import Audit, audit, missing_in_sqlite, until_no_mail_waits
from bench.drills.disk import Disk
from testkit.nodes import Cluster
from testkit.patroni import PatroniCluster
from testkit.servers import BOOK, Process, Shopper, ShopServer
from testkit.storm import PER_SECOND, Sale, Storm

MAILBOXES: Final = 200
_AT_ONCE: Final = 24
_ONE_IN: Final = 12
"""So many sales, and one of them is refunded at once; half of the refunds are partial."""
_STORM_ENDS_WITHIN: Final = 120.0
_PAGES_WITHIN: Final = 0.2


@dataclass
class Field:
    """One shop under a storm."""

    shop: ShopServer
    entropy: random.Random
    disk: Disk | None = None
    nodes: Cluster | None = None
    cluster: PatroniCluster | None = None
    sales: list[Sale] = field(default_factory=list)
    ready_again: list[float] = field(default_factory=list)
    """Seconds from the start of a new process to the first 200 of /readyz; from the end of a fault to the next sale."""
    ready_alone: list[float] = field(default_factory=list)
    """The same, less what the process waited for a core: this is held to a limit, whatever else the machine does."""
    lost: set[str] = field(default_factory=set)
    """Acknowledged, and not in the store right after a round: before Stripe's retries could heal it."""
    broken: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rounds: int = 0
    within_a_request: int = 0
    """Kills that hit somebody who waited for an answer."""

    def __post_init__(self) -> None:
        self.storm = Storm(self.shop, self.entropy, patient=True)
        self._owner = ""
        self._over = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()

    @property
    def acknowledged(self) -> set[str]:
        return {sale.cs for sale in self.sales if sale.acknowledged}

    # ------------------------------------------------------------------ the storm

    async def keep_selling(self, *, at_once: int = _AT_ONCE) -> None:
        """Begin sale after sale until the storm is told to end; then see every one of them through."""
        room = asyncio.Semaphore(at_once)
        for _ in range(2):
            self._running.add(asyncio.create_task(self.storm.tell_again(self.sales, until=self._over)))
        while not self._over.is_set():
            await room.acquire()
            task = asyncio.create_task(self._sell(self.a_sale()))
            self._running.add(task)
            task.add_done_callback(lambda _: room.release())
            await asyncio.sleep(1 / PER_SECOND)
        await asyncio.gather(*self._running)

    def a_sale(self) -> Sale:
        sale = self.storm.a_sale(len(self.sales), mailboxes=MAILBOXES)
        self.sales.append(sale)
        return sale

    async def _sell(self, sale: Sale) -> None:
        await self.storm.race(sale)
        if sale.number % _ONE_IN == 0:
            await self.storm.refund(sale, amount=100 if self.entropy.random() < 0.5 else None)

    @contextlib.asynccontextmanager
    async def selling(self, *, at_once: int = _AT_ONCE) -> AsyncIterator[None]:
        """The storm, for as long as the block takes; at its end every sale is seen through."""
        storm = asyncio.create_task(self.keep_selling(at_once=at_once))
        try:
            yield
            self._over.set()
            await asyncio.wait_for(storm, _STORM_ENDS_WITHIN)
        finally:
            for task in (storm, *self._running):
                task.cancel()
            await asyncio.gather(storm, *self._running, return_exceptions=True)

    # ------------------------------------------------------------------ what happens to the server

    async def kill(self) -> set[str]:
        """kill -9; everything that was acknowledged by then."""
        self.within_a_request += self.storm.under_way > 0
        await asyncio.to_thread(kill_all_of_it, self.shop.process, self.shop.port)
        return self.acknowledged

    async def start_again(self, *, with_all_of: set[str]) -> None:
        """A new process, and how long it took until it could serve; the store it found hold these sales.

        A copy of what it found is looked at: the storm's retries would soon heal a loss.
        """
        self.lost |= await asyncio.to_thread(self._not_in_a_copy, with_all_of)
        await self.take_time(self.shop.start, self.shop.process)

    async def take_time(self, start: Callable[[], None], process: Process) -> None:
        """Start it; how long that took, and how much of it was waiting for a core that others were using."""
        began = time.monotonic()
        await asyncio.to_thread(start)
        took = time.monotonic() - began
        self.ready_again.append(took)
        assert process.child is not None
        self.ready_alone.append(took - _waited_for_a_core(process.child.pid))

    def _not_in_a_copy(self, acknowledged: set[str]) -> set[str]:
        copy = self.shop.folder / "found"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for path in self.shop.data.glob("coatcheck.db*"):
            if not path.name.endswith("-shm"):
                shutil.copyfile(path, copy / path.name)
        return missing_in_sqlite(copy / "coatcheck.db", acknowledged)

    async def until_some_sold(self, *, number: int = 5, within: float = 60.0) -> None:
        """Something to lose. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while len(self.acknowledged) < number:  # noqa: ASYNC110 - sales are counted, they signal nothing
                await asyncio.sleep(0.02)

    async def until_it_sells(self, *, within: float = 30.0) -> None:
        """After a fault: how long it took until a sale was acknowledged and /readyz answered 200."""
        began, before = time.monotonic(), len(self.acknowledged)
        while time.monotonic() - began < within:
            if len(self.acknowledged) > before and (await self.storm.http.get("/readyz")).status_code == 200:
                self.ready_again.append(time.monotonic() - began)
                self.ready_alone.append(self.ready_again[-1])
                return
            await asyncio.sleep(0.02)
        self.broken.append(f"nothing sold within {within:.0f} s of the end of the fault")

    async def owner(self) -> str:
        """The cookie of somebody who bought a product and proved their mailbox; the same one every time."""
        if not self._owner:
            self._owner = await asyncio.to_thread(_an_owner, self.shop)
        return self._owner

    async def settle(self, *, within: float) -> Audit:
        """Wait until no mail is on its way, then audit."""
        await until_no_mail_waits(self.shop, within=within)
        return await asyncio.to_thread(audit, self.shop, acknowledged=self.acknowledged)


@dataclass
class Probe:
    """An owner who looks at pages that need neither Stripe nor mail, all the while; how long each took."""

    field: Field
    pause: float = 0.02
    seconds: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    """The same, less what the shop and we waited for a core that others were using: this is held to a limit."""
    refused: list[str] = field(default_factory=list)
    """Pages that did not come."""

    async def __aenter__(self) -> Probe:
        headers = {"cookie": await self.field.owner(), "x-forwarded-for": "192.0.2.1"}
        self._http = httpx.AsyncClient(
            base_url=self.field.shop.url, headers=headers, timeout=20, verify=False
        )
        self._looking = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._looking.cancel()
        await asyncio.gather(self._looking, return_exceptions=True)
        await self._http.aclose()

    async def _look(self) -> None:
        child = self.field.shop.process.child
        assert child is not None
        while True:
            for path in ("/", f"/products/{BOOK}", "/library", "/healthz"):
                waited = -_waited_for_a_core(child.pid) - _waited_for_a_core(os.getpid())
                began = time.monotonic()
                status = (await self._http.get(path)).status_code
                took = time.monotonic() - began
                waited += _waited_for_a_core(child.pid) + _waited_for_a_core(os.getpid())
                self.seconds.append(took)
                self.alone.append(took - waited)
                if status != 200:
                    self.refused.append(f"{path} {status}")
                await asyncio.sleep(self.pause)

    def hold(self, what: str) -> None:
        """Every page came, and 99 of 100 within 200 ms."""
        took, alone = _p99(self.seconds), _p99(self.alone)
        self.field.notes.append(f"{len(self.seconds)} pages {what}: p99 {took * 1000:.0f} ms")
        if alone >= _PAGES_WITHIN:
            self.field.missed.append(f"pages {what}: p99 {alone * 1000:.0f} ms")
        if self.refused:
            self.field.broken.append(f"{len(self.refused)} pages {what} did not come: {self.refused[0]}")


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)] if seconds else math.inf


def _an_owner(shop: ShopServer) -> str:
    owner, email = Shopper(shop), f"owner{os.urandom(4).hex()}@example.com"
    owner.buy_and_pay(email)
    assert owner.post(owner.link_from(email)).status_code == 303
    assert owner.get("/library").status_code == 200
    return "; ".join(f"{name}={value}" for name, value in owner.http.cookies.items())


def _waited_for_a_core(pid: int) -> float:
    """Seconds in which the process could have run. https://docs.kernel.org/scheduler/sched-stats.html"""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except FileNotFoundError:  # a kernel that does not count it
        return 0.0


def kill_all_of_it(process: Process, port: int) -> None:
    """kill -9, and then make sure: the port is closed, and no child of it lives."""
    assert process.child is not None
    group = process.child.pid
    process.kill()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "somebody still listens"
    alive = subprocess.run(
        ["ps", "-o", "pid=", "-g", str(group)], capture_output=True, text=True, check=False
    )
    living = [pid for pid in alive.stdout.split() if pid != str(os.getpid())]
    assert not living, f"children live on: {living}"
