"""Licence keys that the merchant listed: free, assigned, and the purchases waiting for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Final

from adapters.sql import purchases
from adapters.sql.dialect import ANY_OF, LISTED, texts
from adapters.sql.record import Record, Table, first
from domain.purchase import LicenceKey, Purchase
from domain.values import CheckoutId, ProductId

_DROP: Final = f"DELETE FROM licences WHERE pid = ? AND checkout_id IS NULL AND NOT key {ANY_OF}"
_LIST: Final = f"""INSERT INTO licences (pid, key, position) SELECT ?, value, place FROM {LISTED} WHERE NOT EXISTS
  (SELECT 1 FROM licences WHERE pid = ? AND key = listed.value AND position = listed.place)
  ON CONFLICT (pid, key) DO UPDATE SET position = excluded.position"""
_TAKE: Final = """UPDATE licences SET checkout_id = :checkout WHERE pid = :pid AND key = (SELECT key FROM licences
  WHERE pid = :pid AND checkout_id IS NULL ORDER BY position LIMIT 1) RETURNING key"""
_QUEUE: Final = "INSERT INTO licence_line (pid, checkout_id) VALUES (?,?) ON CONFLICT DO NOTHING"
_WRITE: Final = "UPDATE purchases SET licences = ? WHERE checkout_id = ?"


class Licences(Record):
    tables: ClassVar = [
        Table("licences", "pid, key, position, checkout_id", key="pid, key"),
        Table("licence_line", "pid, checkout_id", key="pid, checkout_id"),
    ]

    def stock(self, product: ProductId, keys: Sequence[str]) -> None:
        listed = texts(dict.fromkeys(keys))
        self._sql(_DROP, (product, listed))
        self._sql(_LIST, (product, listed, product))

    def assign(self, product: ProductId, *, checkout: CheckoutId) -> str | None:
        taken = self._take(product, checkout)
        if taken is None:
            self._sql(_QUEUE, (product, checkout))
        return taken

    def assign_to_next_in_line(self, product: ProductId) -> tuple[Purchase, LicenceKey] | None:
        checkout = self._value("SELECT min(checkout_id) FROM licence_line WHERE pid = ?", (product,))
        purchase = self._one(purchases.from_row, purchases.BY_CHECKOUT, (checkout,))
        taken = None if purchase is None else self._take(product, checkout)
        if purchase is None or taken is None:
            return None
        licence = LicenceKey(product=product, key=taken)
        served = replace(purchase, licences=(*purchase.licences, licence))
        self._sql("DELETE FROM licence_line WHERE pid = ? AND checkout_id = ?", (product, checkout))
        self._sql(_WRITE, (purchases.licences_text(served.licences), checkout))
        return served, licence

    def _take(self, product: ProductId, checkout: CheckoutId) -> str | None:
        taken = self._all(first, _TAKE, {"checkout": checkout, "pid": product})
        return taken[0] if taken else None
