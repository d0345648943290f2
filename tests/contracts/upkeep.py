"""What every store promises of quarantine, problems, the backlog, the export and pruning. Part of the store contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from contracts.samples import (
    ANNA,
    DAY,
    MINUTE,
    NOW,
    SECOND,
    TWO,
    a_checkout,
    a_link,
    a_mail,
    a_purchase,
    a_session,
)
from contracts.under_test import StoreUnderTest

from domain.claim import RejectReason
from domain.fact import Fact, FactKind
from domain.mail import MailKind, MailState
from domain.records import Backlog, EventRecord, ProblemKind
from domain.transaction import Transaction
from domain.values import CheckoutId, Digest, LinkId, Money, ProductId, ProviderRef, UserId


class UpkeepContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def test_the_first_of_a_kind_in_quarantine_is_told_of(self) -> None:
        def put(ref: str, why: RejectReason = RejectReason.WRONG_PRODUCT, at: datetime = NOW) -> bool:
            return self.do(lambda tx: tx.quarantine.add(ProviderRef(ref), why, at=at, retry_at=at + MINUTE))

        assert put("cs_test_1") is True
        assert put("cs_test_1", at=NOW + SECOND) is False
        assert put("cs_test_2") is False
        assert put("cs_test_3", RejectReason.WRONG_AMOUNT) is True
        waiting = self.see(lambda tx: tx.quarantine.open_entries())
        assert [(q.ref, q.tries) for q in waiting] == [("cs_test_1", 2), ("cs_test_2", 1), ("cs_test_3", 1)]
        assert len(self.see(lambda tx: tx.quarantine.due(NOW + 60 * SECOND, limit=9))) == 2
        assert self.do(lambda tx: tx.quarantine.close(ProviderRef("cs_test_1"), at=NOW)) is True
        assert self.do(lambda tx: tx.quarantine.close(ProviderRef("cs_test_1"), at=NOW)) is False
        assert put("cs_test_1", at=NOW + DAY) is False
        assert [q.ref for q in self.see(lambda tx: tx.quarantine.open_entries())] == [
            "cs_test_2",
            "cs_test_3",
        ]

    def test_what_belongs_to_another_program_is_closed_counted_and_deleted_after_90_days(self) -> None:
        def ignore(ref: str, at: datetime = NOW) -> None:
            self.do(lambda tx: tx.quarantine.ignore(ref, RejectReason.NO_METADATA, at=at))

        self.do(lambda tx: tx.quarantine.add("pi_2", RejectReason.UNREADABLE_PAYMENT, at=NOW, retry_at=NOW))
        self.do(lambda tx: tx.quarantine.add("cs_test_3", RejectReason.WRONG_AMOUNT, at=NOW, retry_at=NOW))
        self.do(lambda tx: tx.quarantine.close("cs_test_3", at=NOW))
        ignore("cs_test_1")
        ignore("cs_test_1", at=NOW + DAY)
        ignore("pi_2", at=NOW + DAY)
        one = self.see(lambda tx: tx.quarantine.get("cs_test_1"))
        assert one is not None
        assert (one.tries, one.first_at, one.last_at, one.closed_at, one.retry_at) == (1, NOW, NOW, NOW, None)
        assert self.see(lambda tx: tx.quarantine.open_entries()) == []
        assert self.see(lambda tx: tx.shop.tally().foreign) == 2
        assert self.see(lambda tx: tx.quarantine.count_foreign()) == 2
        assert self.do(lambda tx: tx.retention.prune(now=NOW + 91 * DAY)) == 1
        left = self.see(lambda tx: tx.quarantine.page_after("", limit=9))
        assert [(q.ref, q.reason) for q in left] == [
            ("cs_test_3", RejectReason.WRONG_AMOUNT),
            ("pi_2", RejectReason.NO_METADATA),
        ]

    def test_a_quarantined_session_keeps_its_first_and_its_latest_time(self) -> None:
        for at in (NOW, NOW + DAY, NOW + MINUTE):
            self.do(
                lambda tx, at=at: tx.quarantine.add(
                    "cs_test_1", RejectReason.WRONG_PRODUCT, at=at, retry_at=None
                )
            )
        [found] = self.see(lambda tx: tx.quarantine.open_entries())
        assert (found.first_at, found.last_at, found.tries) == (NOW, NOW + DAY, 3)

    def test_a_checkout_that_got_no_session_can_be_ended(self) -> None:
        self.do(lambda tx: tx.checkouts.add(a_checkout("c1", ref=None)))
        self.do(lambda tx: tx.checkouts.add(a_checkout("c2", ref=None)))
        self.do(lambda tx: tx.checkouts.add(a_checkout("c3", ref="cs_test_3")))
        ended = [
            self.do(lambda tx, row=row: tx.checkouts.bind(CheckoutId(row), ref=None, expires_at=NOW))
            for row in ("c1", "c3", "c9")
        ]
        assert ended == [True, False, False]
        found = [self.see(lambda tx, row=row: tx.checkouts.get(CheckoutId(row))) for row in ("c1", "c2")]
        assert [(c.provider_ref, c.expires_at == NOW) for c in found if c is not None] == [
            (None, True),
            (None, False),
        ]

    def test_a_problem_is_new_once_keeps_its_latest_words_and_goes_when_it_is_resolved(self) -> None:
        kind, other, *_ = ProblemKind

        def report(detail: str, at: datetime, subject: str = "book") -> bool:
            return self.do(lambda tx: tx.problems.report(kind, subject, detail=detail, at=at))

        assert report("first", NOW) is True
        assert report("second", NOW + DAY) is False
        assert report("third", NOW + MINUTE) is False
        assert report("first", NOW + SECOND, subject="photos") is True
        found = self.see(lambda tx: tx.problems.open())
        assert [(p.subject, p.detail, p.first_at, p.last_at) for p in found] == [
            ("book", "third", NOW, NOW + DAY),
            ("photos", "first", NOW + SECOND, NOW + SECOND),
        ]
        assert self.do(lambda tx: tx.problems.resolve(other, "book")) is False
        assert self.do(lambda tx: tx.problems.resolve(kind, "book")) is True
        assert self.do(lambda tx: tx.problems.resolve(kind, "book")) is False
        assert report("first", NOW + MINUTE, subject="songs") is True
        assert report("other words", NOW + MINUTE, subject="book") is True
        self.do(lambda tx: tx.problems.report(other, "songs", detail="first", at=NOW))
        assert self.do(lambda tx: tx.problems.resolve(kind, "songs")) is True, "and what had the same words"
        left = self.see(lambda tx: tx.problems.open())
        assert [(p.kind, p.subject) for p in left] == [(other, "songs"), (kind, "book")]
        assert self.do(lambda tx: tx.problems.resolve(kind, "book")) is True
        assert self.do(lambda tx: tx.retention.prune(now=NOW + 30 * DAY)) == 0
        assert self.do(lambda tx: tx.retention.prune(now=NOW + 31 * DAY)) == 1
        assert self.see(lambda tx: tx.problems.open()) == []

    def test_an_event_is_logged_once_and_its_outcome_renewed(self) -> None:
        event = EventRecord(id="evt_1", type="t", object_id="o")
        assert self.do(lambda tx: tx.events.log(event, outcome="first", at=NOW)) is True
        assert self.do(lambda tx: tx.events.log(event, outcome="second", at=NOW)) is False
        [logged] = self.see(lambda tx: tx.events.newest(limit=9))
        assert (logged.event, logged.outcome, logged.at) == (event, "second", NOW)

    def test_events_come_in_pages_the_newest_first(self) -> None:
        def work(tx: Transaction) -> None:
            for name, at in (("a", NOW), ("b", NOW + SECOND), ("c", NOW), ("d", NOW - SECOND)):
                tx.events.log(EventRecord(id=name, type="t", object_id="o"), outcome="x", at=at)

        def page(before: tuple[datetime, str] | None, limit: int) -> str:
            return "".join(
                one.event.id for one in self.see(lambda tx: tx.events.newest(before=before, limit=limit))
            )

        self.do(work)
        assert [page(None, 2), page((NOW, "c"), 2), page((NOW - SECOND, "d"), 2)] == ["bc", "ad", ""]

    def test_the_newest_facts_are_no_sessions(self) -> None:
        def work(tx: Transaction) -> None:
            tx.facts.record(Fact("cs_test_1", FactKind.SESSION, "pi_1", 9, "paid", 900))
            tx.facts.record(Fact("re_1", FactKind.REFUND, "pi_1", 5, "succeeded", 900))
            tx.facts.record(Fact("re_2", FactKind.REFUND, "pi_1", 5, "succeeded", 900))
            tx.facts.record(Fact("du_1", FactKind.DISPUTE, "pi_1", 7, "won", 900))
            tx.facts.record(Fact("merchant:c1", FactKind.MERCHANT, None, 6, "revoked", 0))

        self.do(work)
        found = self.see(lambda tx: tx.facts.newest(limit=3))
        assert [fact.object_id for fact in found] == ["du_1", "merchant:c1", "re_2"]

    def test_the_lines_for_licence_keys_are_counted_by_product(self) -> None:
        for product, row in (("book", "c2"), ("book", "c1"), ("album", "c1")):
            waits = ProductId(product), CheckoutId(row)
            self.do(lambda tx, waits=waits: tx.licences.enqueue(waits[0], checkout=waits[1]))
        assert self.see(lambda tx: tx.problems.licence_lines()) == [("album", "c1", 1), ("book", "c1", 2)]

    def test_a_page_of_purchases_can_be_of_those_booked_in_a_time_alone(self) -> None:
        self.do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW))
        for number, at in enumerate((NOW + SECOND, NOW - SECOND, NOW + MINUTE, NOW, NOW + MINUTE - SECOND)):
            one = replace(a_purchase(f"c{number}"), booked_at=at)
            self.do(lambda tx, one=one: tx.purchases.book(one))

        def page(after: str = "", limit: int = 9) -> list[str]:
            booked = NOW, NOW + MINUTE
            found = self.see(lambda tx: tx.purchases.page_after(after, limit=limit, booked=booked))
            return [held.purchase.checkout for held in found]

        assert page() == ["c0", "c3", "c4"]
        assert (page("c0", 1), page("c4")) == (["c3"], [])
        assert len(self.see(lambda tx: tx.purchases.page_after("", limit=9))) == 5

    def test_a_cursor_never_moves_back(self) -> None:
        for at in (NOW, NOW + DAY, NOW + MINUTE):
            self.do(lambda tx, at=at: tx.shop.advance_cursor("c", to=at))
        assert self.see(lambda tx: tx.shop.cursor("c")) == NOW + DAY
        assert self.see(lambda tx: tx.shop.cursor("other")) is None

    def test_what_waits_is_stuck_or_late_and_failed(self) -> None:
        for key in ("stuck", "late", "fresh", "sent"):
            self.do(lambda tx, key=key: tx.outbox.queue(a_mail(key)))
        self.do(lambda tx: tx.outbox.settle("stuck", state=MailState.STUCK, at=NOW, problem="no"))
        self.do(lambda tx: tx.outbox.settle("late", state=MailState.QUEUED, at=NOW, problem="away"))
        self.do(lambda tx: tx.outbox.settle("sent", state=MailState.SENT, at=NOW))
        waiting = self.see(lambda tx: tx.outbox.waiting(NOW + 10 * MINUTE, late=10 * MINUTE))
        assert sorted(m.key for m in waiting) == ["late", "stuck"]
        tally = self.see(lambda tx: tx.shop.tally())
        assert dict(tally.mails)[MailState.QUEUED] == 2

    def test_the_backlog_is_what_waits_and_nothing_else(self) -> None:
        empty = self.see(lambda tx: tx.shop.backlog())
        assert empty == Backlog(queued=0, oldest_queued_at=None, stuck=0, quarantined=0)
        for n, key in enumerate(("sent", "stuck", "first", "second")):
            self.do(
                lambda tx, n=n, key=key: tx.outbox.queue(replace(a_mail(key), queued_at=NOW + n * MINUTE))
            )
        self.do(lambda tx: tx.outbox.settle("stuck", state=MailState.STUCK, at=NOW, problem="no"))
        self.do(lambda tx: tx.outbox.settle("sent", state=MailState.SENT, at=NOW))
        for ref in ("cs_test_1", "cs_test_2"):
            self.do(
                lambda tx, ref=ref: tx.quarantine.add(
                    ProviderRef(ref), RejectReason.WRONG_PRODUCT, at=NOW, retry_at=None
                )
            )
        self.do(lambda tx: tx.quarantine.close("cs_test_1", at=NOW))
        assert self.see(lambda tx: tx.shop.backlog()) == Backlog(
            queued=2, oldest_queued_at=NOW + 2 * MINUTE, stuck=1, quarantined=1
        )

    def test_a_page_of_purchases_may_begin_at_the_beginning_of_an_id(self) -> None:
        """By which an order is found whose number is given in part."""
        self._sell("0a1b", "0a2b", "0a2c", "0b")
        for start, expected in (
            ("0a2", ["0a2b", "0a2c"]),
            ("0a1b", ["0a2b", "0a2c"]),
            ("0", ["0a1b", "0a2b"]),
        ):
            page = self.see(lambda tx, start=start: tx.purchases.page_after(start, limit=2))
            assert [held.purchase.checkout for held in page] == expected

    def test_the_export_pages_through_everything_in_order(self) -> None:
        self.do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW))
        for n in range(7):
            self.do(lambda tx, n=n: tx.purchases.book(a_purchase(f"c{n}")))
        pages, after = [], ""
        for _ in range(4):
            rows = self.see(lambda tx, after=after: tx.purchases.page_after(after, limit=3))
            pages.append([h.purchase.checkout for h in rows])
            after = pages[-1][-1] if rows else after
        assert pages.pop() == []
        assert pages == [["c0", "c1", "c2"], ["c3", "c4", "c5"], ["c6"]]
        tally = self.see(lambda tx: tx.shop.tally())
        assert (tally.purchases, tally.users, tally.takings) == (7, 1, (Money(6300, "usd"),))

    def test_pruning_takes_what_is_over_and_leaves_what_counts(self) -> None:
        def fill(tx: Transaction) -> None:
            tx.sessions.add(a_session())
            tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW)
            for row in ("c1", "c2", "c3"):
                tx.checkouts.add(a_checkout(row, ref=f"cs_test_{row}"))
            tx.purchases.book(a_purchase("c1"))
            tx.facts.record(
                Fact(
                    object_id="cs_test_c3",
                    kind=FactKind.SESSION,
                    payment=None,
                    as_of=1,
                    status="unpaid",
                    amount=1,
                )
            )
            tx.links.add(a_link())
            tx.outbox.queue(a_mail("access"))
            tx.outbox.queue(a_mail("login", kind=MailKind.LOGIN))
            tx.outbox.settle("access", state=MailState.SENT, at=NOW)
            tx.outbox.settle("login", state=MailState.SENT, at=NOW)
            tx.limits.acquire("bucket", TWO, now=NOW, ref="r")
            tx.events.log(EventRecord(id="e", type="t", object_id="o"), outcome="x", at=NOW)

        self.do(fill)
        assert self.do(lambda tx: tx.retention.prune(now=NOW + MINUTE)) == 0
        for _ in range(5):
            self.do(lambda tx: tx.retention.prune(now=NOW + 60 * DAY))
        assert self.do(lambda tx: tx.retention.prune(now=NOW + 60 * DAY)) == 0
        left = self.see(lambda tx: [tx.checkouts.get(CheckoutId(c)) is not None for c in ("c1", "c2", "c3")])
        assert left == [True, False, True]
        assert (
            self.see(
                lambda tx: (
                    tx.sessions.by_token(Digest("t1")),
                    tx.links.get(LinkId("ab" * 16)),
                    tx.outbox.get("login"),
                )
            )
            == (None,) * 3
        )
        assert self.see(lambda tx: tx.outbox.get("access")) is not None
        assert self.see(lambda tx: tx.purchases.get(CheckoutId("c1"))) is not None
