"""What every store promises of the list of sales. Part of the store contract."""

from __future__ import annotations

from dataclasses import replace

from contracts import samples
from contracts.samples import ANNA, BEN, BOOK, DAY, NOW, SECOND
from contracts.under_test import StoreUnderTest

from domain import outbox_keys
from domain.fact import Fact, FactKind
from domain.going_live import STARTED_LIVE
from domain.mail import Delivery
from domain.purchase import Purchase, Source
from domain.sale_list import AddressState, SaleCount, SaleFilter, SaleMark, SaleOrder, SaleRow, SaleState
from domain.transaction import Transaction
from domain.values import CheckoutId, Money, ProductId, UserId

_SALES = {
    # checkout: (days after NOW, product, cents, currency, source, user)
    "c1": (0, "book", 900, "usd", Source.SALE, "u1"),
    "c2": (1, "book", 500, "eur", Source.SALE, "u2"),
    "c3": (2, "zine", 0, "usd", Source.FREE, "u1"),
    "c4": (3, "zine", 0, "usd", Source.GRANT, "u2"),
    "c5": (4, "book", 900, "usd", Source.SALE, None),
    "c6": (4, "book", 700, "usd", Source.SALE, "u1"),
    "c7": (6, "zine", 900, "usd", Source.SALE, "u1"),
    "c8": (7, "book", 900, "usd", Source.SALE, "u2"),
}
_FACTS = (
    ("re_1", FactKind.REFUND, "c1", "succeeded", 900),
    ("re_2", FactKind.REFUND, "c2", "succeeded", 100),
    ("du_1", FactKind.DISPUTE, "c6", "needs_response", 700),
    ("du_2", FactKind.DISPUTE, "c7", "lost", 900),
    ("re_3", FactKind.REFUND, "c8", "what_is_this", 900),
)
_ALL = "c8 c7 c6 c5 c4 c3 c2 c1"

_NARROWED = [
    (SaleFilter(), _ALL),
    (SaleFilter(state=SaleState.OPEN), "c5 c4 c3"),
    (SaleFilter(state=SaleState.REFUNDED), "c1"),
    (SaleFilter(state=SaleState.PARTLY_REFUNDED), "c2"),
    (SaleFilter(state=SaleState.DISPUTED), "c6"),
    (SaleFilter(state=SaleState.CHARGED_BACK), "c7"),
    (SaleFilter(state=SaleState.REVOKED), ""),
    (SaleFilter(product=ProductId("zine")), "c7 c4 c3"),
    (SaleFilter(product=ProductId("zin_")), ""),
    (SaleFilter(source=Source.SALE), "c8 c7 c6 c5 c2 c1"),
    (SaleFilter(source=Source.FREE), "c3"),
    (SaleFilter(source=Source.GRANT), "c4"),
    (SaleFilter(booked_from=NOW + 3 * DAY), "c8 c7 c6 c5 c4"),
    (SaleFilter(booked_before=NOW + 3 * DAY), "c3 c2 c1"),
    (SaleFilter(booked_from=NOW + DAY, booked_before=NOW + 4 * DAY), "c4 c3 c2"),
    (SaleFilter(currency="eur"), "c2"),
    (SaleFilter(least=600), "c8 c7 c6 c5 c1"),
    (SaleFilter(most=700, least=1), "c6 c2"),
    (SaleFilter(opened=True), "c7 c4 c2"),
    (SaleFilter(opened=False), "c8 c6 c5 c3 c1"),
    (SaleFilter(address=AddressState.NONE), "c5"),
    (SaleFilter(address=AddressState.UNVERIFIED), "c7 c6 c3 c1"),
    (SaleFilter(address=AddressState.BOUNCED), "c8 c4 c2"),
    (SaleFilter(promotion="promo_1"), "c8 c5"),
    (SaleFilter(users=(UserId("u2"),)), "c8 c4 c2"),
    (SaleFilter(users=()), ""),
    (SaleFilter(domain="example.com"), "c8 c7 c6 c4 c3 c2 c1"),
    (SaleFilter(domain="example.co"), ""),
    (SaleFilter(domain="%"), ""),
    (SaleFilter(product=ProductId("book"), opened=False, source=Source.SALE), "c8 c6 c5 c1"),
    (SaleFilter(state=SaleState.REFUNDED, product=ProductId("zine")), ""),
    (SaleFilter(state=SaleState.OPEN, address=AddressState.UNVERIFIED), "c3"),
    (SaleFilter(state=SaleState.OPEN, users=(UserId("u2"),)), "c4"),
    (SaleFilter(state=SaleState.OPEN, domain="example.com"), "c4 c3"),
    (SaleFilter(state=SaleState.OPEN, product=ProductId("zine")), "c4 c3"),
    (SaleFilter(state=SaleState.OPEN, source=Source.FREE), "c3"),
    (SaleFilter(state=SaleState.PARTLY_REFUNDED, users=(UserId("u2"),), opened=True), "c2"),
]

_ORDERED = [
    (SaleOrder.NEWEST, _ALL),
    (SaleOrder.OLDEST, "c1 c2 c3 c4 c5 c6 c7 c8"),
    (SaleOrder.LARGEST, "c8 c7 c5 c1 c6 c2 c4 c3"),
    (SaleOrder.SMALLEST, "c3 c4 c2 c6 c1 c5 c7 c8"),
]


def sale(row: str) -> Purchase:
    day, product, cents, currency, source, user = _SALES[row]
    mailbox = {"u1": ANNA, "u2": BEN, None: None}[user]
    made = samples.a_purchase(row, user=user, mailbox=mailbox, product=product)
    opened = NOW + 9 * DAY if row in ("c2", "c4", "c7") else None
    return replace(
        made, booked_at=NOW + day * DAY, paid=Money(cents, currency), source=source, opened_at=opened
    )


class SaleListContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def _fill(self) -> None:
        def work(tx: Transaction) -> None:
            tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW)
            tx.users.get_or_add(BEN, new_id=UserId("u2"), now=NOW)
            tx.users.mark_verified(BEN, at=NOW)
            for number, row in enumerate(_SALES):
                checkout = samples.a_checkout(row, ref=f"cs_test_{row}")
                promotion = "promo_1" if row in ("c5", "c8") else ""
                tx.checkouts.add(replace(checkout, promotion=promotion))
                if number % 2:  # of the others, the facts come first
                    tx.purchases.book(sale(row))
            for name, kind, row, status, amount in _FACTS:
                tx.facts.record(Fact(name, kind, f"pi_{row}", as_of=5, status=status, amount=amount))
            for row in _SALES:
                tx.purchases.book(sale(row), tx.facts.of_payment(f"pi_{row}"))
            tx.outbox.queue(samples.a_mail(outbox_keys.access(CheckoutId("c2")), to=BEN))
            tx.outbox.record_delivery(outbox_keys.access(CheckoutId("c2")), Delivery.BOUNCED)

        self.do(work)

    def _listed(self, wanted: SaleFilter, order: SaleOrder = SaleOrder.NEWEST) -> str:
        found = self.see(lambda tx: tx.sale_lists.rows(wanted, order=order, after=None, limit=50))
        assert found.looked_to is None
        return " ".join(row.held.purchase.checkout for row in found.rows)

    def test_a_list_is_narrowed_down(self) -> None:
        self._fill()
        for wanted, listed in _NARROWED:
            assert self._listed(wanted) == listed, wanted
            number = len(listed.split())
            counted = self.see(lambda tx, wanted=wanted: tx.sale_lists.count(wanted))
            assert counted == SaleCount(number, complete=True), wanted
            for order in SaleOrder:
                pages = self._paged(wanted, order)
                assert sorted(pages) == sorted(listed.split()), "each once, whatever the order"

    def test_what_figures_count_has_no_test_purchases_once_the_shop_has_gone_live(self) -> None:
        for name, livemode in (("c1", False), ("c2", True), ("c3", None)):
            made = samples.a_purchase(name, user=None, mailbox=None, livemode=livemode)
            self.do(lambda tx, made=made: tx.purchases.book(made))
        wanted = SaleFilter(counted=True)
        assert self._listed(wanted, SaleOrder.SMALLEST) == "c1 c2 c3"
        self.do(lambda tx: tx.shop.advance_cursor(STARTED_LIVE, to=NOW))
        assert self._listed(wanted, SaleOrder.SMALLEST) == "c2 c3"
        assert self._listed(SaleFilter(), SaleOrder.SMALLEST) == "c1 c2 c3"
        for narrowed in (wanted, replace(wanted, product=BOOK), replace(wanted, state=SaleState.OPEN)):
            counted = self.see(lambda tx, narrowed=narrowed: tx.sale_lists.count(narrowed))
            assert counted == SaleCount(2, complete=True)
            assert sorted(self._paged(narrowed, SaleOrder.NEWEST)) == ["c2", "c3"]

    def _paged(self, wanted: SaleFilter, order: SaleOrder) -> list[str]:
        found: list[str] = []
        after: SaleMark | None = None
        while True:
            page = self.see(
                lambda tx, after=after: tx.sale_lists.rows(wanted, order=order, after=after, limit=2)
            )
            found += [row.held.purchase.checkout for row in page.rows]
            if page.looked_to is None:
                return found
            after = page.looked_to

    def test_a_list_has_an_order(self) -> None:
        self._fill()
        for order, listed in _ORDERED:
            assert self._listed(SaleFilter(), order) == listed
            assert " ".join(self._paged(SaleFilter(), order)) == listed

    def test_a_row_says_what_its_columns_show(self) -> None:
        self._fill()
        found = self.see(
            lambda tx: tx.sale_lists.rows(SaleFilter(), order=SaleOrder.OLDEST, after=None, limit=9)
        )
        rows = {row.held.purchase.checkout: row for row in found.rows}
        assert rows["c2"] == SaleRow(held=rows["c2"].held, verified=True, bounced=True)
        assert rows["c2"].held.purchase == sale("c2")
        assert [fact.object_id for fact in rows["c2"].held.facts] == ["re_2"]
        assert (rows["c1"].verified, rows["c1"].bounced) == (False, False)
        assert (rows["c5"].verified, rows["c5"].bounced) == (False, False)
        assert rows["c8"].state is SaleState.SUSPENDED

    def test_payments_under_way_are_listed_newest_first_until_they_are_booked(self) -> None:
        for row, after in (("c1", 0 * SECOND), ("c2", SECOND), ("c3", 2 * SECOND)):
            one = samples.a_checkout(row, ref=f"cs_test_{row}", at=NOW + after)
            self.do(lambda tx, one=one: tx.checkouts.add(one))
        for row, status in (("c1", "unpaid"), ("c2", "unpaid"), ("c3", "open")):
            fact = Fact(f"cs_test_{row}", FactKind.SESSION, None, as_of=1, status=status, amount=900)
            self.do(lambda tx, fact=fact: tx.facts.record(fact))

        def pending() -> list[str]:
            return [checkout.id for checkout in self.see(lambda tx: tx.sale_lists.pending(limit=9))]

        assert pending() == ["c2", "c1"]
        assert len(self.see(lambda tx: tx.sale_lists.pending(limit=1))) == 1
        self.do(lambda tx: tx.purchases.book(samples.a_purchase("c2", user=None)))
        assert pending() == ["c1"]
