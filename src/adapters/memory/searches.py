"""Searches, by looking at everything."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from adapters.memory.purchases import holding_of
from adapters.memory.tables import Record
from domain.access import Holding
from domain.mail import Delivery, Mail, MailKind
from domain.purchase import Purchase
from domain.records import User
from domain.values import CheckoutId, EmailAddress, ProductId


class Searches(Record):
    def event_object(self, event: str) -> str | None:
        found = self._t.events.get(event)
        return (found[0].object_id or None) if found is not None else None

    def by_licence_key(self, key: str, *, limit: int) -> Sequence[Holding]:
        given = {checkout for (_, one), checkout in self._t.given_licences.items() if one == key}
        sold = {p.product for p in self._t.purchases.values()}
        found = [
            p
            for p in self._t.purchases.values()
            if p.checkout in given
            or (p.licences and p.licences[0].key == key and p.licences[0].product in sold)
        ]
        return [holding_of(self._t, p) for p in sorted(found, key=lambda p: p.checkout)][:limit]

    def paid_with(self, address: EmailAddress, *, limit: int) -> Sequence[Holding]:
        found = [
            p
            for p in self._t.purchases.values()
            if p.paid_email == address and p.mailbox not in (None, address)
        ]
        return [holding_of(self._t, p) for p in sorted(found, key=lambda p: p.checkout)][:limit]

    def users_from(self, start: str, *, limit: int) -> Sequence[User]:
        found = [user for user in self._t.users.values() if user.mailbox.canonical.startswith(start)]
        return sorted(found, key=lambda user: user.mailbox)[:limit]

    def product_names(self) -> Sequence[tuple[ProductId, str]]:
        names: dict[ProductId, str] = {}
        for purchase in sorted(self._t.purchases.values(), key=lambda p: (p.booked_at, p.checkout)):
            names[purchase.product] = purchase.product_name
        return sorted(names.items())

    def users(self, mailboxes: Collection[EmailAddress]) -> Sequence[User]:
        return [user for user in self._t.users.values() if user.mailbox in mailboxes]

    def booked(self, checkouts: Collection[CheckoutId]) -> Sequence[Purchase]:
        return [purchase for checkout, purchase in self._t.purchases.items() if checkout in checkouts]

    def paid(self, payments: Collection[str]) -> Sequence[Holding]:
        return [holding_of(self._t, p) for p in self._t.purchases.values() if p.payment in payments]

    def email_keys(self, keys: Collection[str]) -> frozenset[str]:
        return frozenset(keys) & self._t.outbox.keys()

    def newest_delivered(self, mailboxes: Collection[EmailAddress]) -> Mapping[EmailAddress, datetime]:
        arrived = {}
        for mail in sorted(self._t.outbox.values(), key=lambda mail: mail.queued_at):
            if mail.delivery is Delivery.DELIVERED and mail.to in mailboxes:
                arrived[mail.to] = mail.queued_at
        return arrived

    def emails(self, kind: MailKind, *, before: Mail | None = None, limit: int) -> Sequence[Mail]:
        access = kind is MailKind.ACCESS

        def place(mail: Mail) -> tuple[object, ...]:
            return (mail.key,) if access else (mail.queued_at, mail.key)

        found = [
            mail
            for mail in self._t.outbox.values()
            if (mail.key.startswith("access:") if access else mail.kind is kind)
            and (before is None or place(mail) < place(before))
        ]
        return sorted(found, key=place, reverse=True)[:limit]
