"""What every store promises of refund requests: one worker at a time, and nothing lost. Part of the store contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import product

from contracts.samples import ANNA, DAY, MINUTE, NOW, SECOND
from contracts.under_test import StoreUnderTest

from domain.audit import KEPT_FOR
from domain.refund import SETTLES, RefundRequest, RefundState
from domain.values import CheckoutId, Money


def a_request(row: str = "a1", *, order: str = "c1", at: datetime = NOW) -> RefundRequest:
    return RefundRequest(
        id=row, payment=f"pi_{order}", checkout=CheckoutId(order), amount=Money(300, "usd"), reason=f"why {row}",
        by="cli:anna", at=at, due_at=at, keyed_at=at,
    )  # fmt: skip


class RefundRequestContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def _ask(self, *requests: RefundRequest) -> None:
        for request in requests:
            assert self.do(lambda tx, request=request: tx.refund_requests.add(request))

    def _lease(self, *, now: datetime = NOW) -> RefundRequest | None:
        return self.do(lambda tx: tx.refund_requests.lease(now=now, until=now + MINUTE))

    def _get(self, row: str) -> RefundRequest:
        found = self.see(lambda tx: tx.refund_requests.get(row))
        assert found is not None
        return found

    def test_a_request_is_written_once_and_found_by_its_purchase(self) -> None:
        first, second, other = a_request("a1"), a_request("a2"), a_request("a3", order="c2")
        self._ask(second, other, first)
        assert not self.do(lambda tx: tx.refund_requests.add(replace(first, reason="another")))
        assert self._get("a1") == first
        assert self.see(lambda tx: tx.refund_requests.get("a9")) is None
        assert self.see(lambda tx: tx.refund_requests.of_purchase(CheckoutId("c1"))) == [first, second]
        assert self.see(lambda tx: tx.refund_requests.page_after("a1", limit=1)) == [second]
        assert self.see(lambda tx: tx.refund_requests.page_after("", limit=9)) == [first, second, other]

    def test_the_longest_due_is_leased_first_and_by_one_worker(self) -> None:
        self._ask(a_request("a1", at=NOW + SECOND), a_request("a2"), a_request("a3", at=NOW + DAY))
        later = NOW + SECOND
        leased = self._lease(now=later)
        assert leased == replace(a_request("a2"), due_at=later + MINUTE, tries=1)
        assert self._get("a2") == leased
        second = self._lease(now=later)
        assert second is not None
        assert second.id == "a1"
        assert self._lease(now=later) is None
        again = self._lease(now=later + MINUTE)
        assert again is not None, "its worker died"
        assert (again.id, again.tries) == ("a1", 2)

    def test_of_many_workers_at_once_each_request_is_leased_by_one(self) -> None:
        self._ask(*(a_request(f"a{number}") for number in range(3)))
        lease = lambda: self.store.transact(  # noqa: E731
            lambda tx: tx.refund_requests.lease(now=NOW, until=NOW + MINUTE)
        )
        answers = self.together(*[lease] * 6)
        leased = [answer.id for answer in answers if isinstance(answer, RefundRequest)]
        assert len(leased) == len(set(leased)), "never twice"
        while (one := self._lease()) is not None:
            leased.append(one.id)
        assert sorted(leased) == ["a0", "a1", "a2"]

    def test_leases_of_a_dead_process_are_freed_but_what_has_to_wait_waits(self) -> None:
        doubtful = replace(a_request("a2"), failed=True, due_at=NOW + SECOND)
        later = replace(a_request("a3"), due_at=NOW + DAY)
        self._ask(a_request("a1"), doubtful, later)
        assert self._lease() is not None
        assert self.do(lambda tx: tx.refund_requests.free_leases(now=NOW, until=NOW + MINUTE)) == 1
        again = self._lease()
        assert again is not None
        assert (again.id, again.tries) == ("a1", 2)
        assert (self._get("a2"), self._get("a3")) == (doubtful, later)

    def test_what_came_of_a_try_is_written_by_the_worker_that_holds_it(self) -> None:
        self._ask(a_request())
        first = self._lease()
        assert first is not None
        second = self._lease(now=NOW + MINUTE)
        assert second is not None
        late = replace(first, state=RefundState.REFUSED, problem="late")
        assert not self.do(lambda tx: tx.refund_requests.follow_up(first, by=late))
        assert self._get("a1") == second
        told = replace(
            second, due_at=NOW + DAY, keyed_at=NOW + DAY, attempt=2, failed=True, problem="no", reason="not written"
        )  # fmt: skip
        assert self.do(lambda tx: tx.refund_requests.follow_up(second, by=told))
        assert self._get("a1") == replace(told, reason="why a1")
        assert not self.do(lambda tx: tx.refund_requests.follow_up(second, by=told)), "the lease is over"
        ended = replace(told, state=RefundState.REFUSED, settled_at=NOW)
        assert self.do(lambda tx: tx.refund_requests.follow_up(replace(told), by=ended))
        assert self._get("a1") == replace(ended, reason="why a1")
        assert self._lease(now=NOW + 9 * DAY) is None

    def test_a_request_that_is_done_stays_done(self) -> None:
        self._ask(a_request())
        held = self._lease()
        assert held is not None
        assert self.do(lambda tx: tx.refund_requests.settle("a1", state=RefundState.DONE, at=NOW + SECOND))
        done = replace(held, state=RefundState.DONE, settled_at=NOW + SECOND)
        assert self._get("a1") == done
        assert not self.do(lambda tx: tx.refund_requests.settle("a1", state=RefundState.DONE, at=NOW + DAY))
        assert not self.do(lambda tx: tx.refund_requests.settle("a9", state=RefundState.DONE, at=NOW + DAY))
        refused = replace(held, state=RefundState.REFUSED)
        assert not self.do(lambda tx: tx.refund_requests.follow_up(held, by=refused))
        assert not self.do(lambda tx: tx.refund_requests.dismiss("a1"))
        assert self._get("a1") == done
        assert self._lease(now=NOW + 9 * DAY) is None

    def test_a_refused_one_waits_for_the_merchant_until_dismissed_or_done_after_all(self) -> None:
        refused = [
            replace(a_request(row), state=RefundState.REFUSED, problem="no", settled_at=NOW)
            for row in ("a2", "a3")
        ]
        self._ask(a_request("a4", at=NOW + DAY), a_request("a1"), *refused)

        def waiting(before: datetime) -> list[str]:
            return [one.id for one in self.see(lambda tx: tx.refund_requests.waiting(before=before))]

        assert waiting(NOW) == ["a1", "a2", "a3"]
        assert waiting(NOW - SECOND) == ["a2", "a3"]
        assert self.do(lambda tx: tx.refund_requests.dismiss("a2"))
        assert not self.do(lambda tx: tx.refund_requests.dismiss("a2"))
        assert not self.do(lambda tx: tx.refund_requests.dismiss("a1"))
        assert self.do(lambda tx: tx.refund_requests.settle("a3", state=RefundState.DONE, at=NOW))
        assert waiting(NOW) == ["a1"]
        assert self._get("a3").problem == ""
        assert self._get("a2").state is RefundState.DISMISSED

    def test_the_providers_word_settles_from_some_states_and_not_from_others(self) -> None:
        for number, (before, after) in enumerate(
            product(RefundState, (RefundState.DONE, RefundState.FAILED))
        ):
            row = f"a{number:02}"
            self._ask(replace(a_request(row), state=before, problem="no", settled_at=NOW))
            changed = self.do(
                lambda tx, row=row, after=after: tx.refund_requests.settle(row, state=after, at=NOW + DAY)
            )
            assert changed is (before in SETTLES[after])
            assert self._get(row).state is (after if changed else before)
        waiting = {one.state for one in self.see(lambda tx: tx.refund_requests.waiting(before=NOW - DAY))}
        assert waiting == {RefundState.FAILED}, "every refused one was made after all"

    def test_the_reason_goes_with_the_person_and_the_request_stays(self) -> None:
        self._sell("c1", "c2")
        self._ask(a_request("a1"), a_request("a2", order="c2"))
        self.do(lambda tx: tx.erasures.erase_order(CheckoutId("c1"), at=NOW))
        assert [self._get(row).reason for row in ("a1", "a2")] == ["", "why a2"]
        self.do(lambda tx: tx.erasures.erase(ANNA, at=NOW))
        assert self._get("a2") == replace(a_request("a2", order="c2"), reason="")

    def test_requests_are_pruned_two_years_after_their_end_and_never_before(self) -> None:
        ended = replace(a_request("a1"), state=RefundState.DONE, settled_at=NOW)
        self._ask(ended, a_request("a2"))
        assert self.do(lambda tx: tx.retention.prune(now=NOW + KEPT_FOR)) == 0
        assert self.do(lambda tx: tx.retention.prune(now=NOW + KEPT_FOR + SECOND)) == 1
        assert self.see(lambda tx: tx.refund_requests.page_after("", limit=9)) == [a_request("a2")]

    def test_a_copy_sends_nothing_that_the_original_sends(self) -> None:
        ended = replace(a_request("a1"), state=RefundState.REFUSED, settled_at=NOW)
        self._ask(ended, a_request("a2"))
        self.do(lambda tx: tx.shop.open("s1"))
        self.do(lambda tx: tx.shop.become("s2", "https://copy.example", at=NOW))
        assert self._lease(now=NOW + DAY) is None
        assert self.see(lambda tx: tx.refund_requests.page_after("", limit=9)) == [ended]
