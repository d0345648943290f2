"""What every store promises of the sums of days. Part of the store contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from contracts import samples
from contracts.samples import BOOK, DAY, MINUTE, NOW, SECOND
from contracts.under_test import StoreUnderTest

from domain.day_sums import DaySum, SumsState
from domain.fact import Fact, FactKind
from domain.going_live import STARTED_LIVE
from domain.purchase import Purchase, Source
from domain.transaction import Transaction
from domain.values import CheckoutId, Money, ProductId

TODAY = date(2026, 3, 1)
BEGIN = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
END = BEGIN + DAY
ZINE = ProductId("zine")


def sold(
    row: str,
    at: datetime,
    cents: int = 900,
    *,
    product: str = "book",
    source: Source = Source.SALE,
    currency: str = "usd",
) -> Purchase:
    made = samples.a_purchase(row, user=None, mailbox=None, product=product, livemode=True)
    return replace(made, booked_at=at, paid=Money(cents, currency), source=source)


class DaySumContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def _count(self) -> list[DaySum]:
        return list(self.see(lambda tx: tx.day_sums.count(TODAY, BEGIN, END)))

    def _book(self, *purchases: Purchase) -> None:
        for purchase in purchases:
            self.do(lambda tx, purchase=purchase: tx.purchases.book(purchase))

    def test_a_day_counts_what_was_booked_on_it_by_currency_and_product(self) -> None:
        self._book(
            sold("c1", BEGIN), sold("c2", END - SECOND, 500), sold("c3", END), sold("c4", BEGIN - SECOND),
            sold("c5", NOW, 700, currency="eur"), sold("c6", NOW, 0, source=Source.FREE, product="zine"),
            sold("c7", NOW, 0, source=Source.GRANT), sold("c8", NOW, 300, source=Source.IMPORT, product="zine"),
        )  # fmt: skip
        assert self._count() == [
            DaySum(TODAY, "eur", BOOK, sales=1, gross=700),
            DaySum(TODAY, "usd", BOOK, sales=2, gross=1400),
            DaySum(TODAY, "usd", ZINE, sales=1, gross=300, free=1),
        ]

    def test_what_goes_back_counts_on_its_own_day_and_is_no_more_than_was_paid(self) -> None:
        self._book(sold("c1", BEGIN - 9 * DAY), sold("c2", BEGIN - 9 * DAY, 500, product="zine"))
        today, before = int(NOW.timestamp()), int((NOW - 2 * DAY).timestamp())
        for name, kind, row, as_of, status, amount in (
            ("re_1", FactKind.REFUND, "c1", before, "succeeded", 400), ("re_2", FactKind.REFUND, "c1", today, "pending", 900),
            ("re_3", FactKind.REFUND, "c2", today, "failed", 500), ("du_1", FactKind.DISPUTE, "c2", int(BEGIN.timestamp()), "lost", 200),
            ("re_4", FactKind.REFUND, "c2", int(END.timestamp()), "succeeded", 100), ("re_5", FactKind.REFUND, "c9", today, "succeeded", 1),
        ):  # fmt: skip
            fact = Fact(name, kind, f"pi_{row}", as_of=as_of, status=status, amount=amount)
            self.do(lambda tx, fact=fact: tx.facts.record(fact))
        assert self._count() == [
            DaySum(TODAY, "usd", BOOK, refunded=500),
            DaySum(TODAY, "usd", ZINE, refunded=200),
        ]

    def test_those_who_began_on_a_day_are_counted_with_what_came_of_it(self) -> None:
        for row, at in (
            ("c1", BEGIN),
            ("c2", NOW),
            ("c3", END - SECOND),
            ("c4", END),
            ("c5", BEGIN - SECOND),
        ):
            begun = replace(samples.a_checkout(row, ref=f"cs_test_{row}", at=at), livemode=True)
            self.do(lambda tx, begun=begun: tx.checkouts.add(begun))
        free = replace(samples.a_checkout("c6", ref=None, at=NOW), livemode=None)
        self.do(lambda tx: tx.checkouts.add(free))
        self._book(sold("c1", END + DAY), sold("c2", END + 2 * DAY), sold("c4", END + DAY))
        self.do(lambda tx: tx.downloads.mark_opened(CheckoutId("c1"), at=END + 9 * DAY))
        self.do(lambda tx: tx.downloads.mark_opened(CheckoutId("c4"), at=NOW))
        assert self._count() == [DaySum(TODAY, "usd", BOOK, started=3, paid=2, opened=1)]

    def test_test_sales_count_until_the_shop_has_gone_live(self) -> None:
        begun = samples.a_checkout("c1", at=NOW)
        self.do(lambda tx: tx.checkouts.add(begun))
        self._book(replace(sold("c1", NOW), livemode=False), replace(sold("c2", BEGIN - DAY), livemode=False))
        fact = Fact(
            "re_1", FactKind.REFUND, "pi_c2", as_of=int(NOW.timestamp()), status="succeeded", amount=50
        )
        self.do(lambda tx: tx.facts.record(fact))
        assert self._count() == [
            DaySum(TODAY, "usd", BOOK, sales=1, gross=900, refunded=50, started=1, paid=1)
        ]
        self.do(lambda tx: tx.shop.advance_cursor(STARTED_LIVE, to=NOW))
        assert self._count() == []

    def test_sums_are_stored_by_day_and_started_never_falls(self) -> None:
        one = DaySum(
            TODAY, "usd", BOOK, sales=1, gross=2**40, refunded=3, free=4, started=9, paid=6, opened=7
        )
        two = DaySum(TODAY, "eur", ZINE, started=5)
        other = DaySum(TODAY + DAY, "usd", BOOK, sales=8)

        def stored(days: int = 9) -> list[DaySum]:
            return list(self.see(lambda tx: tx.day_sums.stored(TODAY, TODAY + timedelta(days=days))))

        self.do(lambda tx: tx.day_sums.replace(TODAY, [one, two]))
        self.do(lambda tx: tx.day_sums.replace(TODAY + DAY, [other]))
        assert stored() == [two, one, other]
        third = DaySum(TODAY, "usd", ZINE, sales=2, refunded=4)
        self.do(lambda tx: tx.day_sums.replace(TODAY, [one, two, third]))
        totals = self.see(lambda tx: tx.day_sums.totals(TODAY, TODAY + DAY))
        both, nothing = replace(one, product=ProductId(""), sales=3, refunded=7), ProductId("")
        assert list(totals) == [replace(two, product=nothing), both, replace(other, product=nothing)]
        self.do(lambda tx: tx.day_sums.clear())
        self.do(lambda tx: tx.day_sums.replace(TODAY, [one, two]))
        self.do(lambda tx: tx.day_sums.replace(TODAY + DAY, [other]))
        assert stored(0) == [two, one]
        less, new = DaySum(TODAY, "usd", BOOK, sales=2, started=1), DaySum(TODAY, "usd", ZINE, free=1)
        self.do(lambda tx: tx.day_sums.replace(TODAY, [new, less]))
        assert stored(0) == [two, replace(less, started=9), new]

    def test_touched_moments_stay_until_what_was_seen_is_settled(self) -> None:
        def touched(limit: int = 9) -> list[tuple[datetime, int]]:
            return list(self.see(lambda tx: tx.day_sums.touched(limit=limit)))

        self.do(lambda tx: tx.day_sums.touch([NOW + MINUTE, NOW]))
        self.do(lambda tx: tx.day_sums.touch([NOW]))
        assert touched() == [(NOW, 2), (NOW + MINUTE, 1)]
        assert touched(1) == [(NOW, 2)]
        assert self.do(lambda tx: tx.day_sums.untouch(NOW, 1)) is False
        assert touched() == [(NOW, 2), (NOW + MINUTE, 1)], "it was noted again since"
        assert self.do(lambda tx: tx.day_sums.untouch(NOW, 2)) is True
        assert self.do(lambda tx: tx.day_sums.untouch(NOW, 2)) is False
        assert touched() == [(NOW + MINUTE, 1)]

    def test_how_far_days_are_closed_is_kept_until_all_is_cleared(self) -> None:
        assert self.see(lambda tx: (tx.day_sums.state(), tx.day_sums.first_moment())) == (None, None)
        for live in (False, True):
            state = SumsState(zone="Europe/Berlin", live=live, closed_before=TODAY)
            self.do(lambda tx, state=state: tx.day_sums.close(state))
            assert self.see(lambda tx: tx.day_sums.state()) == state

        def work(tx: Transaction) -> None:
            tx.day_sums.replace(TODAY, [DaySum(TODAY, "usd", BOOK, sales=1)])
            tx.day_sums.touch([NOW])
            tx.day_sums.clear()

        self.do(work)
        assert self.see(lambda tx: (tx.day_sums.state(), list(tx.day_sums.stored(TODAY, TODAY)))) == (
            None,
            [],
        )
        self._book(sold("c1", NOW + DAY))
        assert self.see(lambda tx: tx.day_sums.first_moment()) == NOW + DAY
        self.do(lambda tx: tx.checkouts.add(samples.a_checkout("c2", at=NOW)))
        assert self.see(lambda tx: tx.day_sums.first_moment()) == NOW
