"""Sums of closed days, and the same numbers counted from the records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from adapters.memory.purchases import holding_of, is_counted
from adapters.memory.tables import Record
from domain.day_sums import DaySum, SumsState, combined, gone_in, over_products
from domain.going_live import STARTED_LIVE
from domain.purchase import Source


class DaySums(Record):
    def count(self, day: date, begin: datetime, end: datetime) -> Sequence[DaySum]:
        sums: list[DaySum] = []
        for purchase in self._t.purchases.values():
            if not is_counted(self._t, purchase):
                continue
            one = DaySum(day, purchase.paid.currency, purchase.product)
            sums.append(replace(one, refunded=gone_in(holding_of(self._t, purchase), begin, end)))
            if begin <= purchase.booked_at < end and purchase.source is Source.FREE:
                sums.append(replace(one, free=1))
            elif begin <= purchase.booked_at < end and purchase.source is not Source.GRANT:
                sums.append(replace(one, sales=1, gross=purchase.paid.amount))
        for checkout in self._t.checkouts.values():
            counted = checkout.livemode or (
                checkout.livemode is False and STARTED_LIVE not in self._t.cursors
            )
            if counted and begin <= checkout.started_at < end:
                booked = self._t.purchases.get(checkout.id)
                opened = booked is not None and booked.opened_at is not None
                sums.append(
                    DaySum(
                        day,
                        checkout.price.currency,
                        checkout.product,
                        started=1,
                        paid=int(booked is not None),
                        opened=int(opened),
                    )
                )
        return combined(day, sums)

    def stored(self, first: date, last: date) -> Sequence[DaySum]:
        found = [one for one in self._t.day_sums.values() if first <= one.day <= last]
        return sorted(found, key=lambda one: (one.day, one.currency, one.product))

    def totals(self, first: date, last: date) -> Sequence[DaySum]:
        return over_products(self.stored(first, last))

    def state(self) -> SumsState | None:
        return self._t.sums_closed.get(1)

    def touched(self, *, limit: int) -> Sequence[tuple[datetime, int]]:
        return sorted(self._t.sums_touched.items())[:limit]

    def first_moment(self) -> datetime | None:
        begun = [checkout.started_at for checkout in self._t.checkouts.values()]
        return min([*begun, *(p.booked_at for p in self._t.purchases.values())], default=None)

    def touch(self, moments: Sequence[datetime]) -> None:
        for one in moments:
            self._t.sums_touched[one] = self._t.sums_touched.get(one, 0) + 1

    def replace(self, day: date, sums: Sequence[DaySum]) -> None:
        before = [one for one in self._t.day_sums.values() if one.day == day]
        known = {(day, one.currency, one.product): one for one in sums}
        for one in before:
            key = (day, one.currency, one.product)
            held = known.get(key, DaySum(*key))
            known[key] = replace(held, started=max(held.started, one.started))
            del self._t.day_sums[key]
        self._t.day_sums.update({key: one for key, one in known.items() if not one.is_empty})

    def untouch(self, moment: datetime, times: int) -> bool:
        if self._t.sums_touched.get(moment) != times:
            return False
        del self._t.sums_touched[moment]
        return True

    def close(self, state: SumsState) -> None:
        self._t.sums_closed[1] = state

    def clear(self) -> None:
        self._t.day_sums.clear()
        self._t.sums_closed.clear()
