"""Whoever closes, restores and refunds a purchase in whatever order: each is done once or refused, and nothing half."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.audit import AuditResult
from domain.purchase import PurchaseState
from domain.refund import RefundState
from domain.usecases.decision_outcomes import Decided, Unchanged
from domain.usecases.refund_outcomes import NotRefunded, RefundAsked
from domain.values import CheckoutId
from entrypoints.testing import Shop
from testkit import by_hand
from testkit.after_sale import PRICE
from testkit.sold import sold
from testkit.stepping import run

FAILURES: Final = ("refund fails", "refund 2 fails", "refund 3 fails")
STEPS: Final = ("revoke", "restore", "refund a part", "refund and close", "refund the rest", "refund fails")
AMOUNTS: Final = {
    "refund a part": "2",
    "refund and close": "3",
    "refund and close, refused": "1",
    "refund the rest": "",
}


class Expected:
    """What the rules say, written down apart from them: two sums, and the merchant's last word."""

    def __init__(self) -> None:
        self.given: list[int] = []
        """What each refund gives back; 0 if it came to nothing."""
        self.revoked = False
        self.closing: set[int] = set()
        """Which refunds close it."""
        self.done = 0

    @property
    def closed_by_hand(self) -> bool:
        """A revocation that came with a refund counts while that refund does, whatever comes of the others."""
        return self.revoked or any(self.given[number] for number in self.closing)

    @property
    def state(self) -> PurchaseState:
        if sum(self.given) == PRICE:
            return PurchaseState.REFUNDED
        return PurchaseState.REVOKED if self.closed_by_hand else PurchaseState.LIVE

    def does(self, step: str) -> bool:
        """Take a step; whether anything is done."""
        if step in FAILURES:
            failed = FAILURES.index(step)
            self.given = [0 if number == failed else amount for number, amount in enumerate(self.given)]
            return False
        if step in ("revoke", "restore"):
            # A revocation of its own may follow one that came with a refund: it outlives that refund.
            if self.revoked if step == "revoke" else not self.closed_by_hand:
                return False
            self.revoked, self.closing = step == "revoke", set()
        else:
            left = PRICE - sum(self.given)
            amount = 100 * int(AMOUNTS[step] or 0) or left
            if not 0 < amount <= left:
                return False
            if step == "refund and close" and not self.revoked:
                self.closing.add(len(self.given))
            self.given.append(0 if "refused" in step else amount)
        self.done += 1
        return True


@pytest.mark.parametrize("first", STEPS)
def test_every_order_of_closing_restoring_and_refunding_ends_as_the_rules_say(first: str) -> None:
    for rest in permutations([step for step in STEPS if step != first]):
        play((first, *rest))


@given(st.lists(st.sampled_from([*AMOUNTS, "refund and close", "revoke", "restore", *FAILURES]), max_size=9))
@example(["refund and close", "refund and close", "refund fails"])
@example(["refund and close", "refund and close", "refund 2 fails", "refund fails", "restore"])
@example(["refund and close", "refund and close, refused", "refund fails"])
@example(
    ["refund and close", "refund fails", "refund and close", "restore", "refund and close", "refund 2 fails"]
)
def test_each_refund_that_is_to_close_does_so_while_it_counts(steps: Sequence[str]) -> None:
    play(steps)


def play(steps: Sequence[str]) -> None:
    shop, expected = Shop(), Expected()
    asked: list[str] = []
    _, _, order = sold(shop)
    for number, step in enumerate(steps):
        shop.clock.tick(minutes=1)
        wanted = expected.does(step)
        if step in FAILURES:
            fail(shop, asked[FAILURES.index(step) :][:1])
            assert state_of(shop, order.checkout) is expected.state, (steps, step)
            continue
        before = copy.deepcopy(shop.memory.tables)
        found = act(shop, order.checkout, step, form=f"f{number}")
        assert isinstance(found, Decided | RefundAsked) is wanted, (steps, step, found)
        if not wanted:
            assert isinstance(found, Unchanged | NotRefunded), (steps, step)
            assert shop.memory.tables == before, (steps, step)
        asked += [found.request.id] if isinstance(found, RefundAsked) else []
        shop.payments.forbidden = {"refund"} if "refused" in step else set()
        run(shop.send_refunds())
        assert state_of(shop, order.checkout) is expected.state, (steps, step)
        assert refunded(shop) == sum(expected.given), (steps, step)
    lines = by_hand.log(shop)
    assert [line.result for line in lines] == [AuditResult.DONE] * expected.done, steps
    settled = {RefundState.DONE, RefundState.FAILED, RefundState.REFUSED}
    assert {one.state for one in shop.memory.tables.refund_requests.values()} <= settled


def state_of(shop: Shop, order: str) -> PurchaseState:
    held = run(shop.store.read(lambda tx: tx.purchases.with_facts(CheckoutId(order))))
    assert held is not None
    return held.standing.state


def refunded(shop: Shop) -> int:
    return sum(fact.refunded for fact in shop.memory.tables.facts.values())


def act(shop: Shop, order: str, step: str, *, form: str) -> object:
    if step == "revoke":
        return by_hand.revoke(shop, order, form=form)
    if step == "restore":
        return by_hand.restore(shop, order, form=form)
    return by_hand.refund(shop, order, AMOUNTS[step], form=form, close="and close" in step)


def fail(shop: Shop, requests: Sequence[str]) -> None:
    """The bank sends the money of these refunds back."""
    for made in [fact for fact in shop.payments.facts.values() if fact.request in requests]:
        now = int(shop.clock.now().timestamp())
        failed = shop.payments.facts[made.object_id] = replace(made, status="failed", as_of=now)
        shop.hear_fact(failed)
