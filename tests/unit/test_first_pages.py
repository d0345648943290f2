"""Home's figures and the queue of what waits, as the back office reads them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from contracts import samples
from contracts.samples import ANNA, NOW

from domain.claim import RejectReason
from domain.day_sums import DaySum
from domain.mail import Delivery, MailState
from domain.purchase import Fact, FactKind, Purchase
from domain.records import ProblemKind
from domain.sale_list import SaleCount
from domain.transaction import Transaction
from domain.usecases.list_todo import ListTodo, Task
from domain.usecases.show_figures import Period, ShowFigures, figures_of
from domain.usecases.sum_days import SumDays
from domain.values import CheckoutId, ProductId, UserId
from entrypoints.testing import Browser, Shop
from testkit.stepping import run

TODAY = date(2026, 3, 10)
BOOK = ProductId("book")


def test_a_period_is_compared_with_as_many_days_before_it() -> None:
    days = [
        DaySum(date(2026, 3, 10), "usd", BOOK, sales=1, gross=100),
        DaySum(date(2026, 3, 4), "usd", BOOK, sales=2, gross=200),
        DaySum(date(2026, 3, 4), "eur", BOOK, sales=3, gross=300),
        DaySum(date(2026, 3, 3), "usd", BOOK, sales=4, gross=400),
        DaySum(date(2026, 2, 25), "usd", BOOK, sales=5, gross=500),
        DaySum(date(2026, 2, 24), "usd", BOOK, sales=6, gross=600),
    ]
    none = SaleCount(0, complete=True)
    week = figures_of(Period.WEEK, TODAY, days, none)
    assert week.first == date(2026, 3, 4)
    assert {currency: one.sales for currency, one in week.now.items()} == {"eur": 3, "usd": 3}
    assert {currency: one.sales for currency, one in week.before.items()} == {"usd": 9}
    today = figures_of(Period.TODAY, TODAY, days, none)
    assert ({c: one.sales for c, one in today.now.items()}, today.before) == ({"usd": 1}, {})


def test_home_has_figures_for_each_period_and_the_newest_sales() -> None:
    shop = Shop()
    sum_days = SumDays(store=shop.store, catalogue=shop.catalogue, clock=shop.clock)
    Browser(shop).buy_and_pay("anna@example.com")
    shop.clock.tick(days=3)
    Browser(shop, network="192.0.2.9").buy_and_pay("ben@example.com")
    run(sum_days.close())
    show = ShowFigures(store=shop.store, catalogue=shop.catalogue, clock=shop.clock, sum_days=sum_days)
    figures = run(show())
    assert [(one.period, one.now["usd"].sales) for one in figures.periods] == [
        (Period.TODAY, 1), (Period.WEEK, 2), (Period.MONTH, 2), (Period.YEAR, 2),
    ]  # fmt: skip
    assert [row.held.purchase.mailbox and row.held.purchase.mailbox.canonical for row in figures.newest] == [
        "ben@example.com", "anna@example.com",
    ]  # fmt: skip
    assert sum(one.gross for one in figures.days) == 1800
    assert figures.at == shop.clock.now()


def sold(row: str, *, days_ago: float) -> Purchase:
    made = samples.a_purchase(row, livemode=True)
    return replace(made, booked_at=NOW - timedelta(days=days_ago))


def test_what_waits_is_one_queue_with_the_oldest_first() -> None:
    shop = Shop()
    shop.clock.tick(seconds=(NOW - shop.clock.now()).total_seconds())

    def fill(tx: Transaction) -> None:
        tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW)
        for row, days in (
            ("fresh", 1.9),
            ("waits", 2.1),
            ("opened", 3),
            ("old", 31),
            ("gone", 4),
            ("disputed", 5),
        ):
            tx.purchases.book(sold(row, days_ago=days))
        tx.purchases.book(replace(sold("nobodys", days_ago=6), user=None, mailbox=None))
        tx.downloads.mark_opened(CheckoutId("opened"), at=NOW)
        tx.facts.record(Fact("re_1", FactKind.REFUND, "pi_gone", 1, "succeeded", 900))
        at = int((NOW - timedelta(days=1)).timestamp())
        tx.facts.record(Fact("du_1", FactKind.DISPUTE, "pi_disputed", at, "needs_response", 900))
        tx.facts.record(Fact("du_2", FactKind.DISPUTE, "pi_old", at, "under_review", 900))
        tx.quarantine.add("cs_test_9", RejectReason.WRONG_AMOUNT, at=NOW - timedelta(hours=5), retry_at=None)
        tx.problems.report(ProblemKind.LIST_REFUSED, "refunds", detail="no", at=NOW - timedelta(hours=6))
        for key, hours in (("stuck", 7), ("access:opened", 8)):
            tx.outbox.queue(replace(samples.a_mail(key), queued_at=NOW - timedelta(hours=hours)))
        tx.outbox.settle("stuck", state=MailState.STUCK, at=NOW, problem="refused")
        tx.outbox.settle("access:opened", state=MailState.SENT, at=NOW)
        tx.outbox.record_delivery("access:opened", Delivery.BOUNCED)

    run(shop.store.transact(fill))
    found = run(ListTodo(store=shop.store, clock=shop.clock)())
    assert [row.task for row in found.rows] == [
        Task.WITHOUT_ADDRESS, Task.NEVER_OPENED, Task.DISPUTE, Task.BOUNCED_EMAIL, Task.STUCK_EMAIL,
        Task.REFUSED_BY_PROVIDER, Task.QUARANTINED,
    ]  # fmt: skip
    assert found.more == frozenset()
    run(shop.store.transact(lambda tx: tx.downloads.mark_opened(CheckoutId("waits"), at=NOW)))
    assert Task.NEVER_OPENED not in [
        row.task for row in run(ListTodo(store=shop.store, clock=shop.clock)()).rows
    ]
