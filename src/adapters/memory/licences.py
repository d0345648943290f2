"""Licence keys that the merchant listed: free, assigned, and the purchases waiting for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.purchases import holding_of
from adapters.memory.tables import Record
from domain.access import Holding
from domain.purchase import LicenceKey, Purchase
from domain.values import CheckoutId, ProductId


class Licences(Record):
    def stock(self, product: ProductId, keys: Sequence[str]) -> None:
        given = {key for pid, key in self._t.given_licences if pid == product}
        self._t.free_licences[product] = tuple(key for key in dict.fromkeys(keys) if key not in given)

    def assign(self, product: ProductId, *, checkout: CheckoutId) -> str | None:
        free = self._t.free_licences.get(product, ())
        if not free:
            self.enqueue(product, checkout=checkout)
            return None
        self._t.free_licences[product] = free[1:]
        self._t.given_licences[product, free[0]] = checkout
        return free[0]

    def take(self, product: ProductId, key: str, *, checkout: CheckoutId) -> bool:
        free = self._t.free_licences.get(product, ())
        if key not in free:
            return False
        self._t.free_licences[product] = tuple(one for one in free if one != key)
        self._t.given_licences[product, key] = checkout
        return True

    def any_free(self, product: ProductId) -> bool:
        return bool(self._t.free_licences.get(product))

    def count_free(self, product: ProductId) -> int:
        return len(self._t.free_licences.get(product, ()))

    def count_waiting(self, product: ProductId) -> int:
        return sum(pid == product for pid, _checkout in self._t.in_line)

    def enqueue(self, product: ProductId, *, checkout: CheckoutId) -> None:
        self._t.in_line[product, checkout] = None

    def in_line_after(self, product: ProductId, *, after: str, limit: int) -> Sequence[Holding]:
        waiting = sorted(c for pid, c in self._t.in_line if pid == product and c > after)
        found = [holding_of(self._t, self._t.purchases[c]) for c in waiting if c in self._t.purchases]
        return found[:limit]

    def replaced_of(self, checkout: CheckoutId) -> Sequence[LicenceKey]:
        found = [
            (at, pid, key) for (pid, key), (by, at) in self._t.replaced_licences.items() if by == checkout
        ]
        return [LicenceKey(pid, key) for _, pid, key in sorted(found)]

    def replace(
        self, product: ProductId, *, checkout: CheckoutId, at: datetime, generated: str | None
    ) -> LicenceKey | None:
        purchase, free = self._t.purchases.get(checkout), self._t.free_licences.get(product, ())
        held = (
            next((item for item in purchase.licences if item.product == product), None) if purchase else None
        )
        if purchase is None or held is None or not (generated or free):
            return None
        if not generated:
            self._t.free_licences[product] = free[1:]
            self._t.given_licences[product, free[0]] = checkout
        self._t.replaced_licences[product, held.key] = checkout, at
        self._t.given_licences[product, held.key] = checkout
        licence = LicenceKey(product=product, key=generated or free[0])
        keys = tuple(licence if item == held else item for item in purchase.licences)
        self._t.purchases[checkout] = replace(purchase, licences=keys)
        return licence

    def take_back(self, purchase: Purchase) -> None:
        for item in purchase.licences:
            if self._t.given_licences.get((item.product, item.key)) == purchase.checkout:
                del self._t.given_licences[item.product, item.key]
                free = self._t.free_licences.get(item.product, ())
                self._t.free_licences[item.product] = (*free, item.key)
        held = self._t.purchases.get(purchase.checkout)
        if held is not None:
            self._t.purchases[held.checkout] = replace(held, licences=())

    def serve(self, product: ProductId, *, checkout: CheckoutId) -> tuple[Purchase, LicenceKey] | None:
        purchase, free = self._t.purchases.get(checkout), self._t.free_licences.get(product, ())
        if purchase is None or not free or (product, checkout) not in self._t.in_line:
            return None
        del self._t.in_line[product, checkout]
        self._t.free_licences[product] = free[1:]
        self._t.given_licences[product, free[0]] = checkout
        licence = LicenceKey(product=product, key=free[0])
        self._t.purchases[checkout] = replace(purchase, licences=(*purchase.licences, licence))
        return self._t.purchases[checkout], licence
