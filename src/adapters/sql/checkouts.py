"""Checkouts: attempts to buy, with the price that was agreed on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final

from adapters.sql.record import (
    Record,
    Row,
    Table,
    first,
    insert,
    maybe_address,
    maybe_micros,
    maybe_moment,
    maybe_text,
    micros,
    moment,
    spaced,
)
from domain.claim import KnownCheckout
from domain.purchase import Checkout
from domain.values import CheckoutId, EmailAddress, Money, ProviderRef

COLUMNS: Final = (
    "id, pid, product_name, amount, currency, session_id, mailbox, livemode, started_at, "
    "provider_ref, expires_at, contents, discounts"
)
_ADD: Final = f"{insert('checkouts', COLUMNS)} ON CONFLICT DO NOTHING"
_BY_ID: Final = f"SELECT {COLUMNS} FROM checkouts WHERE id = ?"
_FOR_CLAIM: Final = f"""SELECT {COLUMNS},
  EXISTS (SELECT 1 FROM purchases WHERE checkout_id = wanted),
  EXISTS (SELECT 1 FROM erasures WHERE checkout_id = wanted),
  EXISTS (SELECT 1 FROM limits WHERE ref = wanted),
  EXISTS (SELECT 1 FROM quarantine WHERE ref = :ref AND closed_at IS NULL),
  EXISTS (SELECT 1 FROM facts WHERE payment = :payment AND kind <> 'session')
  FROM (SELECT :id AS wanted) AS asked LEFT JOIN checkouts ON id = wanted"""
_BY_REF: Final = f"SELECT {COLUMNS} FROM checkouts WHERE provider_ref = ?"
_BIND: Final = """UPDATE checkouts SET provider_ref = :ref, expires_at = coalesce(:expires, expires_at)
  WHERE id = :id AND (provider_ref IS NULL OR provider_ref = :ref)
  AND NOT EXISTS (SELECT 1 FROM checkouts WHERE provider_ref = :ref AND id <> :id)"""
_TAKE_TURN: Final = "UPDATE checkouts SET asked_at = ? WHERE id = ? AND (asked_at IS NULL OR asked_at <= ?)"
OF_ADDRESS: Final = """SELECT checkout_id AS id FROM purchases
  WHERE user_id = (SELECT id FROM users WHERE email = :address)
  UNION SELECT id FROM checkouts WHERE mailbox = :address
  AND NOT EXISTS (SELECT 1 FROM purchases WHERE checkout_id = checkouts.id) ORDER BY id"""


class Checkouts(Record):
    tables: ClassVar = [Table("checkouts", f"{COLUMNS}, asked_at", key="id")]

    def get(self, checkout: CheckoutId) -> Checkout | None:
        return self._one(from_row, _BY_ID, (checkout,))

    def for_claim(
        self, checkout: CheckoutId, *, ref: ProviderRef | None, payment: str | None
    ) -> KnownCheckout:
        row = self._sql(_FOR_CLAIM, {"id": checkout, "ref": ref, "payment": payment}).fetchone()
        booked, erased, holds_place, quarantined, has_facts = row[-5:]
        return KnownCheckout(
            checkout=None if row[0] is None else from_row(row),
            booked=bool(booked),
            erased=bool(erased),
            holds_place=bool(holds_place),
            quarantined=bool(quarantined),
            has_facts=bool(has_facts),
        )

    def by_provider_ref(self, ref: ProviderRef) -> Checkout | None:
        return self._one(from_row, _BY_REF, (ref,))

    def of_address(self, mailbox: EmailAddress) -> Sequence[CheckoutId]:
        return self._all(first, OF_ADDRESS, {"address": mailbox.canonical})

    def first_started_at(self) -> datetime | None:
        return maybe_moment(self._value("SELECT min(started_at) FROM checkouts"))

    def add(self, checkout: Checkout) -> bool:
        return self._changed(_ADD, to_row(checkout))

    def bind(self, checkout: CheckoutId, *, ref: ProviderRef, expires_at: datetime | None) -> bool:
        return self._changed(_BIND, {"id": checkout, "ref": ref, "expires": maybe_micros(expires_at)})

    def throttle(self, checkout: CheckoutId, *, now: datetime, gap: timedelta) -> bool:
        return self._changed(_TAKE_TURN, (micros(now), checkout, micros(now - gap)))


def from_row(row: Row) -> Checkout:
    """From the columns."""
    return Checkout(
        id=row[0], product=row[1], product_name=row[2], price=Money(row[3], row[4]), session=row[5],
        mailbox=maybe_address(row[6]), livemode=bool(row[7]), started_at=moment(row[8]), provider_ref=row[9],
        expires_at=maybe_moment(row[10]), contents=spaced(row[11]), discounts=bool(row[12]),
    )  # fmt: skip


def to_row(checkout: Checkout) -> Row:
    """To the columns."""
    return (
        checkout.id, checkout.product, checkout.product_name, checkout.price.amount, checkout.price.currency,
        checkout.session, maybe_text(checkout.mailbox), int(checkout.livemode), micros(checkout.started_at),
        checkout.provider_ref, maybe_micros(checkout.expires_at), " ".join(checkout.contents),
        int(checkout.discounts),
    )  # fmt: skip
