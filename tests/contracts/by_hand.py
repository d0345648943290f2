"""What every store promises of what the merchant does by hand: notes, replaced keys, last emails. Part of the store contract."""

from __future__ import annotations

from dataclasses import replace

from contracts.samples import ANNA, BEN, BOOK, DAY, NOW, SECOND, a_mail, a_purchase
from contracts.under_test import StoreUnderTest

from domain.mail import BODY_KEPT, MailKind, MailState
from domain.note import Note
from domain.purchase import LicenceKey
from domain.values import CheckoutId, ProductId, UserId

ONE, TWO = CheckoutId("c1"), CheckoutId("c2")


class ByHandContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def _book_one(self, *keys: str) -> None:
        self.do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW))
        held = tuple(LicenceKey(BOOK, key) for key in keys)
        self.do(lambda tx: tx.purchases.book(replace(a_purchase(), licences=held)))

    def _held_keys(self) -> list[str]:
        purchase = self.see(lambda tx: tx.purchases.get(ONE))
        assert purchase is not None
        return [item.key for item in purchase.licences]

    def test_a_user_is_found_by_their_id_until_they_are_dropped(self) -> None:
        self.do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW))
        assert self.see(lambda tx: tx.users.get(UserId("u1"))) == self.see(
            lambda tx: tx.users.by_address(ANNA)
        )
        self.do(lambda tx: tx.users.drop_without_purchases(ANNA))
        assert self.see(lambda tx: tx.users.get(UserId("u1"))) is None

    def test_the_last_note_counts_an_empty_one_deletes_it_and_it_goes_with_the_person(self) -> None:
        self._book_one()
        first = Note(ONE, text="one\ntwo", written_at=NOW, written_by="cli:anna")
        other = Note(TWO, text="x" * 2000, written_at=NOW, written_by="staff:s1")
        for note in (replace(first, text="before"), first, other):
            self.do(lambda tx, note=note: tx.notes.write(note))
        assert self.see(lambda tx: tx.notes.get(ONE)) == first
        assert self.see(lambda tx: tx.notes.page_after("", limit=9)) == [first, other]
        assert self.see(lambda tx: tx.notes.page_after("c1", limit=9)) == [other]
        self.do(lambda tx: tx.notes.write(replace(other, text="")))
        assert self.see(lambda tx: tx.notes.get(TWO)) is None
        self.do(lambda tx: tx.erasures.erase(ANNA, at=NOW))
        assert self.see(lambda tx: tx.notes.page_after("", limit=9)) == []

    def test_a_listed_key_is_replaced_by_the_next_free_one_and_given_to_nobody_again(self) -> None:
        self.do(lambda tx: tx.licences.stock(BOOK, ["k1", "k2"]))
        assert self.do(lambda tx: tx.licences.assign(BOOK, checkout=ONE)) == "k1"
        self._book_one("k1")
        new = LicenceKey(BOOK, "k2")

        def replaced() -> LicenceKey | None:
            return self.do(lambda tx: tx.licences.replace(BOOK, checkout=ONE, at=NOW, generated=None))

        assert replaced() == new
        assert self._held_keys() == ["k2"]
        assert replaced() is None, "no key is free"
        assert self._held_keys() == ["k2"]
        assert self.see(lambda tx: tx.licences.replaced_of(ONE)) == [LicenceKey(BOOK, "k1")]
        assert self.see(lambda tx: tx.licences.replaced_of(TWO)) == []
        [found] = self.see(lambda tx: tx.searches.by_licence_key("k1", limit=9))
        assert found.purchase.checkout == ONE, "whoever writes with the old key is found by it"
        self.do(lambda tx: tx.licences.stock(BOOK, ["k1", "k2"]))
        assert not self.do(lambda tx: tx.licences.any_free(BOOK))
        purchase = self.see(lambda tx: tx.purchases.get(ONE))
        assert purchase is not None
        self.do(lambda tx: tx.licences.take_back(purchase))
        assert self.do(lambda tx: tx.licences.assign(BOOK, checkout=TWO)) == "k2"
        assert not self.do(lambda tx: tx.licences.any_free(BOOK)), "the replaced one is not free again"

    def test_a_generated_key_is_replaced_in_its_place_by_the_given_one(self) -> None:
        zine = ProductId("zine")
        self._book_one()
        held = (LicenceKey(zine, "z1"), LicenceKey(BOOK, "g1"))
        self.do(
            lambda tx: tx.purchases.book(
                replace(a_purchase(), checkout=TWO, provider_ref=None, licences=held)
            )
        )
        for n, key in enumerate(("g2", "g3")):
            at = NOW + n * SECOND
            made = self.do(
                lambda tx, key=key, at=at: tx.licences.replace(BOOK, checkout=TWO, at=at, generated=key)
            )
            assert made == LicenceKey(BOOK, key)
        purchase = self.see(lambda tx: tx.purchases.get(TWO))
        assert purchase is not None
        assert purchase.licences == (LicenceKey(zine, "z1"), LicenceKey(BOOK, "g3"))
        assert self.see(lambda tx: tx.licences.replaced_of(TWO)) == [
            LicenceKey(BOOK, "g1"),
            LicenceKey(BOOK, "g2"),
        ]
        [found] = self.see(lambda tx: tx.searches.by_licence_key("g1", limit=9))
        assert found.purchase.checkout == TWO
        self.do(lambda tx: tx.licences.stock(BOOK, ["g1"]))
        assert not self.do(lambda tx: tx.licences.any_free(BOOK)), "it was given away, whoever lists it now"
        assert self.do(lambda tx: tx.licences.replace(BOOK, checkout=ONE, at=NOW, generated="g9")) is None
        assert (
            self.do(lambda tx: tx.licences.replace(BOOK, checkout=CheckoutId("c9"), at=NOW, generated="g9"))
            is None
        )

    def test_a_last_email_goes_a_day_after_it_was_sent_and_after_a_week_in_any_case(self) -> None:
        last = replace(a_mail("farewell:a1"), kind=MailKind.FAREWELL, link=None)
        late = replace(last, key="farewell:a2", to=BEN)
        for mail in (last, late):
            self.do(lambda tx, mail=mail: tx.outbox.queue(mail))
        self.do(lambda tx: tx.outbox.settle(last.key, state=MailState.SENT, at=NOW))
        self.do(lambda tx: tx.outbox.settle(late.key, state=MailState.STUCK, at=NOW))
        self.do(lambda tx: tx.retention.prune(now=NOW + BODY_KEPT))
        assert self.see(lambda tx: tx.outbox.get(last.key)) is not None
        self.do(lambda tx: tx.retention.prune(now=NOW + BODY_KEPT + SECOND))
        assert self.see(lambda tx: tx.outbox.get(last.key)) is None
        assert self.see(lambda tx: tx.outbox.get(late.key)) is not None
        self.do(lambda tx: tx.retention.prune(now=NOW + 7 * DAY + SECOND))
        assert self.see(lambda tx: tx.outbox.get(late.key)) is None
