"""What every store promises of withdrawals. Part of the store contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from contracts.samples import ANNA, BEN, DAY, NOW, SECOND, a_purchase
from contracts.under_test import StoreUnderTest

from domain.values import CheckoutId, UserId
from domain.withdrawal import KEPT_FOR, Withdrawal, WithdrawalState

ONE, TWO = CheckoutId("c1"), CheckoutId("c2")


def a_withdrawal(
    name: str = "w1",
    *,
    checkout: CheckoutId | None = ONE,
    at: datetime = NOW,
    email: str = "anna@example.com",
) -> Withdrawal:
    mailbox = {"anna@example.com": ANNA, "ben@example.com": BEN}[email]
    return Withdrawal(name, "Anna A.", "The book", mailbox, checkout, received_at=at)


class WithdrawalsContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def _add(self, *withdrawals: Withdrawal) -> list[bool]:
        return [self.do(lambda tx, one=one: tx.withdrawals.add(one)) for one in withdrawals]

    def test_a_withdrawal_is_written_once_and_found_by_what_it_names(self) -> None:
        first, second = a_withdrawal(), a_withdrawal("w2", checkout=None, email="ben@example.com")
        assert self._add(first, second, replace(first, name="Somebody else")) == [True, True, False]
        assert self.see(lambda tx: tx.withdrawals.get("w1")) == first
        assert self.see(lambda tx: tx.withdrawals.get("w9")) is None
        assert self.see(lambda tx: tx.withdrawals.of_purchase(ONE)) == [first]
        assert self.see(lambda tx: tx.withdrawals.of_purchase(TWO)) == []
        assert self.see(lambda tx: tx.withdrawals.of_address(BEN)) == [second]
        assert self.see(lambda tx: tx.withdrawals.page_after("", limit=9)) == [first, second]
        assert self.see(lambda tx: tx.withdrawals.page_after("w1", limit=9)) == [second]

    def test_the_lists_are_of_those_about_a_purchase_and_of_the_others(self) -> None:
        made = [a_withdrawal(f"w{n}", checkout=ONE if n % 2 else None) for n in range(1, 6)]
        self._add(*made)

        def names(before: str, *, matched: bool, limit: int = 9) -> list[str]:
            found = self.see(lambda tx: tx.withdrawals.page_before(before, matched=matched, limit=limit))
            return [one.id for one in found]

        assert names("", matched=True) == ["w5", "w3", "w1"]
        assert names("w5", matched=True, limit=1) == ["w3"]
        assert names("", matched=False) == ["w4", "w2"]
        assert [one.id for one in self.see(lambda tx: tx.withdrawals.open(limit=2))] == ["w1", "w3"]

    def test_a_proof_counts_for_the_undecided_ones_of_its_purchase(self) -> None:
        self._add(a_withdrawal("w1"), a_withdrawal("w2"), a_withdrawal("w3", checkout=TWO))
        refused = replace(a_withdrawal("w1"), state=WithdrawalState.REFUSED, decided_at=NOW, reason="no")
        assert self.do(lambda tx: tx.withdrawals.decide(refused))
        assert self.do(lambda tx: tx.withdrawals.prove(ONE, at=NOW + DAY)) == 1
        assert self.do(lambda tx: tx.withdrawals.prove(ONE, at=NOW + 2 * DAY)) == 0
        found = [self.see(lambda tx, n=n: tx.withdrawals.get(n)) for n in ("w1", "w2", "w3")]
        assert [one and one.proved_at for one in found] == [None, NOW + DAY, None]

    def test_a_withdrawal_is_decided_once(self) -> None:
        self._add(a_withdrawal())
        accepted = replace(
            a_withdrawal(), state=WithdrawalState.ACCEPTED, decided_at=NOW + SECOND, decided_by="cli:ada",
            request="r1", name="is not written",
        )  # fmt: skip
        assert self.do(lambda tx: tx.withdrawals.decide(accepted))
        assert not self.do(lambda tx: tx.withdrawals.decide(replace(accepted, state=WithdrawalState.REFUSED)))
        assert self.see(lambda tx: tx.withdrawals.get("w1")) == replace(accepted, name="Anna A.")
        assert self.see(lambda tx: tx.withdrawals.open(limit=9)) == []
        assert not self.do(lambda tx: tx.withdrawals.decide(replace(accepted, id="w9")))

    def test_new_ones_are_reported_once(self) -> None:
        assert self.do(lambda tx: tx.withdrawals.take_unreported()) == (0, 0)
        self._add(a_withdrawal("w1"), a_withdrawal("w2", checkout=None), a_withdrawal("w3"))
        assert self.do(lambda tx: tx.withdrawals.take_unreported()) == (2, 1)
        assert self.do(lambda tx: tx.withdrawals.take_unreported()) == (0, 0)
        self._add(a_withdrawal("w4", checkout=None))
        assert self.do(lambda tx: tx.withdrawals.take_unreported()) == (0, 1)

    def test_an_erased_persons_words_go_and_that_they_withdrew_stays(self) -> None:
        self.do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW))
        self.do(lambda tx: tx.purchases.book(a_purchase()))
        of_order, of_address = a_withdrawal("w1", email="ben@example.com"), a_withdrawal("w2", checkout=None)
        other = a_withdrawal("w3", checkout=None, email="ben@example.com")
        self._add(of_order, of_address, other)
        self.do(lambda tx: tx.erasures.erase(ANNA, at=NOW))
        bare = [replace(one, name="", contract="", email=None) for one in (of_order, of_address)]
        assert self.see(lambda tx: tx.withdrawals.page_after("", limit=9)) == [*bare, other]
        assert BEN in self.see(lambda tx: tx.erasures.known_addresses_after("", limit=9))

    def test_what_matches_no_purchase_is_kept_for_three_years(self) -> None:
        self._add(a_withdrawal("w1"), a_withdrawal("w2", checkout=None))
        self.do(lambda tx: tx.retention.prune(now=NOW + KEPT_FOR))
        assert len(self.see(lambda tx: tx.withdrawals.page_after("", limit=9))) == 2
        self.do(lambda tx: tx.retention.prune(now=NOW + KEPT_FOR + SECOND))
        assert [one.id for one in self.see(lambda tx: tx.withdrawals.page_after("", limit=9))] == ["w1"]
