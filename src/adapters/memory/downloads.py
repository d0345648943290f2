"""Downloads: how often a buyer fetched a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from adapters.memory.tables import Record
from domain.records import Download
from domain.values import CheckoutId, ProductId


class Downloads(Record):
    def of_purchase(self, checkout: CheckoutId) -> Sequence[Download]:
        found = (d for d in self._t.downloads.values() if d.checkout == checkout)
        return sorted(found, key=lambda d: (d.product, d.name))

    def count(
        self, checkout: CheckoutId, product: ProductId, name: str, *, now: datetime, window: timedelta
    ) -> bool:
        held = self._t.downloads.get((checkout, product, name))
        if held is not None and held.last_at > now - window:
            return False
        times = 1 if held is None else held.times + 1
        first_at = now if held is None else held.first_at
        self._t.downloads[checkout, product, name] = Download(
            checkout=checkout, product=product, name=name, last_at=now, times=times, first_at=first_at
        )
        return True

    def mark_opened(self, checkout: CheckoutId, *, at: datetime) -> bool:
        held = self._t.purchases.get(checkout)
        if held is None or held.opened_at is not None:
            return False
        self._t.purchases[checkout] = replace(held, opened_at=at)
        return True
