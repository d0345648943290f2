"""What waits: one list, which the page "To do" shows and `coatcheck status` prints."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from contracts import samples
from contracts.samples import NOW
from contracts.withdrawals import a_withdrawal

from domain.access import Holding
from domain.claim import RejectReason
from domain.fact import Fact, FactKind
from domain.mail import Delivery, MailState
from domain.purchase import Purchase
from domain.records import Problem, ProblemKind, Quarantined
from domain.refund import RefundRequest
from domain.transaction import Transaction
from domain.usecases.list_todo import Lacking, Mistakes, Silence, Task, Todo, TodoList
from domain.usecases.report_status import Status
from domain.usecases.unreached_customers import each_unreached
from domain.values import EmailAddress, Money, ProductId, UserId
from entrypoints.admin.tasks import row_of
from entrypoints.testing import Shop
from entrypoints.testing.fakes import a_product, an_edition
from entrypoints.todo_lines import waiting_lines
from testkit.stepping import run

BOOK, LOST = ProductId("book"), ProductId("lost")


def sold(row: str, *, days_ago: float) -> Purchase:
    made = samples.a_purchase(row, livemode=True)
    return replace(made, booked_at=NOW - timedelta(days=days_ago))


def test_a_dispute_that_needs_an_answer_is_found_behind_a_page_of_others() -> None:
    shop = Shop()
    shop.clock.tick(seconds=(NOW - shop.clock.now()).total_seconds())

    def fill(tx: Transaction) -> None:
        for n in range(60):
            order = f"d{n:03}"
            tx.purchases.book(replace(sold(order, days_ago=70 - n), opened_at=NOW))
            status = "under_review" if n else "needs_response"
            at = int((NOW - timedelta(days=1)).timestamp())
            tx.facts.record(Fact(f"du_{n}", FactKind.DISPUTE, f"pi_{order}", at, status, 900))

    run(shop.store.transact(fill))
    disputes = run(shop.list_todo()).of(Task.DISPUTE)
    assert [row.decides.object_id for row in disputes if row.decides is not None] == ["du_0"]


def test_the_nearest_deadline_is_among_the_first_fifty_however_old_its_sale_is() -> None:
    shop = Shop()
    shop.clock.tick(seconds=(NOW - shop.clock.now()).total_seconds())
    told, last = int((NOW - timedelta(days=1)).timestamp()), int((NOW + timedelta(days=9)).timestamp())

    def fill(tx: Transaction) -> None:
        for n in range(60):
            order = f"d{n:03}"
            tx.purchases.book(replace(sold(order, days_ago=70 - n), opened_at=NOW))
            tx.facts.record(Fact(
                f"du_{n:03}", FactKind.DISPUTE, f"pi_{order}", told, "needs_response", 900, answer_by=last + n,
            ))  # fmt: skip
        stranger = Fact("du_x", FactKind.DISPUTE, "pi_x", told, "needs_response", 900, answer_by=last - 9)
        tx.facts.record(stranger)

    run(shop.store.transact(fill))
    found = run(shop.list_todo())
    ids = [row.decides.object_id for row in found.of(Task.DISPUTE) if row.decides is not None]
    assert ids == [f"du_{n:03}" for n in range(50)]
    assert Task.DISPUTE in found.more


def test_an_inquiry_waits_for_an_answer_too_and_a_dispute_that_takes_none_does_not() -> None:
    shop = Shop()
    shop.clock.tick(seconds=(NOW - shop.clock.now()).total_seconds())
    told = int((NOW - timedelta(days=1)).timestamp())
    long_ago = int((NOW - timedelta(days=121)).timestamp())
    cases = (
        ("inquiry", told, "warning_needs_response", 0), ("closed", told, "needs_response", -1),
        ("stale", long_ago, "needs_response", 0), ("sent", told, "under_review", 0),
    )  # fmt: skip

    def fill(tx: Transaction) -> None:
        for order, at, status, until in cases:
            tx.purchases.book(replace(sold(order, days_ago=9), opened_at=NOW))
            dispute = Fact(f"du_{order}", FactKind.DISPUTE, f"pi_{order}", at, status, 900, answer_by=until)
            tx.facts.record(dispute)

    run(shop.store.transact(fill))
    found = run(shop.list_todo())
    assert [row.decides.object_id for row in found.of(Task.DISPUTE) if row.decides] == ["du_inquiry"]


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("needs_response", "A dispute about $9.00 needs an answer."),
        ("warning_needs_response", "An inquiry by the customer's bank about $9.00 needs an answer."),
    ],
)
def test_the_page_says_whether_the_bank_asks_or_disputes(status: str, why: str) -> None:
    held = Holding(purchase=samples.a_purchase(), facts=())
    dispute = Fact("du_1", FactKind.DISPUTE, "pi_c1", 1, status, 900)
    row = row_of(Todo(Task.DISPUTE, NOW, held, decides=dispute), dashboard="/", zone=UTC, now=NOW)
    assert row.why.startswith(why)


def test_bounced_emails_are_looked_through_to_the_last_one() -> None:
    """More than are asked about at once; nobody was reached by the last one alone."""
    shop = Shop()

    def fill(tx: Transaction) -> None:
        for n in range(130):
            tx.users.get_or_add(EmailAddress(f"b{n:03}@example.com"), new_id=UserId(f"u{n}"), now=NOW)
            if n < 129:
                tx.users.mark_verified(EmailAddress(f"b{n:03}@example.com"), at=NOW)

    run(shop.store.transact(fill))
    mails = [
        replace(
            samples.a_mail(f"m{n:03}"), to=EmailAddress(f"b{n:03}@example.com"), delivery=Delivery.BOUNCED
        )
        for n in range(130)
    ]
    found = run(shop.store.read(lambda tx: list(each_unreached(tx, mails))))
    assert [mail.key for mail in found] == ["m129"]


@pytest.mark.parametrize(("minutes", "waits"), [(-5, True), (0, True), (5, False)])
def test_only_a_later_email_that_arrived_reached_somebody(minutes: int, waits: bool) -> None:
    shop = Shop()
    mail = replace(samples.a_mail("m1"), delivery=Delivery.BOUNCED)
    other = replace(
        samples.a_mail("m2"),
        delivery=Delivery.DELIVERED,
        queued_at=mail.queued_at + timedelta(minutes=minutes),
    )

    def fill(tx: Transaction) -> None:
        tx.users.get_or_add(mail.to, new_id=UserId("u1"), now=NOW)
        tx.outbox.queue(other)

    run(shop.store.transact(fill))
    assert bool(run(shop.store.read(lambda tx: list(each_unreached(tx, [mail]))))) is waits


def test_disputes_stand_in_the_order_in_which_they_must_be_answered() -> None:
    shop = Shop()
    shop.clock.tick(seconds=(NOW - shop.clock.now()).total_seconds())
    due = {
        "unknown": 0,
        "late": 12,
        "soon": 3,
        "next": 5,
    }  # in days from now; in the order in which they began

    def fill(tx: Transaction) -> None:
        tx.quarantine.add("cs_test_9", RejectReason.WRONG_AMOUNT, at=NOW - timedelta(days=3.5), retry_at=None)
        for n, (name, days) in enumerate(due.items()):
            tx.purchases.book(replace(sold(name, days_ago=9), opened_at=NOW))
            began, last = NOW - timedelta(days=5 - n), NOW + timedelta(days=days)
            tx.facts.record(Fact(
                f"du_{name}", FactKind.DISPUTE, f"pi_{name}", int(began.timestamp()), "needs_response", 900,
                answer_by=int(last.timestamp()) if days else 0,
            ))  # fmt: skip

    run(shop.store.transact(fill))
    found = run(shop.list_todo())
    named = [row.decides.object_id if row.decides else row.task.value for row in found.rows]
    assert named == ["du_soon", "du_next", "quarantined", "du_late", "du_unknown"]
    lines = [line for line in waiting_lines(run(shop.report())) if "du_" in line]
    assert lines[0].endswith(f", evidence due by {NOW + timedelta(days=3):%Y-%m-%d %H:%M} UTC")
    assert "due by" not in lines[3]


def test_the_command_line_prints_the_queue_and_nothing_else_decides_whether_all_is_well() -> None:
    shop = Shop()
    shop.clock.tick(seconds=(NOW - shop.clock.now()).total_seconds())
    order, at = samples.a_purchase(), NOW - timedelta(days=3)
    held = Holding(purchase=order, facts=())
    mail = samples.a_mail("access:c1")
    due = RefundRequest(
        id="r1", payment="pi_c1", checkout=order.checkout, amount=Money(900, "usd"), reason="x", by="cli:ada",
        at=at, due_at=at, keyed_at=at,
    )  # fmt: skip
    dispute = Fact("du_1", FactKind.DISPUTE, "pi_c1", 1, "needs_response", 900)
    rows: dict[Task, tuple[Todo, str]] = {
        Task.QUARANTINED: (Todo(Task.QUARANTINED, at, Quarantined("cs_test_9", RejectReason.WRONG_AMOUNT, at, at, 1, None)), "cs_test_9"),
        Task.STUCK_EMAIL: (
            Todo(Task.STUCK_EMAIL, at, replace(mail, state=MailState.STUCK, problem="no")), "1 email refused"),
        Task.LATE_EMAIL: (Todo(Task.LATE_EMAIL, at, mail), "1 email delayed"),
        Task.BOUNCED_EMAIL: (
            Todo(Task.BOUNCED_EMAIL, at, replace(mail, delivery=Delivery.BOUNCED)), "1 email bounced"),
        Task.NEVER_OPENED: (Todo(Task.NEVER_OPENED, at, held), "1 purchase bought two days ago or earlier"),
        Task.DISPUTE: (Todo(Task.DISPUTE, at, held, decides=dispute), "1 dispute to answer in Stripe's dashboard"),
        Task.FRAUD_WARNING: (Todo(Task.FRAUD_WARNING, at, held, decides=dispute), "suspects fraud"),
        Task.WITHOUT_ADDRESS: (Todo(Task.WITHOUT_ADDRESS, at, held), "1 purchase has no address"),
        Task.WAIVER_UNCONFIRMED: (Todo(Task.WAIVER_UNCONFIRMED, at, held), "1 purchase whose waiver of the right"),
        Task.WITHDRAWAL: (
            Todo(Task.WITHDRAWAL, at, a_withdrawal(checkout=order.checkout)), "1 withdrawal to accept or refuse"),
        Task.REFUSED_BY_PROVIDER: (
            Todo(Task.REFUSED_BY_PROVIDER, at, Problem(ProblemKind.LOOKUP_REFUSED, "", "its words", at, at)),
            "Payments cannot be looked up"),
        Task.REFUND: (Todo(Task.REFUND, at, due), "refund"),
        Task.LICENCES_USED_UP: (
            Todo(Task.LICENCES_USED_UP, at, Lacking(ProductId("keyed"), 2)), "The licence keys of keyed are used up"),
        Task.PRODUCT_GONE: (Todo(Task.PRODUCT_GONE, at, Lacking(ProductId("gone"))), "gone: customers own it"),
        Task.PRODUCT_LOST: (Todo(Task.PRODUCT_LOST, at, Lacking(ProductId("lost"))), "they cannot open it"),
        Task.CATALOGUE: (Todo(Task.CATALOGUE, at, Mistakes(("book: the price is missing",))), "the price is missing"),
        Task.LIMITS_SHARED: (
            Todo(Task.LIMITS_SHARED, at, Problem(ProblemKind.LIMITS_SHARED, "untrusted", "172.17.0.1", at, at)),
            "share the rate limits of one: set TRUSTED_PROXIES=172.17.0.1, and start the shop again (since "),
        Task.WEBHOOKS_SILENT: (Todo(Task.WEBHOOKS_SILENT, at, Silence(None)), "Stripe's webhooks do not arrive"),
    }  # fmt: skip
    figures = run(shop.report()).tally
    assert rows.keys() == set(Task)
    for task, (row, words) in rows.items():
        status = Status(tally=figures, todo=TodoList(rows=[row]), noted=[])
        said = "\n".join(waiting_lines(status))
        assert words in said, said
        assert status.all_well is (task is Task.NEVER_OPENED)
    assert waiting_lines(Status(tally=figures, todo=TodoList(rows=[]), noted=[])) == []


def test_a_closed_purchase_waits_for_no_address_and_a_missing_folder_waits_for_the_merchant() -> None:
    shop = Shop()
    shop.clock.tick(seconds=(NOW - shop.clock.now()).total_seconds())

    def fill(tx: Transaction) -> None:
        for order in ("kept", "given back"):
            nobody = replace(sold(order, days_ago=1), user=None, mailbox=None, paid_email=None, session=None)
            tx.purchases.book(nobody)
        tx.purchases.book(replace(sold("seen", days_ago=1), opened_at=NOW, product=LOST))
        at = int(NOW.timestamp())
        tx.facts.record(Fact("re_1", FactKind.REFUND, "pi_given back", at, "succeeded", 900))

    run(shop.store.transact(fill))
    shop.catalogue.edition = an_edition(a_product(BOOK), replace(a_product(LOST), present=False))
    found = run(shop.list_todo())
    assert [held.purchase.checkout for held in found.about(Holding, Task.WITHOUT_ADDRESS)] == ["kept"]
    assert [one.product for one in found.about(Lacking, Task.PRODUCT_GONE)] == [LOST]
    assert found == run(shop.report()).todo


def test_limits_that_all_visitors_share_are_a_row_with_the_setting_and_the_way_to_the_doctor() -> None:
    problem = Problem(ProblemKind.LIMITS_SHARED, "untrusted", "172.17.0.1", NOW, NOW)
    row = row_of(Todo(Task.LIMITS_SHARED, NOW, problem), dashboard="/", zone=UTC, now=NOW)
    assert row.what == "All visitors share the rate limits of one"
    assert row.why.startswith("Requests come through a proxy, and TRUSTED_PROXIES does not name it")
    assert row.why.endswith(": set TRUSTED_PROXIES=172.17.0.1, and start the shop again.")
    assert [button.at for button in row.buttons] == ["/admin/doctor"], "Stripe has nothing to do with it"
