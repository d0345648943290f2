"""What every store promises of addresses that change, and of what goes along with them. Part of the store contract."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from contracts import samples
from contracts.samples import ANNA, BEN, DAY, NOW
from contracts.under_test import StoreUnderTest

from domain.address_change import Before, ChangeKind
from domain.fact import Fact, FactKind
from domain.magic_link import LinkPurpose
from domain.mail import MailKind, MailState
from domain.transaction import ReadTransaction, Transaction
from domain.values import ChangeId, CheckoutId, Digest, EmailAddress, LinkId, SessionId, UserId


class AddressChangeContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def test_a_move_is_done_once_and_undone_once(self) -> None:
        self.do(lambda tx: tx.address_changes.begin(samples.a_move()))
        assert self.see(lambda tx: tx.address_changes.get(ChangeId("m1"))) == samples.a_move()
        assert self.see(lambda tx: tx.address_changes.correction_of(CheckoutId("c1"))) is not None
        assert self.see(lambda tx: tx.address_changes.correction_of(CheckoutId("c2"))) is None
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

    def test_a_purchase_without_an_owner_is_given_once_and_an_erased_one_never(self) -> None:
        for row in ("c2", "c1", "c3"):
            nobodys = samples.a_purchase(row, user=None, mailbox=None)
            self.do(lambda tx, nobodys=nobodys: tx.purchases.book(nobodys))
        self._sell("c4")
        self.do(lambda tx: tx.erasures.erase_order(CheckoutId("c3"), at=NOW))
        self.do(lambda tx: tx.users.get_or_add(BEN, new_id=UserId("u2"), now=NOW))
        every = [CheckoutId(row) for row in ("c1", "c3", "c4", "c5")]

        def orders(work: Callable[[ReadTransaction], Any]) -> list[str]:
            return [held.purchase.checkout for held in self.see(work)]

        assert self.see(lambda tx: tx.problems.orders_without_owner()) == ["c1", "c2"]
        self.do(lambda tx: tx.purchases.transfer(every, old=None, mailbox=BEN, user=UserId("u2")))
        self.do(lambda tx: tx.purchases.transfer(every, old=None, mailbox=ANNA, user=UserId("u1")))
        assert self.see(lambda tx: tx.problems.orders_without_owner()) == ["c2"]
        assert orders(lambda tx: tx.purchases.of_address(BEN)) == ["c1"]
        assert orders(lambda tx: tx.purchases.of_address(ANNA)) == ["c4"]

    def test_links_to_a_named_address_are_pruned_a_week_after_they_expire(self) -> None:
        for number, asked_by in enumerate((None, "s1")):
            sent = samples.a_link(
                f"{number:032x}", purpose=LinkPurpose.OWNER, checkout="c1", asked_by=asked_by
            )
            self.do(lambda tx, sent=sent: tx.links.add(replace(sent, sent_at=NOW)))
        left = {}
        for hours in (0, 1, 23, 25):
            self.do(lambda tx, hours=hours: tx.retention.prune(now=NOW + 7 * DAY + timedelta(hours=hours)))
            left[hours] = [
                self.see(lambda tx, n=n: tx.links.get(LinkId(f"{n:032x}"))) is not None for n in (0, 1)
            ]
        assert left == {0: [True, True], 1: [True, False], 23: [True, False], 25: [False, False]}

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

    def test_the_moves_of_an_address_are_those_from_and_to_it_whatever_came_of_them(self) -> None:
        clara, hours = EmailAddress("clara@example.com"), timedelta(hours=1)
        for row, old, new, at in (
            ("m5", ANNA, BEN, NOW), ("m4", ANNA, BEN, NOW), ("m3", BEN, ANNA, NOW - hours), ("m2", BEN, clara, NOW),
            ("m1", ANNA, BEN, NOW + hours),
        ):  # fmt: skip
            move = samples.a_move(row, old=old, new=new, at=at)
            self.do(lambda tx, move=move: tx.address_changes.begin(move))
        self.do(lambda tx: tx.address_changes.settle(ChangeId("m3"), done_at=NOW))
        self.do(lambda tx: tx.address_changes.settle(ChangeId("m3"), undone_at=NOW))
        self.do(lambda tx: tx.address_changes.settle(ChangeId("m4"), done_at=NOW))
        self.do(lambda tx: tx.address_changes.settle(ChangeId("m5"), undone_at=NOW))
        found = self.see(lambda tx: tx.address_changes.of_address(ANNA))
        assert [move.id for move in found] == ["m3", "m4", "m5", "m1"]
        assert (found[0].old, found[0].done_at, found[0].undone_at) == (BEN, NOW, NOW)
        assert [move.id for move in self.see(lambda tx: tx.address_changes.of_address(clara))] == ["m2"]
        assert self.see(lambda tx: tx.address_changes.of_address(EmailAddress("dora@example.com"))) == []

    def test_open_checkouts_that_a_guest_began_follow_the_change_of_the_address_verified_since(self) -> None:
        """Those of every session of the address; not what is booked, signed in, too old, or another browser's."""
        self._sell("c3")
        for session in ("s1", "s2", "s3", "s4"):
            row = samples.a_session(session, token=session)
            self.do(lambda tx, row=row: tx.sessions.add(row))
        begun = [("c1", "s2", None), ("c2", "s1", None), ("c3", "s1", None), ("c4", "s1", ANNA), ("c5", "s3", None),
                 ("c6", "s4", None)]  # fmt: skip
        for checkout, session, mailbox in begun:
            one = samples.a_checkout(checkout, ref=f"cs_test_{checkout}", session=session, mailbox=mailbox)
            self.do(lambda tx, one=one: tx.checkouts.add(one))
        old = samples.a_checkout("c0", ref=None, session="s1", mailbox=None, at=NOW - DAY)
        self.do(lambda tx: tx.checkouts.add(old))
        for session, verified in (("s1", ANNA), ("s2", ANNA), ("s3", BEN)):
            self._verify(session, verified)
        self.do(
            lambda tx: tx.address_changes.begin(
                samples.a_move(kind=ChangeKind.CHANGE, new=EmailAddress("c@x.io"))
            )
        )
        found = self.do(lambda tx: tx.checkouts.follow_change(ANNA, change=ChangeId("m1"), since=NOW - DAY))
        assert found == ["c1", "c2"]
        rows = [self.see(lambda tx, n=n: tx.checkouts.get(CheckoutId(f"c{n}"))) for n in range(7)]
        assert [row and row.change for row in rows] == [None, "m1", "m1", None, None, None, None]
        self.do(lambda tx: tx.address_changes.settle(ChangeId("m1"), done_at=NOW, checkouts=found))
        later = NOW + timedelta(days=11)
        unpaid = Fact(
            object_id="cs_test_c1",
            kind=FactKind.SESSION,
            payment="pi_1",
            as_of=1,
            status="unpaid",
            amount=900,
        )
        self.do(lambda tx: tx.facts.record(unpaid))
        self.do(lambda tx: tx.retention.prune(now=later))
        self.do(lambda tx: tx.retention.prune(now=later))
        assert self.see(lambda tx: tx.address_changes.get(ChangeId("m1"))) is not None, (
            "a debit still follows it"
        )
        self.do(lambda tx: tx.erasures.erase_order(CheckoutId("c1"), at=NOW))
        erased = self.see(lambda tx: tx.checkouts.get(CheckoutId("c1")))
        assert erased is not None
        assert erased.change is None
        self.do(lambda tx: tx.retention.prune(now=later))
        assert self.see(lambda tx: tx.address_changes.get(ChangeId("m1"))) is None

    def test_the_payments_of_an_address_that_are_under_way_are_found(self) -> None:
        """What it began, and what its sessions began as guests; neither booked, settled, failed nor another's."""
        self._sell("c3")
        self.do(lambda tx: tx.sessions.add(samples.a_session("s1")))
        begun = [("c1", "s1", None, "unpaid"), ("c2", "s2", ANNA, "unpaid"), ("c3", "s1", ANNA, "unpaid"),
                 ("c4", "s1", ANNA, "failed"), ("c5", "s1", ANNA, None), ("c6", "s2", None, "unpaid"),
                 ("c7", "s1", BEN, "unpaid")]  # fmt: skip
        for checkout, session, mailbox, status in begun:
            one = samples.a_checkout(checkout, ref=f"cs_test_{checkout}", session=session, mailbox=mailbox)
            self.do(lambda tx, one=one: tx.checkouts.add(one))
            if status is not None:
                fact = Fact(
                    object_id=f"cs_test_{checkout}",
                    kind=FactKind.SESSION,
                    payment=None,
                    as_of=1,
                    status=status,
                    amount=1,
                )
                self.do(lambda tx, fact=fact: tx.facts.record(fact))
        self._verify("s1", ANNA)
        found = self.see(lambda tx: tx.checkouts.pending_of(ANNA, since=NOW - DAY))
        assert [checkout.id for checkout in found] == ["c1", "c2"]
        booked = self.see(lambda tx: tx.checkouts.get(CheckoutId("c3")))
        assert booked is not None
        assert booked.verified is None, "whose it is stands in its purchase"
        self.do(lambda tx: tx.sessions.end(SessionId("s1")))
        assert self.see(lambda tx: tx.checkouts.pending_of(ANNA, since=NOW - DAY)) == found, (
            "signed out or not"
        )
        assert [c.id for c in self.see(lambda tx: tx.checkouts.pending_of(ANNA, since=NOW))] == []

    def test_an_open_checkout_follows_one_change_after_the_other_although_its_session_is_gone(self) -> None:
        third, fourth = EmailAddress("c@x.io"), EmailAddress("d@x.io")
        for row in ("c1", "c11"):
            one = samples.a_checkout(row, ref=f"cs_test_{row}", session="s1", mailbox=None)
            self.do(lambda tx, one=one: tx.checkouts.add(one))
            fact = Fact(f"cs_test_{row}", FactKind.SESSION, None, as_of=1, status="unpaid", amount=1)
            self.do(lambda tx, fact=fact: tx.facts.record(fact))
        self.do(lambda tx: tx.sessions.add(samples.a_session("s1")))
        self._verify("s1", ANNA)

        def change(row: str, old: EmailAddress, new: EmailAddress, hour: int) -> Sequence[str]:
            move = samples.a_move(row, old=old, new=new, kind=ChangeKind.CHANGE, checkouts=())
            at = NOW + timedelta(hours=hour)

            def work(tx: Transaction) -> Sequence[CheckoutId]:
                tx.address_changes.begin(move)
                found = tx.checkouts.follow_change(old, change=move.id, since=NOW - DAY)
                tx.address_changes.settle(move.id, done_at=at, checkouts=found)
                return found

            return self.do(work)

        def pending(mailbox: EmailAddress, *, since: datetime = NOW - DAY) -> list[str]:
            found = self.see(lambda tx: tx.checkouts.pending_of(mailbox, since=since))
            return [checkout.id for checkout in found]

        assert change("m1", ANNA, BEN, 1) == ["c1", "c11"]
        self.do(lambda tx: tx.sessions.end(SessionId("s1")))
        self.do(lambda tx: tx.erasures.erase_order(CheckoutId("c11"), at=NOW))
        assert (pending(ANNA), pending(BEN), pending(BEN, since=NOW)) == ([], ["c1"], [])
        assert change("m2", BEN, third, 2) == ["c1"]
        assert (pending(BEN), pending(third)) == ([], ["c1"])
        assert change("m3", BEN, fourth, 3) == [], "it is not there any more"
        self.do(lambda tx: tx.address_changes.settle(ChangeId("m2"), undone_at=NOW))
        assert (pending(BEN), pending(third)) == (["c1"], [])
        assert change("m4", BEN, ANNA, 4) == ["c1"]
        assert (pending(ANNA), pending(BEN)) == (["c1"], []), "back where it came from"
        assert change("m5", ANNA, fourth, 5) == ["c1"]
        self._sell("c1")
        assert pending(fourth) == []
        assert change("m6", fourth, BEN, 6) == []

    def test_emails_about_changes_of_address_are_pruned_ten_days_after_they_were_queued(self) -> None:
        """Also those of a change that was never confirmed: nothing else would find them by the person."""
        mails = [("sent", MailKind.ADDRESS, MailState.SENT), ("left", MailKind.ADDRESS, MailState.STUCK),
                 ("access", MailKind.ACCESS, MailState.SENT)]  # fmt: skip
        for key, kind, state in mails:
            mail = samples.a_mail(key, kind=kind)
            self.do(lambda tx, mail=mail: tx.outbox.queue(mail))
            self.do(lambda tx, key=key, state=state: tx.outbox.settle(key, state=state, at=NOW, problem=""))
        for days, left in ((9, ["access", "left", "sent"]), (11, ["access", "left"])):
            self.do(lambda tx, days=days: tx.retention.prune(now=NOW + days * DAY))
            keys = [
                key for key, _, _ in mails if self.see(lambda tx, key=key: tx.outbox.get(key)) is not None
            ]
            assert sorted(keys) == left

    def test_the_address_that_a_guest_verified_later_is_taken_out_with_the_person(self) -> None:
        """By a deletion; and after a change that cannot be undone any more, from what began before it."""
        for session, checkout, hours in (("s1", "c1", 0), ("s2", "c2", 2)):
            at = NOW + timedelta(hours=hours)
            row = samples.a_session(session, token=session)
            one = samples.a_checkout(
                checkout, ref=f"cs_test_{checkout}", session=session, mailbox=None, at=at
            )
            self.do(lambda tx, row=row, one=one: (tx.sessions.add(row), tx.checkouts.add(one)))
            self._verify(session, ANNA)

        def verified() -> list[EmailAddress | None]:
            rows = [self.see(lambda tx, n=n: tx.checkouts.get(CheckoutId(n))) for n in ("c1", "c2")]
            return [row and row.verified for row in rows]

        assert verified() == [ANNA, ANNA]
        assert ANNA in self.see(lambda tx: tx.erasures.known_addresses_after("", limit=9))
        move = replace(samples.a_move(new=EmailAddress("c@x.io"), checkouts=()), kind=ChangeKind.CHANGE)
        self.do(lambda tx: tx.address_changes.begin(move))
        self.do(lambda tx: tx.address_changes.settle(move.id, done_at=NOW + timedelta(hours=1)))
        self.do(lambda tx: tx.erasures.forget(EmailAddress("c@x.io")))
        assert verified() == [None, ANNA], "the second is of whoever has the address now"
        self.do(lambda tx: tx.erasures.erase(ANNA, at=NOW))
        assert verified() == [None, None]

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
