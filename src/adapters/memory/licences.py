"""Licence keys that the merchant listed: free, assigned, and the purchases waiting for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adapters.memory.tables import Record
from domain.purchase import LicenceKey, Purchase
from domain.values import CheckoutId, ProductId


class Licences(Record):
    def stock(self, product: ProductId, keys: Sequence[str]) -> None:
        given = {key for pid, key in self._t.given_licences if pid == product}
        self._t.free_licences[product] = tuple(key for key in dict.fromkeys(keys) if key not in given)

    def assign(self, product: ProductId, *, checkout: CheckoutId) -> str | None:
        free = self._t.free_licences.get(product, ())
        if not free:
            self._t.in_line[product, checkout] = None
            return None
        self._t.free_licences[product] = free[1:]
        self._t.given_licences[product, free[0]] = checkout
        return free[0]

    def assign_to_next_in_line(self, product: ProductId) -> tuple[Purchase, LicenceKey] | None:
        waiting = [checkout for pid, checkout in self._t.in_line if pid == product]
        if not waiting or not self._t.free_licences.get(product):
            return None
        first = min(waiting)
        purchase = self._t.purchases.get(first)
        key = None if purchase is None else self.assign(product, checkout=first)
        if purchase is None or key is None:
            return None
        del self._t.in_line[product, first]
        licence = LicenceKey(product=product, key=key)
        self._t.purchases[first] = replace(purchase, licences=(*purchase.licences, licence))
        return self._t.purchases[first], licence
