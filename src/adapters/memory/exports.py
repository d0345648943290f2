"""What only exports read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.memory.tables import Record
from domain.export import Begun
from domain.records import Download
from domain.values import CheckoutId


class Exports(Record):
    def begun(self, checkouts: Sequence[CheckoutId]) -> Mapping[CheckoutId, Begun]:
        found = (self._t.checkouts[key] for key in checkouts if key in self._t.checkouts)
        return {one.id: Begun(started_at=one.started_at, promotion=one.promotion) for one in found}

    def downloads_after(self, download: Download | None, *, limit: int) -> Sequence[Download]:
        mark = None if download is None else (download.checkout, download.product, download.name)
        later = [key for key in sorted(self._t.downloads) if mark is None or key > mark]
        return [self._t.downloads[key] for key in later[:limit]]
