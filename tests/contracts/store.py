"""What every store promises, as tests. A subclass says how to open one and how to run; it adds nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from contracts.address_changes import AddressChangeContract
from contracts.after_sale import AfterSaleContract
from contracts.audit import AuditContract
from contracts.audit_chain import AuditChainContract
from contracts.by_hand import ByHandContract
from contracts.checkouts import CheckoutContract
from contracts.customer_lists import CustomerListContract
from contracts.day_sums import DaySumContract
from contracts.decisions import DecisionContract
from contracts.erasures import ErasureContract
from contracts.every_field import EveryFieldContract
from contracts.exports import ExportContract
from contracts.licences import LicenceContract
from contracts.outbox import OutboxContract
from contracts.own_address import OwnAddressContract
from contracts.refund_requests import RefundRequestContract
from contracts.sale_lists import SaleListContract
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
from contracts.searches import SearchContract
from contracts.staff import StaffContract
from contracts.surveys import SurveyContract
from contracts.upkeep import UpkeepContract
from contracts.uploads import UploadContract
from contracts.withdrawals import WithdrawalsContract

from domain.magic_link import LinkPurpose
from domain.transaction import Transaction
from domain.values import Digest, LinkId, ProviderRef, SessionId, UserId


class StoreContract(
    AddressChangeContract,
    AfterSaleContract,
    AuditContract,
    AuditChainContract,
    ByHandContract,
    WithdrawalsContract,
    ExportContract,
    CheckoutContract,
    DecisionContract,
    CustomerListContract,
    DaySumContract,
    ErasureContract,
    EveryFieldContract,
    LicenceContract,
    OutboxContract,
    OwnAddressContract,
    RefundRequestContract,
    StaffContract,
    SaleListContract,
    SearchContract,
    SurveyContract,
    UpkeepContract,
    UploadContract,
):
    """Each method is a promise of `domain.ports.Store` or `domain.transaction.Transaction`."""

    # ------------------------------------------------------------------ transactions

    def test_what_was_written_is_found(self) -> None:
        """See EveryFieldContract: as it was written."""
        self.do(lambda tx: tx.sessions.add(a_session(mailbox=ANNA)))
        self.do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW))
        self.do(lambda tx: tx.checkouts.add(a_checkout()))
        self.do(lambda tx: tx.purchases.book(a_purchase()))
        assert self.see(lambda tx: tx.sessions.by_token(Digest("t1"))) == a_session(mailbox=ANNA)
        assert self.see(lambda tx: tx.checkouts.by_provider_ref(ProviderRef("cs_test_1"))) == a_checkout()
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

    # ------------------------------------------------------------------ links

    def test_code_tries_are_counted_up_to_the_most(self) -> None:
        self.do(lambda tx: tx.links.add(a_link()))
        self.do(lambda tx: tx.links.add(replace(a_link("cd" * 16), code_tries=4)))
        both = [LinkId("ab" * 16), LinkId("cd" * 16), LinkId("ef" * 16)]
        works = [lambda: self.store.transact(lambda tx: tx.links.count_code_attempt(both, most=5))] * 12
        assert sorted(self.together(*works)) == [False] * 7 + [True] * 5  # type: ignore[type-var]
        assert [link.code_tries for link in self.see(lambda tx: tx.links.with_code(SessionId("s1")))] == [
            5,
            5,
        ]
        assert self.do(lambda tx: tx.links.count_code_attempt([], most=5)) is False

    def test_one_that_is_used_supersedes_the_unused_ones_of_the_same_browser(self) -> None:
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
        found = self.see(lambda tx: tx.links.with_code(SessionId("s1")))
        assert [link.id for link in found] == ["12" * 16, "ab" * 16], "newest first"
        assert self.see(lambda tx: tx.links.with_code(SessionId("s9"))) == []

    # ------------------------------------------------------------------ beside transactions

    def test_a_store_that_can_write_is_ready(self) -> None:
        self.run(self.store.ready())

    def test_its_own_counters_count_up_where_it_has_any(self) -> None:
        before = self.store.figures()
        self.do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW))
        after = self.store.figures()
        assert after.waiting in (None, 0)
        assert before.commits is None if after.commits is None else after.commits == (before.commits or 0) + 1
