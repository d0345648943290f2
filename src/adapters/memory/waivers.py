"""Waivers of the right of withdrawal: the emails that confirm them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapters.memory.tables import Record
from domain.address_change import ChangeKind
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
            (mail.queued_at, sale_of(mail.key) or CheckoutId(""))
            for mail in self._t.outbox.values()
            if mail.repeats_waiver and mail.queued_at >= since
            if mail.state is MailState.STUCK
            or (mail.delivery is Delivery.BOUNCED and mail.kind is MailKind.ACCESS)
        ]
        found += [
            (one.asked_at, checkout)
            for one in self._t.moves.values()
            if one.kind is ChangeKind.CORRECTION and one.stands and one.asked_at >= since
            for checkout in one.checkouts
            if checkout in self._t.purchases and self._t.purchases[checkout].waiver is not None
        ]
        return list(dict.fromkeys(sale for _, sale in sorted(found)))
