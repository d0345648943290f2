"""The list of sales: pages forth and back, days of the shop, and what it says of a state."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from contracts import samples

from adapters.memory.store import MemoryStore
from domain.access import Holding
from domain.fact import Fact, FactKind
from domain.purchase import PurchaseState
from domain.sale_list import (
    PAGE,
    SaleCount,
    SaleFilter,
    SaleMark,
    SaleOrder,
    SaleRows,
    SaleState,
    sale_state,
)
from domain.usecases.list_sales import ListSales, SalesPage, TooManyToSort, days
from testkit.stepping import run


def filled(number: int) -> ListSales:
    store = MemoryStore()
    for n in range(number):
        sale = samples.a_purchase(f"c{n:03}", user=None)
        at = samples.NOW + timedelta(minutes=n // 3)
        run(
            store.transact(lambda tx, sale=sale, at=at: tx.purchases.book(replace(sale, booked_at=at)))  # type: ignore[misc]
        )
    return ListSales(store=store)


def page(sales: ListSales, **marks: SaleMark | None) -> SalesPage:
    found = run(sales(SaleFilter(), **marks))
    assert isinstance(found, SalesPage)
    return found


def rows(found: SalesPage) -> list[str]:
    return [row.held.purchase.checkout for row in found.rows]


def test_pages_lead_forth_and_back_to_the_same_rows() -> None:
    sales = filled(2 * PAGE + 5)
    everything = [f"c{n:03}" for n in reversed(range(2 * PAGE + 5))]
    first = page(sales)
    second = page(sales, after=first.after)
    third = page(sales, after=second.after)
    assert rows(first) + rows(second) + rows(third) == everything
    assert (first.before, third.after, third.searched_to) == (None, None, None)
    back = page(sales, before=third.before)
    assert rows(back) == rows(second)
    assert page(sales, after=back.after) == third
    again = page(sales, before=back.before)
    assert (rows(again), again.before) == (rows(first), None)


def test_a_list_of_exactly_one_page_has_no_further_one() -> None:
    only = page(filled(PAGE))
    assert (len(only.rows), only.before, only.after) == (PAGE, None, None)


class Narrow(MemoryStore):
    """A store that looks at one row a read."""

    def __init__(self, rows: SaleRows, *, complete: bool = True, number: int = 1) -> None:
        super().__init__()
        self.found, self.counted = rows, SaleCount(number, complete)
        self.asked = 0

    async def survey(self, work: object) -> object:  # type: ignore[override]
        outer = self

        class Lists:
            def rows(self, *_: object, **__: object) -> SaleRows:
                outer.asked += 1
                return outer.found

            def count(self, *_: object) -> SaleCount:
                return outer.counted

        class Tx:
            sale_lists = Lists()

        return work(Tx())  # type: ignore[operator]


def test_a_page_that_is_not_full_says_how_far_it_looked() -> None:
    mark = SaleMark.of(samples.a_purchase("c1"), SaleOrder.NEWEST)
    store = Narrow(SaleRows(rows=[], looked_to=mark))
    found = run(ListSales(store=store)(SaleFilter(currency="kwd")))
    assert found == SalesPage(rows=[], before=None, after=mark, searched_to=samples.NOW)
    assert store.asked == 3


@pytest.mark.parametrize(
    ("number", "complete", "sorted_"), [(10_000, True, True), (10_001, True, False), (9, False, False)]
)
def test_only_what_was_counted_is_sorted_by_amount(number: int, complete: bool, sorted_: bool) -> None:
    store = Narrow(SaleRows(rows=[], looked_to=None), complete=complete, number=number)
    found = run(ListSales(store=store)(SaleFilter(), order=SaleOrder.LARGEST))
    assert isinstance(found, SalesPage if sorted_ else TooManyToSort)


def test_days_are_those_of_the_shops_time_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert days(date(2026, 3, 29), date(2026, 3, 29), berlin) == (
        datetime(2026, 3, 28, 23, tzinfo=UTC),
        datetime(2026, 3, 29, 22, tzinfo=UTC),
    ), "the clock goes forward, and the day has 23 hours"
    assert days(None, None, berlin) == (None, None)


def test_every_state_of_a_purchase_is_one_of_the_list() -> None:
    for state in PurchaseState:
        assert state is PurchaseState.LIVE or state.name in SaleState.__members__


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ((), SaleState.OPEN),
        (((FactKind.REFUND, "succeeded", 900),), SaleState.REFUNDED),
        (((FactKind.REFUND, "pending", 300),), SaleState.PARTLY_REFUNDED),
        (((FactKind.REFUND, "failed", 900),), SaleState.OPEN),
        (((FactKind.DISPUTE, "needs_response", 900),), SaleState.DISPUTED),
        (((FactKind.DISPUTE, "warning_needs_response", 900),), SaleState.OPEN),
        (((FactKind.DISPUTE, "lost", 900),), SaleState.CHARGED_BACK),
        (((FactKind.DISPUTE, "lost", 200),), SaleState.PARTLY_REFUNDED),
        (((FactKind.REFUND, "what_is_this", 900),), SaleState.SUSPENDED),
        (((FactKind.SESSION, "paid", 900),), SaleState.OPEN),
    ],
)
def test_the_state_of_a_sale(facts: tuple[tuple[FactKind, str, int], ...], state: SaleState) -> None:
    told = tuple(
        Fact(f"x{n}", kind, "pi_c1", as_of=1, status=status, amount=amount)
        for n, (kind, status, amount) in enumerate(facts)
    )
    assert sale_state(Holding(purchase=samples.a_purchase("c1"), facts=told)) is state
