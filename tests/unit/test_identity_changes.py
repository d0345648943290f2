"""Whose browser a change of address acts for: the one that asked, whoever opens the link."""

from __future__ import annotations

from domain.address_change import ChangeKind
from domain.usecases.change_outcomes import CheckYourNewEmail, SameAddress, VerifyAgain
from domain.usecases.erase_refusal import Erased
from domain.usecases.link_outcomes import LinkError, LinkRejected, LinkValid, SignedIn
from domain.usecases.request_login import TooManyRequests
from domain.values import EmailAddress, mask
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop
from testkit.owners import error_of, order_of, owner_of
from testkit.stepping import run
from testkit.victims import (
    NEW,
    SECOND,
    THIEF,
    VICTIM,
    account_of,
    change,
    correct,
    links_to,
    sign_in,
    signed_in,
)


def test_a_victim_who_presses_every_button_stays_herself_and_keeps_what_is_hers() -> None:
    shop = Shop()
    thief, _ = signed_in(shop, THIEF, PHOTOS)
    victim, ref = signed_in(shop)
    assert change(thief, VICTIM) == CheckYourNewEmail(ChangeKind.CHANGE)
    assert error_of(victim.press(shop.last_link(VICTIM))) is LinkError.ELSEWHERE
    assert account_of(thief) == THIEF
    assert thief.owned == {PHOTOS}
    assert (account_of(victim), owner_of(shop, ref)) == (VICTIM, VICTIM)
    thief.press(links_to(shop, THIEF)[-1])
    assert run(shop.erase(thief.visitor)) is Erased.DONE
    assert owner_of(shop, ref) == VICTIM
    assert victim.owned == {BOOK}


def test_the_page_of_a_change_names_both_accounts_and_says_that_they_become_one() -> None:
    shop = Shop()
    thief, _ = signed_in(shop, THIEF, PHOTOS)
    victim, _ = signed_in(shop)
    change(thief, VICTIM)
    shown = run(shop.redeem.look(victim.visitor, shop.last_link(VICTIM)))
    assert isinstance(shown, LinkValid)
    assert shown.moving is not None
    assert (str(shown.moving.old), str(shown.moving.new)) == (THIEF, VICTIM)
    assert (shown.moving.works_here, shown.moving.merges) == (False, True)
    letter = shop.letters_to(VICTIM)[-1].text
    assert mask(EmailAddress(THIEF)) in letter
    assert THIEF not in letter
    assert "Both would be in one account" in letter
    assert "Never give the code to anyone" in letter


def test_the_link_of_a_change_works_in_the_browser_that_asked() -> None:
    shop = Shop()
    victim, ref = signed_in(shop)
    change(victim, NEW)
    assert isinstance(victim.press(shop.last_link(NEW)), SignedIn)
    assert (account_of(victim), owner_of(shop, ref)) == (NEW, NEW)


def test_a_browser_that_signed_in_as_another_meanwhile_completes_no_change() -> None:
    shop = Shop()
    shared, ref = signed_in(shop)
    change(shared, NEW)
    link, code = shop.last_link(NEW), shop.last_code(NEW)
    Browser(shop).buy_and_pay(THIEF, PHOTOS)
    sign_in(shared, THIEF)
    assert error_of(shared.press(link)) is LinkError.ELSEWHERE
    assert isinstance(shared.type_code(code), LinkRejected)
    assert owner_of(shop, ref) == VICTIM


def test_undoing_a_change_ends_the_session_it_signed_in_and_brings_everything_back() -> None:
    shop = Shop()
    victim, ref = signed_in(shop)
    run(shop.news.here(victim.visitor, wanted=False))
    since = shop.memory.tables.users[next(iter(shop.memory.tables.users))].since
    shop.clock.tick(minutes=30)
    thief = Browser(shop, token=victim.token)
    change(thief, THIEF)
    thief.press(shop.last_link(THIEF))
    assert owner_of(shop, ref) == THIEF
    owner = Browser(shop)
    assert isinstance(owner.press(links_to(shop, VICTIM)[-1]), SignedIn)
    assert thief.viewer.session is None
    assert owner_of(shop, ref) == VICTIM
    [user] = shop.memory.tables.users.values()
    assert (str(user.mailbox), user.since, user.wants_release_emails) == (VICTIM, since, False)


def test_an_undo_gives_the_new_address_back_the_emails_it_wanted() -> None:
    shop = Shop()
    victim, _ = signed_in(shop)
    Browser(shop).buy_and_pay(NEW, PHOTOS)
    run(shop.news.here(victim.visitor, wanted=False))
    change(victim, NEW)
    victim.press(shop.last_link(NEW))
    Browser(shop).press(links_to(shop, VICTIM)[-1])
    wanted = {str(u.mailbox): u.wants_release_emails for u in shop.memory.tables.users.values()}
    assert wanted == {VICTIM: False, NEW: True}


def test_an_undo_finds_what_a_thief_moved_on_to_a_second_address() -> None:
    shop = Shop()
    victim, ref = signed_in(shop)
    thief = Browser(shop, token=victim.token)
    change(thief, THIEF)
    thief.press(shop.last_link(THIEF))
    change(thief, SECOND)
    thief.press(shop.last_link(SECOND))
    assert owner_of(shop, ref) == SECOND
    Browser(shop).press(links_to(shop, VICTIM)[-1])
    assert owner_of(shop, ref) == VICTIM
    assert thief.viewer.session is None
    assert run(shop.erase(thief.visitor)) is Erased.NOT_SIGNED_IN


def test_the_undo_link_of_a_thief_moves_nothing_that_its_owner_brought_back() -> None:
    """He moved her account on to a second address before she undid all of it, and steals another session."""
    shop = Shop()
    victim, ref = signed_in(shop)
    thief = Browser(shop, token=victim.token)
    change(thief, THIEF)
    thief.press(shop.last_link(THIEF))
    change(thief, SECOND)
    thief.press(shop.last_link(SECOND))
    kept = links_to(shop, THIEF)[-1]
    victim = Browser(shop)
    victim.press(links_to(shop, VICTIM)[-1])
    again = Browser(shop, token=victim.token)
    change(again, SECOND)
    again.press(shop.last_link(SECOND))
    Browser(shop).press(kept)
    Browser(shop).press(links_to(shop, VICTIM)[-1])
    assert owner_of(shop, ref) == VICTIM


def test_undoing_a_change_leaves_the_undo_of_a_later_one_to_what_that_alone_moved() -> None:
    shop = Shop()
    victim, ref = signed_in(shop)
    change(victim, NEW)
    victim.press(shop.last_link(NEW))
    other = victim.buy_and_pay(NEW, PHOTOS)
    change(victim, SECOND)
    victim.press(shop.last_link(SECOND))
    Browser(shop).press(links_to(shop, VICTIM)[-1])
    assert (owner_of(shop, ref), owner_of(shop, other)) == (VICTIM, SECOND)
    Browser(shop).press(links_to(shop, NEW)[-1])
    assert (owner_of(shop, ref), owner_of(shop, other)) == (VICTIM, NEW)


def test_a_change_needs_a_verification_of_the_last_hour() -> None:
    shop = Shop()
    victim, _ = signed_in(shop)
    shop.clock.tick(minutes=60)
    stolen = Browser(shop, token=victim.token)
    assert change(stolen, THIEF) == VerifyAgain()
    assert shop.memory.tables.moves == {}
    sign_in(victim, VICTIM)
    assert change(victim, NEW) == CheckYourNewEmail(ChangeKind.CHANGE)


def test_undoing_a_change_that_waits_ends_the_session_that_asked_for_it() -> None:
    shop = Shop()
    victim, _ = signed_in(shop)
    thief = Browser(shop, token=victim.token)
    change(thief, THIEF)
    owner = Browser(shop)
    assert isinstance(owner.press(links_to(shop, VICTIM)[-1]), SignedIn)
    assert thief.viewer.session is None
    assert account_of(owner) == VICTIM


def test_guesses_of_the_payers_address_are_counted() -> None:
    shop = Shop()
    sender = Browser(shop)
    ref = sender.buy()
    shop.payments.pay(ref, email=VICTIM)
    shop.hear_of(ref)
    answers = [correct(sender, ref, VICTIM) for _ in range(25)]
    assert isinstance(answers[0], SameAddress)
    assert isinstance(answers[-1], TooManyRequests)


def test_a_code_that_was_tried_too_often_is_not_shown_any_more() -> None:
    shop = Shop()
    victim, _ = signed_in(shop)
    change(victim, NEW)
    for _ in range(5):
        victim.type_code("00000000")
    shown = run(shop.redeem.look(Browser(shop).visitor, shop.last_link(NEW)))
    assert isinstance(shown, LinkValid)
    assert shown.moving is not None
    assert shown.moving.code == ""


def test_a_change_of_an_account_without_purchases_makes_no_user() -> None:
    shop = Shop()
    victim, ref = signed_in(shop)
    change(victim, NEW)
    run(shop.store.transact(lambda tx: tx.erasures.erase_order(order_of(shop, ref), at=shop.clock.now())))
    victim.press(shop.last_link(NEW))
    assert NEW not in [str(user.mailbox) for user in shop.memory.tables.users.values()]


def test_signing_out_everywhere_takes_back_changes_that_wait() -> None:
    shop = Shop()
    victim, ref = signed_in(shop)
    thief = Browser(shop, token=victim.token)
    change(thief, THIEF)
    link = shop.last_link(THIEF)
    run(shop.sign_out.everywhere(victim.visitor))
    thief = Browser(shop)
    assert isinstance(thief.press(link), LinkRejected)
    assert owner_of(shop, ref) == VICTIM
    assert all(move.undone_at for move in shop.memory.tables.moves.values())


def test_a_session_that_a_change_carried_away_is_listed_and_ended_by_the_owner() -> None:
    shop = Shop()
    victim, _ = signed_in(shop)
    thief = Browser(shop, token=victim.token)
    change(thief, THIEF)
    thief.press(shop.last_link(THIEF))
    victim = Browser(shop)
    victim.buy_and_pay(VICTIM, PHOTOS)
    victim.press(shop.last_link(VICTIM))
    own = run(shop.sign_out.list(victim.visitor))
    assert own is not None
    assert thief.viewer.session in own.all
    run(shop.sign_out.everywhere(victim.visitor))
    assert thief.viewer.session is None
