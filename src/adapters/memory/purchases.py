"""Purchases: what was sold, to whom, and what is known about it since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.facts import Facts
from adapters.memory.tables import Record, Tables, page, rows_after
from domain.access import Holding
from domain.decision import merchant_object
from domain.fact import Fact, FactKind
from domain.going_live import STARTED_LIVE
from domain.purchase import Purchase
from domain.records import User
from domain.values import CheckoutId, EmailAddress, ProductId, SessionId, UserId


class Purchases(Record):
    def get(self, checkout: CheckoutId) -> Purchase | None:
        return self._t.purchases.get(checkout)

    def with_facts(self, checkout: CheckoutId) -> Holding | None:
        purchase = self._t.purchases.get(checkout)
        return None if purchase is None else holding_of(self._t, purchase)

    def by_payment(self, payment: str) -> Holding | None:
        found = next((p for p in self._t.purchases.values() if p.payment == payment), None)
        return None if found is None else holding_of(self._t, found)

    def held_by(self, session: SessionId, mailbox: EmailAddress | None) -> Sequence[Holding]:
        return [
            holding_of(self._t, p)
            for p in self._t.purchases.values()
            if p.session == session or (mailbox is not None and p.mailbox == mailbox)
        ]

    def of_address(self, mailbox: EmailAddress) -> Sequence[Holding]:
        found = (p for p in self._t.purchases.values() if p.mailbox == mailbox)
        return [holding_of(self._t, p) for p in sorted(found, key=lambda p: (p.booked_at, p.checkout))]

    def page_after(
        self, checkout: str, *, limit: int, booked: tuple[datetime, datetime] | None = None
    ) -> Sequence[Holding]:
        found = [
            (row, p)
            for row, p in self._t.purchases.items()
            if booked is None or booked[0] <= p.booked_at < booked[1]
        ]
        return [holding_of(self._t, p) for p in page(found, checkout, limit)]

    def count_sold(self, product: ProductId) -> int:
        return sum(p.product == product and is_counted(self._t, p) for p in self._t.purchases.values())

    def products_owned(self) -> Sequence[ProductId]:
        owned = (p for p in self._t.purchases.values() if p.user is not None or p.session is not None)
        return sorted({product for p in owned for product in p.products})

    def owners_after(
        self, product: ProductId, *, after: str, limit: int
    ) -> Sequence[tuple[User, Sequence[Holding]]]:
        owned: dict[UserId, list[Holding]] = {}
        for purchase in sorted(self._t.purchases.values(), key=lambda p: (p.booked_at, p.checkout)):
            if purchase.user is not None and product in purchase.products:
                owned.setdefault(purchase.user, []).append(holding_of(self._t, purchase))
        return [
            (self._t.users[UserId(user)], found) for user, found in rows_after(owned.items(), after, limit)
        ]

    def book(self, purchase: Purchase, known: Sequence[Fact] = ()) -> bool:
        told = [] if purchase.payment is None else Facts(self._t).of_payment(purchase.payment)
        if set(known) != set(told):  # the other stores note with the purchase that it has facts
            raise ValueError(f"{len(told)} facts of this payment are recorded, {len(known)} were given")
        return self._t.purchases.setdefault(purchase.checkout, purchase) is purchase

    def detach_sessions(self, mailbox: EmailAddress, *, session: SessionId | None = None) -> int:
        held = [
            p
            for p in self._t.purchases.values()
            if p.mailbox == mailbox and p.session is not None and session in (None, p.session)
        ]
        for purchase in held:
            self._t.purchases[purchase.checkout] = replace(purchase, session=None)
        return len(held)

    def transfer(
        self,
        checkouts: Sequence[CheckoutId],
        *,
        old: EmailAddress | None,
        mailbox: EmailAddress,
        user: UserId,
    ) -> None:
        for checkout in checkouts:
            held = self._t.purchases.get(checkout)
            if held is not None and held.mailbox == old and (old or is_without_owner(self._t, held)):
                self._t.purchases[checkout] = replace(held, mailbox=mailbox, user=user)
            started = self._t.checkouts.get(checkout)
            if started is not None and old is not None and started.mailbox == old:
                self._t.checkouts[checkout] = replace(started, mailbox=mailbox)


def is_without_owner(t: Tables, purchase: Purchase) -> bool:
    """Whether it was paid without an address that can be emailed, and has none yet."""
    return purchase.user is None and purchase.checkout not in t.erasures


def is_counted(t: Tables, purchase: Purchase) -> bool:
    """A test purchase counts until the shop has gone live."""
    return purchase.livemode is not False or STARTED_LIVE not in t.cursors


def holding_of(t: Tables, purchase: Purchase) -> Holding:
    """A purchase with its facts."""
    facts = tuple(
        fact
        for fact in t.facts.values()
        if fact.object_id in (purchase.provider_ref, merchant_object(purchase.checkout))
        or (
            purchase.payment is not None
            and fact.payment == purchase.payment
            and fact.kind is not FactKind.SESSION
        )
    )
    return Holding(purchase=purchase, facts=facts)
