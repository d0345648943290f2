"""The server lives and cannot write for a while: a full disk, a write lock that another process holds."""

from __future__ import annotations

import asyncio
import sqlite3

from bench.drills.field import Field, Probe
from bench.drills.scale import Scale

_AFTERWARDS = 2.0
"""Selling goes on, once it can."""


async def fill_the_disk(field: Field, scale: Scale) -> None:
    """No file grows for a while: 503 with Retry-After for who must write, pages for who reads."""
    disk = field.disk
    assert disk is not None
    await field.owner()
    async with field.selling():
        for _ in range(scale.rounds):
            await asyncio.sleep(1)
            async with Probe(field) as probe:
                disk.behave(full=True)
                await asyncio.sleep(scale.seconds)
                disk.behave()
            await field.until_it_sells()
            probe.hold("while the disk was full")
            await asyncio.sleep(_AFTERWARDS)
            field.rounds += 1
    _must_have_been_met(field)


async def hold_the_write_lock(field: Field, scale: Scale) -> None:
    """Another process is within a transaction for a while."""
    await field.owner()
    async with field.selling():
        for _ in range(scale.rounds):
            await asyncio.sleep(1)
            async with Probe(field) as probe:
                other = sqlite3.connect(field.shop.data / "coatcheck.db", isolation_level=None, timeout=10)
                other.execute("BEGIN IMMEDIATE")
                await asyncio.sleep(scale.seconds)
                other.execute("ROLLBACK")
                other.close()
            await field.until_it_sells()
            probe.hold("while another process held the lock")
            await asyncio.sleep(_AFTERWARDS)
            field.rounds += 1
    _must_have_been_met(field)


def _must_have_been_met(field: Field) -> None:
    if not field.storm.answers[503]:
        field.broken.append("no request met the obstacle: the drill proves too little")
