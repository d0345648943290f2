"""What every store promises of erasing an order or a person. Part of the store contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from contracts import samples
from contracts.samples import ANNA, BEN, BOOK, DAY, NOW, SECOND
from contracts.under_test import StoreUnderTest

from domain.address_change import ChangeKind
from domain.magic_link import LinkPurpose
from domain.mail import MailKind
from domain.records import ErasedAddress
from domain.values import ChangeId, CheckoutId, Digest, EmailAddress, LinkId, UserId


class ErasureContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def test_erasing_an_order_takes_what_was_sent_to_addresses_named_for_it(self) -> None:
        self._sell("c1", "c2")
        for number, (row, mailbox) in enumerate((("c1", ANNA), ("c1", BEN), ("c2", BEN))):
            link = f"{number:032x}"
            sent = samples.a_link(link, purpose=LinkPurpose.OWNER, mailbox=mailbox, checkout=row)
            self.do(lambda tx, sent=sent: tx.links.add(sent))
            mail = samples.a_mail(f"owner:{link}#2", kind=MailKind.ORDER, link=link, to=mailbox)
            self.do(lambda tx, mail=mail: tx.outbox.queue(mail))
        self.do(
            lambda tx: tx.links.add(samples.a_link(purpose=LinkPurpose.ORDER, mailbox=BEN, checkout="c1"))
        )
        self.do(lambda tx: tx.erasures.erase_order(CheckoutId("c1"), at=NOW))
        assert [m.key for m in self.see(lambda tx: tx.outbox.page_after("", limit=9))] == [
            f"owner:{2:032x}#2"
        ]
        kept = [f"{2:032x}", "ab" * 16]
        for link in (f"{0:032x}", f"{1:032x}", *kept):
            found = self.see(lambda tx, link=link: tx.links.get(LinkId(link)))
            assert (found is not None) == (link in kept)

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
        asked = [CheckoutId("c1"), CheckoutId("c9"), CheckoutId("c7")]
        assert self.see(lambda tx: tx.erasures.erased_at(asked)) == {"c1": NOW, "c9": NOW}
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
            assert self.see(lambda tx, row=row: tx.address_changes.correction_of(row))
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
