"""Home's figures and the queue of what waits, as the back office reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import TypeVar

from contracts import samples
from contracts.samples import ANNA, NOW

from adapters.memory.store import MemoryStore
from adapters.memory.transaction import MemoryTransaction
from domain.audit import AuditAction, ByHand
from domain.claim import RejectReason
from domain.day_sums import DaySum
from domain.fact import Fact, FactKind
from domain.going_live import STARTED_LIVE
from domain.mail import Delivery, MailState
from domain.product import Licences
from domain.purchase import BookedBy, Purchase, Source
from domain.records import EventRecord, ProblemKind
from domain.refund import RefundRequest
from domain.sale_list import SaleCount
from domain.staff import Actor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.check_first_days import BACKED_UP, FirstDays
from domain.usecases.list_todo import Task
from domain.usecases.send_refused import Resent
from domain.usecases.show_figures import Period, ShowFigures, figures_of
from domain.usecases.sum_days import SumDays
from domain.values import CheckoutId, Money, ProductId, UserId
from entrypoints.testing import Browser, Shop
from entrypoints.testing.fakes import a_product, an_edition
from testkit.by_hand import CLI
from testkit.stepping import run

T = TypeVar("T")
TODAY = date(2026, 3, 10)
BOOK, LOST = ProductId("book"), ProductId("lost")


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
    week = figures_of(Period.WEEK, TODAY, days, none, none)
    assert week.first == date(2026, 3, 4)
    assert {currency: one.sales for currency, one in week.now.items()} == {"eur": 3, "usd": 3}
    assert {currency: one.sales for currency, one in week.before.items()} == {"usd": 9}
    today = figures_of(Period.TODAY, TODAY, days, none, none)
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
    assert not figures.gone_live
    brought = replace(
        samples.a_purchase("c9"), booked_at=shop.clock.now() - timedelta(days=2), source=Source.IMPORT
    )
    run(shop.store.transact(lambda tx: tx.purchases.book(brought)))
    run(shop.store.transact(lambda tx: tx.shop.advance_cursor(STARTED_LIVE, to=shop.clock.now())))
    figures = run(show())
    assert [(one.imports.number, one.grants.number) for one in figures.periods] == [
        (0, 0),
        (1, 0),
        (1, 0),
        (1, 0),
    ]
    assert figures.gone_live


class Beside(MemoryStore):
    """One whose event loop is not to be held up: lists are read beside the customers."""

    surveys = 0

    async def read(self, work: Callable[[ReadTransaction], T]) -> T:
        raise AssertionError("this would hold up customers")

    async def survey(self, work: Callable[[ReadTransaction], T]) -> T:
        self.surveys += 1
        return work(MemoryTransaction(self.tables.read_only()))


def test_no_list_of_the_back_office_is_read_in_the_event_loop() -> None:
    shop = Shop(given_store=Beside())
    for read in (shop.list_todo, shop.list_news, shop.list_products, shop.list_emails.waiting):
        run(read())
    assert run(shop.send_refused(actor=CLI, form="f1")) == Resent()


def test_home_of_a_new_shop_counts_the_days_since_it_opened_and_not_those_of_two_years() -> None:
    store = Beside()
    shop = Shop(given_store=store)
    sum_days = SumDays(store=store, catalogue=shop.catalogue, clock=shop.clock)
    show = ShowFigures(store=store, catalogue=shop.catalogue, clock=shop.clock, sum_days=sum_days)
    empty = run(show())
    assert (store.surveys < 20, empty.days) == (True, [])
    start = shop.clock.now() - timedelta(days=3)
    made = replace(samples.a_purchase("c1", livemode=True), booked_at=start, user=None, mailbox=None)
    run(store.transact(lambda tx: tx.purchases.book(made)))
    store.surveys = 0
    [day] = run(show()).days
    assert (store.surveys < 20, day.day, day.sales) == (True, start.date(), 1)


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
    found = run(shop.list_todo())
    assert [row.task for row in found.rows] == [
        Task.WITHOUT_ADDRESS, Task.NEVER_OPENED, Task.DISPUTE, Task.BOUNCED_EMAIL, Task.STUCK_EMAIL,
        Task.REFUSED_BY_PROVIDER, Task.QUARANTINED,
    ]  # fmt: skip
    assert found.more == frozenset()
    run(shop.store.transact(lambda tx: tx.downloads.mark_opened(CheckoutId("waits"), at=NOW)))
    assert Task.NEVER_OPENED not in [row.task for row in run(shop.list_todo()).rows]


def test_a_test_purchase_that_nobody_opened_waits_for_nobody() -> None:
    shop = at_now()

    def book(tx: Transaction) -> None:
        tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW)
        for name, live in (("test", False), ("real", True)):
            tx.purchases.book(replace(sold(name, days_ago=5), livemode=live))

    run(shop.store.transact(book))
    assert [row.about.purchase.checkout for row in run(shop.list_todo()).rows] == ["real"]


def test_each_kind_of_task_leaves_the_queue_when_its_cause_is_gone() -> None:
    shop = Shop()
    shop.clock.tick(seconds=(NOW - shop.clock.now()).total_seconds())
    hour = timedelta(hours=1)

    def fill(tx: Transaction) -> None:
        tx.purchases.book(
            replace(sold("seen", days_ago=0.5), booked_by=BookedBy.RETURN, opened_at=NOW, product=LOST)
        )
        tx.licences.enqueue(ProductId("keyed"), checkout=CheckoutId("seen"))
        tx.refund_requests.add(
            RefundRequest(
                id="r1", payment="pi_seen", checkout=CheckoutId("seen"), amount=Money(900, "usd"), reason="x",
                by="cli:ada", at=NOW - hour, due_at=NOW, keyed_at=NOW - hour,
            )
        )  # fmt: skip

    def tasks() -> list[Task]:
        return [row.task for row in run(shop.list_todo()).rows]

    keyed = a_product(ProductId("keyed"), licences=Licences(listed=()))
    shop.catalogue.edition = an_edition(keyed)
    run(shop.store.transact(fill))
    assert tasks() == [Task.LICENCES_USED_UP, Task.WEBHOOKS_SILENT, Task.REFUND, Task.PRODUCT_LOST]
    event = EventRecord(id="evt_1", type="charge.refunded", object_id="ch_1")
    run(shop.store.transact(lambda tx: tx.events.log(event, outcome="not followed", at=NOW)))
    assert Task.WEBHOOKS_SILENT not in tasks()
    shop.catalogue.edition = an_edition(keyed, a_product(LOST))
    assert Task.PRODUCT_LOST not in tasks()


def queue(shop: Shop) -> list[Task]:
    return [row.task for row in run(shop.list_todo()).rows]


def at_now() -> Shop:
    shop = Shop()
    shop.clock.tick(seconds=(NOW - shop.clock.now()).total_seconds())
    return shop


def test_a_shop_that_sold_nothing_for_months_is_not_told_that_webhooks_do_not_arrive() -> None:
    """By then the log of webhooks is pruned, the one of its last sale included."""
    shop = at_now()

    def book(tx: Transaction, *, days_ago: float) -> None:
        made = replace(sold(f"c{days_ago}", days_ago=days_ago), booked_by=BookedBy.WEBHOOK, opened_at=NOW)
        tx.purchases.book(made)

    run(shop.store.transact(lambda tx: book(tx, days_ago=91)))
    assert queue(shop) == []
    run(shop.store.transact(lambda tx: book(tx, days_ago=1)))
    assert queue(shop) == [Task.WEBHOOKS_SILENT]


def test_what_another_shop_sold_is_not_in_the_queue_as_never_opened() -> None:
    """Nobody was sent anything here, so nothing can have gone wrong with it."""
    shop = at_now()

    def book(tx: Transaction) -> None:
        tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW)
        for n in range(70):
            made = replace(sold(f"i{n:02}", days_ago=20), source=Source.IMPORT, livemode=None, payment=None)
            tx.purchases.book(made)
        tx.purchases.book(sold("ours", days_ago=5))

    run(shop.store.transact(book))
    assert [(row.task, row.about.purchase.checkout) for row in run(shop.list_todo()).rows] == [
        (Task.NEVER_OPENED, "ours")
    ]


def test_a_dispute_that_needs_an_answer_is_found_behind_many_that_do_not() -> None:
    shop = at_now()
    told = int((NOW - timedelta(days=2)).timestamp())

    def fill(tx: Transaction) -> None:
        for n in range(61):
            row = f"c{n:02}"
            tx.purchases.book(replace(sold(row, days_ago=70 - n), opened_at=NOW))
            status = "needs_response" if n == 0 else "under_review"
            tx.facts.record(Fact(f"du_{n}", FactKind.DISPUTE, f"pi_{row}", told + n, status, 900))

    run(shop.store.transact(fill))
    [row] = run(shop.list_todo()).rows
    assert (row.task, row.decides and row.decides.object_id) == (Task.DISPUTE, "du_0")


def test_a_queue_of_many_alike_says_that_there_are_more() -> None:
    shop = Shop()
    at = shop.clock.now()

    def fill(tx: Transaction) -> None:
        for n in range(51):
            tx.quarantine.add(f"cs_test_{n}", RejectReason.WRONG_AMOUNT, at=at, retry_at=None)

    run(shop.store.transact(fill))
    found = run(shop.list_todo())
    assert (len(found.rows), found.more) == (50, {Task.QUARANTINED})


def test_since_when_the_catalogue_is_broken_is_known_and_begins_anew() -> None:
    shop = Shop()

    def since() -> list[timedelta]:
        return [
            shop.clock.now() - row.since for row in run(shop.list_todo()).rows if row.task is Task.CATALOGUE
        ]

    run(shop.review_catalogue.notify())
    shop.catalogue.problems = ("book/product.toml, line 3: the price is missing",)
    assert since() == [timedelta()]
    run(shop.review_catalogue.notify())
    shop.clock.tick(hours=1)
    run(shop.review_catalogue.notify())
    assert since() == [timedelta(hours=1)]
    shop.catalogue.problems = ()
    run(shop.review_catalogue.notify())
    shop.clock.tick(hours=1)
    shop.catalogue.problems = ("again",)
    run(shop.review_catalogue.notify())
    assert since() == [timedelta()]


def test_news_are_what_happened_beside_sales_and_no_coming_and_going() -> None:
    shop = Shop()

    def fill(tx: Transaction) -> None:
        tx.purchases.book(sold("one", days_ago=3))
        at = int((NOW - timedelta(days=1)).timestamp())
        tx.facts.record(Fact("re_1", FactKind.REFUND, "pi_one", at, "succeeded", 900))
        tx.facts.record(Fact("merchant:one", FactKind.MERCHANT, None, at + 1, "revoked", 0))
        tx.quarantine.add("cs_test_9", RejectReason.WRONG_AMOUNT, at=NOW - timedelta(hours=5), retry_at=None)
        for action, hours in ((AuditAction.REVOKE, 23), (AuditAction.SIGN_IN, 1)):
            made = ByHand.asked(
                Actor.on_host("ada"), form=action.value, now=NOW - timedelta(hours=hours), entropy=bytes(10)
            )
            tx.audit.append(made.line(action, "one"))

    run(shop.store.transact(fill))
    found = run(shop.list_news())
    assert [(type(one.about).__name__, one.held is not None) for one in found] == [
        ("Quarantined", False), ("AuditLine", True), ("Fact", True),
    ]  # fmt: skip


def test_the_first_days_end_step_by_step() -> None:
    shop = Shop()
    first = run(shop.check_first_days())
    assert first == FirstDays(product=True, heard=False, sold=False, emailed=False, backed_up=False)
    Browser(shop).buy_and_pay("anna@example.com")
    shop.deliver_mail()
    run(shop.store.transact(lambda tx: tx.shop.advance_cursor(BACKED_UP, to=shop.clock.now())))
    event = EventRecord(id="evt_1", type="charge.refunded", object_id="ch_1")
    run(shop.store.transact(lambda tx: tx.events.log(event, outcome="not followed", at=shop.clock.now())))
    assert run(shop.check_first_days()) == FirstDays(
        product=True, heard=True, sold=True, emailed=True, backed_up=True
    )
    shop.clock.tick(days=2)
    assert not run(shop.check_first_days()).backed_up
