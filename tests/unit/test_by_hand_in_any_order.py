"""Whoever closes, restores and refunds a purchase in whatever order: each is done once or refused, and nothing half."""

from __future__ import annotations

import copy
from dataclasses import replace
from itertools import permutations
from typing import Final

import pytest

from domain.audit import AuditResult
from domain.purchase import FactKind, PurchaseState
from domain.refund import RefundState
from domain.usecases.decision_outcomes import Decided, Unchanged
from domain.usecases.refund_outcomes import NotRefunded, RefundAsked
from entrypoints.testing import Shop
from testkit import by_hand
from testkit.after_sale import PRICE
from testkit.sold import sold
from testkit.stepping import run

STEPS: Final = ("revoke", "restore", "refund a part", "refund and close", "refund the rest", "refund fails")
AMOUNTS: Final = {"refund a part": "2", "refund and close": "3", "refund the rest": ""}


class Expected:
    """What the rules say, written down apart from them: two sums, and the merchant's last word."""

    def __init__(self) -> None:
        self.given: list[int] = []
        self.word: str | int = ""
        """"revoked", "restored", or which refund closed it."""
        self.done = 0

    @property
    def closed_by_hand(self) -> bool:
        """A revocation that came with a refund counts while that refund does."""
        return self.word == "revoked" or (isinstance(self.word, int) and self.given[self.word] > 0)

    @property
    def state(self) -> PurchaseState:
        if sum(self.given) == PRICE:
            return PurchaseState.REFUNDED
        return PurchaseState.REVOKED if self.closed_by_hand else PurchaseState.LIVE

    def does(self, step: str) -> bool:
        """Take a step; whether anything is done."""
        if step == "refund fails":
            self.given = [0, *self.given[1:]]
            return False
        if step in ("revoke", "restore"):
            # A revocation of its own may follow one that came with a refund: it outlives that refund.
            if self.word == "revoked" if step == "revoke" else not self.closed_by_hand:
                return False
            self.word = "revoked" if step == "revoke" else "restored"
        else:
            left = PRICE - sum(self.given)
            amount = 100 * int(AMOUNTS[step] or 0) or left
            if not 0 < amount <= left:
                return False
            self.given.append(amount)
            if step == "refund and close" and not self.closed_by_hand:
                self.word = len(self.given) - 1
        self.done += 1
        return True


@pytest.mark.parametrize("first", STEPS)
def test_every_order_of_closing_restoring_and_refunding_ends_as_the_rules_say(first: str) -> None:
    for rest in permutations([step for step in STEPS if step != first]):
        play((first, *rest))


def play(steps: tuple[str, ...]) -> None:
    shop, expected = Shop(), Expected()
    _, _, order = sold(shop)
    for number, step in enumerate(steps):
        shop.clock.tick(minutes=1)
        wanted = expected.does(step)
        if step == "refund fails":
            fail_the_first(shop)
            continue
        before = copy.deepcopy(shop.memory.tables)
        found = act(shop, order.checkout, step, form=f"f{number}")
        assert isinstance(found, Decided | RefundAsked) is wanted, (steps, step, found)
        if not wanted:
            assert isinstance(found, Unchanged | NotRefunded), (steps, step)
            assert shop.memory.tables == before, (steps, step)
        run(shop.send_refunds())
        held = run(shop.store.read(lambda tx: tx.purchases.with_facts(order.checkout)))
        assert held is not None
        assert held.standing.state is expected.state, (steps, step)
        assert held.refunded == sum(expected.given), (steps, step)
    lines = by_hand.log(shop)
    assert [line.result for line in lines] == [AuditResult.DONE] * expected.done, steps
    assert {one.state for one in shop.memory.tables.refund_requests.values()} <= {
        RefundState.DONE,
        RefundState.FAILED,
    }


def act(shop: Shop, order: str, step: str, *, form: str) -> object:
    if step == "revoke":
        return by_hand.revoke(shop, order, form=form)
    if step == "restore":
        return by_hand.restore(shop, order, form=form)
    return by_hand.refund(shop, order, AMOUNTS[step], form=form, close=step == "refund and close")


def fail_the_first(shop: Shop) -> None:
    """The bank sends the money of the first refund back."""
    made = [fact for fact in shop.payments.facts.values() if fact.kind is FactKind.REFUND]
    if made:
        now = int(shop.clock.now().timestamp())
        failed = shop.payments.facts[made[0].object_id] = replace(made[0], status="failed", as_of=now)
        shop.hear_fact(failed)
