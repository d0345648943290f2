"""The drills there are, and how one is run: strike, let the mails arrive, audit."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.drills.audit import Audit
from bench.drills.away import take_the_providers_away
from bench.drills.cluster import kill_a_node, kill_the_primary
from bench.drills.field import Field
from bench.drills.kill import kill_the_server
from bench.drills.obstacles import fill_the_disk, hold_the_write_lock
from bench.drills.places import Place, built, on_a_cluster, on_a_disk_that_breaks, on_sqlite, on_two_nodes
from bench.drills.power import cut_the_power, fail_to_sync
from bench.drills.report import Outcome
from bench.drills.scale import Scale
from testkit.bring import PROGRAMS

_NO_ERROR: Final = frozenset[int]()
_COME_BACK: Final = frozenset({503})
_THE_PROXYS: Final = frozenset({502, 503})
"""It says 502 of a request that was under way when its node died: nobody knows what became of it."""


@dataclass(frozen=True, slots=True)
class Drill:
    """One way in which the world breaks."""

    name: str
    strike: Callable[[Field, Scale], Awaitable[None]]
    short: Scale
    long: Scale
    may_answer: frozenset[int] = _COME_BACK
    """Statuses of 500 and more that are an honest answer here; a 503 says when to come back."""
    ready_within: float = 3.0
    """Seconds, not counting those in which others had the cores."""
    place: Place = on_sqlite
    needs: tuple[str, ...] = ()
    """Programs that must be installed."""

    @property
    def missing(self) -> list[str]:
        return [name for name in self.needs if shutil.which(name, path=PROGRAMS) is None]


AWAY: Final = Drill(
    "providers away", take_the_providers_away, Scale(seconds=60), Scale(seconds=600, settles_within=4500)
)
DRILLS: Final = (
    Drill("kill -9", kill_the_server, Scale(rounds=8), Scale(rounds=200), may_answer=_NO_ERROR),
    Drill(
        "power cut",
        cut_the_power,
        Scale(rounds=4),
        Scale(rounds=200),
        may_answer=_NO_ERROR,
        place=on_a_disk_that_breaks,
        needs=("gcc",),
    ),
    Drill(
        "failing fsync",
        fail_to_sync,
        Scale(rounds=2),
        Scale(rounds=100),
        place=on_a_disk_that_breaks,
        needs=("gcc",),
    ),
    Drill(
        "full disk",
        fill_the_disk,
        Scale(seconds=2),
        Scale(rounds=20, seconds=10),
        place=on_a_disk_that_breaks,
        needs=("gcc",),
    ),
    Drill("write lock", hold_the_write_lock, Scale(seconds=10), Scale(rounds=10, seconds=10)),
    AWAY,
    Drill(
        "node kill",
        kill_a_node,
        Scale(rounds=3),
        Scale(rounds=100),
        may_answer=_THE_PROXYS,
        place=on_two_nodes,
        needs=("haproxy",),
    ),
    Drill(
        "primary kill",
        kill_the_primary,
        Scale(rounds=1),
        Scale(rounds=20),
        ready_within=30.0,
        place=on_a_cluster,
        needs=("patroni", "etcd"),
    ),
)


async def run(
    drills: Sequence[tuple[Drill, Scale]],
    folder: Path,
    *,
    seed: int,
    say: Callable[[str], None] = lambda _: None,
) -> list[Outcome]:
    """Strike with one after the other. The mails of one arrive while the next is under way."""
    settling = []
    for drill, scale in drills:
        say(f"{drill.name} …")
        async with AsyncExitStack() as stack:
            began = time.monotonic()
            name = drill.name.replace(" ", "-")
            field = await stack.enter_async_context(built(drill.place(folder / name, seed)))
            try:
                await drill.strike(field, scale)
            except Exception as error:
                field.broken.append(f"{type(error).__name__}: {error}")
            settling.append(asyncio.create_task(_settle(stack.pop_all(), field, drill, scale, began)))
    return [await task for task in settling]


async def _settle(stack: AsyncExitStack, field: Field, drill: Drill, scale: Scale, began: float) -> Outcome:
    async with stack:
        try:
            audit = await field.settle(within=scale.settles_within)
        except Exception as error:  # what went wrong before is often why
            for found in field.broken:
                error.add_note(found)
            raise
        return _outcome(drill, field, audit, time.monotonic() - began)


def _outcome(drill: Drill, field: Field, audit: Audit, seconds: float) -> Outcome:
    answers = {status: number for status, number in field.storm.answers.items() if status >= 500}
    broken = [*field.broken, *audit.broken]
    if field.lost:
        broken.insert(
            0, f"{len(field.lost)} sales were acknowledged, and gone: {', '.join(sorted(field.lost)[:3])}"
        )
    if wrong := answers.keys() - drill.may_answer:
        broken.append(f"answers of {', '.join(map(str, sorted(wrong)))}")
    if field.storm.without_retry_after:
        broken.append(f"{field.storm.without_retry_after} answers of 503 did not say when to come back")
    if slow := [one for one in field.ready_alone if one > drill.ready_within]:
        field.missed.append(
            f"{len(slow)} times not ready again within {drill.ready_within:.0f} s: {max(slow):.2f} s"
        )
    notes = list(field.notes)
    if field.ready_alone:
        notes.append(f"with a core to itself ready again within {max(field.ready_alone):.2f} s")
    return Outcome(
        drill=drill.name,
        rounds=field.rounds,
        sales=audit.sales,
        acknowledged=audit.acknowledged,
        lost=len(field.lost) + audit.lost,
        doubled=audit.doubled,
        users=audit.users,
        access_emails=audit.access_emails,
        answers=answers,
        ready_again=tuple(round(one, 3) for one in field.ready_again),
        seconds=round(seconds, 1),
        notes=tuple(notes),
        broken=tuple(broken),
        missed=tuple(field.missed),
    )
