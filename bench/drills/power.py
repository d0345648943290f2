"""The power is cut in the middle of a storm: what was not fsynced is gone, or torn."""

from __future__ import annotations

import asyncio
from typing import Final

from bench.drills.field import Field
from bench.drills.scale import Scale

_SYNC_MS = 5
"""As long as a fsync takes on a common disk: cuts fall into it."""


_MOST_ROUNDS: Final = 60
"""A short form goes on until a cut falls into an fsync, which one in seven does; at most for so many rounds."""


async def cut_the_power(field: Field, scale: Scale, *, lies: bool = False) -> None:
    """What was acknowledged is on the disk. In turn nothing else is, or some of it, in torn sectors.

    `lies`: the disk answers an fsync and does nothing. Every such drill has to lose sales.
    """
    assert field.disk is not None
    field.disk.behave(sync_ms=_SYNC_MS, lies=lies)
    dropped = within_a_sync = 0
    async with field.selling():
        await field.until_some_sold()
        while field.rounds < scale.rounds or not (within_a_sync or lies or field.rounds >= _MOST_ROUNDS):
            await asyncio.sleep(field.entropy.uniform(0.05, 0.7))
            acknowledged = await field.kill()
            cut = field.disk.cut(entropy=field.entropy if field.rounds % 2 else None)
            dropped, within_a_sync = dropped + cut.dropped, within_a_sync + cut.within_a_sync
            await field.start_again(with_all_of=acknowledged)
            field.rounds += 1
    field.notes.append(f"{within_a_sync} cuts within an fsync, {dropped} changes lost or torn")
    if not within_a_sync:
        field.broken.append("no cut fell into an fsync: the drill proves too little")


async def fail_to_sync(field: Field, scale: Scale) -> None:
    """fsync answers EIO for a while; later the power is cut. In every other round kill -9 comes between the two.

    What a failed fsync covered is never on the disk, though every process goes on reading it from the page cache.
    """
    disk = field.disk
    assert disk is not None
    disk.behave(sync_ms=_SYNC_MS)
    async with field.selling():
        await field.until_some_sold()
        for number in range(scale.rounds):
            await asyncio.sleep(field.entropy.uniform(0.2, 0.5))
            disk.fail_every_sync()
            await asyncio.sleep(field.entropy.uniform(0.1, 0.6))
            if number % 2:
                acknowledged = await field.kill()
                disk.process_died()
                disk.behave(sync_ms=_SYNC_MS)
                await field.start_again(with_all_of=acknowledged)
            else:
                disk.behave(sync_ms=_SYNC_MS)
                await field.until_it_sells()
            await asyncio.sleep(field.entropy.uniform(0.3, 0.8))
            acknowledged = await field.kill()
            disk.cut(entropy=field.entropy if number % 4 > 1 else None)
            await field.start_again(with_all_of=acknowledged)
            field.rounds += 1
    if not field.storm.answers[503]:
        field.broken.append("no request met the failing disk: the drill proves too little")
