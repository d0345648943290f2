"""What only exports read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from adapters.sql import downloads
from adapters.sql.dialect import ANY_OF, texts
from adapters.sql.record import Record, moment
from domain.export import Begun
from domain.records import Download
from domain.values import CheckoutId

_BEGUN: Final = f"SELECT id, started_at, coalesce(promotion, '') FROM checkouts WHERE id {ANY_OF}"
_DOWNLOADS: Final = f"""SELECT {downloads.COLUMNS} FROM downloads WHERE (checkout_id, pid, name) > (?, ?, ?)
  ORDER BY checkout_id, pid, name LIMIT ?"""


class Exports(Record):
    def begun(self, checkouts: Sequence[CheckoutId]) -> Mapping[CheckoutId, Begun]:
        found = self._sql(_BEGUN, (texts(checkouts),))
        return {CheckoutId(row[0]): Begun(started_at=moment(row[1]), promotion=row[2]) for row in found}

    def downloads_after(self, download: Download | None, *, limit: int) -> Sequence[Download]:
        mark = ("", "", "") if download is None else (download.checkout, download.product, download.name)
        return self._all(downloads.from_row, _DOWNLOADS, (*mark, limit))
