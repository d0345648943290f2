"""What every store promises of checkouts, facts and purchases. Part of the store contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from contracts.samples import ANNA, BEN, DAY, NOW, SECOND, TWO, a_checkout, a_purchase
from contracts.under_test import StoreUnderTest

from domain.claim import RejectReason
from domain.fact import Fact, FactKind
from domain.values import LARGEST_AMOUNT, CheckoutId, EmailAddress, Money, ProviderRef, SessionId, UserId


class CheckoutContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

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
        self.do(lambda tx: tx.quarantine.add("cs_test_1", RejectReason.WRONG_PRODUCT, at=NOW, retry_at=None))
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

    def test_an_amount_of_twelve_digits_is_kept_whole(self) -> None:
        most = Money(LARGEST_AMOUNT, "idr")
        self.do(lambda tx: tx.checkouts.add(replace(a_checkout("c1"), price=most)))
        self.do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW))
        for row in ("c1", "c2"):
            self.do(lambda tx, row=row: tx.purchases.book(replace(a_purchase(row), paid=most)))
        assert [h.purchase.paid for h in self.see(lambda tx: tx.purchases.page_after("", limit=3))] == [
            most,
            most,
        ]
        held = self.see(lambda tx: tx.checkouts.get(CheckoutId("c1")))
        assert held is not None
        assert held.price == most
        takings = self.see(lambda tx: tx.shop.tally()).takings
        assert (sum(money.amount for money in takings), {money.currency for money in takings}) == (
            2 * LARGEST_AMOUNT,
            {"idr"},
        )
        fact = Fact(
            object_id="re_1",
            kind=FactKind.REFUND,
            payment="pi_c1",
            as_of=1,
            status="succeeded",
            amount=most.amount,
        )
        self.do(lambda tx: tx.facts.record(fact))
        [refunded, _] = self.see(lambda tx: tx.purchases.page_after("", limit=3))
        assert refunded.refunded == most.amount
        assert self.see(lambda tx: tx.shop.tally()).takings == (most,)
