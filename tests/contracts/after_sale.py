"""What every store promises of the time after a sale. Part of the store contract."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from contracts import samples
from contracts.samples import ANNA, BEN, BOOK, DAY, MINUTE, NOW, SECOND
from contracts.under_test import StoreUnderTest

from domain.fact import Fact, FactKind
from domain.going_live import STARTED_LIVE
from domain.mail import Delivery, MailKind, MailState
from domain.purchase import Source
from domain.values import CheckoutId, EmailAddress, Money, ProductId, SessionId, UserId


class AfterSaleContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    # ------------------------------------------------------------------ payments to ask about

    def test_a_payment_is_due_at_the_earliest_it_was_marked_for(self) -> None:
        self.do(lambda tx: tx.rechecks.schedule("pi_1", at=NOW, due_at=NOW + DAY))
        self.do(lambda tx: tx.rechecks.schedule("pi_1", at=NOW + SECOND, due_at=NOW + MINUTE))
        self.do(lambda tx: tx.rechecks.schedule("pi_1", at=NOW + SECOND, due_at=NOW + 2 * DAY))
        self.do(lambda tx: tx.rechecks.schedule("pi_2", at=NOW, due_at=NOW))
        assert [d.payment for d in self.see(lambda tx: tx.rechecks.due(NOW, limit=9))] == ["pi_2"]
        due = self.see(lambda tx: tx.rechecks.due(NOW + MINUTE, limit=9))
        assert [(d.payment, d.since, d.tries) for d in due] == [("pi_2", NOW, 0), ("pi_1", NOW, 0)]
        assert len(self.see(lambda tx: tx.rechecks.due(NOW + MINUTE, limit=1))) == 1
        self.do(lambda tx: tx.rechecks.postpone("pi_2", due_at=NOW + DAY))
        self.do(lambda tx: tx.rechecks.postpone("pi_3", due_at=NOW + DAY))
        self.do(lambda tx: tx.rechecks.cancel("pi_1"))
        later = self.see(lambda tx: tx.rechecks.due(NOW + 9 * DAY, limit=9))
        assert [(d.payment, d.tries) for d in later] == [("pi_2", 1)]

    # ------------------------------------------------------------------ paying twice

    def _begin(
        self, row: str, *, session: str = "s1", mailbox: EmailAddress | None = None, **more: Any
    ) -> None:
        made = samples.a_checkout(row, ref=f"cs_test_{row}", session=session)
        self.do(lambda tx: tx.checkouts.add(replace(made, mailbox=mailbox, **more)))

    def _hear(self, row: str, status: str) -> None:
        fact = Fact(f"cs_test_{row}", FactKind.SESSION, f"pi_{row}", as_of=1, status=status, amount=900)
        self.do(lambda tx: tx.facts.record(fact))

    def test_pending_are_the_debits_of_a_session_and_of_an_address(self) -> None:
        self._begin("c3")
        self._begin("c1", session="s2", mailbox=ANNA)
        self._begin("c2", session="s1", mailbox=ANNA)
        self._begin("c4", session="s3", mailbox=BEN)
        self._begin("c5")
        for row in ("c1", "c2", "c3", "c4"):
            self._hear(row, "unpaid")
        self._hear("c5", "open")
        self._sell("c2")

        def pending(session: str, mailbox: EmailAddress | None) -> list[str]:
            found = self.see(lambda tx: tx.open_payments.pending_in(SessionId(session), mailbox))
            return [checkout.id for checkout in found]

        assert pending("s1", None) == ["c3"], "c2 is booked, c5 not paid"
        assert pending("s1", ANNA) == ["c1", "c3"]
        assert pending("s3", BEN) == ["c4"]
        assert pending("s9", None) == []
        self._hear("c3", "failed")
        assert pending("s1", None) == []

    def test_duplicates_can_be_paid_although_their_browser_paid_since_they_began(self) -> None:
        self._begin("c1")
        self._begin("c2", started_at=NOW - SECOND)
        self._begin("c3", product=ProductId("photos"))
        self._begin("c4", session="s2")
        self._begin("c5", started_at=NOW + SECOND)
        self._begin("c6", expires_at=NOW + MINUTE)
        self._begin("c7", session="s2", mailbox=ANNA)
        for row, status in (("c8", "unpaid"), ("c9", "paid"), ("c10", "expired"), ("c11", "open")):
            self._begin(row)
            self._hear(row, status)

        def duplicates(paid: str | None = None, *, limit: int = 9) -> list[str]:
            order = None if paid is None else CheckoutId(paid)
            return list(
                self.see(lambda tx: tx.open_payments.duplicates(now=NOW + MINUTE, paid=order, limit=limit))
            )

        assert duplicates() == duplicates("c1") == []
        self._sell("c1")
        assert duplicates() == duplicates("c1") == ["cs_test_c2", "cs_test_c11"]
        assert duplicates(limit=1) == ["cs_test_c2"]
        assert duplicates("c4") == duplicates("c0") == []
        self._hear("c2", "expired")
        self._hear("c11", "paid")
        assert duplicates() == []

    def test_a_confirmed_payment_page_is_a_duplicate_of_another_confirmed_one_alone(self) -> None:
        self._begin("c1")
        for row in ("c2", "c3"):
            self._begin(row, on_purpose=True)

        def duplicates() -> list[str]:
            return list(self.see(lambda tx: tx.open_payments.duplicates(now=NOW + MINUTE, limit=9)))

        confirmed = self.see(lambda tx: tx.checkouts.get(CheckoutId("c2")))
        assert confirmed is not None
        assert confirmed.on_purpose
        self._sell("c1")
        assert duplicates() == []
        self._sell("c2")
        assert duplicates() == ["cs_test_c3"]

    def test_a_confirmed_payment_page_ends_when_one_that_began_later_is_paid(self) -> None:
        """The debit that it was confirmed beside failed, so that the next one had to confirm nothing."""
        self._begin("c1", on_purpose=True, started_at=NOW - SECOND)
        self._begin("c2")
        self._sell("c2")
        found = self.see(lambda tx: tx.open_payments.duplicates(now=NOW + MINUTE, limit=9))
        assert list(found) == ["cs_test_c1"]

    def test_a_claim_sees_that_its_browser_has_other_payment_pages_of_the_product(self) -> None:
        self._begin("c1")
        self._begin("c2", product=ProductId("photos"))
        self._begin("c3", session="s2")
        self._begin("c4", provider_ref=None)

        def has_twins(row: str) -> bool:
            return self.do(
                lambda tx: tx.checkouts.for_claim(CheckoutId(row), ref=None, payment=None)
            ).has_twins

        assert [has_twins(row) for row in ("c1", "c2", "c3", "c4", "c0")] == [
            False,
            False,
            False,
            True,
            False,
        ]
        self._begin("c5")
        assert [has_twins(row) for row in ("c1", "c2", "c3", "c5")] == [True, False, False, True]

    # ------------------------------------------------------------------ fraud warnings

    def test_disputes_to_answer_are_listed_by_deadline(self) -> None:
        for name, at, status, until in (
            ("late", 5, "needs_response", 90), ("soon", 9, "needs_response", 70), ("inquiry", 5, "warning_needs_response", 80),
            ("unknown 2", 6, "needs_response", 0), ("unknown 1", 5, "needs_response", 0), ("never", 5, "needs_response", -1),
            ("old", 4, "needs_response", 60), ("sent", 5, "under_review", 60), ("lost", 5, "lost", 60),
        ):  # fmt: skip
            fact = Fact(
                f"du_{name}", FactKind.DISPUTE, "pi_1", as_of=at, status=status, amount=9, answer_by=until
            )
            self.do(lambda tx, fact=fact: tx.facts.record(fact))
        self.do(lambda tx: tx.facts.record(Fact("re_1", FactKind.REFUND, "pi_1", 9, "needs_response", 9)))

        def listed(limit: int) -> list[str]:
            return [fact.object_id for fact in self.see(lambda tx: tx.facts.to_answer(since=5, limit=limit))]

        assert listed(9) == ["du_soon", "du_inquiry", "du_late", "du_unknown 1", "du_unknown 2"]
        assert listed(2) == ["du_soon", "du_inquiry"]

    def test_fraud_warnings_are_listed_the_newest_first_while_they_can_be_acted_on(self) -> None:
        for name, at, status in (
            ("issfr_1", 1, "actionable"),
            ("issfr_2", 3, "actionable"),
            ("issfr_3", 2, "over"),
        ):
            fact = Fact(name, FactKind.WARNING, f"pi_{name}", as_of=at, status=status, amount=0)
            assert self.do(lambda tx, fact=fact: tx.facts.record(fact)) == fact
        self.do(
            lambda tx: tx.facts.record(
                Fact("re_1", FactKind.REFUND, "pi_x", as_of=9, status="succeeded", amount=1)
            )
        )

        def listed(limit: int) -> list[str]:
            return [fact.object_id for fact in self.see(lambda tx: tx.facts.fraud_warnings(limit=limit))]

        assert listed(9) == ["issfr_2", "issfr_1"]
        assert listed(1) == ["issfr_2"]
        for name in ("issfr_0", "issfr_5"):  # of the same second, so their ids decide
            fact = Fact(name, FactKind.WARNING, f"pi_{name}", as_of=1, status="actionable", amount=0)
            self.do(lambda tx, fact=fact: tx.facts.record(fact))
        found, after = [], None
        while page := self.see(lambda tx, after=after: tx.facts.fraud_warnings(after=after, limit=1)):
            [after] = page
            found.append(after.object_id)
        assert found == listed(9) == ["issfr_2", "issfr_0", "issfr_1", "issfr_5"]
        over = Fact("issfr_2", FactKind.WARNING, "pi_issfr_2", as_of=4, status="over", amount=0)
        self.do(lambda tx: tx.facts.record(over))
        assert listed(9) == ["issfr_0", "issfr_1", "issfr_5"]

    # ------------------------------------------------------------------ modes and figures

    def test_test_purchases_count_until_the_shop_has_gone_live(self) -> None:
        self.do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW))
        for row, livemode in (("c1", False), ("c2", True), ("c3", None), ("c4", False)):
            checkout = replace(samples.a_checkout(row, ref=f"cs_test_{row}"), livemode=livemode)
            self.do(lambda tx, checkout=checkout: tx.checkouts.add(checkout))
            purchase = samples.a_purchase(row, livemode=livemode)
            self.do(lambda tx, purchase=purchase: tx.purchases.book(purchase))
            assert self.see(lambda tx, row=row: tx.purchases.get(CheckoutId(row))) == purchase
        tally = self.see(lambda tx: tx.shop.tally())
        assert (tally.purchases, tally.test, tally.takings) == (4, 0, (Money(3600, "usd"),))
        assert self.see(lambda tx: tx.purchases.count_sold(BOOK)) == 4
        self.do(lambda tx: tx.shop.advance_cursor(STARTED_LIVE, to=NOW))
        tally = self.see(lambda tx: tx.shop.tally())
        assert (tally.purchases, tally.test, tally.takings) == (2, 2, (Money(1800, "usd"),))
        assert self.see(lambda tx: tx.purchases.count_sold(BOOK)) == 2
        found = self.see(lambda tx: tx.shop.test_purchases(limit=9))
        assert [purchase.checkout for purchase in found] == ["c1", "c4"]
        assert len(self.see(lambda tx: tx.shop.test_purchases(limit=1))) == 1
        self.do(lambda tx: tx.erasures.erase_order(CheckoutId("c1"), at=NOW))
        assert [p.checkout for p in self.see(lambda tx: tx.shop.test_purchases(limit=9))] == ["c4"]

    def test_a_grant_is_no_sale_in_the_figures_but_takes_a_copy(self) -> None:
        for row, source in zip(("c1", "c2", "c3", "c4"), Source, strict=True):
            paid = Money(0 if source is Source.GRANT else 900, "usd")
            purchase = replace(samples.a_purchase(row, user=None, livemode=None), source=source, paid=paid)
            self.do(lambda tx, purchase=purchase: tx.purchases.book(purchase))
            assert self.see(lambda tx, row=row: tx.purchases.get(CheckoutId(row))) == purchase
        tally = self.see(lambda tx: tx.shop.tally())
        assert (tally.purchases, tally.test, tally.takings) == (3, 0, (Money(2700, "usd"),))
        assert self.see(lambda tx: tx.purchases.count_sold(BOOK)) == 4

    def test_test_checkouts_are_dropped_unless_they_were_booked(self) -> None:
        self._sell("c2")
        for row, livemode in (("c1", False), ("c2", False), ("c3", True), ("c4", None), ("c5", False)):
            one = replace(samples.a_checkout(row, ref=f"cs_test_{row}"), livemode=livemode)
            self.do(lambda tx, one=one: tx.checkouts.add(one))

        def left() -> list[str]:
            rows = ("c1", "c2", "c3", "c4", "c5")
            return [row for row in rows if self.see(lambda tx, row=row: tx.checkouts.get(CheckoutId(row)))]

        assert self.do(lambda tx: tx.retention.drop_test_checkouts(limit=1)) == 1
        assert left() == ["c2", "c3", "c4", "c5"]
        assert self.do(lambda tx: tx.retention.drop_test_checkouts(limit=9)) == 1
        assert left() == ["c2", "c3", "c4"]
        assert self.do(lambda tx: tx.retention.drop_test_checkouts(limit=9)) == 0

    def test_the_takings_are_net_of_refunds_and_lost_disputes(self) -> None:
        self._sell("c1", "c2", "c3", "c4", "c5")
        for number, (row, kind, status, amount) in enumerate([
            ("c1", FactKind.REFUND, "succeeded", 100), ("c1", FactKind.REFUND, "pending", 50),
            ("c1", FactKind.DISPUTE, "lost", 250), ("c2", FactKind.REFUND, "failed", 900),
            ("c2", FactKind.DISPUTE, "needs_response", 900), ("c3", FactKind.DISPUTE, "lost", 900),
            ("c3", FactKind.REFUND, "succeeded", 900), ("c4", FactKind.DISPUTE, "warning_needs_response", 900),
            ("c9", FactKind.REFUND, "succeeded", 900),
        ]):  # fmt: skip
            fact = Fact(
                object_id=f"x{number}", kind=kind, payment=f"pi_{row}", as_of=1, status=status, amount=amount
            )
            self.do(lambda tx, fact=fact: tx.facts.record(fact))
        tally = self.see(lambda tx: tx.shop.tally())
        assert (tally.purchases, tally.takings) == (5, (Money(500 + 900 + 0 + 900 + 900, "usd"),))

    # ------------------------------------------------------------------ reports, proofs, news

    def test_the_weightiest_report_stays(self) -> None:
        self.do(lambda tx: tx.outbox.queue(samples.a_mail()))
        before = self.do(lambda tx: tx.outbox.record_delivery("m1", Delivery.DELIVERED))
        assert before is not None
        assert before.delivery is None
        assert self.do(lambda tx: tx.outbox.record_delivery("m1", Delivery.ACCEPTED)) is None
        assert self.do(lambda tx: tx.outbox.record_delivery("m1", Delivery.BOUNCED)) is not None
        assert self.do(lambda tx: tx.outbox.record_delivery("none", Delivery.BOUNCED)) is None
        [mail] = self.see(lambda tx: tx.outbox.to_address(ANNA))
        assert mail.delivery is Delivery.BOUNCED
        assert self.see(lambda tx: tx.shop.tally()).bounced == 1

    def test_bounced_access_emails_are_listed_oldest_first_until_they_are_dismissed(self) -> None:
        mails = [
            samples.a_mail(key, kind=kind)
            for key, kind in (("b", MailKind.ACCESS), ("a", MailKind.ACCESS), ("login", MailKind.LOGIN))
        ]
        mails.append(replace(samples.a_mail("c"), queued_at=NOW - SECOND))
        mails.append(samples.a_mail("fine"))
        for mail in mails:
            self.do(lambda tx, mail=mail: tx.outbox.queue(mail))
            delivery = Delivery.DELIVERED if mail.key == "fine" else Delivery.BOUNCED
            self.do(lambda tx, mail=mail, delivery=delivery: tx.outbox.record_delivery(mail.key, delivery))
            problem = "key_used" if mail.key == "a" else ""
            self.do(
                lambda tx, mail=mail, problem=problem: tx.outbox.settle(
                    mail.key, state=MailState.SENT, at=NOW, problem=problem
                )
            )

        def listed() -> list[str]:
            return [mail.key for mail in self.see(lambda tx: tx.outbox.waiting(NOW + DAY, late=MINUTE))]

        assert listed() == ["c", "a", "b"], "each once"
        lately = self.see(lambda tx: tx.outbox.waiting(NOW + DAY, late=MINUTE, bounced_since=NOW))
        assert [mail.key for mail in lately] == ["a", "b"]
        for key, done in (("a", True), ("a", False), ("login", False), ("fine", False), ("none", False)):
            assert self.do(lambda tx, key=key: tx.outbox.dismiss_bounce(key)) is done
        assert listed() == ["c", "b"]

    def test_a_mailbox_is_proved_the_first_time_and_news_are_chosen(self) -> None:
        self._sell()
        self.do(lambda tx: tx.users.mark_verified(ANNA, at=NOW))
        self.do(lambda tx: tx.users.mark_verified(ANNA, at=NOW + DAY))
        self.do(lambda tx: tx.users.mark_verified(BEN, at=NOW))
        assert self.do(lambda tx: tx.users.set_release_emails(UserId("u1"), wanted=False)) is True
        assert self.do(lambda tx: tx.users.set_release_emails(UserId("nobody"), wanted=False)) is False
        user = self.see(lambda tx: tx.users.by_address(ANNA))
        assert user is not None
        assert (user.proved_at, user.wants_release_emails) == (NOW, False)
        assert self.see(lambda tx: tx.users.by_address(BEN)) is None

    def test_a_user_has_the_language_they_came_with_until_another_is_set(self) -> None:
        self.do(lambda tx: tx.users.get_or_add(BEN, new_id=UserId("u2"), now=NOW, language="de"))
        self.do(lambda tx: tx.users.get_or_add(BEN, new_id=UserId("u3"), now=NOW, language="fr"))

        def language() -> str:
            user = self.see(lambda tx: tx.users.by_address(BEN))
            return "" if user is None else user.language

        assert language() == "de"
        assert self.do(lambda tx: tx.users.set_language(BEN, "it")) is True
        assert language() == "it"
        assert self.do(lambda tx: tx.users.set_language(ANNA, "it")) is False

    def test_owners_are_those_of_the_product_and_of_bundles_with_it(self) -> None:
        self._sell("c1")
        self.do(lambda tx: tx.users.get_or_add(BEN, new_id=UserId("u2"), now=NOW))
        bundle = samples.a_purchase("c2", user="u2", mailbox=BEN, product="pack", contents=("photos", "book"))
        self.do(lambda tx: tx.purchases.book(bundle))
        found = self.see(lambda tx: tx.purchases.owners_after(BOOK, after="", limit=9))
        assert [(user.id, [h.purchase.checkout for h in held]) for user, held in found] == [
            ("u1", ["c1"]),
            ("u2", ["c2"]),
        ]
        assert [
            user.id for user, _ in self.see(lambda tx: tx.purchases.owners_after(BOOK, after="u1", limit=9))
        ] == ["u2"]
        assert len(self.see(lambda tx: tx.purchases.owners_after(BOOK, after="", limit=1))) == 1

    def test_the_first_opening_of_a_purchase_is_kept(self) -> None:
        self._sell("c1")
        c1 = CheckoutId("c1")
        assert self.do(lambda tx: tx.downloads.mark_opened(CheckoutId("c9"), at=NOW)) is False
        assert self.do(lambda tx: tx.downloads.mark_opened(c1, at=NOW + DAY)) is True
        assert self.do(lambda tx: tx.downloads.mark_opened(c1, at=NOW)) is False
        held = self.see(lambda tx: tx.purchases.get(c1))
        assert held == replace(samples.a_purchase("c1"), opened_at=NOW + DAY)

    def test_products_are_owned_while_somebody_has_a_purchase_of_them(self) -> None:
        assert self.see(lambda tx: tx.purchases.products_owned()) == []
        self._sell("c1")
        self._sell("c2")
        self.do(lambda tx: tx.users.get_or_add(BEN, new_id=UserId("u2"), now=NOW))
        for checkout, product, contents in (("c3", "pack", ("photos", "book")), ("c4", "zine", ())):
            sold = samples.a_purchase(checkout, user="u2", mailbox=BEN, product=product, contents=contents)
            self.do(lambda tx, sold=sold: tx.purchases.book(sold))
        nobodys = samples.a_purchase("c5", user=None, mailbox=None, product="album", contents=("song",))
        self.do(lambda tx: tx.purchases.book(replace(nobodys, session=None)))
        assert self.see(lambda tx: tx.purchases.products_owned()) == ["book", "pack", "photos", "zine"]

    # ------------------------------------------------------------------ one browser, two sessions; the same form twice

    def test_a_checkout_is_passed_on_with_its_purchase_by_the_session_that_holds_it(self) -> None:
        self._sell("c1", "c2")
        for row in ("c1", "c2", "c3"):
            one = samples.a_checkout(row, ref=f"cs_test_{row}", mailbox=None)
            self.do(lambda tx, one=one: tx.checkouts.add(one))
        self.do(lambda tx: tx.purchases.detach_sessions(ANNA))
        self.do(lambda tx: tx.purchases.book(samples.a_purchase("c3")))
        s1, s2 = SessionId("s1"), SessionId("s2")
        assert self.do(lambda tx: tx.checkouts.pass_on(CheckoutId("c3"), old=s2, session=s1)) is False
        assert self.do(lambda tx: tx.checkouts.pass_on(CheckoutId("c9"), old=s1, session=s2)) is False
        assert self.do(lambda tx: tx.checkouts.pass_on(CheckoutId("c3"), old=s1, session=s2)) is True
        assert self.do(lambda tx: tx.checkouts.pass_on(CheckoutId("c1"), old=s1, session=s2)) is True
        checkouts = [self.see(lambda tx, n=n: tx.checkouts.get(CheckoutId(f"c{n}"))) for n in (1, 2, 3)]
        purchases = [self.see(lambda tx, n=n: tx.purchases.get(CheckoutId(f"c{n}"))) for n in (1, 2, 3)]
        assert [row and row.session for row in checkouts] == ["s2", "s1", "s2"]
        assert [row and row.session for row in purchases] == [None, None, "s2"], (
            "its owner took it from the browsers"
        )

    def test_the_newest_checkout_of_a_session_and_product_is_found_while_nothing_came_of_it(self) -> None:
        def begun(since: Any = NOW - MINUTE, session: str = "s1") -> str | None:
            found = self.see(lambda tx: tx.checkouts.begun_lately(SessionId(session), BOOK, since=since))
            return None if found is None else found.id

        assert begun() is None
        for row, at, session in (("c1", NOW, "s1"), ("c2", NOW - SECOND, "s1"), ("c3", NOW + SECOND, "s2")):
            one = samples.a_checkout(row, ref=f"cs_test_{row}", at=at, session=session)
            self.do(lambda tx, one=one: tx.checkouts.add(one))
        assert (begun(), begun(session="s2"), begun(since=NOW)) == ("c1", "c3", None)
        for status, found in (("open", "c1"), ("unpaid", "c2")):
            fact = Fact(
                object_id="cs_test_c1", kind=FactKind.SESSION, payment=None, as_of=1, status=status, amount=1
            )
            self.do(lambda tx, fact=fact: tx.facts.record(fact))
            assert begun() == found
        self._sell("c2")
        assert begun() is None
