"""Licence keys that the merchant listed: free, assigned, and the purchases waiting for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar, Final

from adapters.sql import purchases
from adapters.sql.dialect import ANY_OF, LISTED, texts
from adapters.sql.record import Record, Table, first, micros
from domain.access import Holding
from domain.purchase import LicenceKey, Purchase
from domain.values import CheckoutId, ProductId

_DROP: Final = f"DELETE FROM licences WHERE pid = ? AND checkout_id IS NULL AND NOT key {ANY_OF}"
_LIST: Final = f"""INSERT INTO licences (pid, key, position) SELECT ?, value, place FROM {LISTED} WHERE NOT EXISTS
  (SELECT 1 FROM licences WHERE pid = ? AND key = listed.value AND position = listed.place)
  ON CONFLICT (pid, key) DO UPDATE SET position = excluded.position"""
_TAKE: Final = """UPDATE licences SET checkout_id = :checkout WHERE pid = :pid AND key = (SELECT key FROM licences
  WHERE pid = :pid AND checkout_id IS NULL ORDER BY position LIMIT 1) RETURNING key"""
_TAKE_THIS: Final = "UPDATE licences SET checkout_id = ? WHERE pid = ? AND key = ? AND checkout_id IS NULL"
_ANY_FREE: Final = "SELECT 1 FROM licences WHERE pid = ? AND checkout_id IS NULL LIMIT 1"
_COUNT_FREE: Final = "SELECT count(*) FROM licences WHERE pid = ? AND checkout_id IS NULL"
_COUNT_WAITING: Final = "SELECT count(*) FROM licence_line WHERE pid = ?"
_QUEUE: Final = "INSERT INTO licence_line (pid, checkout_id) VALUES (?,?) ON CONFLICT DO NOTHING"
_WAITING: Final = f"""SELECT {purchases.COLUMNS} FROM purchases WHERE checkout_id IN
  (SELECT checkout_id FROM licence_line WHERE pid = ?"""
_IN_LINE: Final = f"{_WAITING} AND checkout_id > ?) ORDER BY checkout_id LIMIT ?"
_WAITS: Final = f"{_WAITING} AND checkout_id = ?)"
_FREE: Final = """UPDATE licences SET checkout_id = NULL,
  position = (SELECT max(position) + 1 FROM licences WHERE pid = :pid)
  WHERE pid = :pid AND key = :key AND checkout_id = :checkout"""
_WRITE: Final = "UPDATE purchases SET licences = ? WHERE checkout_id = ?"

_REPLACED: Final = """SELECT pid, key FROM licences WHERE checkout_id = ? AND replaced_at IS NOT NULL
  ORDER BY replaced_at, pid, key"""
# A generated key stands in no list until it is replaced.
_MARK: Final = """INSERT INTO licences (pid, key, position, checkout_id, replaced_at) VALUES (?,?,0,?,?)
  ON CONFLICT (pid, key) DO UPDATE SET replaced_at = excluded.replaced_at, checkout_id = excluded.checkout_id"""
_HELD: Final = f"SELECT {purchases.COLUMNS} FROM purchases WHERE checkout_id = ?"


class Licences(Record):
    tables: ClassVar = [
        Table("licences", "pid, key, position, checkout_id, replaced_at", key="pid, key"),
        Table("licence_line", "pid, checkout_id", key="pid, checkout_id"),
    ]

    def stock(self, product: ProductId, keys: Sequence[str]) -> None:
        listed = texts(dict.fromkeys(keys))
        self._sql(_DROP, (product, listed))
        self._sql(_LIST, (product, listed, product))

    def assign(self, product: ProductId, *, checkout: CheckoutId) -> str | None:
        taken = self._take(product, checkout)
        if taken is None:
            self.enqueue(product, checkout=checkout)
        return taken

    def take(self, product: ProductId, key: str, *, checkout: CheckoutId) -> bool:
        return self._changed(_TAKE_THIS, (checkout, product, key))

    def any_free(self, product: ProductId) -> bool:
        return self._any(_ANY_FREE, (product,))

    def count_free(self, product: ProductId) -> int:
        return int(self._all(first, _COUNT_FREE, (product,))[0])

    def count_waiting(self, product: ProductId) -> int:
        return int(self._all(first, _COUNT_WAITING, (product,))[0])

    def enqueue(self, product: ProductId, *, checkout: CheckoutId) -> None:
        self._sql(_QUEUE, (product, checkout))

    def in_line_after(self, product: ProductId, *, after: str, limit: int) -> Sequence[Holding]:
        return purchases.with_facts(self._sql, _IN_LINE, (product, after, limit))

    def serve(self, product: ProductId, *, checkout: CheckoutId) -> tuple[Purchase, LicenceKey] | None:
        purchase = self._one(purchases.from_row, _WAITS, (product, checkout))
        taken = None if purchase is None else self._take(product, checkout)
        if purchase is None or taken is None:
            return None
        licence = LicenceKey(product=product, key=taken)
        served = replace(purchase, licences=(*purchase.licences, licence))
        self._sql("DELETE FROM licence_line WHERE pid = ? AND checkout_id = ?", (product, checkout))
        self._sql(_WRITE, (purchases.licences_text(served.licences), checkout))
        return served, licence

    def replaced_of(self, checkout: CheckoutId) -> Sequence[LicenceKey]:
        return self._all(lambda row: LicenceKey(ProductId(row[0]), row[1]), _REPLACED, (checkout,))

    def replace(
        self, product: ProductId, *, checkout: CheckoutId, at: datetime, generated: str | None
    ) -> LicenceKey | None:
        purchase = self._one(purchases.from_row, _HELD, (checkout,))
        held = [] if purchase is None else [item for item in purchase.licences if item.product == product]
        key = None if not held else generated or self._take(product, checkout)
        if purchase is None or key is None:
            return None
        for item in held:
            self._sql(_MARK, (product, item.key, checkout, micros(at)))
        licence = LicenceKey(product=product, key=key)
        others = tuple(licence if item == held[0] else item for item in purchase.licences)
        kept = tuple(item for item in others if item not in held)
        self._sql(_WRITE, (purchases.licences_text(kept), checkout))
        return licence

    def take_back(self, purchase: Purchase) -> None:
        for item in purchase.licences:
            self._sql(_FREE, {"pid": item.product, "key": item.key, "checkout": purchase.checkout})
        self._sql(_WRITE, ("", purchase.checkout))

    def _take(self, product: ProductId, checkout: CheckoutId) -> str | None:
        taken = self._all(first, _TAKE, {"checkout": checkout, "pid": product})
        return taken[0] if taken else None
