"""Downloads: how often a buyer fetched a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final

from adapters.sql.record import Record, Row, Table, maybe, micros, moment
from domain.records import Download
from domain.values import CheckoutId, ProductId

COLUMNS: Final = "checkout_id, pid, name, last_at, times, first_at"
_OF_PURCHASE: Final = f"SELECT {COLUMNS} FROM downloads WHERE checkout_id = ? ORDER BY pid, name"
_COUNT: Final = f"""INSERT INTO downloads ({COLUMNS}) VALUES (?,?,?,?,1,?)
  ON CONFLICT (checkout_id, pid, name) DO UPDATE SET last_at = excluded.last_at, times = downloads.times + 1
  WHERE downloads.last_at <= ?"""
_OPEN: Final = "UPDATE purchases SET opened_at = ? WHERE checkout_id = ? AND opened_at IS NULL"


class Downloads(Record):
    tables: ClassVar = [Table("downloads", COLUMNS, key="checkout_id, pid, name")]

    def of_purchase(self, checkout: CheckoutId) -> Sequence[Download]:
        return self._all(from_row, _OF_PURCHASE, (checkout,))

    def count(
        self, checkout: CheckoutId, product: ProductId, name: str, *, now: datetime, window: timedelta
    ) -> bool:
        return self._changed(
            _COUNT, (checkout, product, name, micros(now), micros(now), micros(now - window))
        )

    def mark_opened(self, checkout: CheckoutId, *, at: datetime) -> bool:
        return self._changed(_OPEN, (micros(at), checkout))


def from_row(row: Row) -> Download:
    return Download(
        checkout=row[0],
        product=row[1],
        name=row[2],
        last_at=moment(row[3]),
        times=row[4],
        first_at=maybe(moment, row[5]),
    )
