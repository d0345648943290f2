"""What every store promises of the address that a shop acts under. Part of the store contract."""

from __future__ import annotations

from contracts.samples import ANNA, BOOK, MINUTE, NOW, a_checkout, a_link, a_mail, a_purchase, a_session
from contracts.under_test import StoreUnderTest

from domain.claim import RejectReason
from domain.mail import MailProblem, MailState
from domain.records import Backlog, ProblemKind
from domain.values import CheckoutId, UserId

HERE, THERE = "https://shop.example.com", "https://copy.example.com"


class OwnAddressContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def test_the_first_address_that_is_served_is_kept(self) -> None:
        assert self.see(lambda tx: tx.shop.base_url()) is None
        self.do(lambda tx: tx.shop.open("s1"))
        assert self.see(lambda tx: tx.shop.base_url()) is None, "opening a store serves nothing"
        assert self.do(lambda tx: tx.shop.serve(HERE)) == HERE
        assert self.do(lambda tx: tx.shop.serve(THERE)) == HERE
        assert self.see(lambda tx: tx.shop.base_url()) == HERE
        assert self.do(lambda tx: tx.shop.open("s2")) == "s1"

    def test_of_many_nodes_that_start_at_once_one_address_wins(self) -> None:
        self.do(lambda tx: tx.shop.open("s1"))
        served = self.together(*(
            lambda url=f"https://node{n}.example.com": self.store.transact(lambda tx: tx.shop.serve(url))
            for n in range(8)
        ))  # fmt: skip
        assert set(served) == {self.see(lambda tx: tx.shop.base_url())}

    def test_a_confirmed_address_replaces_the_former_one(self) -> None:
        self.do(lambda tx: tx.shop.open("s1"))
        assert self.do(lambda tx: tx.shop.confirm_address(HERE)) is None
        assert self.do(lambda tx: tx.shop.confirm_address(THERE)) == HERE
        assert self.do(lambda tx: tx.shop.serve(HERE)) == THERE
        assert self.see(lambda tx: (tx.shop.id(), tx.shop.base_url())) == ("s1", THERE)

    def test_the_secrets_in_use_are_named(self) -> None:
        assert self.see(lambda tx: tx.shop.key_names()) == frozenset()
        self.do(lambda tx: tx.links.add(a_link()))
        self.do(lambda tx: tx.outbox.queue(a_mail("without")))
        assert self.see(lambda tx: tx.shop.key_names()) == {"k"}

    def test_a_copy_keeps_its_records_and_continues_nothing(self) -> None:
        at = NOW + MINUTE
        self.do(lambda tx: tx.shop.open("s1"))
        self.do(lambda tx: tx.shop.serve(HERE))
        self.do(lambda tx: tx.sessions.add(a_session()))
        self.do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW))
        self.do(lambda tx: tx.checkouts.add(a_checkout("c1")))
        self.do(lambda tx: tx.checkouts.add(a_checkout("c2", ref="cs_test_2")))
        self.do(lambda tx: tx.purchases.book(a_purchase("c1")))
        self.do(lambda tx: tx.licences.assign(BOOK, checkout=CheckoutId("c1")))
        self.do(lambda tx: tx.rechecks.schedule("pi_1", at=NOW, due_at=NOW))
        problem = ProblemKind.CHECKOUT_REFUSED
        self.do(lambda tx: tx.problems.report(problem, "book", detail="no", at=NOW))
        reason = RejectReason.WRONG_AMOUNT
        self.do(lambda tx: tx.quarantine.add("cs_test_3", reason, at=NOW, retry_at=NOW))
        for key in ("queued", "stuck", "sent"):
            self.do(lambda tx, key=key: tx.outbox.queue(a_mail(key)))
        for key, state in (("stuck", MailState.STUCK), ("sent", MailState.SENT)):
            self.do(lambda tx, key=key, state=state: tx.outbox.settle(key, state=state, at=NOW))
        self.do(lambda tx: tx.shop.become("s2", THERE, at=at))
        assert self.see(lambda tx: (tx.shop.id(), tx.shop.base_url())) == ("s2", THERE)
        assert self.see(lambda tx: tx.purchases.get(CheckoutId("c1"))) == a_purchase("c1")
        assert self.see(lambda tx: tx.checkouts.get(CheckoutId("c1"))) is not None
        assert self.see(lambda tx: tx.checkouts.get(CheckoutId("c2"))) is None, "it was never paid here"
        assert self.see(lambda tx: tx.sessions.by_token(a_session().token_hash)) is None
        assert self.see(lambda tx: tx.shop.backlog()) == Backlog(
            queued=0, oldest_queued_at=None, stuck=0, quarantined=0
        )
        assert self.see(lambda tx: tx.problems.open()) == []
        assert self.do(lambda tx: tx.rechecks.due(at, limit=9)) == []
        assert self.do(lambda tx: tx.quarantine.due(at, limit=9)) == []
        self.do(lambda tx: tx.licences.stock(BOOK, ["AAA"]))
        assert self.do(lambda tx: tx.licences.in_line_after(BOOK, after="", limit=9)) == []
        dropped = self.see(lambda tx: tx.outbox.get("queued"))
        assert (dropped.state, dropped.settled_at, dropped.problem) == (
            MailState.DROPPED, at, MailProblem.ANOTHER_SHOP,
        )  # fmt: skip
        sent = self.see(lambda tx: tx.outbox.get("sent"))
        assert (sent.state, sent.settled_at) == (MailState.SENT, NOW)
