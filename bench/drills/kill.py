"""kill -9 of the server in the middle of a storm, again and again."""

from __future__ import annotations

import asyncio

from bench.drills.field import Field
from bench.drills.scale import Scale


async def kill_the_server(field: Field, scale: Scale) -> None:
    """What was acknowledged is in the store that the next process finds."""
    async with field.selling():
        await field.until_some_sold()
        for _ in range(scale.rounds):
            await asyncio.sleep(field.entropy.uniform(0.02, 0.7))
            acknowledged = await field.kill()
            await field.start_again(with_all_of=acknowledged)
            field.rounds += 1
    field.notes.append(f"{field.within_a_request} of {field.rounds} kills within a request")
    if field.within_a_request < field.rounds / 2:
        field.broken.append("most kills hit nobody: the drill proves too little")
