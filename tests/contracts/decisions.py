"""What every store promises of the merchant's decisions: they are found, and commute with what Stripe says."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from contracts import samples
from contracts.samples import ANNA, BEN, DAY, NOW
from contracts.under_test import StoreUnderTest

from domain.access import Holding
from domain.decision import decided, merchant_object
from domain.fact import Fact, FactKind, MerchantStatus
from domain.purchase import PurchaseState, Source
from domain.values import CheckoutId, SessionId, UserId

_REVOKED, _RESTORED = MerchantStatus.REVOKED, MerchantStatus.RESTORED


def _fact(kind: FactKind, status: str, *, amount: int, at: int, request: str = "") -> Fact:
    return Fact(f"{kind.value}_1", kind, "pi_c1", at, status, amount, request)


def _word(status: MerchantStatus, *, at: int, request: str = "") -> Fact:
    made = decided(None, CheckoutId("c1"), status, now=NOW, request=request)
    return replace(made, as_of=at)


def _of(fact: Fact, row: str) -> Fact:
    """The same fact about another purchase."""
    if fact.kind is FactKind.MERCHANT:
        return replace(fact, object_id=merchant_object(CheckoutId(row)))
    return replace(fact, object_id=f"{fact.kind.value}_{row}", payment=f"pi_{row}")


_REFUND = [
    _fact(FactKind.REFUND, "pending", amount=900, at=1),
    _fact(FactKind.REFUND, "failed", amount=900, at=2),
]
_PART = [
    _fact(FactKind.REFUND, "pending", amount=300, at=1, request="r1"),
    _fact(FactKind.REFUND, "failed", amount=300, at=2, request="r1"),
]
_DISPUTE = [
    _fact(FactKind.DISPUTE, status, amount=900, at=at) for at, status in enumerate(("under_review", "won"))
]
HISTORIES = [
    ([_word(_REVOKED, at=5), *_REFUND, *_DISPUTE], PurchaseState.REVOKED),
    ([_word(_REVOKED, at=5), _word(_RESTORED, at=6), *_DISPUTE], PurchaseState.LIVE),
    ([_word(_REVOKED, at=5), _word(_RESTORED, at=6), _REFUND[0]], PurchaseState.REFUNDED),
    ([_word(_REVOKED, at=5), _word(_RESTORED, at=6), _DISPUTE[0]], PurchaseState.SUSPENDED),
    ([_word(_REVOKED, at=5, request="r1"), *_PART], PurchaseState.LIVE),
    ([_word(_REVOKED, at=5, request="r1"), _PART[0], *_DISPUTE], PurchaseState.REVOKED),
    ([_word(_REVOKED, at=5, request="r1"), *_PART, _word(_REVOKED, at=6)], PurchaseState.REVOKED),
]


class DecisionContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def _held(self, row: str) -> Holding:
        held = self.see(lambda tx: tx.purchases.with_facts(CheckoutId(row)))
        assert held is not None
        return held

    def test_the_merchants_word_commutes_with_refunds_and_disputes(self) -> None:
        for which, (facts, state) in enumerate(HISTORIES):
            orders = list(permutations(facts))
            for number, order in enumerate(orders[:: max(1, len(orders) // 12)]):
                row = f"c{which}.{number}"
                self._sell(row)
                heard = [_of(fact, row) for fact in (*order, order[0])]
                self.do(lambda tx, heard=heard: [tx.facts.record(fact) for fact in heard])
                assert self._held(row).standing.state is state, order

    def test_a_decision_is_found_with_its_purchase_whether_it_was_paid_or_not(self) -> None:
        """A grant, a free order and an import have neither a payment nor a session of Stripe's."""
        self._sell("c1", "c3")
        self.do(lambda tx: tx.users.get_or_add(BEN, new_id=UserId("u2"), now=NOW))
        given = replace(
            samples.a_purchase("c2", user="u2", mailbox=BEN, session="s2"), payment=None, provider_ref=None,
            source=Source.GRANT,
        )  # fmt: skip
        self.do(lambda tx: tx.purchases.book(given))
        for row in ("c1", "c2"):
            word = decided(None, CheckoutId(row), _REVOKED, now=NOW)
            self.do(lambda tx, word=word: tx.facts.record(word))
            assert self.see(lambda tx, row=row: tx.facts.get(merchant_object(CheckoutId(row)))) == word
            assert self._held(row).facts == (word,), "once, and of no other purchase"
        states = {"c1": PurchaseState.REVOKED, "c2": PurchaseState.REVOKED, "c3": PurchaseState.LIVE}
        pages = (
            self.see(lambda tx: tx.purchases.page_after("", limit=9)),
            self.see(lambda tx: tx.purchases.page_after("", limit=9, booked=(NOW, NOW + DAY))),
            [
                *self.see(lambda tx: tx.purchases.of_address(ANNA)),
                *self.see(lambda tx: tx.purchases.of_address(BEN)),
            ],
            [
                *self.see(lambda tx: tx.purchases.held_by(SessionId("s1"), None)),
                *self.see(lambda tx: tx.purchases.held_by(SessionId("s2"), BEN)),
            ],
        )
        for page in pages:
            assert {held.purchase.checkout: held.standing.state for held in page} == states
            assert all(len(held.facts) <= 1 for held in page)
        paid = self.see(lambda tx: tx.purchases.by_payment("pi_c1"))
        assert paid is not None
        assert paid.standing.state is PurchaseState.REVOKED
        assert self.see(lambda tx: tx.facts.of_payment("pi_c1")) == [], "only what Stripe says of the payment"
