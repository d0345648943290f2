"""What every store promises of licence keys and of downloads. Part of the store contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from contracts import samples
from contracts.samples import ANNA, BOOK, DAY, NOW, SECOND
from contracts.under_test import StoreUnderTest

from domain.fact import Fact, FactKind
from domain.purchase import LicenceKey
from domain.transaction import Transaction
from domain.values import CheckoutId, ProductId, UserId


class LicenceContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def test_of_twenty_purchases_each_gets_a_key_of_its_own_in_the_lists_order(self) -> None:
        self.do(lambda tx: tx.licences.stock(BOOK, [f"key {n}" for n in range(15)]))
        works = [
            lambda n=n: self.store.transact(
                lambda tx: tx.licences.assign(BOOK, checkout=CheckoutId(f"c{n:02}"))
            )
            for n in range(20)
        ]
        assert self.do(lambda tx: tx.licences.any_free(BOOK)) is True
        answers = self.together(*works)
        assert self.do(lambda tx: tx.licences.any_free(BOOK)) is False
        given = [answer for answer in answers if isinstance(answer, str)]
        assert sorted(given, key=lambda key: int(key[4:])) == [f"key {n}" for n in range(15)]
        assert answers.count(None) == 5

    def test_free_keys_and_those_who_wait_are_counted(self) -> None:
        def counted(product: ProductId = BOOK) -> tuple[int, int]:
            return self.see(lambda tx: (tx.licences.count_free(product), tx.licences.count_waiting(product)))

        self._sell("c1", "c2", "c3")
        assert counted() == (0, 0)
        self.do(lambda tx: tx.licences.stock(BOOK, ["a", "b"]))
        self.do(lambda tx: tx.licences.assign(BOOK, checkout=CheckoutId("c1")))
        assert counted() == (1, 0)
        for row in ("c2", "c3"):
            self.do(lambda tx, row=row: tx.licences.assign(BOOK, checkout=CheckoutId(row)))
        assert (counted(), counted(ProductId("zine"))) == ((0, 1), (0, 0))

    def _in_line(self, *, after: str = "", limit: int = 9) -> list[str]:
        found = self.do(lambda tx: tx.licences.in_line_after(BOOK, after=after, limit=limit))
        return [held.purchase.checkout for held in found]

    def test_a_purchase_waits_in_line_in_order_with_its_facts_and_is_served_once_there_are_keys(self) -> None:
        self._sell("c1", "c2", "c3")
        assert self.do(lambda tx: tx.licences.assign(BOOK, checkout=CheckoutId("c2"))) is None
        assert self.do(lambda tx: tx.licences.assign(BOOK, checkout=CheckoutId("c1"))) is None
        refund = Fact(
            object_id="re_1", kind=FactKind.REFUND, payment="pi_c2", as_of=1, status="succeeded", amount=900
        )
        self.do(lambda tx: tx.facts.record(refund))
        assert self._in_line() == ["c1", "c2"]
        assert (self._in_line(after="c1"), self._in_line(limit=1)) == (["c2"], ["c1"])
        [held] = self.do(lambda tx: tx.licences.in_line_after(BOOK, after="c1", limit=9))
        assert held.facts == (refund,)
        assert self.do(lambda tx: tx.licences.serve(BOOK, checkout=CheckoutId("c1"))) is None, (
            "no key is free"
        )
        self.do(lambda tx: tx.licences.stock(BOOK, ["a key", "b"]))
        assert self.do(lambda tx: tx.licences.serve(BOOK, checkout=CheckoutId("c3"))) is None, (
            "it waits for none"
        )
        self.do(lambda tx: tx.licences.enqueue(BOOK, checkout=CheckoutId("c2")))
        self.do(lambda tx: tx.licences.enqueue(BOOK, checkout=CheckoutId("c4")))
        assert self._in_line() == ["c1", "c2"], "c4 is not booked, and c2 waits once"
        served = self.do(lambda tx: tx.licences.serve(BOOK, checkout=CheckoutId("c1")))
        assert served is not None
        assert self._in_line() == ["c2"]
        assert (served[0].checkout, served[1]) == ("c1", LicenceKey(BOOK, "a key"))
        purchase = self.see(lambda tx: tx.purchases.get(CheckoutId("c1")))
        assert purchase is not None
        assert purchase.licences == (LicenceKey(BOOK, "a key"),)
        self.do(lambda tx: tx.licences.stock(BOOK, ["b", "c"]))
        assert self.do(lambda tx: tx.licences.assign(BOOK, checkout=CheckoutId("c3"))) == "b"

    def test_keys_that_are_taken_back_are_free_again_after_those_that_are_free(self) -> None:
        self._sell("c1", "c2", "c3")
        self.do(lambda tx: tx.licences.stock(BOOK, ["a", "b", "c"]))
        for row in ("c1", "c2"):
            self.do(lambda tx, row=row: tx.licences.enqueue(BOOK, checkout=CheckoutId(row)))
            self.do(lambda tx, row=row: tx.licences.serve(BOOK, checkout=CheckoutId(row)))
        for row in ("c2", "c1", "c1"):
            held = self.see(lambda tx, row=row: tx.purchases.get(CheckoutId(row)))
            assert held is not None
            self.do(lambda tx, held=held: tx.licences.take_back(held))
            assert self.see(lambda tx, row=row: tx.purchases.get(CheckoutId(row))) == replace(
                held, licences=()
            )
        free = [self.do(lambda tx: tx.licences.assign(BOOK, checkout=CheckoutId("c3"))) for _ in range(4)]
        assert free == ["c", "b", "a", None]

    def test_a_generated_key_and_one_that_went_to_another_purchase_are_only_taken_out(self) -> None:
        self.do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW))
        self.do(lambda tx: tx.licences.stock(BOOK, ["a"]))
        self.do(lambda tx: tx.licences.assign(BOOK, checkout=CheckoutId("c9")))
        keys = (LicenceKey(BOOK, "generated"), LicenceKey(BOOK, "a"))
        purchase = samples.a_purchase("c1", licences=keys)
        self.do(lambda tx: tx.purchases.book(purchase))
        self.do(lambda tx: tx.licences.take_back(purchase))
        assert self.see(lambda tx: tx.purchases.get(CheckoutId("c1"))) == replace(purchase, licences=())
        assert self.do(lambda tx: tx.licences.assign(BOOK, checkout=CheckoutId("c2"))) is None

    def test_a_download_counts_once_a_window_however_many_parts_are_fetched_at_once(self) -> None:
        def count(at: Any) -> Callable[[Transaction], bool]:
            return lambda tx: tx.downloads.count(CheckoutId("c1"), BOOK, "it.txt", now=at, window=DAY)

        answers = self.together(*[lambda: self.store.transact(count(NOW)) for _ in range(20)])
        assert sorted(answers) == [False] * 19 + [True]  # type: ignore[type-var]
        assert self.do(count(NOW + DAY - SECOND)) is False
        assert self.do(count(NOW + DAY)) is True
        [found] = self.see(lambda tx: tx.downloads.of_purchase(CheckoutId("c1")))
        assert (found.times, found.last_at) == (2, NOW + DAY)
