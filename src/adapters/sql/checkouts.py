"""Checkouts: attempts to buy, with the price that was agreed on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final

from adapters.sql.address_changes import STANDS
from adapters.sql.record import Record, Row, Table, first, insert, maybe, micros, moment, spaced
from domain.claim import KnownCheckout
from domain.frozen import maker
from domain.purchase import Checkout
from domain.values import ChangeId, CheckoutId, EmailAddress, Money, ProductId, ProviderRef, SessionId
from domain.waiver import Waiver

COLUMNS: Final = """id, pid, product_name, amount, currency, session_id, mailbox, livemode, started_at, provider_ref,
  expires_at, contents, discounts, move_id, on_purpose, verified, promotion, waiver, opens_at, language"""
_ADD: Final = f"{insert('checkouts', COLUMNS)} ON CONFLICT DO NOTHING"
_BY_ID: Final = f"SELECT {COLUMNS} FROM checkouts WHERE id = ?"
_FOR_CLAIM: Final = f"""SELECT {COLUMNS},
  EXISTS (SELECT 1 FROM purchases WHERE checkout_id = wanted),
  EXISTS (SELECT 1 FROM erasures WHERE checkout_id = wanted),
  EXISTS (SELECT 1 FROM limits WHERE ref = wanted),
  EXISTS (SELECT 1 FROM quarantine WHERE ref = :ref AND closed_at IS NULL),
  EXISTS (SELECT 1 FROM facts WHERE payment = :payment AND kind <> 'session'),
  EXISTS (SELECT 1 FROM checkouts AS twin WHERE twin.session_id = checkouts.session_id AND twin.id <> checkouts.id
    AND twin.pid = checkouts.pid AND twin.provider_ref IS NOT NULL)
  FROM (SELECT :id AS wanted) AS asked LEFT JOIN checkouts ON id = wanted"""
_BY_REF: Final = f"SELECT {COLUMNS} FROM checkouts WHERE provider_ref = ?"
_BIND: Final = """UPDATE checkouts SET provider_ref = :ref, expires_at = coalesce(:expires, expires_at)
  WHERE id = :id AND (provider_ref IS NULL OR provider_ref = :ref)
  AND NOT EXISTS (SELECT 1 FROM checkouts WHERE provider_ref = :ref AND id <> :id)"""
_FOLLOWS: Final = (
    f"kind = 'change' AND {STANDS} AND ' ' || {{}}.checkouts || ' ' LIKE '% ' || checkouts.id || ' %'"
)
_CAME_HERE: Final = f"""move_id IS NOT NULL AND EXISTS (SELECT 1 FROM moves WHERE new = :address
  AND {_FOLLOWS.format("moves")} AND NOT EXISTS (SELECT 1 FROM moves AS onward WHERE old = :address
    AND onward.done_at > moves.done_at AND {_FOLLOWS.format("onward")}))"""
# Arms of a UNION, of which each has its index: an OR of them would be a walk through all checkouts.
_OF_GUESTS: Final = f"""SELECT id FROM checkouts WHERE mailbox IS NULL AND verified = :address
    AND (move_id IS NULL OR NOT EXISTS (SELECT 1 FROM moves WHERE old = :address AND {_FOLLOWS.format("moves")}))
  UNION SELECT id FROM checkouts WHERE mailbox IS NULL AND {_CAME_HERE}"""
PENDING: Final = f"""SELECT {COLUMNS} FROM checkouts WHERE started_at > :since
  AND id IN (SELECT id FROM checkouts WHERE mailbox = :address UNION {_OF_GUESTS})
  AND EXISTS (SELECT 1 FROM facts WHERE object_id = checkouts.provider_ref AND status = 'unpaid')
  AND NOT EXISTS (SELECT 1 FROM purchases WHERE checkout_id = checkouts.id) ORDER BY id"""
_BEGUN_LATELY: Final = f"""SELECT {COLUMNS} FROM checkouts WHERE started_at > ? AND session_id = ? AND pid = ?
  AND NOT EXISTS (SELECT 1 FROM purchases WHERE checkout_id = checkouts.id)
  AND NOT EXISTS (SELECT 1 FROM facts WHERE object_id = checkouts.provider_ref AND status <> 'open')
  ORDER BY started_at DESC, id DESC LIMIT 1"""
_HAND_ON: Final = "UPDATE checkouts SET session_id = ? WHERE id = ? AND session_id = ?"
_HAND_PURCHASE_ON: Final = "UPDATE purchases SET session_id = ? WHERE checkout_id = ? AND session_id = ?"
FOLLOW: Final = f"""UPDATE checkouts SET move_id = :change WHERE started_at > :since AND id IN ({_OF_GUESTS})
  AND NOT EXISTS (SELECT 1 FROM purchases WHERE checkout_id = checkouts.id) RETURNING id"""
_TAKE_TURN: Final = "UPDATE checkouts SET asked_at = ? WHERE id = ? AND (asked_at IS NULL OR asked_at <= ?)"
OF_ADDRESS: Final = """SELECT checkout_id AS id FROM purchases
  WHERE user_id = (SELECT id FROM users WHERE email = :address)
  UNION SELECT id FROM checkouts WHERE mailbox = :address
  AND NOT EXISTS (SELECT 1 FROM purchases WHERE checkout_id = checkouts.id) ORDER BY id"""
_make = maker(Checkout)
_known = maker(KnownCheckout)


class Checkouts(Record):
    tables: ClassVar = [Table("checkouts", f"{COLUMNS}, asked_at", key="id")]

    def get(self, checkout: CheckoutId) -> Checkout | None:
        return self._one(from_row, _BY_ID, (checkout,))

    def for_claim(
        self, checkout: CheckoutId, *, ref: ProviderRef | None, payment: str | None
    ) -> KnownCheckout:
        row = self._sql(_FOR_CLAIM, {"id": checkout, "ref": ref, "payment": payment}).fetchone()
        return _known(
            checkout=None if row[0] is None else from_row(row), booked=bool(row[-6]), erased=bool(row[-5]),
            holds_place=bool(row[-4]), quarantined=bool(row[-3]), has_facts=bool(row[-2]), has_twins=bool(row[-1]),
        )  # fmt: skip

    def by_provider_ref(self, ref: ProviderRef) -> Checkout | None:
        return self._one(from_row, _BY_REF, (ref,))

    def of_address(self, mailbox: EmailAddress) -> Sequence[CheckoutId]:
        return self._all(first, OF_ADDRESS, {"address": mailbox.canonical})

    def begun_lately(self, session: SessionId, product: ProductId, *, since: datetime) -> Checkout | None:
        return self._one(from_row, _BEGUN_LATELY, (micros(since), session, product))

    def pending_of(self, mailbox: EmailAddress, *, since: datetime) -> Sequence[Checkout]:
        return self._all(from_row, PENDING, {"address": mailbox.canonical, "since": micros(since)})

    def first_started_at(self) -> datetime | None:
        return maybe(moment, self._value("SELECT min(started_at) FROM checkouts"))

    def add(self, checkout: Checkout) -> bool:
        return self._changed(_ADD, to_row(checkout))

    def bind(self, checkout: CheckoutId, *, ref: ProviderRef | None, expires_at: datetime | None) -> bool:
        return self._changed(_BIND, {"id": checkout, "ref": ref, "expires": maybe(micros, expires_at)})

    def follow_change(self, old: EmailAddress, *, change: ChangeId, since: datetime) -> Sequence[CheckoutId]:
        values = {"change": change, "since": micros(since), "address": old.canonical}
        return sorted(self._all(first, FOLLOW, values))

    def pass_on(self, checkout: CheckoutId, *, old: SessionId, session: SessionId) -> bool:
        values = (session, checkout, old)
        if not self._changed(_HAND_ON, values):
            return False
        self._sql(_HAND_PURCHASE_ON, values)
        return True

    def throttle(self, checkout: CheckoutId, *, now: datetime, gap: timedelta) -> bool:
        return self._changed(_TAKE_TURN, (micros(now), checkout, micros(now - gap)))


def from_row(row: Row) -> Checkout:
    return _make(
        id=row[0], product=row[1], product_name=row[2], price=Money(row[3], row[4]), session=row[5],
        mailbox=maybe(EmailAddress, row[6]), livemode=maybe(bool, row[7]), started_at=moment(row[8]),
        provider_ref=row[9], expires_at=maybe(moment, row[10]), contents=spaced(row[11]), discounts=bool(row[12]),
        change=row[13], on_purpose=bool(row[14]),
        verified=maybe(EmailAddress, row[15]), promotion=row[16] or "",
        waiver=row[17] and Waiver.read(row[17]), opens_at=row[18] and moment(row[18]), language=row[19] or "",
    )  # fmt: skip


def to_row(checkout: Checkout) -> Row:
    return (
        checkout.id, checkout.product, checkout.product_name, checkout.price.amount, checkout.price.currency,
        checkout.session, checkout.mailbox and checkout.mailbox.canonical, maybe(int, checkout.livemode),
        micros(checkout.started_at), checkout.provider_ref, maybe(micros, checkout.expires_at),
        " ".join(checkout.contents), int(checkout.discounts), checkout.change,
        int(checkout.on_purpose), checkout.verified and checkout.verified.canonical, checkout.promotion or None,
        checkout.waiver and checkout.waiver.written, checkout.opens_at and micros(checkout.opens_at),
        checkout.language or None,
    )  # fmt: skip
