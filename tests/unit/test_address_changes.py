"""An address that is corrected after a payment, and one that is changed later: what moves, and what an undo brings back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.address_change import ChangeKind, MayNotCorrect
from domain.usecases.change_outcomes import CheckYourNewEmail, NotSignedIn, SameAddress
from domain.usecases.link_outcomes import LinkError, LinkValid, SignedIn, SignedInAlready
from domain.values import EmailAddress
from entrypoints.testing import BASE_URL, PHOTOS, Browser, Shop
from testkit.owners import (
    ANNA,
    BEN,
    NEW,
    WRONG,
    change,
    correct,
    error_of,
    opens,
    order_of,
    owner_of,
    signed_in,
)
from testkit.stepping import run

# ------------------------------------------------------------------ the wrong address


def test_a_mistyped_address_is_corrected_once_the_right_one_is_proved() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy_and_pay(WRONG)
    assert correct(shop, anna, ref, ANNA) == CheckYourNewEmail(ChangeKind.CORRECTION)
    assert owner_of(shop, ref) == WRONG, "the old address keeps it until the new one is proved"
    assert "Undo the change" in shop.letters_to(WRONG)[-1].text
    assert ANNA not in shop.letters_to(WRONG)[-1].text
    assert isinstance(anna.press(shop.last_link(ANNA)), SignedIn)
    assert owner_of(shop, ref) == ANNA
    assert opens(anna)
    assert [str(u.mailbox) for u in shop.memory.tables.users.values()] == [ANNA], (
        "nobody is left at the wrong one"
    )


def test_the_code_of_the_proof_works_in_the_browser_that_asked() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy_and_pay(WRONG)
    correct(shop, anna, ref, ANNA)
    assert isinstance(anna.type_code(shop.last_code(ANNA)), SignedIn)
    assert owner_of(shop, ref) == ANNA


def test_a_correction_is_for_the_browser_that_paid_once_and_soon() -> None:
    shop = Shop()
    anna, other = Browser(shop), Browser(shop)
    ref = anna.buy_and_pay(WRONG)
    other.buy_and_pay(BEN, PHOTOS)
    assert correct(shop, other, ref, "eve@example.com") is MayNotCorrect.NOT_HERE
    assert correct(shop, Browser(shop), ref, "eve@example.com") is MayNotCorrect.NOT_HERE
    assert correct(shop, anna, ref, WRONG) == SameAddress()
    assert correct(shop, anna, ref, ANNA) == CheckYourNewEmail(ChangeKind.CORRECTION)
    assert correct(shop, anna, ref, "third@example.com") is MayNotCorrect.ONCE
    shop.clock.tick(minutes=31)
    late = anna.buy_and_pay(WRONG, again=True)
    shop.clock.tick(minutes=30)
    assert correct(shop, anna, late, ANNA) is MayNotCorrect.TOO_LATE


def test_nothing_is_corrected_once_somebody_proved_the_old_mailbox() -> None:
    shop = Shop()
    anna, owner = Browser(shop), Browser(shop)
    ref = anna.buy_and_pay(BEN)
    owner.press(shop.last_link(BEN))
    assert correct(shop, anna, ref, ANNA) == CheckYourNewEmail(ChangeKind.CORRECTION), (
        "the payer must not learn it"
    )
    assert shop.letters_to(ANNA) == []
    assert correct(shop, anna, ref, NEW) is MayNotCorrect.ONCE, "as of an address that nobody verified"


def test_a_proof_comes_too_late_when_the_old_mailbox_was_proved_meanwhile() -> None:
    shop = Shop()
    anna, ben = Browser(shop), Browser(shop)
    ref = anna.buy_and_pay(BEN)
    correct(shop, anna, ref, ANNA)
    ben.press(shop.letters_to(BEN)[0].text.partition(f"{BASE_URL}/login/")[2].split()[0])
    assert error_of(anna.press(shop.last_link(ANNA))) is LinkError.WITHDRAWN
    assert owner_of(shop, ref) == BEN
    assert opens(anna), "the browser that paid still sees it"


@pytest.mark.parametrize("done", [False, True])
def test_the_old_address_can_undo_it_for_72_hours(done: bool) -> None:
    shop = Shop()
    anna, old = Browser(shop), Browser(shop)
    ref = anna.buy_and_pay(WRONG)
    correct(shop, anna, ref, ANNA)
    proof, undo = shop.last_link(ANNA), shop.last_link(WRONG)
    if done:
        anna.press(proof)
    shop.clock.tick(hours=71)
    assert isinstance(old.press(undo), SignedIn)
    assert owner_of(shop, ref) == WRONG
    assert opens(old)
    if not done:
        assert error_of(anna.press(proof)) in (LinkError.EXPIRED, LinkError.WITHDRAWN)
    assert old.press(undo) == SignedInAlready(product=None)
    assert error_of(Browser(shop).press(undo)) is LinkError.USED
    assert correct(shop, anna, ref, ANNA) in (MayNotCorrect.ONCE, MayNotCorrect.NOT_HERE)


def test_after_72_hours_it_stays() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy_and_pay(WRONG)
    correct(shop, anna, ref, ANNA)
    anna.press(shop.last_link(ANNA))
    shop.clock.tick(hours=73)
    assert error_of(Browser(shop).press(shop.last_link(WRONG))) is LinkError.EXPIRED
    assert owner_of(shop, ref) == ANNA


def test_a_buyer_who_is_signed_in_and_pays_with_another_address_keeps_it_in_the_account() -> None:
    shop = Shop()
    anna, _ = signed_in(shop)
    ref = anna.buy(PHOTOS)
    shop.payments.sessions[ref] = replace(shop.payments.sessions[ref], email=None)
    shop.payments.pay(ref, email="company@example.com")
    shop.hear_of(ref, event="evt_company")
    purchase = shop.memory.tables.purchases[order_of(shop, ref)]
    assert (str(purchase.mailbox), str(purchase.paid_email)) == (ANNA, "company@example.com")
    assert [str(u.mailbox) for u in shop.memory.tables.users.values()] == [ANNA]
    assert correct(shop, anna, ref, BEN) is MayNotCorrect.NOT_HERE


# ------------------------------------------------------------------ a new address


def test_everything_moves_to_a_new_address_once_it_is_proved() -> None:
    shop = Shop()
    anna, ref = signed_in(shop)
    phone = Browser(shop)
    phone.ask_for_link(ANNA)
    shop.deliver_mail()
    phone.press(shop.last_link(ANNA))
    assert change(shop, anna, NEW) == CheckYourNewEmail(ChangeKind.CHANGE)
    assert owner_of(shop, ref) == ANNA
    assert isinstance(anna.press(shop.last_link(NEW)), SignedIn)
    assert owner_of(shop, ref) == NEW
    assert opens(anna)
    assert phone.viewer.session is None, "browsers signed in with the old address are out"
    assert [str(u.mailbox) for u in shop.memory.tables.users.values()] == [NEW]
    anna.ask_for_link(ANNA)
    shop.deliver_mail()
    assert shop.letters_to(ANNA)[-1].subject != "Sign in to A Shop", (
        "the old address signs nobody in any more"
    )


def test_a_change_completes_only_in_the_browser_that_asked_and_elsewhere_uses_nothing_up() -> None:
    shop = Shop()
    anna, ref = signed_in(shop)
    change(shop, anna, NEW)
    phone, link = Browser(shop), shop.last_link(NEW)
    assert error_of(phone.press(link)) is LinkError.ELSEWHERE
    assert phone.viewer.session is None
    assert owner_of(shop, ref) == ANNA
    shown = run(shop.redeem.look(phone.visitor, link))
    assert isinstance(shown, LinkValid)
    assert shown.moving is not None
    assert (str(shown.moving.old), shown.moving.works_here) == (ANNA, False)
    assert isinstance(anna.type_code(shown.moving.code), SignedIn), "typed where it was asked for"
    assert owner_of(shop, ref) == NEW


def test_two_accounts_become_one_and_an_undo_takes_only_back_what_moved() -> None:
    shop = Shop()
    anna, book = signed_in(shop)
    other, photos = Browser(shop), None
    photos = other.buy_and_pay(NEW, PHOTOS)
    change(shop, anna, NEW)
    anna.press(shop.last_link(NEW))
    assert (owner_of(shop, book), owner_of(shop, photos)) == (NEW, NEW)
    assert len(shop.memory.tables.users) == 1
    owner = Browser(shop)
    assert isinstance(owner.press(shop.last_link(ANNA)), SignedIn)
    assert (owner_of(shop, book), owner_of(shop, photos)) == (ANNA, NEW)
    assert sorted(str(u.mailbox) for u in shop.memory.tables.users.values()) == [ANNA, NEW]


def test_a_thief_with_a_session_cannot_keep_what_the_owner_takes_back() -> None:
    shop = Shop()
    anna, ref = signed_in(shop)
    thief = Browser(shop, token=anna.token)
    change(shop, thief, "thief@example.com")
    thief.press(shop.last_link("thief@example.com"))
    assert owner_of(shop, ref) == "thief@example.com"
    owner = Browser(shop)
    owner.press(shop.last_link(ANNA))
    assert owner_of(shop, ref) == ANNA
    thief.press(shop.last_link("thief@example.com"))
    assert owner_of(shop, ref) == ANNA


def test_only_who_is_signed_in_changes_an_address() -> None:
    shop = Shop()
    buyer = Browser(shop)
    buyer.buy_and_pay(ANNA)
    for browser in (buyer, Browser(shop)):
        assert change(shop, browser, NEW) == NotSignedIn()


def test_a_change_takes_along_what_was_begun_and_undoing_it_brings_that_back() -> None:
    shop = Shop()
    anna, _ = signed_in(shop)
    debit = anna.buy(PHOTOS)
    change(shop, anna, NEW)
    undo = shop.last_link(ANNA)
    anna.press(shop.last_link(NEW))
    begun = shop.memory.tables.checkouts[order_of(shop, debit)]
    assert begun.mailbox == EmailAddress(NEW)
    Browser(shop).press(undo)
    assert shop.memory.tables.checkouts[order_of(shop, debit)].mailbox == EmailAddress(ANNA)
