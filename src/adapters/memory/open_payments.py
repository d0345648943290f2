"""Open payments: checkouts whose payment is under way, and those that can be paid a second time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapters.memory.checkouts import twins_of
from adapters.memory.tables import Record
from domain.fact import CheckoutStatus
from domain.purchase import OPEN_AT_MOST, Checkout
from domain.values import CheckoutId, EmailAddress, ProviderRef, SessionId


class OpenPayments(Record):
    def pending_in(self, session: SessionId, mailbox: EmailAddress | None) -> Sequence[Checkout]:
        found = [
            c
            for c in self._t.checkouts.values()
            if c.session == session or (mailbox is not None and c.mailbox == mailbox)
        ]
        pending = [c for c in found if self._status(c) == CheckoutStatus.UNPAID]
        return sorted((c for c in pending if c.id not in self._t.purchases), key=lambda c: c.id)

    def duplicates(
        self, *, now: datetime, limit: int, paid: CheckoutId | None = None
    ) -> Sequence[ProviderRef]:
        payer = None if paid is None or paid not in self._t.checkouts else self._t.checkouts[paid].session
        found: list[ProviderRef] = []
        for checkout in sorted(self._t.checkouts.values(), key=lambda c: (c.started_at, c.id)):
            theirs = (
                checkout.session == payer is not None
                if paid is not None
                else checkout.started_at > now - OPEN_AT_MOST
            )
            payable = checkout.expires_at is not None and checkout.expires_at > now
            open_ = (
                self._status(checkout) in (None, CheckoutStatus.OPEN) and checkout.id not in self._t.purchases
            )
            booked = [
                self._t.purchases[twin.id]
                for twin in twins_of(self._t, checkout)
                if twin.id in self._t.purchases
                and (twin.on_purpose >= checkout.on_purpose or twin.started_at > checkout.started_at)
            ]
            since = any(
                p.booked_at >= checkout.started_at and p.livemode == checkout.livemode for p in booked
            )
            if theirs and payable and open_ and since and checkout.provider_ref is not None:
                found.append(checkout.provider_ref)
        return found[:limit]

    def _status(self, checkout: Checkout) -> str | None:
        fact = self._t.facts.get(checkout.provider_ref or "")
        return None if fact is None else fact.status
