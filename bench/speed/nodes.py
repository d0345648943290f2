"""What one, two and three nodes manage behind HAProxy, on one PostgreSQL: the storefront, and webhooks to a claim."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.speed.engines import Postgres
from bench.speed.figures import Figure, Goal
from bench.speed.load import fire, rate_of
from bench.speed.sales import Till, deliveries
from testkit.nodes import a_cluster
from testkit.postgres import PostgresServer, a_postgres, binaries

if TYPE_CHECKING:
    from bench.speed.stage import Stage

ENOUGH_CORES: Final = 6
"""From so many on, two nodes should manage `GOAL` times what one does; fewer are taken up by load and database."""
GOAL: Final = 1.6
_WARM_UP: Final = 200


@dataclass(frozen=True, slots=True)
class Throughput:
    """Requests a second."""

    nodes: int
    storefront: float
    claims: float


def throughput(
    folder: Path,
    server: PostgresServer,
    *,
    nodes: Sequence[int] = (1, 2, 3),
    claims: int = 3000,
    seconds: int = 5,
) -> list[Throughput]:
    """Each number of nodes in turn, on a database of its own."""
    found = []
    for number in nodes:
        place = folder / f"throughput-{number}"
        place.mkdir()
        engine = Postgres(server)
        with a_cluster(place, engine.url, number=number) as cluster:
            till = Till(cluster.shop, engine)
            shots = deliveries(till.draw(claims + _WARM_UP))
            rate_of(f"{cluster.shop.url}/", seconds=1)
            fire(cluster.shop.url, shots[:_WARM_UP], folder=place)
            found.append(
                Throughput(
                    nodes=number,
                    storefront=rate_of(f"{cluster.shop.url}/", seconds=seconds),
                    claims=fire(cluster.shop.url, shots[_WARM_UP:], folder=place),
                )
            )
            booked = len(cluster.shop.export()["purchase"])
            assert booked == 1 + _WARM_UP + claims, (
                f"{booked} purchases of {_WARM_UP + claims} claims and the till's own"
            )
    return found


def nodes(stage: Stage) -> Iterator[Figure]:
    """Two and three against one; judged where there are cores enough for two nodes and all else."""
    if "postgres" not in stage.wish.engines or binaries() is None:
        yield Figure("nodes", "one, two and three nodes", "/s", engine="postgres", note="no PostgreSQL here")
        return
    with a_postgres() as server:
        found = throughput(stage.folder, server, claims=stage.wish.sales, seconds=stage.wish.seconds)
    enough = (os.cpu_count() or 1) >= ENOUGH_CORES
    for what, of in (("storefront", "storefront"), ("webhook to durable claim", "claims")):
        for one in found:
            judged = enough and one.nodes == 2
            yield Figure(
                f"nodes-{one.nodes}-{of}", f"{what}, {one.nodes} behind HAProxy", "/s", [getattr(one, of)],
                [getattr(found[0], of)] if one.nodes > 1 else (), against="one node" if one.nodes > 1 else "",
                goal=GOAL if judged else None, judged=Goal.TIMES if judged else Goal.NONE, engine="postgres",
                note=f"{os.cpu_count()} cores",
            )  # fmt: skip


def told(found: Sequence[Throughput]) -> str:
    """A table, with the cores there were, and what that number of them lets one expect."""
    first, cores = found[0], os.cpu_count() or 1
    lines = ["| nodes | storefront/s | × | claims/s | × |", "|---|---|---|---|---|"]
    lines += [
        f"| {one.nodes} | {one.storefront:,.0f} | {one.storefront / first.storefront:.2f} "
        f"| {one.claims:,.0f} | {one.claims / first.claims:.2f} |"
        for one in found
    ]
    expected = (
        f"two should manage {GOAL} × one"
        if cores >= ENOUGH_CORES
        else f"under {ENOUGH_CORES}, the load, the proxy and the database share them with the nodes"
    )
    return "\n".join([*lines, "", f"{cores} cores: {expected}."])
