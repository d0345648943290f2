"""An uploaded file of another shop's sales: how far it got, and what came of its rows. Kept for a day at most.

arriving → ready → checking → checked → importing → done
           broken: it cannot be read     forgotten: somebody's account was deleted, so the file was, too
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from domain.csv_rows import CsvProblem
from domain.frozen import frozen
from domain.import_plan import Plan
from domain.imports import Reason, Refused

KEPT_FOR: Final = timedelta(hours=24)
"""From its arrival, and again from the beginning of its import."""
NOTED_FOR: Final = timedelta(days=30)
"""How long it is kept what came of a file. That names nobody."""
LEASE: Final = timedelta(minutes=1)
"""How long a worker that says nothing keeps a file."""
MOST_UPLOADS: Final = 10
"""Files that are kept at the same time."""
_LINES_SHOWN: Final = 20
_PRODUCTS_SHOWN: Final = 50


class UploadState(Enum):
    """How far a file got. The values are stored."""

    ARRIVING = "arriving"
    READY = "ready"
    """It is all here, and the merchant is to say which column is what."""
    CHECKING = "checking"
    CHECKED = "checked"
    IMPORTING = "importing"
    DONE = "done"
    BROKEN = "broken"
    FORGOTTEN = "forgotten"

    @property
    def holds_file(self) -> bool:
        """Whether its pieces are still there."""
        return self not in (UploadState.DONE, UploadState.FORGOTTEN)

    @property
    def is_worked_on(self) -> bool:
        """Whether a worker is to go through its rows."""
        return self in (UploadState.CHECKING, UploadState.IMPORTING)


PLANNABLE: Final = frozenset({UploadState.READY, UploadState.CHECKED, UploadState.BROKEN})
"""Where the merchant may say (again) which column is what."""


class Fate(Enum):
    """What becomes of a row that is not refused."""

    NEW = "new"
    KNOWN = "known"
    """It is here already: from an earlier import, from an earlier row, or as a sale of our own."""


Outcome = Fate | Refused


@frozen
class Report:
    """What came, or would come, of the rows of a file. It names lines and products, and nobody."""

    new: int = 0
    known: int = 0
    refused: Mapping[Reason, int] = field(default_factory=dict)
    lines: Mapping[Reason, tuple[int, ...]] = field(default_factory=dict)
    """The first lines that are refused for each reason."""
    products: Mapping[str, int] = field(default_factory=dict)
    """How often what is no product here is named, of the first fifty such names."""

    @property
    def rows(self) -> int:
        """All of them."""
        return self.new + self.known + sum(self.refused.values())

    @property
    def needs_attention(self) -> bool:
        """Whether rows are refused that the merchant may want to have."""
        return any(not reason.is_usual for reason in self.refused)

    def plus(self, outcomes: Iterable[Outcome]) -> Report:
        """With more rows."""
        new, known = self.new, self.known
        refused, lines, products = dict(self.refused), dict(self.lines), dict(self.products)
        for one in outcomes:
            if one is Fate.NEW:
                new += 1
            elif one is Fate.KNOWN:
                known += 1
            elif isinstance(one, Refused):
                refused[one.reason] = refused.get(one.reason, 0) + 1
                shown = lines.get(one.reason, ())
                if len(shown) < _LINES_SHOWN:
                    lines[one.reason] = (*shown, one.line)
                if one.product and (one.product in products or len(products) < _PRODUCTS_SHOWN):
                    products[one.product] = products.get(one.product, 0) + 1
        return Report(new=new, known=known, refused=refused, lines=lines, products=products)


@frozen
class Upload:
    """One file. `version` counts its changes, so that only one of two writers succeeds."""

    id: str
    name: str
    """What the merchant's browser calls it."""
    by: str
    """See `domain.staff.Actor`."""
    at: datetime
    expires_at: datetime
    due_at: datetime
    """When a worker may take it up; until then another one has it."""
    state: UploadState = UploadState.ARRIVING
    size: int = 0
    """In bytes."""
    lines: int = 0
    header: tuple[str, ...] = ()
    delimiter: str = ","
    plan: Plan | None = None
    line: int = 1
    """The line on which the first record begins that was not worked on yet."""
    report: Report = field(default_factory=Report)
    problem: CsvProblem | None = None
    problem_line: int = 0
    version: int = 0

    def is_expired(self, *, now: datetime) -> bool:
        """Whether its pieces may be gone."""
        return self.expires_at <= now

    def leased(self, *, now: datetime) -> Upload:
        """The same while a worker has it."""
        return replace(self, due_at=now + LEASE)

    def begun(self, state: UploadState, *, now: datetime) -> Upload:
        """The same, its rows to be worked on from the first one."""
        return replace(self, state=state, due_at=now, line=1, report=Report(), problem=None, problem_line=0)

    def broken(self, problem: CsvProblem, line: int) -> Upload:
        """The same, found unreadable."""
        return replace(self, state=UploadState.BROKEN, problem=problem, problem_line=line)


_SHARDS: Final = 1024
_FIRST_SIZE: Final = 16


class SeenIds:
    """Ids that were seen, in 8 bytes each and a third of that again, or twice: a million rows take 16 MB.

    The first 60 bits of a SHA-256 stand for each. Two of ten million are alike once in 20,000 files, and then a dry run
    calls one row known that is new. There are many small tables, so that none takes long to grow.
    """

    def __init__(self) -> None:
        self._shards = [_Shard() for _ in range(_SHARDS)]

    def add(self, checkout: str) -> bool:
        """Whether it is new. `checkout`: as `domain.imports.checkout_id` makes them."""
        mark = int(checkout[1:16], 16) + 1
        return self._shards[mark % _SHARDS].add(mark // _SHARDS + 1)


class _Shard:
    """A set of numbers above zero: open addressing, at most three quarters full."""

    __slots__ = ("_count", "_slots")

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * _FIRST_SIZE))
        self._count = 0

    def add(self, mark: int) -> bool:
        if self._count * 4 >= len(self._slots) * 3:
            held, self._slots = self._slots, array("Q", bytes(16 * len(self._slots)))
            for one in held:
                if one:
                    self._put(one)
        new = self._put(mark)
        self._count += new
        return new

    def _put(self, mark: int) -> bool:
        slots, last = self._slots, len(self._slots) - 1
        place = mark & last
        while slots[place]:
            if slots[place] == mark:
                return False
            place = (place + 1) & last
        slots[place] = mark
        return True
