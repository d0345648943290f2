"""Searches: each by one seek into an index, whatever is typed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from adapters.sql import outbox, purchases, users
from adapters.sql.dialect import ANY_OF, LISTED, texts
from adapters.sql.record import Record, first, micros, moment
from domain.access import Holding
from domain.mail import Mail, MailKind
from domain.purchase import Purchase
from domain.records import User
from domain.values import CheckoutId, EmailAddress, ProductId

_LONGEST_KEY: Final = 120
_LAST: Final = "\U0010ffff"
"""Behind every character."""
# Steps from product to product in the index, however many sales each has.
_PRODUCTS: Final = """WITH RECURSIVE each_of (pid) AS (SELECT min(pid) FROM purchases
  UNION ALL SELECT (SELECT min(p.pid) FROM purchases p WHERE p.pid > each_of.pid) FROM each_of WHERE pid IS NOT NULL)
  SELECT pid, (SELECT product_name FROM purchases p WHERE p.pid = each_of.pid
    ORDER BY booked_at DESC, checkout_id DESC LIMIT 1) FROM each_of WHERE pid IS NOT NULL ORDER BY pid"""
_EVENT: Final = "SELECT object_id FROM events WHERE id = ? AND object_id <> ''"
_GIVEN: Final = "SELECT checkout_id FROM licences WHERE key = ? AND checkout_id IS NOT NULL LIMIT ?"
_MADE: Final = """SELECT checkout_id FROM purchases INDEXED BY purchases_licences
  WHERE licences <> '' AND substr(licences, 1, 200) >= ? AND substr(licences, 1, 200) < ? LIMIT ?"""
_THESE: Final = (
    f"SELECT {purchases.COLUMNS} FROM purchases WHERE checkout_id {ANY_OF} ORDER BY checkout_id LIMIT ?"
)
# Found before they are ordered: PostgreSQL keeps no statistics of addresses, expects thousands of such purchases, and
# would read all there are in the order of their key.
PAID_WITH: Final = f"""WITH found AS MATERIALIZED (SELECT * FROM purchases INDEXED BY purchases_paid_email
  WHERE paid_email = ? AND paid_email <> mailbox)
  SELECT {purchases.COLUMNS} FROM found ORDER BY checkout_id LIMIT ?"""
_USERS_FROM: Final = (
    f"SELECT {users.COLUMNS} FROM users WHERE email >= ? AND email < ? ORDER BY email LIMIT ?"
)
_BY_ADDRESSES: Final = f"SELECT {users.COLUMNS} FROM users WHERE email {ANY_OF}"
_BOOKED: Final = f"SELECT {purchases.COLUMNS} FROM purchases WHERE checkout_id {ANY_OF}"
_PAID: Final = f"SELECT {purchases.COLUMNS} FROM purchases WHERE payment {ANY_OF}"
_AMONG: Final = f"SELECT key FROM outbox WHERE key {ANY_OF}"
# Address by address, as in `sale_lists.RETURNED`.
_ARRIVED: Final = f"""SELECT value, (SELECT max(CASE WHEN delivery = 'delivered' THEN queued_at END)
  FROM outbox INDEXED BY outbox_mailbox WHERE mailbox = value) FROM {LISTED}"""

_NEWEST: Final = f"""SELECT {outbox.COLUMNS} FROM outbox WHERE kind = ? AND kind <> 'access' AND queued_at <= ?
  AND (queued_at < ? OR key < ?) ORDER BY queued_at DESC, key DESC LIMIT ?"""
_NEWEST_ACCESS: Final = f"""SELECT {outbox.COLUMNS} FROM outbox WHERE key > 'access:' AND key < ?
  ORDER BY key DESC LIMIT ?"""
_LATER: Final = 2**62
"""A moment after all others."""


class Searches(Record):
    def event_object(self, event: str) -> str | None:
        return self._one(first, _EVENT, (event,))

    def by_licence_key(self, key: str, *, limit: int) -> Sequence[Holding]:
        if len(key) > _LONGEST_KEY:
            return []
        found = set(self._all(first, _GIVEN, (key, limit)))
        for product, _ in self.product_names():
            line = f"{product} {key}"
            # The key ends there: with the text, or with its line.
            found.update(self._all(first, _MADE, (line, f"{line}\x01", limit)))
            found.update(self._all(first, _MADE, (f"{line}\n", f"{line}\x0b", limit)))
        return purchases.with_facts(self._sql, _THESE, (texts(found), limit))

    def paid_with(self, address: EmailAddress, *, limit: int) -> Sequence[Holding]:
        return purchases.with_facts(self._sql, PAID_WITH, (address.canonical, limit))

    def users_from(self, start: str, *, limit: int) -> Sequence[User]:
        return self._all(users.from_row, _USERS_FROM, (start, start + _LAST, limit))

    def product_names(self) -> Sequence[tuple[ProductId, str]]:
        return self._all(lambda row: (ProductId(row[0]), str(row[1])), _PRODUCTS)

    def users(self, mailboxes: Collection[EmailAddress]) -> Sequence[User]:
        return self._all(users.from_row, _BY_ADDRESSES, (texts(mailbox.canonical for mailbox in mailboxes),))

    def booked(self, checkouts: Collection[CheckoutId]) -> Sequence[Purchase]:
        return self._all(purchases.from_row, _BOOKED, (texts(checkouts),))

    def paid(self, payments: Collection[str]) -> Sequence[Holding]:
        return purchases.with_facts(self._sql, _PAID, (texts(payments),))

    def email_keys(self, keys: Collection[str]) -> frozenset[str]:
        return frozenset(self._all(first, _AMONG, (texts(keys),)))

    def newest_delivered(self, mailboxes: Collection[EmailAddress]) -> Mapping[EmailAddress, datetime]:
        rows = self._sql(_ARRIVED, (texts(mailbox.canonical for mailbox in mailboxes),))
        return {
            EmailAddress(mailbox): moment(queued_at) for mailbox, queued_at in rows if queued_at is not None
        }

    def emails(self, kind: MailKind, *, before: Mail | None = None, limit: int) -> Sequence[Mail]:
        if kind is MailKind.ACCESS:
            return self._all(
                outbox.from_row, _NEWEST_ACCESS, ("access;" if before is None else before.key, limit)
            )
        at = micros(before.queued_at) if before is not None else _LATER
        return self._all(
            outbox.from_row, _NEWEST, (kind.value, at, at, "" if before is None else before.key, limit)
        )
