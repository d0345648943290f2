"""Sums of closed days are what counting them again gives, whatever happened since and in whatever order."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.memory.store import MemoryStore
from domain.day_sums import DaySum, by_currency, closed_before
from domain.fact import Fact, FactKind
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.note_opened import note_opened
from domain.usecases.sum_days import Difference, SumDays
from domain.values import CheckoutId, ProductId, ProviderRef
from entrypoints.cli_sales import difference_lines
from entrypoints.testing import BOOK, Browser, Shop
from testkit.stepping import run

T = TypeVar("T")
HISTORIES = 10_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 150
ANNA = "anna@example.com"
FIRST = date(2026, 3, 1)
"""The day on which every shop of the tests opens, at noon."""


class World:
    """A shop whose days pass."""

    def __init__(self) -> None:
        self.shop = Shop()
        self.sum_days = SumDays(store=self.shop.store, catalogue=self.shop.catalogue, clock=self.shop.clock)
        self.begun: list[ProviderRef] = []

    def begin_on(self, moment: datetime) -> None:
        """Open on another day, before anything was sold."""
        self.shop.clock.time = moment

    def live_in(self, zone: str) -> None:
        """The merchant writes another time zone into shop.toml."""
        edition = self.shop.catalogue.edition
        self.shop.catalogue.edition = replace(edition, shop=replace(edition.shop, timezone=zone))

    def close(self) -> int:
        return run(self.sum_days.close())

    def close_all(self) -> None:
        while self.close():
            pass

    def begin(self) -> None:
        self.begun.append(Browser(self.shop, network=f"192.0.2.{len(self.begun) % 250}").buy())

    def pay(self, which: int) -> None:
        ref = self.begun[which % len(self.begun)]
        self.shop.payments.pay(ref, email=ANNA)
        self.shop.hear_of(ref, event=f"evt_{len(self.begun)}_{which}_{self.shop.clock.now().timestamp()}")

    def pay_unheard(self, which: int) -> None:
        self.shop.payments.pay(self.begun[which % len(self.begun)], email=ANNA)

    def sold(self) -> list[Any]:
        return sorted(self.shop.memory.tables.purchases.values(), key=lambda purchase: purchase.checkout)

    def tell(self, which: int, thing: int, status: str, amount: int, days_ago: int) -> None:
        kind = FactKind.DISPUTE if status in ("lost", "needs_response") else FactKind.REFUND
        paid = self.sold()
        if not paid:
            return
        at = self.shop.clock.now() - timedelta(days=days_ago)
        payment = paid[which % len(paid)].payment
        name = (
            f"{kind.value}_{thing % 3}_of_{payment}"  # at the provider, it is about the same payment for ever
        )
        self.shop.hear_fact(Fact(name, kind, payment, int(at.timestamp()), status, amount))

    def tell_before(self, which: int, amount: int) -> None:
        """A refund of a payment whose sale is not known yet."""
        ref = self.begun[which % len(self.begun)]
        payment = self.shop.payments.sessions[ref].payment
        if payment is not None:
            at = int(self.shop.clock.now().timestamp())
            self.shop.hear_fact(Fact(f"re_of_{ref}", FactKind.REFUND, payment, at, "succeeded", amount))

    def open(self, which: int) -> None:
        paid = self.sold()
        if paid:
            purchase = paid[which % len(paid)]
            run(note_opened(self.shop.store, purchase, now=self.shop.clock.now()))

    def differences(self) -> list[Difference]:
        return list(run(self.sum_days.check()))


NUMBERS = st.integers(0, 5)
ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Africa/Cairo", "Asia/Kathmandu",
    "Pacific/Apia",
]  # fmt: skip
"""Clocks that are put forward and back, by half an hour on Lord Howe, and at midnight in Cairo and Havana."""
OPENINGS = [
    datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 7, 23, 30, tzinfo=UTC), datetime(2026, 3, 28, 12, tzinfo=UTC),
    datetime(2026, 4, 4, 1, tzinfo=UTC), datetime(2026, 4, 23, 20, tzinfo=UTC), datetime(2026, 10, 3, 12, tzinfo=UTC),
    datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 29, 20, tzinfo=UTC), datetime(2026, 10, 31, 23, tzinfo=UTC),
    datetime(2026, 12, 31, 12, tzinfo=UTC),
]  # fmt: skip
"""Shortly before one of these clocks changes; the last, before a year does."""
STEPS = st.one_of(
    st.tuples(st.just("tick"), st.sampled_from([99, 49, 26, 13, 0.5])),
    st.tuples(st.just("live_in"), st.sampled_from(ZONES)),
    st.tuples(st.just("begin")),
    st.tuples(st.just("pay"), NUMBERS),
    st.tuples(st.just("tell"), NUMBERS, NUMBERS, st.sampled_from(["succeeded", "pending", "lost", "failed", "needs_response"]),
              st.sampled_from([100, 400, 900]), st.sampled_from([2, 3, 1, 0, 4])),
    st.tuples(st.just("open"), NUMBERS),
    st.tuples(st.just("close")),
)  # fmt: skip


@settings(max_examples=HISTORIES)
@given(st.sampled_from(OPENINGS), st.sampled_from(ZONES), st.lists(STEPS, min_size=4, max_size=30))
def test_whatever_happens_the_sums_are_what_the_records_say(
    opened: datetime, zone: str, steps: list[tuple[Any, ...]]
) -> None:
    """Also where refunds reach closed days, and the shop moves to another time zone in the middle of it all."""
    world = World()
    world.begin_on(opened)
    world.live_in(zone)
    world.begin()
    world.pay(0)
    for name, *arguments in steps:
        if name == "tick":
            world.shop.clock.tick(hours=arguments[0])
            world.close_all()  # as the timer does: what comes later finds closed days
        else:
            getattr(world, name)(*arguments)
    world.close_all()
    assert world.differences() == []
    today = world.shop.clock.now().date() + timedelta(days=1)
    sums = run(world.sum_days(opened.date() - timedelta(days=9), today))
    paid = world.sold()
    assert sum(one.sales for one in sums) == len(paid)
    assert sum(one.gross for one in sums) == sum(purchase.paid.amount for purchase in paid)
    assert sum(one.started for one in sums) == len(world.shop.memory.tables.checkouts)
    assert sum(one.opened for one in sums) == sum(purchase.opened_at is not None for purchase in paid)


def a_year_later() -> World:
    """One sale of the first day, closed; another checkout that nobody paid."""
    world = World()
    world.begin()
    world.begin()
    world.pay(0)
    world.shop.clock.tick(days=5)
    world.close_all()
    return world


def stored(world: World, day: date = FIRST) -> list[DaySum]:
    return list(run(world.shop.store.read(lambda tx: tx.day_sums.stored(day, day))))


@dataclass
class Overtaken:
    """A store whose caller is overtaken by others right before it writes, once."""

    store: MemoryStore
    others: Callable[[], Awaitable[None]]
    done: bool = False

    async def survey(self, work: Callable[[ReadTransaction], T]) -> T:
        return await self.store.survey(work)

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        if not self.done:
            self.done = True
            await self.others()
        return await self.store.transact(work)


@pytest.mark.parametrize("others_know_both", [True, False])
def test_of_two_who_count_a_day_at_once_none_leaves_an_older_count(*, others_know_both: bool) -> None:
    """Such as a node that was held up, and another that took its turn; or the command line beside a node."""
    world = a_year_later()
    world.tell(0, 0, "succeeded", 100, 4)

    async def others() -> None:
        [paid] = world.sold()
        at = int((world.shop.clock.now() - timedelta(days=4)).timestamp()) + others_know_both
        fact = Fact("refund_1", FactKind.REFUND, paid.payment, at, "succeeded", 400)
        if others_know_both:
            await world.shop.store.transact(world.shop.note.work(fact))
            await world.sum_days.close()
        else:
            await world.sum_days.close()
            await world.shop.store.transact(world.shop.note.work(fact))

    store: Any = Overtaken(world.shop.memory, others)
    run(SumDays(store=store, catalogue=world.shop.catalogue, clock=world.shop.clock).close())
    world.close_all()
    assert world.differences() == []
    assert [one.refunded for one in stored(world, FIRST + timedelta(days=1))] == [500]


def test_a_day_is_closed_26_hours_after_its_end() -> None:
    world = World()
    world.begin()
    world.pay(0)
    world.shop.clock.tick(hours=12 + 26, seconds=-1)
    assert (world.close(), stored(world)) == (0, [])
    assert run(world.sum_days(FIRST, FIRST)) == [
        DaySum(FIRST, "usd", BOOK, sales=1, gross=900, started=1, paid=1)
    ], "what is not closed is counted"
    world.shop.clock.tick(seconds=1)
    assert world.close() == 1
    assert stored(world) == [DaySum(FIRST, "usd", BOOK, sales=1, gross=900, started=1, paid=1)]
    assert closed_before(world.shop.clock.now(), world.shop.catalogue.current().shop.zone) == date(2026, 3, 2)


def test_a_refund_counts_on_its_day_and_leaves_that_of_the_sale() -> None:
    world = a_year_later()
    world.tell(0, 1, "succeeded", 400, 2)
    world.close_all()
    assert stored(world) == [DaySum(FIRST, "usd", BOOK, sales=1, gross=900, started=2, paid=1)]
    assert stored(world, date(2026, 3, 4)) == [DaySum(date(2026, 3, 4), "usd", BOOK, refunded=400)]
    world.tell(0, 1, "failed", 400, 0)
    world.close_all()
    assert stored(world, date(2026, 3, 4)) == []
    assert world.differences() == []


def test_a_debit_that_is_paid_days_later_and_a_late_opening_change_the_day_it_began() -> None:
    world = a_year_later()
    world.pay(1)
    world.close_all()
    assert stored(world) == [DaySum(FIRST, "usd", BOOK, sales=1, gross=900, started=2, paid=2)]
    world.open(0)
    world.close_all()
    assert stored(world) == [DaySum(FIRST, "usd", BOOK, sales=1, gross=900, started=2, paid=2, opened=1)]


def test_a_refund_that_came_before_its_sale_counts_on_its_day() -> None:
    world = World()
    world.begin()
    world.shop.clock.tick(hours=24)
    world.pay_unheard(0)
    world.tell_before(0, 400)
    world.shop.clock.tick(days=5)
    world.close_all()
    next_day = FIRST + timedelta(days=1)
    assert (stored(world), stored(world, next_day)) == ([DaySum(FIRST, "usd", BOOK, started=1)], [])
    world.pay(0)
    world.close_all()
    assert stored(world, next_day) == [DaySum(next_day, "usd", BOOK, refunded=400)]
    assert world.differences() == []


def test_what_usually_happens_touches_nothing() -> None:
    world = World()
    world.begin()
    world.shop.clock.tick(hours=24)
    world.pay(0)
    world.open(0)
    assert world.shop.memory.tables.sums_touched == {}


def test_another_time_zone_or_going_live_sums_everything_anew() -> None:
    world = a_year_later()
    world.live_in("Pacific/Auckland")
    assert run(world.sum_days(date(2026, 3, 2), date(2026, 3, 2)))[0].sales == 1, "noon is the next day there"
    world.close_all()
    assert stored(world) == []
    assert [one.sales for one in stored(world, date(2026, 3, 2))] == [1]
    assert world.differences() == []


@pytest.mark.parametrize(
    ("zone", "moment", "day", "next_day"),
    [
        # 2:00 becomes 3:00, and in autumn 3:00 becomes 2:00: a day of 23 hours, and one of 25
        ("Europe/Berlin", "2026-03-28T22:59:59", "2026-03-28", "2026-03-29"),
        ("Europe/Berlin", "2026-03-29T21:59:59", "2026-03-29", "2026-03-30"),
        ("Europe/Berlin", "2026-10-24T21:59:59", "2026-10-24", "2026-10-25"),
        ("Europe/Berlin", "2026-10-25T22:59:59", "2026-10-25", "2026-10-26"),
        # by half an hour: +11 in summer, +10:30 in winter
        ("Australia/Lord_Howe", "2026-04-04T12:59:59", "2026-04-04", "2026-04-05"),
        ("Australia/Lord_Howe", "2026-04-05T13:29:59", "2026-04-05", "2026-04-06"),
        ("Australia/Lord_Howe", "2026-10-03T13:29:59", "2026-10-03", "2026-10-04"),
        ("Australia/Lord_Howe", "2026-10-04T12:59:59", "2026-10-04", "2026-10-05"),
        # there is no midnight: the day begins at 1:00
        ("Africa/Cairo", "2026-04-23T21:59:59", "2026-04-23", "2026-04-24"),
        # midnight comes twice: the day began at the first
        ("America/Havana", "2026-11-01T03:59:59", "2026-10-31", "2026-11-01"),
    ],
)  # fmt: skip
def test_the_last_second_of_a_day_and_the_next_one_are_of_two_days(
    zone: str, moment: str, day: str, next_day: str
) -> None:
    """Two sales and two refunds, a second apart, on the days that a clock on the wall shows."""
    world = World()
    world.begin_on(datetime.fromisoformat(moment).replace(tzinfo=UTC) - timedelta(days=9))
    world.live_in(zone)
    for which in range(3):
        world.begin()
        if which == 0:
            world.pay(0)
            world.shop.clock.tick(days=9)
    for which in (1, 2):
        world.pay(which)
        world.tell(0, which, "succeeded", 100, 0)
        world.shop.clock.tick(seconds=1)
    world.shop.clock.tick(days=4)
    world.close_all()
    for one in (day, next_day):
        [held] = stored(world, date.fromisoformat(one))
        assert (held.sales, held.gross, held.refunded) == (1, 900, 100)
    assert world.differences() == []


def test_a_check_finds_what_is_wrong_and_says_it() -> None:
    world = a_year_later()
    wrong = DaySum(FIRST, "usd", BOOK, sales=2, gross=900, started=2, paid=1)
    run(world.shop.store.transact(lambda tx: tx.day_sums.replace(FIRST, [wrong])))
    [found] = world.differences()
    assert (found.day, found.stored) == (FIRST, [wrong])
    assert difference_lines([found]) == [
        "2026-03-01 differs",
        "  stored   book: sales 2, gross $9.00, refunded $0.00, free 0, started 2, paid 1, opened 0",
        "  counted  book: sales 1, gross $9.00, refunded $0.00, free 0, started 2, paid 1, opened 0",
    ]
    assert difference_lines([]) == ["Every closed day was counted again, and none differs."]


def test_checkouts_that_were_pruned_are_no_difference() -> None:
    world = a_year_later()
    [unpaid] = [c for c in world.shop.memory.tables.checkouts if c not in world.shop.memory.tables.purchases]
    del world.shop.memory.tables.checkouts[CheckoutId(unpaid)]
    assert world.differences() == []
    world.tell(0, 1, "succeeded", 900, 5)
    world.close_all()
    assert stored(world) == [DaySum(FIRST, "usd", BOOK, sales=1, gross=900, refunded=900, started=2, paid=1)]


def test_sums_are_added_within_a_currency_alone() -> None:
    sums = [
        DaySum(FIRST, "usd", BOOK, sales=1, gross=900),
        DaySum(FIRST, "eur", BOOK, sales=1, gross=700),
        DaySum(date(2026, 3, 2), "usd", ProductId("zine"), sales=2, gross=100, refunded=50),
    ]
    total = by_currency(sums)
    assert {currency: (one.sales, one.gross, one.refunded) for currency, one in total.items()} == {
        "eur": (1, 700, 0), "usd": (3, 1000, 50),
    }  # fmt: skip
