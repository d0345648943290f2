"""How much waits for the merchant, beside "To do" in the navigation of every page."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from domain.ports import Clock, StoreUnavailable
from domain.usecases.list_todo import ListTodo, TodoList

_GOOD_FOR: Final = timedelta(seconds=30)
_SHOWN_FOR: Final = timedelta(minutes=5)


@dataclass(slots=True)
class Waiting:
    """Counted at most every 30 seconds, and then beside the page that shows the last number: in a shop with very many
    sales that takes a while. A page waits for the count after every form, and if the number is older than 5 minutes.
    """

    list_todo: ListTodo
    clock: Clock
    number: int = 0
    """As far as it was counted; `more`: there are others."""
    more: bool = False
    _counted_at: datetime | None = field(default=None)
    _changes: int = 0
    """Forms so far: what was counted before the last one says nothing of what it did."""
    _counting: asyncio.Task[None] | None = field(default=None)

    async def __call__(self) -> TodoList:
        """What waits, as it is now. Raises StoreUnavailable."""
        changes = self._changes
        found = await self.list_todo()
        if changes == self._changes:
            self.number, self.more, self._counted_at = len(found.rows), bool(found.more), self.clock.now()
        return found

    async def refresh(self) -> None:
        """Count, unless that was done just now. A store that is busy stops no page: the number stays as it was."""
        age = None if self._counted_at is None else self.clock.now() - self._counted_at
        if age is None or age >= _SHOWN_FOR:
            await self._count()
        elif age >= _GOOD_FOR and (self._counting is None or self._counting.done()):
            self._counting = asyncio.create_task(self._count())

    async def _count(self) -> None:
        with suppress(StoreUnavailable):
            await self()

    def forget(self) -> None:
        """Something is about to change."""
        self._counted_at = None
        self._changes += 1
