"""Checkouts: attempts to buy, with the price that was agreed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from adapters.memory.tables import Record, Tables
from domain.claim import KnownCheckout
from domain.purchase import Checkout, FactKind
from domain.values import CheckoutId, EmailAddress, ProviderRef


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
        )

    def by_provider_ref(self, ref: ProviderRef) -> Checkout | None:
        return next((c for c in self._t.checkouts.values() if c.provider_ref == ref), None)

    def of_address(self, mailbox: EmailAddress) -> Sequence[CheckoutId]:
        return checkouts_of_address(self._t, mailbox)

    def first_started_at(self) -> datetime | None:
        return min((c.started_at for c in self._t.checkouts.values()), default=None)

    def add(self, checkout: Checkout) -> bool:
        ref = checkout.provider_ref
        if checkout.id in self._t.checkouts or (ref is not None and self.by_provider_ref(ref) is not None):
            return False
        self._t.checkouts[checkout.id] = checkout
        return True

    def bind(self, checkout: CheckoutId, *, ref: ProviderRef, expires_at: datetime | None) -> bool:
        held = self._t.checkouts.get(checkout)
        other = self.by_provider_ref(ref)
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

    def throttle(self, checkout: CheckoutId, *, now: datetime, gap: timedelta) -> bool:
        asked = self._t.asked.get(checkout)
        if checkout not in self._t.checkouts or (asked is not None and asked > now - gap):
            return False
        self._t.asked[checkout] = now
        return True


def checkouts_of_address(t: Tables, mailbox: EmailAddress) -> list[CheckoutId]:
    """Its purchases, and what it began that is not booked (yet)."""
    booked = {p.checkout for p in t.purchases.values() if p.mailbox == mailbox}
    begun = {c.id for c in t.checkouts.values() if c.mailbox == mailbox}
    return sorted(booked | (begun - t.purchases.keys()))
