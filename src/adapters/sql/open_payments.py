"""Open payments: checkouts whose payment is under way, and those that can be paid a second time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from adapters.sql.checkouts import COLUMNS, from_row
from adapters.sql.record import Record, first, micros
from domain.purchase import OPEN_AT_MOST, Checkout
from domain.values import CheckoutId, EmailAddress, ProviderRef, SessionId

_UNBOOKED: Final = "NOT EXISTS (SELECT 1 FROM purchases WHERE checkout_id = checkouts.id)"
_PENDING_IN: Final = f"""SELECT {COLUMNS} FROM checkouts
  WHERE id IN (SELECT id FROM checkouts WHERE session_id = ? UNION SELECT id FROM checkouts WHERE mailbox = ?)
  AND EXISTS (SELECT 1 FROM facts WHERE object_id = checkouts.provider_ref AND status = 'unpaid')
  AND {_UNBOOKED} ORDER BY id"""
_DUPLICATES: Final = f"""SELECT provider_ref FROM checkouts WHERE {{those}}
  AND provider_ref IS NOT NULL AND expires_at > :now AND {_UNBOOKED}
  AND NOT EXISTS (SELECT 1 FROM facts WHERE object_id = checkouts.provider_ref AND status <> 'open')
  AND EXISTS (SELECT 1 FROM checkouts AS twin JOIN purchases ON checkout_id = twin.id
    WHERE twin.session_id = checkouts.session_id AND twin.pid = checkouts.pid AND twin.livemode = checkouts.livemode
    AND purchases.booked_at >= checkouts.started_at
    AND (twin.on_purpose >= checkouts.on_purpose OR twin.started_at > checkouts.started_at))
  ORDER BY started_at, id LIMIT :limit"""
DUPLICATES_OF_ALL: Final = _DUPLICATES.format(those="started_at > :since")
DUPLICATES_OF_ONE: Final = _DUPLICATES.format(
    those="session_id = (SELECT session_id FROM checkouts WHERE id = :paid)"
)


class OpenPayments(Record):
    def pending_in(self, session: SessionId, mailbox: EmailAddress | None) -> Sequence[Checkout]:
        return self._all(from_row, _PENDING_IN, (session, None if mailbox is None else mailbox.canonical))

    def duplicates(
        self, *, now: datetime, limit: int, paid: CheckoutId | None = None
    ) -> Sequence[ProviderRef]:
        values = {"now": micros(now), "since": micros(now - OPEN_AT_MOST), "paid": paid, "limit": limit}
        return self._all(first, DUPLICATES_OF_ALL if paid is None else DUPLICATES_OF_ONE, values)
