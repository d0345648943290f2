"""Checkouts: attempts to buy, with the price that was agreed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from adapters.memory.tables import Record, Tables
from domain.address_change import ChangeKind
from domain.claim import KnownCheckout
from domain.fact import CheckoutStatus, FactKind
from domain.purchase import Checkout
from domain.values import ChangeId, CheckoutId, EmailAddress, ProductId, ProviderRef, SessionId


class Checkouts(Record):
    def get(self, checkout: CheckoutId) -> Checkout | None:
        return self._t.checkouts.get(checkout)

    def for_claim(
        self, checkout: CheckoutId, *, ref: ProviderRef | None, payment: str | None
    ) -> KnownCheckout:
        held = self._t.quarantined.get(ref) if ref is not None else None
        return KnownCheckout(
            checkout=self._t.checkouts.get(checkout),
            booked=checkout in self._t.purchases,
            erased=checkout in self._t.erasures,
            holds_place=any(taken == checkout for _, _, taken in self._t.limits),
            quarantined=held is not None and held.closed_at is None,
            has_facts=payment is not None
            and any(f.payment == payment and f.kind is not FactKind.SESSION for f in self._t.facts.values()),
            has_twins=any(
                twin.provider_ref is not None for twin in twins_of(self._t, self._t.checkouts.get(checkout))
            ),
        )

    def by_provider_ref(self, ref: ProviderRef) -> Checkout | None:
        return next((c for c in self._t.checkouts.values() if c.provider_ref == ref), None)

    def of_address(self, mailbox: EmailAddress) -> Sequence[CheckoutId]:
        return checkouts_of_address(self._t, mailbox)

    def begun_lately(self, session: SessionId, product: ProductId, *, since: datetime) -> Checkout | None:
        known = {f.object_id for f in self._t.facts.values() if f.status != CheckoutStatus.OPEN}
        found = [
            c
            for c in self._t.checkouts.values()
            if c.session == session and c.product == product and c.started_at > since
            if c.id not in self._t.purchases and c.provider_ref not in known
        ]
        return max(found, key=lambda c: (c.started_at, c.id), default=None)

    def pending_of(self, mailbox: EmailAddress, *, since: datetime) -> Sequence[Checkout]:
        unpaid = {f.object_id for f in self._t.facts.values() if f.status == CheckoutStatus.UNPAID}
        found = [
            c
            for c in self._t.checkouts.values()
            if c.started_at > since and c.provider_ref in unpaid and c.id not in self._t.purchases
            if c.mailbox == mailbox or (c.mailbox is None and is_of_guest(self._t, c, mailbox))
        ]
        return sorted(found, key=lambda c: c.id)

    def first_started_at(self) -> datetime | None:
        return min((c.started_at for c in self._t.checkouts.values()), default=None)

    def add(self, checkout: Checkout) -> bool:
        ref = checkout.provider_ref
        if checkout.id in self._t.checkouts or (ref is not None and self.by_provider_ref(ref) is not None):
            return False
        self._t.checkouts[checkout.id] = checkout
        return True

    def bind(self, checkout: CheckoutId, *, ref: ProviderRef | None, expires_at: datetime | None) -> bool:
        held = self._t.checkouts.get(checkout)
        other = None if ref is None else self.by_provider_ref(ref)
        if (
            held is None
            or held.provider_ref not in (None, ref)
            or (other is not None and other.id != checkout)
        ):
            return False
        self._t.checkouts[checkout] = replace(
            held, provider_ref=ref, expires_at=expires_at or held.expires_at
        )
        return True

    def follow_change(self, old: EmailAddress, *, change: ChangeId, since: datetime) -> Sequence[CheckoutId]:
        found = [
            c
            for c in self._t.checkouts.values()
            if is_of_guest(self._t, c, old)
            if c.mailbox is None and c.started_at > since and c.id not in self._t.purchases
        ]
        for checkout in found:
            self._t.checkouts[checkout.id] = replace(checkout, change=change)
        return sorted(checkout.id for checkout in found)

    def pass_on(self, checkout: CheckoutId, *, old: SessionId, session: SessionId) -> bool:
        held, sold = self._t.checkouts.get(checkout), self._t.purchases.get(checkout)
        if held is None or held.session != old:
            return False
        self._t.checkouts[checkout] = replace(held, session=session)
        if sold is not None and sold.session == old:
            self._t.purchases[checkout] = replace(sold, session=session)
        return True

    def throttle(self, checkout: CheckoutId, *, now: datetime, gap: timedelta) -> bool:
        asked = self._t.asked.get(checkout)
        if checkout not in self._t.checkouts or (asked is not None and asked > now - gap):
            return False
        self._t.asked[checkout] = now
        return True


def twins_of(t: Tables, checkout: Checkout | None) -> list[Checkout]:
    """The other checkouts of the same browser and product."""
    if checkout is None or checkout.session is None:
        return []
    same = (checkout.session, checkout.product)
    return [c for c in t.checkouts.values() if (c.session, c.product) == same and c.id != checkout.id]


def is_of_guest(t: Tables, checkout: Checkout, mailbox: EmailAddress) -> bool:
    """Whether its session verified this address later, or the last change from or to the address brought it there."""
    followed = [
        (m.done_at, m.new == mailbox)
        for m in t.moves.values()
        if m.kind is ChangeKind.CHANGE
        and m.stands
        and checkout.id in m.checkouts
        and mailbox in (m.old, m.new)
        if m.done_at is not None
    ]
    if checkout.change is not None and followed:
        return max(followed)[1]
    return checkout.verified == mailbox


def checkouts_of_address(t: Tables, mailbox: EmailAddress) -> list[CheckoutId]:
    """Its purchases, and what it began that is not booked (yet)."""
    booked = {p.checkout for p in t.purchases.values() if p.mailbox == mailbox}
    begun = {c.id for c in t.checkouts.values() if c.mailbox == mailbox}
    return sorted(booked | (begun - t.purchases.keys()))
