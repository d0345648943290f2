"""What every store promises of the time after a sale. Part of the store contract."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from contracts import samples
from contracts.samples import ANNA, BEN, BOOK, DAY, MINUTE, NOW, SECOND

from domain.address_change import Before, ChangeKind
from domain.magic_link import LinkPurpose
from domain.mail import Delivery, MailKind
from domain.ports import Store
from domain.purchase import LicenceKey
from domain.records import ErasedAddress
from domain.transaction import ReadTransaction, Transaction
from domain.values import ChangeId, CheckoutId, Digest, EmailAddress, LinkId, SessionId, UserId

T = TypeVar("T")


class AfterSaleContract:
    """See StoreContract, which says how to open a store and how to run."""

    store: Store

    def do(self, work: Callable[[Transaction], T]) -> T:
        raise NotImplementedError

    def see(self, work: Callable[[ReadTransaction], T]) -> T:
        raise NotImplementedError

    def together(self, *works: Callable[[], Coroutine[Any, Any, T]]) -> list[T | BaseException]:
        raise NotImplementedError

    def _sell(self, *rows: str) -> None:
        self.do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW))
        for row in rows:
            self.do(lambda tx, row=row: tx.purchases.book(samples.a_purchase(row)))

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

    # ------------------------------------------------------------------ licence keys and downloads

    def test_of_twenty_purchases_each_gets_a_key_of_its_own_in_the_lists_order(self) -> None:
        self.do(lambda tx: tx.licences.stock(BOOK, [f"key {n}" for n in range(15)]))
        works = [
            lambda n=n: self.store.transact(
                lambda tx: tx.licences.assign(BOOK, checkout=CheckoutId(f"c{n:02}"))
            )
            for n in range(20)
        ]
        answers = self.together(*works)
        given = [answer for answer in answers if isinstance(answer, str)]
        assert sorted(given, key=lambda key: int(key[4:])) == [f"key {n}" for n in range(15)]
        assert answers.count(None) == 5

    def test_who_waits_in_line_is_served_in_order_once_there_are_keys(self) -> None:
        self._sell("c1", "c2")
        assert self.do(lambda tx: tx.licences.assign(BOOK, checkout=CheckoutId("c2"))) is None
        assert self.do(lambda tx: tx.licences.assign(BOOK, checkout=CheckoutId("c1"))) is None
        assert self.do(lambda tx: tx.licences.assign_to_next_in_line(BOOK)) is None
        self.do(lambda tx: tx.licences.stock(BOOK, ["a key", "b"]))
        served = self.do(lambda tx: tx.licences.assign_to_next_in_line(BOOK))
        assert served is not None
        assert (served[0].checkout, served[1]) == ("c1", LicenceKey(BOOK, "a key"))
        purchase = self.see(lambda tx: tx.purchases.get(CheckoutId("c1")))
        assert purchase is not None
        assert purchase.licences == (LicenceKey(BOOK, "a key"),)
        self.do(lambda tx: tx.licences.stock(BOOK, ["b", "c"]))
        assert self.do(lambda tx: tx.licences.assign(BOOK, checkout=CheckoutId("c3"))) == "b"

    def test_a_download_counts_once_a_window_however_many_parts_are_fetched_at_once(self) -> None:
        def count(at: Any) -> Callable[[Transaction], bool]:
            return lambda tx: tx.downloads.count(CheckoutId("c1"), BOOK, "it.txt", now=at, window=DAY)

        answers = self.together(*[lambda: self.store.transact(count(NOW)) for _ in range(20)])
        assert sorted(answers) == [False] * 19 + [True]  # type: ignore[type-var]
        assert self.do(count(NOW + DAY - SECOND)) is False
        assert self.do(count(NOW + DAY)) is True
        [found] = self.see(lambda tx: tx.downloads.of_purchase(CheckoutId("c1")))
        assert (found.times, found.last_at) == (2, NOW + DAY)

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

    # ------------------------------------------------------------------ whose it is

    def test_a_move_is_done_once_and_undone_once(self) -> None:
        self.do(lambda tx: tx.address_changes.begin(samples.a_move()))
        assert self.see(lambda tx: tx.address_changes.get(ChangeId("m1"))) == samples.a_move()
        assert self.see(lambda tx: tx.address_changes.was_corrected(CheckoutId("c1"))) is True
        assert self.see(lambda tx: tx.address_changes.was_corrected(CheckoutId("c2"))) is False
        done = [
            lambda: self.store.transact(lambda tx: tx.address_changes.settle(ChangeId("m1"), done_at=NOW))
            for _ in range(9)
        ]
        assert sorted(self.together(*done)) == [False] * 8 + [True]  # type: ignore[type-var]
        undone = [
            lambda: self.store.transact(lambda tx: tx.address_changes.settle(ChangeId("m1"), undone_at=NOW))
            for _ in range(9)
        ]
        assert sorted(self.together(*undone)) == [False] * 8 + [True]  # type: ignore[type-var]
        assert self.do(lambda tx: tx.address_changes.settle(ChangeId("m1"), done_at=NOW)) is False
        found = self.see(lambda tx: tx.address_changes.get(ChangeId("m1")))
        assert found is not None
        assert (found.done_at, found.undone_at, found.checkouts) == (NOW, NOW, ("c1",))

    def test_purchases_are_handed_over_and_nobody_is_left_behind(self) -> None:
        self._sell("c1", "c2")
        self.do(lambda tx: tx.users.get_or_add(BEN, new_id=UserId("u2"), now=NOW))
        self.do(
            lambda tx: tx.purchases.transfer([CheckoutId("c1")], old=ANNA, mailbox=BEN, user=UserId("u2"))
        )
        assert [h.purchase.checkout for h in self.see(lambda tx: tx.purchases.of_address(BEN))] == ["c1"]
        assert self.do(lambda tx: tx.users.drop_without_purchases(ANNA)) is False
        self.do(
            lambda tx: tx.purchases.transfer([CheckoutId("c2")], old=ANNA, mailbox=BEN, user=UserId("u2"))
        )
        assert self.do(lambda tx: tx.users.drop_without_purchases(ANNA)) is True
        assert self.see(lambda tx: tx.users.exists(ANNA)) is False

    def test_one_session_turns_to_the_new_mailbox_and_the_others_end(self) -> None:
        for n in range(3):
            row = samples.a_session(f"s{n}", mailbox=ANNA, token=f"t{n}")
            self.do(lambda tx, row=row: tx.sessions.add(row))
        self.do(lambda tx: tx.sessions.carry(ANNA, to=BEN, keep=SessionId("s1"), change=ChangeId("m1")))
        assert self.see(lambda tx: tx.sessions.of_address(ANNA)) == []
        assert [s.id for s in self.see(lambda tx: tx.sessions.of_address(BEN))] == ["s1"]
        assert self.see(lambda tx: tx.sessions.by_token(Digest("t0"))) is None

    def test_only_what_still_belongs_to_the_named_address_is_handed_over(self) -> None:
        self._sell("c1")
        self.do(lambda tx: tx.users.get_or_add(BEN, new_id=UserId("u2"), now=NOW))
        self.do(lambda tx: tx.purchases.transfer([CheckoutId("c1")], old=BEN, mailbox=BEN, user=UserId("u2")))
        assert [h.purchase.checkout for h in self.see(lambda tx: tx.purchases.of_address(ANNA))] == ["c1"]
        assert self.see(lambda tx: tx.purchases.of_address(BEN)) == []

    def test_moves_that_wait_are_taken_back_by_kind_and_those_that_were_done_are_not(self) -> None:
        for row, kind in (
            ("m1", ChangeKind.CORRECTION),
            ("m2", ChangeKind.CHANGE),
            ("m3", ChangeKind.CHANGE),
        ):
            move = replace(samples.a_move(row), kind=kind)
            self.do(lambda tx, move=move: tx.address_changes.begin(move))
        before = Before(since=NOW, old_wanted_news=False, new_wanted_news=True)
        self.do(lambda tx: tx.address_changes.settle(ChangeId("m3"), done_at=NOW, before=before))
        assert self.do(lambda tx: tx.address_changes.cancel_pending(BEN, at=NOW)) == 0
        assert (
            self.do(lambda tx: tx.address_changes.cancel_pending(ANNA, at=NOW, kind=ChangeKind.CORRECTION))
            == 1
        )
        assert self.do(lambda tx: tx.address_changes.cancel_pending(ANNA, at=NOW)) == 1
        found = {
            row: self.see(lambda tx, row=row: tx.address_changes.get(ChangeId(row)))
            for row in ("m1", "m2", "m3")
        }
        assert [found[row] and found[row].undone_at for row in ("m1", "m2", "m3")] == [NOW, NOW, None]  # type: ignore[union-attr]
        assert self.see(lambda tx: tx.address_changes.done_from(ANNA)) == [found["m3"]]
        assert found["m3"] == replace(
            samples.a_move("m3"), kind=ChangeKind.CHANGE, done_at=NOW, before=before
        )

    def test_sessions_that_a_change_carried_away_are_found_and_ended(self) -> None:
        self.do(lambda tx: tx.address_changes.begin(replace(samples.a_move(), kind=ChangeKind.CHANGE)))
        self.do(lambda tx: tx.sessions.add(samples.a_session(mailbox=ANNA)))
        self.do(lambda tx: tx.sessions.carry(ANNA, to=BEN, keep=SessionId("s1"), change=ChangeId("m1")))
        assert self.see(lambda tx: tx.sessions.of_address(ANNA)) == [], "the change does not stand yet"
        self.do(lambda tx: tx.address_changes.settle(ChangeId("m1"), done_at=NOW))
        assert [(s.id, s.mailbox) for s in self.see(lambda tx: tx.sessions.of_address(ANNA))] == [("s1", BEN)]
        assert self.do(lambda tx: tx.sessions.end_of_address(ANNA)) == 0
        assert self.do(lambda tx: tx.sessions.end_of_change(ChangeId("m1"))) == 1
        self.do(lambda tx: tx.sessions.add(replace(samples.a_session(), change=ChangeId("m1"))))
        assert self.do(lambda tx: tx.sessions.end_of_change(ChangeId("m1"))) == 1
        assert self.see(lambda tx: tx.sessions.by_token(Digest("t1"))) is None

    def test_browsers_that_hold_a_purchase_by_its_checkout_are_found_and_released(self) -> None:
        self._sell("c1", "c2")
        self.do(lambda tx: tx.sessions.add(samples.a_session("s1", token="t1")))
        self.do(lambda tx: tx.sessions.add(samples.a_session("s2", mailbox=BEN, token="t2")))
        assert [s.id for s in self.see(lambda tx: tx.sessions.holders_of(ANNA, since=NOW - DAY))] == ["s1"]
        assert self.see(lambda tx: tx.sessions.holders_of(ANNA, since=NOW)) == []
        assert self.see(lambda tx: tx.sessions.holders_of(BEN, since=NOW - DAY)) == []
        assert self.do(lambda tx: tx.purchases.detach_sessions(ANNA, session=SessionId("s2"))) == 0
        assert self.do(lambda tx: tx.purchases.detach_sessions(BEN)) == 0
        assert self.do(lambda tx: tx.purchases.detach_sessions(ANNA, session=SessionId("s1"))) == 2
        assert not self.see(lambda tx: tx.purchases.held_by(SessionId("s1"), None))
        assert self.see(lambda tx: tx.sessions.holders_of(ANNA, since=NOW - DAY)) == []

    def test_the_cookie_that_used_a_link_finds_it_again(self) -> None:
        self.do(lambda tx: tx.links.add(samples.a_link()))
        link, cookie = LinkId("ab" * 16), Digest("c" * 64)
        assert self.see(lambda tx: tx.links.used_with(cookie)) is None
        assert self.do(lambda tx: tx.links.consume(link, at=NOW, used_with=cookie)) is True
        assert self.do(lambda tx: tx.links.consume(link, at=NOW, used_with=Digest("d" * 64))) is False
        assert self.see(lambda tx: tx.links.used_with(cookie)) == self.see(lambda tx: tx.links.get(link))
        assert self.see(lambda tx: tx.links.used_with(Digest("d" * 64))) is None

    def test_erasing_leaves_the_sale_and_nothing_that_names_the_person(self) -> None:
        self._sell("c1")
        self.do(lambda tx: tx.sessions.add(samples.a_session(mailbox=ANNA)))
        for row in ("c1", "c9"):
            checkout = samples.a_checkout(row, ref=f"cs_test_{row}")
            self.do(lambda tx, checkout=checkout: tx.checkouts.add(checkout))
        self.do(lambda tx: tx.links.add(samples.a_link()))
        self.do(lambda tx: tx.outbox.queue(samples.a_mail(kind=MailKind.ACCESS)))
        self.do(lambda tx: tx.address_changes.begin(samples.a_move()))
        self.do(lambda tx: tx.downloads.count(CheckoutId("c1"), BOOK, "it", now=NOW, window=DAY))
        assert self.do(lambda tx: tx.erasures.erase(ANNA, at=NOW)) == ["c1"]
        purchase = self.see(lambda tx: tx.purchases.get(CheckoutId("c1")))
        assert purchase is not None
        assert (purchase.user, purchase.mailbox, purchase.session, purchase.paid.amount) == (
            None,
            None,
            None,
            900,
        )
        assert self.see(lambda tx: tx.erasures.checkouts_after("", limit=9)) == ["c1", "c9"], (
            "and a checkout that may be paid yet"
        )
        assert self.see(lambda tx: tx.erasures.is_erased(CheckoutId("c9"))) is True
        assert self.see(lambda tx: tx.sessions.by_token(Digest("t1"))) is None
        assert self.see(lambda tx: tx.outbox.to_address(ANNA)) == []
        assert self.see(lambda tx: tx.users.by_address(ANNA)) is None
        assert self.see(lambda tx: tx.address_changes.get(ChangeId("m1"))) is None
        assert self.see(lambda tx: tx.downloads.of_purchase(CheckoutId("c1"))) == []
        for row in ("c1", "c9"):
            held = self.see(lambda tx, row=row: tx.checkouts.get(CheckoutId(row)))
            assert held is not None
            assert (held.mailbox, held.session) == (None, None)
        assert self.do(lambda tx: tx.erasures.erase(ANNA, at=NOW)) == []
        assert self.do(lambda tx: tx.erasures.erase_order(CheckoutId("c1"), at=NOW)) is False
        assert (
            self.do(lambda tx: tx.erasures.erase_order(CheckoutId("c0"), at=NOW + timedelta(days=1))) is True
        )

    def test_an_erasure_takes_no_checkout_whose_purchase_is_anothers(self) -> None:
        """Begun under an address that was changed since: whoever has the old mailbox now cannot erase it."""
        self.do(lambda tx: tx.users.get_or_add(BEN, new_id=UserId("u2"), now=NOW))
        self.do(lambda tx: tx.checkouts.add(samples.a_checkout("c1")))
        self.do(lambda tx: tx.purchases.book(samples.a_purchase("c1", user="u2", mailbox=BEN)))
        assert self.do(lambda tx: tx.erasures.erase(ANNA, at=NOW)) == []
        assert self.see(lambda tx: tx.erasures.is_erased(CheckoutId("c1"))) is False
        started = self.see(lambda tx: tx.checkouts.get(CheckoutId("c1")))
        assert started is not None
        assert (started.mailbox, started.session) == (None, "s1")
        assert [h.purchase.checkout for h in self.see(lambda tx: tx.purchases.of_address(BEN))] == ["c1"]

    def test_what_an_address_began_goes_with_what_it_owns_and_comes_back_with_it(self) -> None:
        self._sell("c1")
        self.do(lambda tx: tx.users.get_or_add(BEN, new_id=UserId("u2"), now=NOW))
        for row in ("c1", "c2"):
            self.do(lambda tx, row=row: tx.checkouts.add(samples.a_checkout(row, ref=f"cs_test_{row}")))
        theirs = self.see(lambda tx: tx.checkouts.of_address(ANNA))
        assert theirs == ["c1", "c2"]
        for old, to, user in ((ANNA, BEN, "u2"), (BEN, ANNA, "u1")):
            self.do(
                lambda tx, old=old, to=to, user=user: tx.purchases.transfer(
                    theirs, old=old, mailbox=to, user=UserId(user)
                )
            )
            assert self.see(lambda tx, to=to: tx.checkouts.of_address(to)) == ["c1", "c2"]
            assert {self.see(lambda tx, row=row: tx.checkouts.get(row)).mailbox for row in theirs} == {to}  # type: ignore[union-attr]

    def test_a_deletion_leaves_the_notice_and_the_undo_link_of_anothers_change(self) -> None:
        """Ben is asked to prove an address that Anna's was to be changed to by two people; one of them goes."""
        carol = EmailAddress("carol@example.com")
        self._asks("m1", old=ANNA, new=BEN, proof="a1", undo="a2")
        self._asks("m2", old=carol, new=BEN, proof="c1", undo="c2")
        self._asks("m3", old=BEN, new=carol, proof="b1", undo="b2")
        self.do(lambda tx: tx.erasures.erase(ANNA, at=NOW))
        assert self._mailed() == {"address:c1", "address:c2", "address:b1", "address:b2"}
        assert self.see(lambda tx: tx.address_changes.get(ChangeId("m1"))) is None
        assert self.see(lambda tx: tx.address_changes.get(ChangeId("m2"))) is not None
        self.do(lambda tx: tx.erasures.erase(BEN, at=NOW))
        assert self._mailed() == {"address:c2"}, "Carol still hears that somebody asked for her address"
        assert self.see(lambda tx: tx.links.get(LinkId("c2"))) is not None
        kept = self.see(lambda tx: tx.address_changes.get(ChangeId("m2")))
        assert kept is not None, "and can take the request back, which ends the session that asked"
        assert kept.is_pending
        assert kept.old == carol
        assert kept.new != BEN, "it names nobody who was erased"

    def test_who_has_a_former_address_now_cannot_erase_what_takes_the_change_back(self) -> None:
        self._asks("m1", old=ANNA, new=BEN, proof="a1", undo="a2", kind=ChangeKind.CHANGE)
        self.do(lambda tx: tx.address_changes.settle(ChangeId("m1"), done_at=NOW, checkouts=()))
        self.do(lambda tx: tx.erasures.erase(ANNA, at=NOW))
        assert self.see(lambda tx: tx.address_changes.get(ChangeId("m1"))) is not None
        assert self.see(lambda tx: tx.address_changes.done_to(BEN)) != []
        assert self.see(lambda tx: tx.links.get(LinkId("a2"))) is not None
        assert self._mailed() == {"address:a1", "address:a2"}
        self.do(lambda tx: tx.erasures.erase(BEN, at=NOW))
        assert self._mailed() == set()
        assert self.see(lambda tx: tx.links.get(LinkId("a2"))) is None
        assert self.see(lambda tx: tx.erasures.known_addresses_after("", limit=9)) == []

    def test_what_somebody_else_does_under_a_former_address_is_left(self) -> None:
        """Erasing the new address, and pruning, take what was of the old one before the change, and nothing after."""
        for way in ("erase", "prune"):
            move = ChangeId(f"m-{way}")
            self.do(
                lambda tx, move=move: tx.address_changes.begin(
                    samples.a_move(move, kind=ChangeKind.CHANGE, checkouts=())
                )
            )
            self.do(lambda tx, move=move: tx.address_changes.settle(move, done_at=NOW, checkouts=()))
            self.do(lambda tx, way=way: tx.outbox.queue(samples.a_mail(f"before-{way}", link=f"1{way}")))
            self.do(lambda tx, way=way: tx.links.add(samples.a_link(f"1{way}", purpose=LinkPurpose.ACCESS)))
            later = NOW + SECOND
            session = samples.a_session(f"s-{way}", mailbox=ANNA, token=f"t-{way}", at=NOW + 11 * DAY)
            self.do(lambda tx, session=session: tx.sessions.add(session))
            self.do(
                lambda tx, way=way: tx.links.add(
                    samples.a_link(f"2{way}", purpose=LinkPurpose.ORDER, at=NOW + 11 * DAY)
                )
            )
            mail = replace(
                samples.a_mail(f"order-{way}", link=f"2{way}", kind=MailKind.ORDER), queued_at=later
            )
            self.do(lambda tx, mail=mail: tx.outbox.queue(mail))
            if way == "erase":
                self.do(lambda tx: tx.erasures.erase(BEN, at=NOW + DAY))
            else:
                self.do(lambda tx: tx.retention.prune(now=NOW + 12 * DAY))
            assert self.see(lambda tx, way=way: tx.outbox.get(f"before-{way}")) is None
            assert self.see(lambda tx, way=way: tx.links.get(LinkId(f"1{way}"))) is None
            assert self.see(lambda tx, way=way: tx.outbox.get(f"order-{way}")) is not None
            assert self.see(lambda tx, way=way: tx.links.get(LinkId(f"2{way}"))) is not None
            assert self.see(lambda tx, way=way: tx.sessions.by_token(Digest(f"t-{way}"))) is not None

    def test_of_a_correction_it_stays_for_good_that_there_was_one(self) -> None:
        for number, way in enumerate(("erase", "prune")):
            row, move = CheckoutId(f"c{number}"), ChangeId(f"m{number}")
            self.do(
                lambda tx, move=move, row=row: tx.address_changes.begin(
                    samples.a_move(move, checkouts=(row,))
                )
            )
            self.do(lambda tx, move=move: tx.address_changes.settle(move, done_at=NOW))
            if way == "erase":
                self.do(lambda tx: tx.erasures.erase(BEN, at=NOW))
            else:
                self.do(lambda tx: tx.retention.prune(now=NOW + 12 * DAY))
                assert self.do(lambda tx: tx.retention.prune(now=NOW + 12 * DAY)) == 0
            assert self.see(lambda tx, row=row: tx.address_changes.was_corrected(row))
            assert self.see(lambda tx: tx.erasures.known_addresses_after("", limit=9)) == []

    def test_a_request_to_move_something_to_an_erased_address_can_be_taken_back(self) -> None:
        pending = samples.a_move("m1", kind=ChangeKind.CHANGE, checkouts=())
        self.do(lambda tx: tx.address_changes.begin(pending))
        self.do(lambda tx: tx.erasures.erase(BEN, at=NOW))
        assert self.see(lambda tx: tx.address_changes.get(ChangeId("m1"))) == replace(
            pending, new=EmailAddress("")
        )
        assert self.do(lambda tx: tx.address_changes.cancel_pending(ANNA, at=NOW)) == 1

    def test_an_erased_order_loses_its_person_and_nothing_else_of_theirs(self) -> None:
        self._sell("c1", "c2")
        for row in ("c1", "c2"):
            self.do(lambda tx, row=row: tx.outbox.queue(samples.a_mail(f"access:{row}", link=row)))
            self.do(lambda tx, row=row: tx.links.add(samples.a_link(row)))
        assert self.do(lambda tx: tx.erasures.erase_order(CheckoutId("c1"), at=NOW)) is True
        assert self.do(lambda tx: tx.erasures.erase_order(CheckoutId("c1"), at=NOW)) is False
        assert [h.purchase.checkout for h in self.see(lambda tx: tx.purchases.of_address(ANNA))] == ["c2"]
        assert self._mailed() == {"access:c2"}
        assert (
            self.see(lambda tx: tx.links.get(LinkId("c1"))),
            self.see(lambda tx: tx.users.by_address(ANNA)) is None,
        ) == (
            None,
            False,
        )
        assert self.see(lambda tx: tx.links.get(LinkId("c2"))) is not None

    def test_of_an_erased_address_the_latest_time_is_kept(self) -> None:
        for at, new in ((NOW, True), (NOW, False), (NOW - DAY, False), (NOW + DAY, True)):
            erased = ErasedAddress(tag="k.1", at=at)
            assert self.do(lambda tx, erased=erased: tx.erasures.note_address(erased)) is new
        self.do(lambda tx: tx.erasures.note_address(ErasedAddress(tag="k.0", at=NOW)))
        assert self.see(lambda tx: tx.erasures.addresses_after("", limit=9)) == [
            ErasedAddress(tag="k.0", at=NOW),
            ErasedAddress(tag="k.1", at=NOW + DAY),
        ]
        assert [one.tag for one in self.see(lambda tx: tx.erasures.addresses_after("k.0", limit=9))] == [
            "k.1"
        ]

    def _asks(
        self,
        move: str,
        *,
        old: EmailAddress,
        new: EmailAddress,
        proof: str,
        undo: str,
        kind: ChangeKind = ChangeKind.CORRECTION,
    ) -> None:
        """A request to move, with its two links and mails."""
        self.do(
            lambda tx: tx.address_changes.begin(
                samples.a_move(move, old=old, new=new, kind=kind, checkouts=())
            )
        )
        for link, to, purpose in ((proof, new, LinkPurpose.MOVE), (undo, old, LinkPurpose.UNDO)):
            row = samples.a_link(link, purpose=purpose, mailbox=to, move=move)
            mail = samples.a_mail(f"address:{link}", kind=MailKind.ADDRESS, link=link, to=to)
            self.do(lambda tx, row=row: tx.links.add(row))
            self.do(lambda tx, mail=mail: tx.outbox.queue(mail))

    def _mailed(self) -> set[str]:
        return {mail.key for mail in self.see(lambda tx: tx.outbox.page_after("", limit=99))}
