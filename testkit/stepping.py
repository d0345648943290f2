"""Run coroutines by hand: every await of a port is a step, in an order that a test chooses. No event loop."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from entrypoints.testing import run as run  # noqa: PLC0414 - for the benches, too

T = TypeVar("T")


class _Step:
    def __init__(self, place: str) -> None:
        self.place = place

    def __await__(self) -> Generator[str, None, None]:
        yield self.place


async def pause(place: str) -> None:
    """Give way at `place`: the fakes await this wherever a real adapter would give way."""
    await _Step(place)


async def gather(items: Any) -> list[Any]:
    """Everything an async iterator has."""
    return [item async for item in items]


@dataclass
class Actor:
    """Somebody with something to do; `retried` says whether they begin anew after a crash."""

    name: str
    begin: Callable[[], Coroutine[Any, Any, Any]]
    retried: bool
    coroutine: Coroutine[Any, Any, Any] | None = None

    def step(self) -> str | None:
        """One step; the place where it gave way, None at its end."""
        if self.coroutine is None:
            self.coroutine = self.begin()
        try:
            return str(self.coroutine.send(None))
        except StopIteration:
            return None

    def die(self) -> None:
        """As `kill -9` does: nothing after this await happens."""
        if self.coroutine is not None:
            self.coroutine.close()
            self.coroutine = None


@dataclass
class Stage:
    """Steps actors until all are done. `choose` picks one of the names; `crash` says whether the chosen dies here."""

    choose: Callable[[list[str]], int]
    crash: Callable[[], bool]
    trace: list[str] = field(default_factory=list)
    crashes_left: int = 3

    def play(self, actors: list[Actor]) -> None:
        """Until nobody has anything left to do. A crashed actor that is retried begins anew."""
        live = list(actors)
        try:
            while live:
                self._step(live)
        finally:
            for actor in live:
                actor.die()

    def _step(self, live: list[Actor]) -> None:
        actor = live[self.choose([a.name for a in live]) if len(live) > 1 else 0]
        place = actor.step()
        if place is None:
            self.trace.append(f"{actor.name} ends")
            live.remove(actor)
            return
        self.trace.append(f"{actor.name}: {place}")
        if self.crashes_left and self.crash():
            self.crashes_left -= 1
            self.trace.append(f"{actor.name} dies")
            actor.die()
            if not actor.retried:
                live.remove(actor)
