"""A shop whose back office is measured: its owner opens pages, by themselves and while guests are served."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.lists.guests import guests
from bench.lists.past import Past
from bench.lists.watching import Times, family
from bench.speed.engines import Engine
from bench.speed.starting import work_of
from testkit.office import Member
from testkit.servers import ShopServer


@dataclass
class Office:
    """A shop that is served, and its owner's browser."""

    past: Past
    engine: Engine
    shop: ShopServer
    owner: Member
    rate: int
    missed: list[str] = field(default_factory=list)

    @property
    def pid(self) -> int:
        """Of the shop."""
        child = self.shop.process.child
        assert child is not None
        return child.pid

    def get(self, path: str) -> float:
        """How long a page takes; raises if it is none."""
        begun = time.perf_counter()
        answer = self.owner.get(path)
        took = time.perf_counter() - begun
        assert answer.status_code in (200, 303), (path, answer.status_code, answer.text[:500])
        assert "/admin/sign-in" not in answer.headers.get("location", ""), path
        return took

    def wait_until_idle(self) -> None:
        """Until the shop keeps a core busy for less than a third of three seconds: at its first start, it links the
        audit lines of the whole past, which were linked one by one in a shop that lived through it. It goes on asking
        the sandbox for payments of the past, which that does not know.
        """
        while True:
            before = self._work()
            time.sleep(3)
            if self._work() - before < 1:
                return

    def measure(
        self, kind: str, paths: Mapping[str, Sequence[str]], *, goal: float = 0.0, alone_goal: float = 0.0
    ) -> None:
        """Open these pages by themselves, then while guests are served; print a row for each name."""
        alone = {name: self._alone(those) for name, those in paths.items()}
        with guests(f"{self.shop.url}/", self.shop.folder, rate=self.rate) as served:
            crowded = {name: Times([self.get(path) for path in those]) for name, those in paths.items()}
        print(f"{kind:50}  work   alone: p50  worst   guests: p50  worst  (ms)")
        for name, (work, quiet) in alone.items():
            busy = crowded[name]
            missed = (goal and busy.worst >= goal) or (alone_goal and quiet.worst >= alone_goal)
            if missed:
                self.missed.append(f"{kind}: {name}")
            figures = f"{work:5.0f}   {quiet.middle:10.0f} {quiet.worst:6.0f}   {busy.middle:11.0f} {busy.worst:6.0f}"
            print(f"{name:50} {figures}{'  MISSED' if missed else ''}")
        print(f"guests: {served}", flush=True)

    def _alone(self, paths: Sequence[str]) -> tuple[float, Times]:
        """How many milliseconds each kept a core busy, which a busy machine changes little; and how long each took.

        On PostgreSQL, the work of the database comes on top.
        """
        before = self._work()
        took = [self.get(path) for path in paths]
        return 1000 * (self._work() - before) / len(paths), Times(took)

    def _work(self) -> float:
        return sum(map(work_of, family(self.pid)))
