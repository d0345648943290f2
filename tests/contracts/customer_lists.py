"""What every store promises of the list of customers, and of what a timeline is made from. Part of the store contract."""

from __future__ import annotations

from contracts import samples
from contracts.samples import ANNA, BEN, BOOK, DAY, MINUTE, NOW
from contracts.under_test import StoreUnderTest

from domain.audit import AuditAction, AuditLine, AuditResult
from domain.customer_list import CustomerFilter, CustomerOrder
from domain.transaction import Transaction
from domain.values import CheckoutId, EmailAddress, LinkId, ProductId, UserId

CARL, DORA = EmailAddress("carl@example.com"), EmailAddress("dora@example.com")
_NARROWED = [
    (CustomerFilter(), "u4 u3 u2 u1"),
    (CustomerFilter(bought=BOOK), "u2 u1"),
    (CustomerFilter(bought=ProductId("zine")), "u3 u2"),
    (CustomerFilter(bought=ProductId("%")), ""),
    (CustomerFilter(did_not_buy=BOOK), "u4 u3"),
    (CustomerFilter(bought=BOOK, did_not_buy=ProductId("zine")), "u1"),
    (CustomerFilter(never_opened=True), "u3 u2"),
    (CustomerFilter(bought=BOOK, never_opened=True), "u2"),
]


class CustomerListContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def _customers(self) -> None:
        def work(tx: Transaction) -> None:
            for number, mailbox in enumerate((ANNA, BEN, CARL, DORA), start=1):
                tx.users.get_or_add(mailbox, new_id=UserId(f"u{number}"), now=NOW)
            tx.purchases.book(samples.a_purchase("c1", user="u1"))
            tx.purchases.book(
                samples.a_purchase("c2", user="u2", mailbox=BEN, product="pack", contents=("zine", "book"))
            )
            tx.purchases.book(samples.a_purchase("c3", user="u3", mailbox=CARL, product="zine"))
            tx.purchases.book(samples.a_purchase("c4", user="u1"))
            tx.downloads.mark_opened(CheckoutId("c4"), at=NOW)
            for name, at in (("s1", NOW), ("s2", NOW + DAY), ("s3", NOW - DAY)):
                tx.sessions.add(samples.a_session(name, mailbox=ANNA, token=name, at=at))

        self.do(work)

    def test_customers_are_narrowed_down_and_listed_newest_first(self) -> None:
        self._customers()
        for wanted, listed in _NARROWED:
            found: list[str] = []
            after: str | None = None
            while True:
                page = self.see(
                    lambda tx, wanted=wanted, after=after: tx.customer_lists.rows(
                        wanted, after=after, limit=1
                    )
                )
                found += [row.user.id for row in page.rows]
                after = page.looked_to
                if after is None:
                    break
            assert " ".join(found) == listed, wanted
            counted = self.see(lambda tx, wanted=wanted: tx.customer_lists.count(wanted))
            assert (counted.number, counted.complete) == (len(found), True), wanted

    def test_customers_are_listed_backwards_too(self) -> None:
        self._customers()

        def ahead(mark: str, wanted: CustomerFilter, limit: int = 9) -> tuple[list[str], str | None]:
            page = self.see(
                lambda tx: tx.customer_lists.rows(wanted, order=CustomerOrder.OLDEST, after=mark, limit=limit)
            )
            return [row.user.id for row in page.rows], page.looked_to

        assert ahead("u1", CustomerFilter(), 2) == (["u2", "u3"], "u3")
        assert ahead("u2", CustomerFilter()) == (["u3", "u4"], None)
        assert ahead("u1", CustomerFilter(did_not_buy=BOOK)) == (["u3", "u4"], None)
        assert ahead("u4", CustomerFilter()) == ([], None)

    def test_customers_are_listed_in_each_order_and_pages_go_on_where_one_ended(self) -> None:
        def work(tx: Transaction) -> None:
            for number, mailbox in enumerate(("~a@example.com", "c@example.com", "!b@example.com"), start=1):
                tx.users.get_or_add(EmailAddress(mailbox), new_id=UserId(f"u{number}"), now=NOW)
            tx.purchases.book(samples.a_purchase("c1", user="u1"))
            tx.purchases.book(samples.a_purchase("c2", user="u2"))

        self.do(work)
        for order, everybody, buyers in (
            (CustomerOrder.NEWEST, "u3 u2 u1", "u2 u1"),
            (CustomerOrder.OLDEST, "u1 u2 u3", "u1 u2"),
            (CustomerOrder.A_TO_Z, "u3 u2 u1", "u2 u1"),
            (CustomerOrder.Z_TO_A, "u1 u2 u3", "u1 u2"),
        ):
            for wanted, listed in ((CustomerFilter(), everybody), (CustomerFilter(bought=BOOK), buyers)):
                found: list[str] = []
                after: str | None = None
                while True:
                    page = self.see(
                        lambda tx, wanted=wanted, order=order, after=after: tx.customer_lists.rows(
                            wanted, order=order, after=after, limit=1
                        )
                    )
                    found += [row.user.id for row in page.rows]
                    after = page.looked_to
                    if after is None:
                        break
                    assert after == order.mark(page.rows[-1].user)
                assert " ".join(found) == listed, (order, wanted)

    def test_a_page_goes_on_behind_somebody_who_is_not_there_any_more(self) -> None:
        self._customers()

        def behind(order: CustomerOrder, mark: str) -> list[str]:
            page = self.see(
                lambda tx: tx.customer_lists.rows(CustomerFilter(), order=order, after=mark, limit=9)
            )
            return [row.user.mailbox.canonical for row in page.rows]

        assert behind(CustomerOrder.A_TO_Z, "bz@example.com") == [CARL.canonical, DORA.canonical]
        assert behind(CustomerOrder.Z_TO_A, "bz@example.com") == [BEN.canonical, ANNA.canonical]
        assert behind(CustomerOrder.OLDEST, "u33") == [DORA.canonical]

    def test_what_was_paid_in_a_test_is_not_what_a_customer_spent(self) -> None:
        self._customers()
        self.do(lambda tx: tx.purchases.book(samples.a_purchase("c5", user="u1", livemode=True)))
        anna = self.see(lambda tx: tx.customer_lists.rows(CustomerFilter(), after=None, limit=9)).rows[3]
        assert (anna.spent(), anna.spent(livemode=True)) == ([("usd", 2700)], [("usd", 900)])

    def test_a_customers_row_says_what_its_columns_show(self) -> None:
        self._customers()
        rows = self.see(lambda tx: tx.customer_lists.rows(CustomerFilter(), after=None, limit=9)).rows
        anna, dora = rows[3], rows[0]
        assert [held.purchase.checkout for held in anna.holdings] == ["c1", "c4"]
        assert (anna.seen_at, anna.spent()) == (NOW + DAY, [("usd", 1800)])
        assert (dora.user.mailbox, dora.holdings, dora.seen_at, dora.spent()) == (DORA, [], None, [])

    def test_links_that_were_used_are_found_by_checkout_and_by_address(self) -> None:
        def work(tx: Transaction) -> None:
            for number, (mailbox, checkout) in enumerate(
                ((ANNA, "c1"), (BEN, "c1"), (ANNA, None), (ANNA, None))
            ):
                link = samples.a_link(f"l{number}", mailbox=mailbox, checkout=checkout)
                tx.links.add(link)
                if number < 3:
                    tx.links.consume(LinkId(link.id), at=NOW + (9 - number) * MINUTE)

        self.do(work)

        def used(checkout: str | None, mailbox: EmailAddress | None) -> list[str]:
            asked = None if checkout is None else CheckoutId(checkout)
            return [link.id for link in self.see(lambda tx: tx.links.used_for(asked, mailbox))]

        assert used("c1", None) == ["l1", "l0"]
        assert used(None, ANNA) == ["l2", "l0"]
        assert used("c1", ANNA) == ["l2", "l1", "l0"]
        assert used(None, None) == used("c2", CARL) == []

    def test_audit_lines_are_found_by_their_objects(self) -> None:
        for number, thing in enumerate(("c1", "c2", "m1", "c1")):
            line = AuditLine(
                f"a{number}", f"f{number}", NOW, "cli:x", AuditAction.RESEND, thing, AuditResult.DONE, "why"
            )
            self.do(lambda tx, line=line: tx.audit.append(line))
        found = self.see(lambda tx: tx.audit.about(["m1", "c1", "none"]))
        assert [(line.id, line.reason) for line in found] == [("a0", "why"), ("a2", "why"), ("a3", "why")]
        assert self.see(lambda tx: tx.audit.about([])) == []
