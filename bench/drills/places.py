"""Where a drill takes place: on SQLite, on a disk that breaks, on two nodes, on a cluster whose primary may die."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from bench.drills.disk import Disk
from bench.drills.field import Field
from testkit.nodes import a_cluster as some_nodes
from testkit.patroni import a_cluster
from testkit.postgres import a_postgres
from testkit.servers import ShopServer

Place = Callable[[Path, int], contextlib.AbstractContextManager[Field]]
"""Builds a field in a folder, from the seed of all chance; up and running, and gone afterwards."""


@contextlib.contextmanager
def on_sqlite(folder: Path, seed: int) -> Iterator[Field]:
    """One process and its file."""
    with _a_shop(folder) as shop:
        shop.start()
        yield Field(shop, random.Random(seed))


@contextlib.contextmanager
def on_a_disk_that_breaks(folder: Path, seed: int) -> Iterator[Field]:
    """The same, its folder on the disk whose power can be cut."""
    with _a_shop(folder) as shop:
        disk = Disk(shop.data, folder / "aside")
        shop.environment.update(disk.environment)
        shop.start()
        yield Field(shop, random.Random(seed), disk=disk)


@contextlib.contextmanager
def on_two_nodes(folder: Path, seed: int) -> Iterator[Field]:
    """Two processes behind HAProxy, as docs/proxies has it, on a PostgreSQL of their own."""
    folder.mkdir(parents=True)
    with a_postgres() as server, some_nodes(folder, server.url(server.new_database())) as nodes:
        yield Field(nodes.shop, random.Random(seed), nodes=nodes)


@contextlib.contextmanager
def on_a_cluster(folder: Path, seed: int, *, synchronous: bool = True) -> Iterator[Field]:
    """One process, on three PostgreSQL of which one leads and one follows synchronously."""
    with a_cluster(synchronous=synchronous) as cluster:
        cluster.create_database("coatcheck")
        with _a_shop(folder, DATABASE_URL=cluster.url("coatcheck")) as shop:
            shop.start()
            yield Field(shop, random.Random(seed), cluster=cluster)


@contextlib.contextmanager
def _a_shop(folder: Path, **more: str) -> Iterator[ShopServer]:
    """Its stand-in is up; the shop itself is not."""
    folder.mkdir(parents=True)
    shop = ShopServer(folder, more=more)
    shop.sandbox.start()
    try:
        yield shop
    finally:
        for client in shop.clients:
            client.close()
        shop.process.stop()
        shop.sandbox.stop()


@contextlib.asynccontextmanager
async def built(place: contextlib.AbstractContextManager[Field]) -> AsyncIterator[Field]:
    """Built and taken down in a thread: other fields still wait for their mail meanwhile."""
    field = await asyncio.to_thread(place.__enter__)
    try:
        yield field
    finally:
        await field.storm.close()
        await asyncio.to_thread(place.__exit__, None, None, None)
