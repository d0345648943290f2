"""On PostgreSQL: one of two nodes dies, and the primary dies, in the middle of a storm."""

from __future__ import annotations

import asyncio
from functools import partial

from bench.drills.audit import missing_in_postgres
from bench.drills.field import Field, kill_all_of_it
from bench.drills.scale import Scale


async def kill_a_node(field: Field, scale: Scale) -> None:
    """One `coatcheck serve` of two dies; the other sells on. What was acknowledged is in the store they share."""
    nodes = field.nodes
    assert nodes is not None
    url = field.shop.environment["DATABASE_URL"]
    async with field.selling():
        await field.until_some_sold()
        for number in range(scale.rounds):
            await asyncio.sleep(field.entropy.uniform(0.3, 1.0))
            node = nodes.nodes[number % len(nodes.nodes)]
            field.within_a_request += field.storm.under_way > 0
            await asyncio.to_thread(kill_all_of_it, node.process, node.port)
            acknowledged = field.acknowledged
            field.lost |= await asyncio.to_thread(missing_in_postgres, url, acknowledged)
            await field.until_it_sells()
            await field.take_time(partial(nodes.start_node, node), node.process)
            field.rounds += 1
    field.notes.append(f"{field.within_a_request} of {field.rounds} kills within a request")


async def kill_the_primary(field: Field, scale: Scale, *, cut_off_first: bool = True) -> None:
    """The PostgreSQL that takes the writes dies with its Patroni; a standby takes over, and has what was acknowledged.

    `cut_off_first`: in every other round its standbys hear nothing more for a second before. A synchronous one has
    acknowledged nothing that it does not have; an asynchronous one loses that second,
    and at least one sale.
    """
    cluster = field.cluster
    assert cluster is not None
    url = field.shop.environment["DATABASE_URL"]
    async with field.selling():
        await field.until_some_sold()
        for number in range(scale.rounds):
            await asyncio.sleep(field.entropy.uniform(1.0, 2.0))
            primary = await asyncio.to_thread(cluster.leader)
            assert primary is not None
            if cut_off_first and number % 2 == 0:
                await asyncio.to_thread(primary.cut_off)
                known = len(field.acknowledged)
                await asyncio.sleep(1)
                if not cluster.synchronous:  # on a busy machine a second may pass without a sale
                    await field.until_some_sold(number=known + 1)
            field.within_a_request += field.storm.under_way > 0
            field.storm.may_repeat.clear()
            await asyncio.to_thread(primary.kill)
            acknowledged = field.acknowledged
            await field.until_it_sells(within=60)
            await asyncio.to_thread(cluster.until, lambda: cluster.leader() is not None, "another node leads")
            field.lost |= await asyncio.to_thread(missing_in_postgres, url, acknowledged)
            field.storm.may_repeat.set()
            cluster.start_node(primary)
            await asyncio.to_thread(cluster.until_safe)
            field.rounds += 1
    field.notes.append(f"{field.within_a_request} of {field.rounds} kills within a request")
