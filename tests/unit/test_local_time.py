"""The shop's own days: sums, ledger, sale notices and emails go by `timezone` in shop.toml."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from domain.local_time import begin_of, day_of, zone_named
from domain.product import SaleNotices
from domain.sales_sum import SalesBy
from domain.usecases.list_ledger import ListLedger
from domain.usecases.send_sales_digest import SendSalesDigest
from domain.usecases.sum_sales import SumSales
from entrypoints.http.dates import day, moment, opening
from entrypoints.testing import BOOK, Browser, Shop, a_product, an_edition
from testkit.stepping import run

ANNA = "anna@example.com"


def zone(name: str) -> object:
    found = zone_named(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe", "utc+2", "\0", "é"]
)
def test_what_is_no_time_zone_is_none(name: str) -> None:
    assert zone_named(name) is None


@pytest.mark.parametrize(
    ("name", "at", "day"),
    [
        ("UTC", datetime(2026, 3, 1, 23, 59, tzinfo=UTC), date(2026, 3, 1)),
        ("Europe/Berlin", datetime(2026, 3, 1, 23, 0, tzinfo=UTC), date(2026, 3, 2)),
        ("Europe/Berlin", datetime(2026, 7, 1, 21, 59, tzinfo=UTC), date(2026, 7, 1)),
        ("Europe/Berlin", datetime(2026, 7, 1, 22, 0, tzinfo=UTC), date(2026, 7, 2)),
        ("Pacific/Kiritimati", datetime(2026, 3, 1, 10, 0, tzinfo=UTC), date(2026, 3, 2)),
        ("America/New_York", datetime(2026, 3, 1, 4, 59, tzinfo=UTC), date(2026, 2, 28)),
    ],
)  # fmt: skip
def test_the_day_there(name: str, at: datetime, day: date) -> None:
    assert day_of(at, zone(name)) == day  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "hours"),
    [("UTC", [24, 24, 24]), ("Europe/Berlin", [24, 23, 24]), ("America/Santiago", [24, 24, 24])],
)
def test_days_follow_each_other_through_the_night_in_which_clocks_change(name: str, hours: list[int]) -> None:
    """On 29 March 2026, clocks in Germany go forward."""
    begins = [begin_of(date(2026, 3, 28) + timedelta(days=n), zone(name)) for n in range(4)]  # type: ignore[arg-type]
    assert [(b - a) / timedelta(hours=1) for a, b in pairwise(begins)] == hours


def test_moments_are_written_with_the_zone_of_their_season() -> None:
    winter, summer = datetime(2026, 12, 31, 23, 5, tzinfo=UTC), datetime(2026, 6, 30, 23, 5, 7, tzinfo=UTC)
    berlin = zone("Europe/Berlin")
    assert day(winter, berlin) == "1 January 2027"  # type: ignore[arg-type]
    assert moment(winter, berlin) == "1 January 2027, 00:05 CET"  # type: ignore[arg-type]
    assert opening(summer, berlin) == "1 July 2026, 01:05:07 CEST"  # type: ignore[arg-type]
    assert opening(winter, UTC) == "31 December 2026, 23:05 UTC"
    assert moment(winter, zone("America/Sao_Paulo")) == "31 December 2026, 20:05 UTC-03"  # type: ignore[arg-type]
    assert opening(summer, zone("Asia/Kathmandu")) == "1 July 2026, 04:50:07 UTC+0545"  # type: ignore[arg-type]


def a_shop(timezone: str, notices: SaleNotices = SaleNotices.DAILY) -> Shop:
    edition = an_edition(a_product(BOOK))
    return Shop(edition=replace(edition, shop=replace(edition.shop, timezone=timezone, sale_notices=notices)))


def sold_at(shop: Shop, *moments: datetime) -> None:
    for number, at in enumerate(moments):
        shop.clock.time = at
        Browser(shop, network=f"192.0.2.{number}").buy_and_pay(ANNA)


LATE = datetime(2026, 3, 1, 22, 30, tzinfo=UTC), datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
"""Half an hour before midnight in Berlin, and half an hour after it."""


@pytest.mark.parametrize(
    ("name", "days"),
    [("UTC", {"2026-03-01": 2}), ("Europe/Berlin", {"2026-03-01": 1, "2026-03-02": 1})],
)
def test_sums_and_ledger_are_of_the_shops_days(name: str, days: dict[str, int]) -> None:
    shop = a_shop(name)
    sold_at(shop, *LATE)
    there = shop.catalogue.current().shop.zone
    found = run(SumSales(shop.store)(SalesBy.DAY, zone=there))
    assert {one.of: one.sales for one in found} == days
    second = date(2026, 3, 2)
    found = run(SumSales(shop.store)(SalesBy.MONTH, first=second, zone=there))
    assert sum(one.sales for one in found) == days.get("2026-03-02", 0)

    async def lines() -> int:
        return len([line async for line in ListLedger(shop.store)(first=second, zone=there)])

    assert run(lines()) == days.get("2026-03-02", 0)


def test_a_day_is_reported_when_it_is_over_there() -> None:
    shop = a_shop("Europe/Berlin")
    shop.payments.livemode = True
    run(shop.go_live())
    report = SendSalesDigest(store=shop.store, catalogue=shop.catalogue, clock=shop.clock)
    sold_at(shop, LATE[0], datetime(2026, 3, 1, 23, 5, tzinfo=UTC))
    found: list[list[str]] = []
    for minute in (9, 10):
        shop.clock.time = datetime(2026, 3, 1, 23, minute, tzinfo=UTC)
        run(report())
        shop.deliver_mail()
        letters = shop.letters_to(str(shop.catalogue.current().shop.support))
        found.append([letter.subject for letter in letters])
    assert found == [[], ["Sales on 2026-03-01"]]
    assert "Total of 1: $9.00 gross" in letters[0].text


def test_the_receipt_in_the_email_has_the_day_of_the_shop() -> None:
    shop = a_shop("Europe/Berlin", SaleNotices.OFF)
    sold_at(shop, LATE[1])
    shop.deliver_mail()
    assert "2 March 2026" in shop.letters_to(ANNA)[0].text
    assert "1 March 2026" not in shop.letters_to(ANNA)[0].text
