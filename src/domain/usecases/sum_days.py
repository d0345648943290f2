"""Sums of days: close those that are over, answer any range, and check what is stored by counting again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from functools import partial
from typing import Final

from domain.day_sums import DaySum, SumsState, bounds, closed_before, over_products
from domain.frozen import frozen
from domain.going_live import STARTED_LIVE
from domain.local_time import day_of
from domain.ports import Catalogue, Clock, Store
from domain.transaction import ReadTransaction, Transaction

_DAY: Final = timedelta(days=1)
_AT_ONCE: Final = 100


@frozen
class Difference:
    """A closed day whose stored sums are not what counting it again gives."""

    day: date
    stored: Sequence[DaySum]
    counted: Sequence[DaySum]


@frozen
class SumDays:
    """Closed days are stored; the others, today among them, are counted when they are asked for."""

    store: Store
    catalogue: Catalogue
    clock: Clock

    async def __call__(self, first: date, last: date) -> Sequence[DaySum]:
        """The sums of these days of the shop, both included, in order of day. Raises StoreUnavailable."""
        open_from = await self._open_from(last)
        stored = await self.store.survey(lambda tx: tx.day_sums.stored(first, min(last, open_from - _DAY)))
        return [*stored, *await self._live(max(first, open_from), last)]

    async def totals(self, first: date, last: date) -> Sequence[DaySum]:
        """The same over all products, in order of day and currency. Raises StoreUnavailable."""
        open_from = await self._open_from(last)
        stored = await self.store.survey(lambda tx: tx.day_sums.totals(first, min(last, open_from - _DAY)))
        return [*stored, *over_products(await self._live(max(first, open_from), last))]

    async def _open_from(self, last: date) -> date:
        """The first day that is not closed; before any is, the one on which the shop began, or that after `last`."""
        wanted = await self._state()
        state, begun = await self.store.survey(lambda tx: (tx.day_sums.state(), tx.day_sums.first_moment()))
        if state is not None and _is_current(state, wanted):
            return state.closed_before
        return last + _DAY if begun is None else day_of(begun, self._zone())

    async def _live(self, first: date, last: date) -> list[DaySum]:
        zone, days = self._zone(), [first + n * _DAY for n in range((last - first).days + 1)]
        return [one for day in days for one in await self._count(day, zone)]

    async def close(self, *, most: int = _AT_ONCE) -> int:
        """Close the days that are over and count those again that changed since, at most so many; how many.

        Run now and then, on any node. Raises StoreUnavailable: then run it again.
        """
        zone, wanted = self._zone(), await self._state()
        state, begun = await self.store.survey(lambda tx: (tx.day_sums.state(), tx.day_sums.first_moment()))
        if state is not None and not _is_current(state, wanted):
            await self.store.transact(lambda tx: tx.day_sums.clear())
            state = None
        if state is None:
            if begun is None:
                return 0
            state = replace(wanted, closed_before=day_of(begun, zone))
        done = await self._count_again(state, zone)
        for _ in range(most):
            if state.closed_before >= wanted.closed_before:
                break
            sums = await self._count(state.closed_before, zone)
            closed = replace(state, closed_before=state.closed_before + _DAY)
            await self.store.transact(partial(_close, state.closed_before, sums, closed))
            state, done = closed, done + 1
        return done

    async def check(self, *, look: Callable[[int], object] = lambda _: None) -> Sequence[Difference]:
        """Count every closed day again; those that differ. `look` gets 1 for each day. Raises StoreUnavailable.

        A day that is to be counted again anyway differs for now; run `close` first.
        """
        zone = self._zone()
        state, begun = await self.store.survey(lambda tx: (tx.day_sums.state(), tx.day_sums.first_moment()))
        found: list[Difference] = []
        if state is None or begun is None:
            return found
        day = day_of(begun, zone)
        while day < state.closed_before:
            counted = await self._count(day, zone)
            stored = await self.store.survey(partial(_stored, day))
            if not _agree(stored, counted):
                found.append(Difference(day=day, stored=stored, counted=counted))
            look(1)
            day += _DAY
        return found

    async def _count_again(self, state: SumsState, zone: tzinfo) -> int:
        marks = await self.store.survey(lambda tx: tx.day_sums.touched(limit=_AT_ONCE))
        by_day: dict[date, list[tuple[datetime, int]]] = {}
        for moment, times in marks:
            day = day_of(moment, zone)
            if (
                day < state.closed_before
            ):  # else it is kept: another node may be closing that day at this moment
                by_day.setdefault(day, []).append((moment, times))
        for day, those in by_day.items():
            before = await self.store.survey(partial(_stored, day))
            await self.store.transact(partial(_settle, day, before, await self._count(day, zone), those))
        return len(by_day)

    async def _count(self, day: date, zone: tzinfo) -> Sequence[DaySum]:
        begin, end = bounds(day, zone)
        return await self.store.survey(lambda tx: tx.day_sums.count(day, begin, end))

    async def _state(self) -> SumsState:
        """How things stand now: the shop's zone and mode, and the day before which all are to be closed."""
        shop = self.catalogue.current().shop
        live = await self.store.survey(lambda tx: tx.shop.cursor(STARTED_LIVE)) is not None
        return SumsState(
            zone=shop.timezone, live=live, closed_before=closed_before(self.clock.now(), shop.zone)
        )

    def _zone(self) -> tzinfo:
        return self.catalogue.current().shop.zone


def _is_current(state: SumsState, wanted: SumsState) -> bool:
    return (state.zone, state.live) == (wanted.zone, wanted.live)


def _close(day: date, sums: Sequence[DaySum], state: SumsState, tx: Transaction) -> None:
    tx.day_sums.replace(day, sums)
    tx.day_sums.close(state)


def _settle(
    day: date,
    before: Sequence[DaySum],
    sums: Sequence[DaySum],
    marks: Sequence[tuple[datetime, int]],
    tx: Transaction,
) -> None:
    """Nothing is written if another process counted the day meanwhile: its count may be the newer one."""
    if tx.day_sums.stored(day, day) != before:
        return
    kept = [moment for moment, times in marks if tx.day_sums.untouch(moment, times)]
    if len(kept) == len(marks):
        tx.day_sums.replace(day, sums)
    else:
        tx.day_sums.touch(kept)


def _stored(day: date, tx: ReadTransaction) -> Sequence[DaySum]:
    return tx.day_sums.stored(day, day)


def _agree(stored: Sequence[DaySum], counted: Sequence[DaySum]) -> bool:
    """Whether they are the same, but for checkouts that nobody paid and that were pruned since."""
    now = {(one.currency, one.product): one for one in counted}
    then = {(one.currency, one.product): one for one in stored}
    for key in {*now, *then}:
        one, held = now.get(key), then.get(key)
        if held is None or (one.started if one else 0) > held.started:
            return False
        blank = DaySum(held.day, *key)
        if replace(one or blank, started=0) != replace(held, started=0):
            return False
    return True
