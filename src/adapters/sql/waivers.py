"""Waivers of the right of withdrawal: the emails that confirm them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from adapters.sql import outbox
from adapters.sql.address_changes import STANDS
from adapters.sql.record import Record, Row, micros
from domain import outbox_keys
from domain.mail import Mail
from domain.values import CheckoutId, LinkId

# Ranges of the primary key: `access:c1`, `access:c1#2` …, and `access-again:c1:` with any link.
_CONFIRMATIONS: Final = f"""SELECT {outbox.COLUMNS} FROM outbox WHERE key = :sale
  UNION ALL SELECT {outbox.COLUMNS} FROM outbox WHERE key > :anew AND key < :after_anew
  UNION ALL SELECT {outbox.COLUMNS} FROM outbox WHERE key > :again AND key < :after_again
  ORDER BY queued_at, key"""
_UNDELIVERED: Final = f"""SELECT key, queued_at FROM outbox
    WHERE state = 'stuck' AND kept = 1 AND queued_at >= :since
  UNION SELECT key, queued_at FROM outbox WHERE kind = 'access' AND delivery = 'bounced' AND kept = 1
    AND queued_at >= :since
  UNION SELECT 'access:' || checkout_id, asked_at FROM moves JOIN purchases ON checkout_id = checkouts
    WHERE asked_at >= :since AND kind = 'correction' AND {STANDS} AND waiver IS NOT NULL"""


class Waivers(Record):
    def confirmations(self, checkout: CheckoutId) -> Sequence[Mail]:
        sale, again = outbox_keys.access(checkout), outbox_keys.access_again(checkout, LinkId(""))
        return self._all(
            outbox.from_row,
            _CONFIRMATIONS,
            {
                "sale": sale, "anew": f"{sale}#", "after_anew": _after(f"{sale}#"), "again": again,
                "after_again": _after(again),
            },
        )  # fmt: skip

    def undelivered(self, *, since: datetime) -> Sequence[CheckoutId]:
        found = self._all(_moment_and_sale, _UNDELIVERED, {"since": micros(since)})
        return list(dict.fromkeys(sale for _, sale in sorted(found)))


def _moment_and_sale(row: Row) -> tuple[int, CheckoutId]:
    return row[1], outbox_keys.sale_of(row[0]) or CheckoutId("")


def _after(prefix: str) -> str:
    """The least text that is greater than all that begin so."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
