"""What the shop took: by period and product, in each currency, net of what was taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.fact import Fact, FactKind
from domain.sales_sum import SalesBy, SalesSum, totals, week_of
from domain.usecases.sum_sales import SumSales
from domain.values import Money, ProductId
from entrypoints.cli_sales import json_lines, table
from entrypoints.testing import Browser, Shop, a_product, an_edition
from testkit.stepping import run

BOOK, PHOTOS = ProductId("book"), ProductId("photos")


def a_shop() -> Shop:
    """Opened on Sunday, 1 March 2026, at noon."""
    photos = a_product(PHOTOS, price=1400, other_prices=(Money(1200, "eur"),))
    return Shop(edition=an_edition(a_product(BOOK, price=900), photos))


def sell(shop: Shop, product: ProductId = BOOK, currency: str = "usd") -> str:
    browser = Browser(shop, network=f"192.0.2.{len(shop.memory.tables.purchases)}")
    ref = browser.buy(product, currency=currency)
    shop.payments.pay(ref, email="anna@example.com")
    shop.hear_of(ref, event=f"evt_{ref[-12:]}")
    [payment] = [p.payment for p in shop.memory.tables.purchases.values() if p.provider_ref == ref]
    assert payment is not None
    return payment


def take_back(shop: Shop, payment: str, amount: int, kind: FactKind, status: str) -> None:
    fact = Fact(f"{kind.value}_{payment}", kind, payment, as_of=1, status=status, amount=amount)
    run(shop.store.transact(lambda tx: tx.facts.record(fact)))


def sums(shop: Shop, by: SalesBy, first: date | None = None, last: date | None = None) -> list[SalesSum]:
    return list(run(SumSales(shop.store)(by, first=first, last=last)))


def three_weeks() -> Shop:
    shop = a_shop()
    refunded = sell(shop)
    shop.clock.tick(hours=12)  # Monday, 2 March, midnight
    disputed = sell(shop, PHOTOS)
    sell(shop, PHOTOS, "eur")
    shop.clock.tick(days=31)
    sell(shop)
    take_back(shop, refunded, 400, FactKind.REFUND, "succeeded")
    take_back(shop, disputed, 1400, FactKind.DISPUTE, "lost")
    return shop


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (SalesBy.DAY, [("2026-03-01", "usd", 1, 500), ("2026-03-02", "eur", 1, 1200), ("2026-03-02", "usd", 1, 0),
                       ("2026-04-02", "usd", 1, 900)]),
        (SalesBy.WEEK, [("2026-W09", "usd", 1, 500), ("2026-W10", "eur", 1, 1200), ("2026-W10", "usd", 1, 0),
                        ("2026-W14", "usd", 1, 900)]),
        (SalesBy.MONTH, [("2026-03", "eur", 1, 1200), ("2026-03", "usd", 2, 500), ("2026-04", "usd", 1, 900)]),
        (SalesBy.PRODUCT, [("book", "usd", 2, 1400), ("photos", "eur", 1, 1200), ("photos", "usd", 1, 0)]),
    ],
)  # fmt: skip
def test_sales_are_summed_by_period_or_product(
    by: SalesBy, expected: list[tuple[str, str, int, int]]
) -> None:
    assert [(one.of, one.currency, one.sales, one.net) for one in sums(three_weeks(), by)] == expected


def test_gross_refunds_and_disputes_are_told_apart() -> None:
    march = sums(three_weeks(), SalesBy.MONTH, last=date(2026, 3, 31))
    assert march[1] == SalesSum("2026-03", "usd", sales=2, gross=2300, refunded=400, lost=1400)
    assert totals(march) == [
        SalesSum("", "eur", sales=1, gross=1200),
        SalesSum("", "usd", sales=2, gross=2300, refunded=400, lost=1400),
    ]


@pytest.mark.parametrize(
    ("first", "last", "sold"),
    [(date(2026, 3, 1), date(2026, 3, 1), 1), (date(2026, 3, 2), None, 3), (None, date(2026, 3, 2), 3),
     (date(2026, 4, 3), None, 0)],
)  # fmt: skip
def test_both_days_of_a_span_are_within_it(first: date | None, last: date | None, sold: int) -> None:
    assert sum(one.sales for one in sums(three_weeks(), SalesBy.DAY, first, last)) == sold


def test_test_purchases_count_until_the_shop_has_gone_live() -> None:
    shop = three_weeks()
    shop.payments.livemode = True
    run(shop.go_live())
    assert sums(shop, SalesBy.MONTH) == []


def test_more_than_a_page_is_read() -> None:
    shop = a_shop()
    payment = sell(shop)
    [one] = shop.memory.tables.purchases.values()

    for number in range(1200):
        row = replace(one, checkout=f"{number:032x}", provider_ref=None, payment=None)  # type: ignore[arg-type]
        shop.memory.tables.purchases[row.checkout] = row
    seen: list[int] = []
    found = run(SumSales(shop.store)(SalesBy.PRODUCT, look=seen.append))
    assert ([one.sales for one in found], sum(seen)) == ([1201], 1201), payment


def test_the_week_begins_on_monday() -> None:
    assert {week_of(date(2026, 3, 2) + timedelta(days=n)) for n in range(7)} == {date(2026, 3, 2)}


def test_the_table_lines_up_and_ends_with_the_totals() -> None:
    assert table(sums(three_weeks(), SalesBy.MONTH)) == [
        "         sales   gross  refunded  disputed     net",
        "2026-03      1  €12.00     €0.00     €0.00  €12.00",
        "2026-03      2  $23.00     $4.00    $14.00   $5.00",
        "2026-04      1   $9.00     $0.00     $0.00   $9.00",
        "total        1  €12.00     €0.00     €0.00  €12.00",
        "total        3  $32.00     $4.00    $14.00  $14.00",
    ]
    assert table([]) == ["Nothing was sold in that time."]


def test_json_lines_have_minor_units() -> None:
    assert json_lines(sums(three_weeks(), SalesBy.MONTH))[1] == (
        '{"of":"2026-03","currency":"usd","sales":2,"gross":2300,"refunded":400,"disputed":1400,"net":500}'
    )
