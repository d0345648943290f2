"""Waivers of the right of withdrawal: the emails that confirm them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapters.memory.tables import Record
from domain.mail import Delivery, Mail, MailKind, MailState
from domain.outbox_keys import sale_of
from domain.values import CheckoutId


class Waivers(Record):
    def confirmations(self, checkout: CheckoutId) -> Sequence[Mail]:
        found = (
            mail
            for mail in self._t.outbox.values()
            if mail.key.startswith("access") and sale_of(mail.key) == checkout
        )
        return sorted(found, key=lambda mail: (mail.queued_at, mail.key))

    def undelivered(self, *, since: datetime) -> Sequence[CheckoutId]:
        found = [
            (mail.queued_at, mail.key)
            for mail in self._t.outbox.values()
            if mail.repeats_waiver and mail.queued_at >= since
            if mail.state is MailState.STUCK
            or (mail.delivery is Delivery.BOUNCED and mail.kind is MailKind.ACCESS)
        ]
        sales = (sale_of(key) for _, key in sorted(found))
        return list(dict.fromkeys(sale for sale in sales if sale is not None))
