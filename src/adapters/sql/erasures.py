"""Erasures: taking a person out of the records, and remembering that it was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Final

from adapters.sql import checkouts, forgetting, purchases
from adapters.sql.dialect import ANY_OF, texts
from adapters.sql.record import Record, Row, Table, first, maybe, micros, moment
from domain.records import ErasedAddress
from domain.values import CheckoutId, EmailAddress

_THEIRS: Final = "SELECT checkout_id FROM purchases WHERE user_id = (SELECT id FROM users WHERE email = ?)"
_IS_NAMED: Final = "SELECT 1 FROM purchases WHERE checkout_id = ? AND mailbox IS NOT NULL"
_NOTE_ORDER: Final = "INSERT INTO erasures (checkout_id, at) VALUES (?,?) ON CONFLICT DO NOTHING"
_NOTE_ADDRESS: Final = """INSERT INTO erased_addresses (tag, at) VALUES (?,?)
  ON CONFLICT (tag) DO UPDATE SET at = excluded.at WHERE erased_addresses.at < excluded.at"""
_AT: Final = f"SELECT checkout_id, at FROM erasures WHERE checkout_id {ANY_OF}"
_ORDERS: Final = "SELECT checkout_id FROM erasures WHERE checkout_id > ? ORDER BY checkout_id LIMIT ?"
_ADDRESSES: Final = "SELECT tag, at FROM erased_addresses WHERE tag > ? ORDER BY tag LIMIT ?"


class Erasures(Record):
    tables: ClassVar = [
        Table("erasures", "checkout_id, at", key="checkout_id"),
        Table("erased_addresses", "tag, at", key="tag"),
    ]

    def erased_at(self, checkouts: Sequence[CheckoutId]) -> Mapping[CheckoutId, datetime]:
        return {row[0]: moment(row[1]) for row in self._sql(_AT, (texts(checkouts),))}

    def is_erased(self, checkout: CheckoutId) -> bool:
        return self._any("SELECT 1 FROM erasures WHERE checkout_id = ?", (checkout,))

    def checkouts_after(self, checkout: str, *, limit: int) -> Sequence[CheckoutId]:
        return self._all(first, _ORDERS, (checkout, limit))

    def address_erased_at(self, tag: str) -> datetime | None:
        return maybe(moment, self._one(first, "SELECT at FROM erased_addresses WHERE tag = ?", (tag,)))

    def addresses_after(self, tag: str, *, limit: int) -> Sequence[ErasedAddress]:
        return self._all(address_from_row, _ADDRESSES, (tag, limit))

    def known_addresses_after(self, address: str, *, limit: int) -> Sequence[EmailAddress]:
        found = self._sql(forgetting.ADDRESSES_AFTER, {"after": address, "most": limit})
        return [EmailAddress(row[0]) for row in found]

    def erase(self, mailbox: EmailAddress, *, at: datetime) -> Sequence[CheckoutId]:
        theirs: list[CheckoutId] = self._all(first, _THEIRS, (mailbox.canonical,))
        for (checkout,) in self._sql(checkouts.OF_ADDRESS, {"address": mailbox.canonical}).fetchall():
            self.erase_order(checkout, at=at)
        self._sql("UPDATE checkouts SET mailbox = NULL WHERE mailbox = ?", (mailbox.canonical,))
        self.forget(mailbox)
        return theirs

    def erase_order(self, checkout: CheckoutId, *, at: datetime) -> bool:
        noted = self._changed(_NOTE_ORDER, (checkout, micros(at)))
        named = self._any(_IS_NAMED, (checkout,))
        values = {"checkout": checkout, "access": f"access:{checkout}", "failed": f"failed:{checkout}"}
        for statement in forgetting.ERASE_ORDER:
            self._sql(statement, values)
        purchases.erase_tax_number(self._sql, checkout)
        return noted or named

    def note_address(self, erased: ErasedAddress) -> bool:
        return self._changed(_NOTE_ADDRESS, (erased.tag, micros(erased.at)))

    def forget(self, mailbox: EmailAddress) -> None:
        values = {"address": mailbox.canonical}
        former = self._sql(forgetting.FORMER, values).fetchall()
        for statement in forgetting.FORGET:
            self._sql(statement, values)
        for move in former:
            forgetting.forget_former(self._sql, move)


def address_from_row(row: Row) -> ErasedAddress:
    return ErasedAddress(tag=row[0], at=moment(row[1]))
