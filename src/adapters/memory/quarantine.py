"""The quarantine: sessions and payments of the provider that the shop does not act on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.tables import Record, page
from domain.claim import RejectReason
from domain.records import Quarantined


class Quarantine(Record):
    def get(self, ref: str) -> Quarantined | None:
        return self._t.quarantined.get(ref)

    def due(self, now: datetime, *, limit: int) -> Sequence[Quarantined]:
        due = [
            (q.retry_at, q.ref, q) for q in self._t.quarantined.values() if q.closed_at is None and q.retry_at
        ]
        return [q for at, _, q in sorted(due, key=lambda d: d[:2]) if at <= now][:limit]

    def open_entries(self) -> Sequence[Quarantined]:
        waiting = (q for q in self._t.quarantined.values() if q.closed_at is None)
        return sorted(waiting, key=lambda q: (q.first_at, q.ref))

    def count_foreign(self) -> int:
        return sum(q.reason.is_foreign for q in self._t.quarantined.values())

    def page_after(self, ref: str, *, limit: int) -> Sequence[Quarantined]:
        return page(self._t.quarantined.items(), ref, limit)

    def add(self, ref: str, reason: RejectReason, *, at: datetime, retry_at: datetime | None) -> bool:
        if any(c.provider_ref == ref and c.id in self._t.purchases for c in self._t.checkouts.values()):
            return False
        held = self._t.quarantined.get(ref)
        if held is None:
            first = not any(q.reason is reason and q.closed_at is None for q in self._t.quarantined.values())
            self._t.quarantined[ref] = Quarantined(
                ref=ref, reason=reason, first_at=at, last_at=at, tries=1, retry_at=retry_at
            )
            return first
        if held.closed_at is None:
            self._t.quarantined[ref] = replace(
                held,
                reason=reason,
                last_at=max(held.last_at, at),
                tries=held.tries + 1,
                retry_at=retry_at,
            )
        return False

    def ignore(self, ref: str, reason: RejectReason, *, at: datetime) -> None:
        held = self._t.quarantined.get(ref)
        if held is None:
            held = Quarantined(ref=ref, reason=reason, first_at=at, last_at=at, tries=1, retry_at=None)
        if held.closed_at is None:
            self._t.quarantined[ref] = replace(held, reason=reason, retry_at=None, closed_at=at)

    def close(self, ref: str, *, at: datetime) -> bool:
        held = self._t.quarantined.get(ref)
        if held is None or held.closed_at is not None:
            return False
        self._t.quarantined[ref] = replace(held, closed_at=at, retry_at=None)
        return True
