"""What every store promises of what only exports read. Part of the store contract."""

from __future__ import annotations

from dataclasses import replace

from contracts.samples import BOOK, DAY, NOW, a_checkout
from contracts.under_test import StoreUnderTest

from domain.export import Begun
from domain.values import CheckoutId, ProductId


class ExportContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def test_checkouts_say_how_they_began(self) -> None:
        for row, promotion in (("c1", ""), ("c2", "promo_1"), ("c3", "")):
            checkout = replace(a_checkout(row), promotion=promotion, provider_ref=None)
            self.do(lambda tx, checkout=checkout: tx.checkouts.add(checkout))
        wanted = [CheckoutId("c1"), CheckoutId("c2"), CheckoutId("c9")]
        assert self.see(lambda tx: tx.exports.begun(wanted)) == {
            "c1": Begun(a_checkout("c1").started_at, ""),
            "c2": Begun(a_checkout("c2").started_at, "promo_1"),
        }

    def test_downloads_come_a_page_at_a_time_in_one_order(self) -> None:
        places = [("c2", "book", "a"), ("c1", "cup", "a"), ("c1", "book", "b"), ("c1", "book", "a")]
        for checkout, product, name in places:
            self.do(
                lambda tx, c=checkout, p=product, n=name: tx.downloads.count(
                    CheckoutId(c), ProductId(p), n, now=NOW, window=DAY
                )
            )
        found, after = [], None
        while page := self.see(lambda tx, after=after: tx.exports.downloads_after(after, limit=3)):
            found += [(one.checkout, one.product, one.name) for one in page]
            after = page[-1]
        assert found == sorted(places)
        [first] = self.see(lambda tx: tx.exports.downloads_after(None, limit=1))
        assert (first.product, first.times, first.first_at) == (BOOK, 1, NOW)
