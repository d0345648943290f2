"""Keep the merchant's list up to date with whether this process can tell its visitors apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.ports import Clock, Store
from domain.usecases.note_shared_limits import SharedBy, note_shared_limits
from entrypoints.run.peer_address import ProxyNotice

_NOTE_AGAIN: Final = timedelta(hours=1)


@dataclass(slots=True)
class SharedLimitsWatch:
    """Every node looks. What was noted before the start is over until a visitor shows it again.

    Settings only change with a start, and another node may have removed what still holds here, so that is noted again
    every hour.
    """

    notice: ProxyNotice
    store: Store
    clock: Clock
    _noted: SharedBy | None = None
    _noted_at: datetime | None = None

    async def look(self) -> None:
        """Note what the requests showed. Raises StoreUnavailable."""
        found, now = self.notice.shared, self.clock.now()
        is_new = self._noted_at is None or found != self._noted
        if is_new or (found is not None and self._is_long_ago(now)):
            await self.store.transact(lambda tx: note_shared_limits(tx, found, now=now))
            self._noted, self._noted_at = found, now

    def _is_long_ago(self, now: datetime) -> bool:
        return self._noted_at is not None and now - self._noted_at >= _NOTE_AGAIN
