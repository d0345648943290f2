"""What every store promises, as tests. A subclass says how to open one and how to run; it adds nothing else."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import pytest
from contracts.outbox import OutboxContract
from contracts.samples import (
    ANNA,
    BEN,
    BOOK,
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

from domain.claim import RejectReason
from domain.magic_link import LinkPurpose
from domain.mail import MailKind, MailState
from domain.ports import Store
from domain.purchase import Fact, FactKind
from domain.records import Backlog, EventRecord
from domain.transaction import ReadTransaction, Transaction
from domain.values import (
    CheckoutId,
    Digest,
    EmailAddress,
    LinkId,
    Money,
    ProviderRef,
    SessionId,
    UserId,
)

T = TypeVar("T")


class StoreContract(OutboxContract):
    """Each method is a promise of `domain.ports.Store` or `domain.transaction.Transaction`."""

    def open_store(self) -> Store:
        raise NotImplementedError

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        raise NotImplementedError

    def together(self, *works: Callable[[], Coroutine[Any, Any, T]]) -> list[T | BaseException]:
        """Run them at once, in whatever order the store likes; exceptions are returned."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def opened(self) -> None:
        self.store = self.open_store()

    def do(self, work: Callable[[Transaction], T]) -> T:
        return self.run(self.store.transact(work))

    def see(self, work: Callable[[ReadTransaction], T]) -> T:
        return self.run(self.store.read(work))

    # ------------------------------------------------------------------ transactions

    def test_what_was_written_is_read_back_as_it_was(self) -> None:
        self.do(lambda tx: tx.sessions.add(a_session(mailbox=ANNA)))
        self.do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW))
        self.do(lambda tx: tx.checkouts.add(a_checkout()))
        self.do(lambda tx: tx.purchases.book(a_purchase()))
        self.do(lambda tx: tx.links.add(a_link()))
        self.do(lambda tx: tx.outbox.queue(a_mail(link="ab" * 16)))
        assert self.see(lambda tx: tx.sessions.by_token(Digest("t1"))) == a_session(mailbox=ANNA)
        assert self.see(lambda tx: tx.checkouts.get(CheckoutId("c1"))) == a_checkout()
        assert self.see(lambda tx: tx.checkouts.by_provider_ref(ProviderRef("cs_test_1"))) == a_checkout()
        assert self.see(lambda tx: tx.purchases.get(CheckoutId("c1"))) == a_purchase()
        assert self.see(lambda tx: tx.links.get(LinkId("ab" * 16))) == a_link()
        assert self.see(lambda tx: tx.outbox.get("m1")) == a_mail(link="ab" * 16)
        assert self.see(lambda tx: tx.users.exists(ANNA)) is True
        assert self.see(lambda tx: tx.users.exists(BEN)) is False
        assert self.see(lambda tx: tx.purchases.count_sold(BOOK)) == 1

    def test_a_work_that_raises_leaves_nothing_and_its_exception_comes_back(self) -> None:
        def work(tx: Transaction) -> None:
            tx.sessions.add(a_session())
            tx.outbox.queue(a_mail())
            raise LookupError("no")

        with pytest.raises(LookupError):
            self.do(work)
        assert self.see(lambda tx: tx.sessions.by_token(Digest("t1"))) is None
        assert self.see(lambda tx: tx.outbox.get("m1")) is None
        assert self.do(lambda tx: tx.outbox.queue(a_mail())) is True, "the store goes on"

    def test_one_work_that_raises_undoes_itself_alone(self) -> None:
        def good(number: int) -> Callable[[Transaction], bool]:
            return lambda tx: tx.outbox.queue(a_mail(f"m{number}"))

        def bad(tx: Transaction) -> bool:
            tx.outbox.queue(a_mail("bad"))
            raise LookupError("no")

        works = [lambda n=n: self.store.transact(bad if n % 3 == 1 else good(n)) for n in range(30)]
        answers = self.together(*works)
        assert [isinstance(a, LookupError) for a in answers] == [n % 3 == 1 for n in range(30)]
        keys = {m.key for m in self.see(lambda tx: tx.outbox.page_after("", limit=100))}
        assert keys == {f"m{n}" for n in range(30) if n % 3 != 1}

    def test_nobody_reads_what_is_not_committed(self) -> None:
        seen: list[bool] = []

        def doomed(tx: Transaction) -> None:
            tx.outbox.queue(a_mail("doomed"))
            raise LookupError("no")

        async def look() -> None:
            seen.append(await self.store.read(lambda tx: tx.outbox.get("doomed") is not None))

        self.together(*[lambda: self.store.transact(doomed), look, look] * 8)
        assert seen
        assert not any(seen)

    def test_every_commit_is_kept(self) -> None:
        works = [
            lambda n=n: self.store.transact(lambda tx: tx.outbox.queue(a_mail(f"m{n:03}"))) for n in range(50)
        ]
        assert self.together(*works) == [True] * 50
        assert len(self.see(lambda tx: tx.outbox.page_after("", limit=100))) == 50

    def test_of_many_at_once_exactly_one_is_first(self) -> None:
        """Booking, queueing, spending and making a user: twenty callers, one yes."""
        self.do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW))
        self.do(lambda tx: tx.links.add(a_link()))
        promises: list[Callable[[Transaction], bool]] = [
            lambda tx: tx.purchases.book(a_purchase()),
            lambda tx: tx.outbox.queue(a_mail()),
            lambda tx: tx.links.consume(LinkId("ab" * 16), at=NOW),
            lambda tx: tx.checkouts.add(a_checkout()),
        ]
        for promise in promises:
            answers = self.together(
                *[lambda promise=promise: self.store.transact(promise) for _ in range(20)]
            )
            assert sorted(answers) == [False] * 19 + [True]  # type: ignore[type-var]
        assert self.see(lambda tx: len(tx.purchases.page_after("", limit=100))) == 1
        assert self.see(lambda tx: len(tx.outbox.page_after("", limit=100))) == 1

    def test_one_user_a_mailbox_whoever_comes_first(self) -> None:
        works = [
            lambda n=n: self.store.transact(
                lambda tx: tx.users.get_or_add(ANNA, new_id=UserId(f"u{n}"), now=NOW)
            )
            for n in range(20)
        ]
        assert len(set(map(str, self.together(*works)))) == 1
        assert len(self.see(lambda tx: tx.users.page_after("", limit=100))) == 1

    # ------------------------------------------------------------------ the shop and its sessions

    def test_the_shops_id_is_given_once(self) -> None:
        assert self.see(lambda tx: tx.shop.id()) is None
        assert self.do(lambda tx: tx.shop.open("first")) == "first"
        assert self.do(lambda tx: tx.shop.open("second")) == "first"
        assert self.see(lambda tx: tx.shop.id()) == "first"

    def test_a_session_is_seen_later_and_never_earlier(self) -> None:
        self.do(lambda tx: tx.sessions.add(a_session()))
        self.do(lambda tx: tx.sessions.touch(SessionId("s1"), at=NOW + DAY))
        self.do(lambda tx: tx.sessions.touch(SessionId("s1"), at=NOW))
        self.do(lambda tx: tx.sessions.touch(SessionId("nobody"), at=NOW))
        found = self.see(lambda tx: tx.sessions.by_token(Digest("t1")))
        assert found is not None
        assert found.seen_at == NOW + DAY

    def test_proving_a_mailbox_turns_the_token_and_refuses_another_mailbox(self) -> None:
        self.do(lambda tx: tx.sessions.add(a_session()))
        later = NOW + MINUTE
        assert self.do(
            lambda tx: tx.sessions.verify(SessionId("s1"), mailbox=ANNA, token_hash=Digest("t2"), at=later)
        )
        assert self.see(lambda tx: tx.sessions.by_token(Digest("t1"))) is None
        assert self.see(lambda tx: tx.sessions.by_token(Digest("t2"))) == replace(
            a_session(mailbox=ANNA, token="t2"), started_at=later, seen_at=later
        )
        assert self.do(
            lambda tx: tx.sessions.verify(SessionId("s1"), mailbox=ANNA, token_hash=Digest("t3"), at=later)
        )
        assert not self.do(
            lambda tx: tx.sessions.verify(SessionId("s1"), mailbox=BEN, token_hash=Digest("t4"), at=later)
        )
        assert not self.do(
            lambda tx: tx.sessions.verify(SessionId("no"), mailbox=BEN, token_hash=Digest("t5"), at=later)
        )
        assert self.see(lambda tx: tx.sessions.by_token(Digest("t3"))) is not None

    def test_sessions_end_one_by_one_and_all_of_a_mailbox(self) -> None:
        for n, mailbox in enumerate((ANNA, ANNA, BEN)):
            row = a_session(f"s{n}", mailbox=mailbox, token=f"t{n}", at=NOW + n * SECOND)
            self.do(lambda tx, row=row: tx.sessions.add(row))
        assert [s.id for s in self.see(lambda tx: tx.sessions.of_address(ANNA))] == ["s1", "s0"]
        assert self.do(lambda tx: tx.sessions.end(SessionId("s1"))) is True
        assert self.do(lambda tx: tx.sessions.end(SessionId("s1"))) is False
        assert self.do(lambda tx: tx.sessions.end_of_address(ANNA)) == 1
        assert self.see(lambda tx: tx.sessions.by_token(Digest("t2"))) is not None

    # ------------------------------------------------------------------ limits

    def test_a_limit_is_a_sliding_window_and_a_refused_try_takes_nothing(self) -> None:
        def take(at: datetime, ref: str) -> datetime | None:
            return self.do(lambda tx: tx.limits.acquire("bucket", TWO, now=at, ref=ref))

        assert take(NOW, "a") is None
        assert take(NOW + 10 * SECOND, "b") is None
        assert take(NOW + 20 * SECOND, "c") == NOW + MINUTE
        assert take(NOW + 20 * SECOND, "a") is None, "the same ref takes one place only"
        assert take(NOW + 61 * SECOND, "d") is None
        assert take(NOW + 62 * SECOND, "e") == NOW + 70 * SECOND
        assert self.do(lambda tx: tx.limits.acquire("other bucket", TWO, now=NOW, ref="a")) is None

    def test_a_place_that_is_given_back_is_free(self) -> None:
        for ref in ("a", "b"):
            self.do(lambda tx, ref=ref: tx.limits.acquire("bucket", TWO, now=NOW, ref=ref))
        self.do(lambda tx: tx.limits.release("a"))
        assert self.do(lambda tx: tx.limits.acquire("bucket", TWO, now=NOW, ref="c")) is None
        assert self.do(lambda tx: tx.limits.acquire("bucket", TWO, now=NOW, ref="d")) == NOW + MINUTE

    # ------------------------------------------------------------------ checkouts, facts, purchases

    def test_a_claim_sees_all_it_needs_at_once(self) -> None:
        """One thing after the other comes true, and only that one."""

        def known(payment: str | None = "pi_1", ref: str | None = "cs_test_1") -> list[bool]:
            session = None if ref is None else ProviderRef(ref)
            found = self.see(
                lambda tx: tx.checkouts.for_claim(CheckoutId("c1"), ref=session, payment=payment)
            )
            assert found.checkout in (None, a_checkout("c1"))
            return [
                found.checkout is not None, found.booked, found.erased, found.holds_place, found.quarantined,
                found.has_facts,
            ]  # fmt: skip

        def fact(kind: FactKind, name: str) -> Fact:
            return Fact(object_id=name, kind=kind, payment="pi_1", as_of=1, status="paid", amount=1)

        self.do(lambda tx: tx.checkouts.add(a_checkout("c2", ref="cs_test_2")))
        self.do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW))
        self.do(lambda tx: tx.purchases.book(a_purchase("c2")))
        self.do(lambda tx: tx.facts.record(fact(FactKind.SESSION, "cs_test_1")))
        assert known() == [False] * 6
        self.do(lambda tx: tx.quarantine.add("cs_test_1", RejectReason.NO_EMAIL, at=NOW, retry_at=None))
        assert known() == [False, False, False, False, True, False]
        assert known(ref=None) == [False] * 6
        self.do(lambda tx: tx.quarantine.close("cs_test_1", at=NOW))
        self.do(lambda tx: tx.checkouts.add(a_checkout("c1")))
        assert known() == [True, False, False, False, False, False]
        self.do(lambda tx: tx.limits.acquire("bucket", TWO, now=NOW, ref="c1"))
        assert known() == [True, False, False, True, False, False]
        self.do(lambda tx: tx.limits.release("c1"))
        self.do(lambda tx: tx.facts.record(fact(FactKind.REFUND, "re_1")))
        assert known() == [True, False, False, False, False, True]
        assert known(payment=None) == [True, False, False, False, False, False]
        self.do(lambda tx: tx.purchases.book(a_purchase("c1")))
        assert known() == [True, True, False, False, False, True]
        self.do(lambda tx: tx.erasures.erase_order(CheckoutId("c3"), at=NOW))
        assert known() == [True, True, False, False, False, True]

    def test_a_claim_sees_that_its_buyer_was_erased(self) -> None:
        self.do(lambda tx: tx.erasures.erase_order(CheckoutId("c1"), at=NOW))
        found = self.see(lambda tx: tx.checkouts.for_claim(CheckoutId("c1"), ref=None, payment=None))
        assert (found.checkout, found.erased) == (None, True)

    def test_a_checkout_is_bound_to_one_session_of_the_provider(self) -> None:
        self.do(lambda tx: tx.checkouts.add(a_checkout("c1", ref=None)))
        self.do(lambda tx: tx.checkouts.add(a_checkout("c2", ref=None)))
        one, two = ProviderRef("cs_test_1"), ProviderRef("cs_test_2")

        def bind(row: str, ref: ProviderRef) -> bool:
            return self.do(lambda tx: tx.checkouts.bind(CheckoutId(row), ref=ref, expires_at=NOW + DAY))

        assert bind("c1", one)
        assert bind("c1", one), "the same again is fine"
        assert not bind("c1", two)
        assert not bind("c2", one)
        assert not bind("c3", two)
        assert self.do(lambda tx: tx.checkouts.add(a_checkout("c4", ref="cs_test_1"))) is False
        assert self.see(lambda tx: tx.checkouts.by_provider_ref(two)) is None

    def test_a_turn_to_ask_comes_round_after_the_gap(self) -> None:
        self.do(lambda tx: tx.checkouts.add(a_checkout()))

        def turn(at: datetime) -> bool:
            return self.do(lambda tx: tx.checkouts.throttle(CheckoutId("c1"), now=at, gap=5 * SECOND))

        assert [turn(NOW), turn(NOW + 4 * SECOND), turn(NOW + 5 * SECOND), turn(NOW + 6 * SECOND)] == [
            True, False, True, False,
        ]  # fmt: skip
        assert not self.do(lambda tx: tx.checkouts.throttle(CheckoutId("none"), now=NOW, gap=SECOND))

    def test_the_greater_fact_stays_in_every_order(self) -> None:
        early = Fact(
            object_id="re_1", kind=FactKind.REFUND, payment="pi_c1", as_of=1, status="pending", amount=5
        )
        late = replace(early, as_of=2, status="succeeded")
        for first, second in ((early, late), (late, early)):
            self.store = self.open_store()
            self.do(lambda tx, first=first: tx.facts.record(first))
            assert self.do(lambda tx, second=second: tx.facts.record(second)) == late
            assert self.see(lambda tx: tx.facts.get("re_1")) == late

    def test_holdings_are_those_of_the_browser_and_of_the_mailbox_with_their_facts(self) -> None:
        self.do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW))
        self.do(lambda tx: tx.users.get_or_add(BEN, new_id=UserId("u2"), now=NOW))
        self.do(lambda tx: tx.purchases.book(a_purchase("c1", session="s1")))
        self.do(lambda tx: tx.purchases.book(a_purchase("c2", session="s2")))
        self.do(lambda tx: tx.purchases.book(a_purchase("c3", session="s1", user="u2", mailbox=BEN)))
        self.do(lambda tx: tx.purchases.book(a_purchase("c4", session=None, user="u2", mailbox=BEN)))
        refund = Fact(
            object_id="re_1", kind=FactKind.REFUND, payment="pi_c2", as_of=1, status="pending", amount=5
        )
        paid = Fact(
            object_id="cs_test_c2", kind=FactKind.SESSION, payment="pi_c2", as_of=1, status="paid", amount=900
        )
        self.do(lambda tx: tx.facts.record(refund))
        self.do(lambda tx: tx.facts.record(paid))

        def held(session: str, mailbox: EmailAddress | None) -> dict[str, set[Fact]]:
            found = self.see(lambda tx: tx.purchases.held_by(SessionId(session), mailbox))
            assert len(found) == len({h.purchase.checkout for h in found})
            return {h.purchase.checkout: set(h.facts) for h in found}

        assert held("s1", None) == {"c1": set(), "c3": set()}
        assert held("s1", ANNA) == {"c1": set(), "c3": set(), "c2": {refund, paid}}
        assert held("nobody", BEN) == {"c3": set(), "c4": set()}
        assert held("nobody", None) == {}
        waits = replace(refund, object_id="re_2", payment="pi_unclaimed")
        self.do(lambda tx: tx.facts.record(waits))
        assert self.see(lambda tx: [list(tx.facts.of_payment(p)) for p in ("pi_c2", "pi_unclaimed", "pi_c1")]) == [
            [refund], [waits], [],
        ]  # fmt: skip

    # ------------------------------------------------------------------ links

    def test_code_tries_are_counted_up_to_the_most(self) -> None:
        self.do(lambda tx: tx.links.add(a_link()))
        works = [
            lambda: self.store.transact(lambda tx: tx.links.count_code_attempt(LinkId("ab" * 16), most=5))
        ] * 12
        assert sorted(self.together(*works)) == [False] * 7 + [True] * 5  # type: ignore[type-var]

    def test_newer_links_supersede_the_unused_ones_of_the_same_browser(self) -> None:
        access = a_link("cd" * 16, purpose=LinkPurpose.ACCESS)
        other = replace(a_link("ef" * 16), asked_by=SessionId("s2"))
        for link in (a_link(), access, other):
            self.do(lambda tx, link=link: tx.links.add(link))
        self.do(lambda tx: tx.links.supersede(ANNA, asked_by=SessionId("s1")))
        states = {
            r: self.see(lambda tx, r=r: tx.links.get(LinkId(r * 16)).superseded) for r in ("ab", "cd", "ef")
        }  # type: ignore[union-attr,misc]
        assert states == {"ab": True, "cd": False, "ef": False}
        self.do(lambda tx: tx.links.add(a_link("12" * 16, at=NOW + SECOND)))
        newest = self.see(lambda tx: tx.links.newest_with_code(SessionId("s1")))
        assert newest is not None
        assert newest.id == "12" * 16
        assert self.see(lambda tx: tx.links.newest_with_code(SessionId("s9"))) is None

    # ------------------------------------------------------------------ quarantine, events, reports

    def test_the_first_of_a_kind_in_quarantine_is_told_of(self) -> None:
        def put(ref: str, why: RejectReason = RejectReason.NO_EMAIL, at: datetime = NOW) -> bool:
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

    def test_a_quarantined_session_keeps_its_first_and_its_latest_time(self) -> None:
        for at in (NOW, NOW + DAY, NOW + MINUTE):
            self.do(
                lambda tx, at=at: tx.quarantine.add("cs_test_1", RejectReason.NO_EMAIL, at=at, retry_at=None)
            )
        [found] = self.see(lambda tx: tx.quarantine.open_entries())
        assert (found.first_at, found.last_at, found.tries) == (NOW, NOW + DAY, 3)

    def test_an_event_is_logged_once_and_its_outcome_renewed(self) -> None:
        event = EventRecord(id="evt_1", type="t", object_id="o", created=1)
        assert self.do(lambda tx: tx.events.log(event, outcome="first", at=NOW)) is True
        assert self.do(lambda tx: tx.events.log(event, outcome="second", at=NOW)) is False

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
                    ProviderRef(ref), RejectReason.NO_EMAIL, at=NOW, retry_at=None
                )
            )
        self.do(lambda tx: tx.quarantine.close("cs_test_1", at=NOW))
        assert self.see(lambda tx: tx.shop.backlog()) == Backlog(
            queued=2, oldest_queued_at=NOW + 2 * MINUTE, stuck=1, quarantined=1
        )

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
            tx.events.log(EventRecord(id="e", type="t", object_id="o", created=1), outcome="x", at=NOW)

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

    # ------------------------------------------------------------------ beside transactions

    def test_a_store_that_can_write_is_ready(self) -> None:
        self.run(self.store.ready())

    def test_its_own_counters_count_up_where_it_has_any(self) -> None:
        before = self.store.figures()
        self.do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW))
        after = self.store.figures()
        assert after.waiting in (None, 0)
        assert before.commits is None if after.commits is None else after.commits == (before.commits or 0) + 1
