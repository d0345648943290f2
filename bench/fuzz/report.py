"""What a run found: counts, seconds, memory, and every law that broke with the request that broke it."""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import gc
import os
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

MOST_GROWTH: Final = 3_000_000
"""Bytes of resident memory that 100,000 requests may add once the shop is warm."""
_PER: Final = 100_000
_FEWEST_MARKS: Final = 4
_SHORTEST_SPAN: Final = 5_000
_SHOWN: Final = 20


@dataclass
class Outcome:
    """One run. Outcomes of several processes add up."""

    what: str
    requests: int = 0
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    """The first request that broke a law, by the law."""
    memory: list[tuple[int, int]] = field(default_factory=list)
    """(requests so far, resident bytes)"""
    notes: list[str] = field(default_factory=list)

    def breaks(self, law: str, example: str) -> None:
        """Note that a law broke."""
        self.broken[law] += 1
        self.examples.setdefault(law, example)

    def growth(self) -> float | None:
        """Bytes that memory grew by in 100,000 requests, by the marks of the second half; None if they are too few."""
        marks = self.memory[len(self.memory) // 2 :]
        if len(marks) < _FEWEST_MARKS or marks[-1][0] - marks[0][0] < _SHORTEST_SPAN:
            return None
        slope, _ = statistics.linear_regression([at for at, _ in marks], [size for _, size in marks])
        return slope * _PER

    @property
    def is_flat(self) -> bool:
        """Whether memory stays where it is once all is warm; a short run may waver by as much as a long one."""
        growth = self.growth()
        if growth is None:
            return True
        span = self.memory[-1][0] - self.memory[len(self.memory) // 2][0]
        return growth * min(span, _PER) / _PER < MOST_GROWTH

    @property
    def good(self) -> bool:
        """No law broke, and memory is flat."""
        return not self.broken and self.is_flat


def together(what: str, outcomes: Sequence[Outcome]) -> Outcome:
    """The outcomes of several processes as one; memory is that of the process that grew most."""
    total = Outcome(what)
    for one in outcomes:
        total.requests += one.requests
        total.seconds = max(total.seconds, one.seconds)
        total.statuses += one.statuses
        total.broken += one.broken
        total.examples = one.examples | total.examples
        total.notes += one.notes
    total.memory = max(outcomes, key=lambda one: one.growth() or 0.0).memory
    return total


def resident(pid: int | None = None) -> int:
    """Bytes of memory that a process holds: another one as it is, this one after a collection.

    One burst of large bodies raises glibc's heap for good, though nothing of it is in use: here it is asked to give
    back what is free, so that a high-water mark is not taken for a leak.
    """
    if pid is None:
        gc.collect()
        _give_back()
    pages = Path(f"/proc/{pid or os.getpid()}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _give_back() -> None:
    """https://man7.org/linux/man-pages/man3/malloc_trim.3.html; elsewhere there is nothing like it."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def page_cache() -> int:
    """Bytes that SQLite holds in this process: 0 where its library cannot be asked.

    Pages of the database, mostly. They fill a cache that the shop bounds (32 MB a connection), as long as the
    database grows; that is no leak, so it is told apart from the rest.
    """
    name = ctypes.util.find_library("sqlite3")
    try:
        used = ctypes.CDLL(name).sqlite3_memory_used
    except (OSError, AttributeError, TypeError):
        return 0
    used.restype = ctypes.c_int64
    return int(used())


def settle_memory() -> None:
    """What stands now stands for good, as in `entrypoints.run.server`: the collector need not walk through it again."""
    gc.collect()
    gc.freeze()


def print_table(outcomes: Iterable[Outcome]) -> bool:
    """One table, then what is wrong. Whether all is well."""
    found = list(outcomes)
    print(f"\n{'':22}{'requests':>10}{'seconds':>9}{'2xx':>9}{'3xx':>9}{'4xx':>9}{'5xx':>6}{'none':>7}{'MB':>12}"
          f"{'MB/100k':>9}  broken")  # fmt: skip
    for one in found:
        classes: Counter[int] = Counter()
        for status, number in one.statuses.items():
            classes[status // 100] += number
        sizes = [size for _, size in one.memory]
        memory = f"{sizes[0] / 1e6:.0f} > {sizes[-1] / 1e6:.0f}" if sizes else "-"
        growth = one.growth()
        print(f"{one.what:22}{one.requests:>10,}{one.seconds:>9.1f}{classes[2]:>9,}{classes[3]:>9,}{classes[4]:>9,}{classes[5]:>6,}"
              f"{classes[0]:>7,}{memory:>12}{'-' if growth is None else f'{growth / 1e6:.1f}':>9}  "
              f"{sum(one.broken.values()) or 'nothing'}")  # fmt: skip
    for one in found:
        for note in one.notes:
            print(f"  {one.what}: {note}")
        if not one.is_flat:
            print(f"  {one.what}: MEMORY GROWS")
        for law, number in one.broken.most_common(_SHOWN):
            print(f"\n{one.what}: {number} x {law}\n    {one.examples[law]}")
    return all(one.good for one in found)
