"""What the charts and figures of the back office's first page show, worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.day_sums import DaySum
from domain.sale_list import SaleCount
from domain.usecases.show_figures import Figures, Period, figures_of
from domain.values import ProductId
from entrypoints.admin.charts import by_day, scale
from entrypoints.admin.figures import cards, charts, csv_of, steps

TODAY = date(2026, 3, 10)
BOOK = ProductId("book")


def one_day(days_ago: int, currency: str = "usd", **numbers: int) -> DaySum:
    return DaySum(TODAY - timedelta(days=days_ago), currency, BOOK, **numbers)


def figures(*days: DaySum, grants: int = 0, imports: int = 0, gone_live: bool = False) -> Figures:
    given, brought = SaleCount(grants, complete=True), SaleCount(imports, complete=True)
    return Figures(
        at=datetime(2026, 3, 10, 14, 32, 7, tzinfo=UTC), days=days, newest=(), gone_live=gone_live,
        periods=[figures_of(period, TODAY, days, given, brought) for period in Period],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([], (0, 1)), ([0, 0], (0, 1)), ([1], (0, 1)), ([3], (0, 5)), ([9], (0, 10)), ([10], (0, 10)), ([11], (0, 20)),
        ([21], (0, 25)), ([2400, 100], (0, 2500)), ([-3, 7], (-5, 10)), ([-100], (-100, 1)),
    ],
)  # fmt: skip
def test_an_axis_ends_at_a_round_number_and_always_has_zero(values: list[int], ends: tuple[int, int]) -> None:
    assert scale(values) == ends


def test_bars_stand_on_zero_and_a_day_of_refunds_hangs_below_it() -> None:
    values = [(TODAY - timedelta(days=2), 10), (TODAY - timedelta(days=1), 0), (TODAY, -10)]
    chart = by_day(
        name="x", title="X", finding="", values=values, words=str, beside=str, day=str, head=("Day", "X")
    )
    assert [line.label for line in chart.lines] == ["10", "0", "-10"]
    up, down = chart.bars
    zero = float(chart.lines[1].y)
    assert (float(up.y) + float(up.height), float(down.y)) == (zero, zero)
    assert float(up.height) == float(down.height) == 62
    assert (up.title, chart.first, chart.last) == ("2026-03-08: 10", "2026-03-08", "2026-03-10")
    assert list(chart.rows) == [("2026-03-10", "-10"), ("2026-03-09", "0"), ("2026-03-08", "10")]


def test_no_chart_has_more_than_366_bars() -> None:
    values = [(TODAY - timedelta(days=400 - n), 1) for n in range(401)]
    chart = by_day(
        name="x", title="X", finding="", values=values, words=str, beside=str, day=str, head=("", "")
    )
    assert (len(chart.bars), len(chart.rows)) == (366, 366)


def test_each_currency_has_a_chart_of_its_own_and_the_shops_comes_first() -> None:
    found = charts(
        figures(
            one_day(0, sales=2, gross=2400, refunded=900),
            one_day(3, "eur", sales=1, gross=500),
            one_day(40, "gbp", sales=1, gross=100),
        ),
        TODAY, days=30, home="usd",
    )  # fmt: skip
    assert [chart.title for chart in found] == ["Net per day, USD", "Net per day, EUR", "Sales per day"]
    assert found[0].finding == "$15.00 net in 30 days; the best day was 10 Mar 2026 with $15.00."
    assert found[2].finding == "3 sales in 30 days; the best day was 10 Mar 2026 with 2."
    assert [bar.title for bar in found[2].bars] == ["7 Mar 2026: 1 sale", "10 Mar 2026: 2 sales"]
    assert charts(figures(), TODAY, days=30, home="jpy")[0].finding == "¥0 net in 30 days."


def test_a_period_is_compared_in_words() -> None:
    found = cards(
        figures(
            one_day(0, sales=1, gross=900, started=4, paid=1),
            one_day(1, sales=2, gross=1800),
            one_day(8, sales=1, gross=5000),
            one_day(40, sales=3, gross=2700),
            grants=2,
        ),
        home="usd",
    )  # fmt: skip
    lines = {card.title: {one.name: (one.value, one.compared) for one in card.lines} for card in found}
    assert lines["Today"]["Sales"] == ("1", "2 yesterday")
    assert lines["7 days"]["Sales"] == ("3", "up from 1")
    assert lines["7 days"]["Net"] == ("$27.00", "down from $50.00")
    assert lines["30 days"]["Refunded"] == ("$0.00", "")
    assert lines["12 months"]["Sales"] == ("7", "none before")
    assert lines["Today"]["of which paid"] == ("1", "25 %")
    assert lines["Today"]["Given for free"] == ("2", "")


@pytest.mark.parametrize(
    ("imports", "gone_live", "sales"),
    [
        (0, False, "/admin/sales?source=sale&from=2026-03-04"),
        (0, True, "/admin/sales?source=sale&from=2026-03-04&tests=no"),
        (1, False, ""),  # imported purchases are among the sales, and no list has both
    ],
)
def test_a_figure_leads_to_the_list_of_what_it_counts(imports: int, gone_live: bool, sales: str) -> None:
    found = cards(figures(one_day(0, sales=1), imports=imports, gone_live=gone_live), home="usd")
    week = {one.name: one.at for one in found[1].lines if one.name == "Sales" or one.at}
    assert week == {
        "Sales": sales,
        "Free orders": "/admin/sales?source=free&from=2026-03-04",
        "Given for free": "/admin/sales?source=grant&from=2026-03-04",
    }


def test_started_paid_and_opened_are_set_beside_each_other() -> None:
    finding, found = steps(figures(one_day(0, started=8, paid=4, opened=2)), TODAY, days=30)
    assert [(step.name, step.number, step.width, step.share) for step in found] == [
        ("started", 8, 100, "100 %"), ("paid", 4, 50, "50 %"), ("opened", 2, 25, "25 %"),
    ]  # fmt: skip
    assert finding == "Of 8 checkouts started in 30 days, 4 were paid, and 2 of these opened."
    assert [step.width for step in steps(figures(), TODAY, days=30)[1]] == [0, 0, 0]


def test_the_csv_has_amounts_in_major_units() -> None:
    lines = csv_of([one_day(0, sales=2, gross=2400, refunded=3000), one_day(0, "jpy", sales=1, gross=500)])
    assert lines.decode().splitlines() == [
        "day,currency,sales,gross,refunded,net,free,started,paid,opened",
        "2026-03-10,USD,2,24.00,30.00,-6.00,0,0,0,0",
        "2026-03-10,JPY,1,500,0,500,0,0,0,0",
    ]
