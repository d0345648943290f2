"""Whose browser a correction acts for, and what a browser that paid keeps once somebody else uses it."""

from __future__ import annotations

import pytest

from domain.address_change import MayNotCorrect
from domain.product import Licences
from domain.usecases.erase_refusal import Erased
from domain.usecases.link_outcomes import LinkError, SignedIn
from domain.usecases.request_login import TooManyRequests
from domain.usecases.return_outcomes import Claimed
from domain.usecases.show_receipt import ShowReceipt
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop, a_product, an_edition
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
    opens,
    sign_in,
    signed_in,
)


def test_a_correction_gives_the_payers_browser_nothing_but_what_it_paid_for() -> None:
    shop = Shop()
    victim, _ = signed_in(shop)
    payer = Browser(shop)
    ref = payer.buy_and_pay(THIEF, PHOTOS)
    correct(payer, ref, VICTIM)
    assert isinstance(victim.press(shop.last_link(VICTIM)), SignedIn)
    assert owner_of(shop, ref) == VICTIM
    assert payer.owned == {PHOTOS}
    assert account_of(payer) is None
    shop.clock.tick(hours=25)
    assert payer.owned == frozenset()


def test_the_browser_that_paid_keeps_nothing_once_another_address_is_verified_in_it() -> None:
    shop = Shop()
    shared = Browser(shop)
    ref = shared.buy_and_pay(VICTIM)
    Browser(shop).buy_and_pay(THIEF, PHOTOS)
    sign_in(shared, THIEF)
    assert shared.owned == {PHOTOS}
    assert not opens(shared)
    assert correct(shared, ref, THIEF) is MayNotCorrect.NOT_HERE
    show = ShowReceipt(store=shop.store, payments=shop.payments, clock=shop.clock)
    assert run(show(shared.visitor, order_of(shop, ref))) is None


def test_an_order_that_is_paid_after_another_address_was_verified_does_not_open_there() -> None:
    shop = Shop()
    Browser(shop).buy_and_pay(THIEF, PHOTOS)
    shared = Browser(shop)
    ref = shared.buy()
    sign_in(shared, THIEF)
    shop.payments.pay(ref, email=VICTIM)
    assert shared.come_back(ref) == Claimed(here=False, sent_to=None)
    assert shared.owned == {PHOTOS}


def test_the_owner_sees_and_ends_a_browser_that_holds_her_purchase() -> None:
    shop = Shop()
    sender = Browser(shop)
    ref = sender.buy()
    shop.payments.pay(ref, email=VICTIM)
    shop.hear_of(ref)
    shop.deliver_mail()
    other = sender.buy(PHOTOS)
    shop.payments.pay(other, email=THIEF)
    shop.hear_of(other, event="evt_2")
    victim = Browser(shop)
    victim.press(shop.last_link(VICTIM))
    own = run(shop.sign_out.list(victim.visitor))
    assert own is not None
    [holder] = own.holders
    assert sender.owned == {BOOK, PHOTOS}
    assert run(shop.sign_out.one(victim.visitor, holder.id))
    assert sender.owned == {PHOTOS}, "what belongs to others stays"


def test_signing_out_everywhere_ends_the_browser_that_paid() -> None:
    shop = Shop()
    public = Browser(shop)
    public.buy_and_pay(VICTIM)
    phone = Browser(shop)
    phone.press(shop.last_link(VICTIM))
    run(shop.sign_out.everywhere(phone.visitor))
    assert public.owned == frozenset()


def test_an_invoice_is_never_for_the_checkout_alone() -> None:
    shop = Shop()
    public = Browser(shop)
    ref = public.buy_and_pay(VICTIM)
    show = ShowReceipt(store=shop.store, payments=shop.payments, clock=shop.clock)
    shop.payments.invoices[ref] = "https://pay.example/invoice"
    assert run(show.invoice(public.visitor, order_of(shop, ref))) is None
    public.press(shop.last_link(VICTIM))
    assert run(show.invoice(public.visitor, order_of(shop, ref))) == "https://pay.example/invoice"


def test_a_waiting_correction_ends_as_soon_as_the_owner_verifies_the_old_address() -> None:
    """Also when she then changes her own address, so that nobody with the old one is left."""
    shop = Shop(edition=an_edition(a_product(BOOK, licences=Licences(listed=None))))
    public, thief = Browser(shop), Browser(shop)
    ref = public.buy_and_pay(VICTIM)
    access_link = shop.last_link(VICTIM)
    correct(public, ref, THIEF)
    waiting = shop.last_link(THIEF)
    victim = Browser(shop)
    assert isinstance(victim.press(access_link), SignedIn)
    change(victim, NEW)
    victim.press(shop.last_link(NEW))
    assert error_of(thief.press(waiting)) is LinkError.WITHDRAWN
    assert owner_of(shop, ref) == NEW


@pytest.mark.parametrize("done", [False, True])
def test_the_merchant_learns_that_a_correction_was_undone(done: bool) -> None:
    shop = Shop()
    payer, stranger = Browser(shop), Browser(shop)
    ref = payer.buy_and_pay("stranger@example.com")
    correct(payer, ref, VICTIM)
    if done:
        payer.press(shop.last_link(VICTIM))
    stranger.press(links_to(shop, "stranger@example.com")[-1])
    shop.deliver_mail()
    [notice] = shop.letters_to("help@shop.example")
    assert notice.subject == "A corrected email address was undone"
    assert order_of(shop, ref)[:16] in notice.text


def test_an_order_that_a_stranger_sent_by_a_correction_delays_no_deletion_and_goes_back() -> None:
    shop = Shop()
    victim, own = signed_in(shop)
    thief = Browser(shop)
    gift = thief.buy_and_pay(THIEF, PHOTOS)
    correct(thief, gift, VICTIM)
    victim.press(shop.last_link(VICTIM))
    assert owner_of(shop, gift) == VICTIM
    assert run(shop.erase(victim.visitor)) is Erased.DONE
    assert (owner_of(shop, own), owner_of(shop, gift)) == (None, THIEF)


def test_a_deletion_at_the_end_of_a_chain_waits_for_every_change_in_it() -> None:
    """The last change was asked for first, so its own undo ends first."""
    shop = Shop()
    thief, _ = signed_in(shop, THIEF, PHOTOS)
    change(thief, SECOND)
    onward = shop.last_link(SECOND)
    shop.clock.tick(minutes=14)
    victim, ref = signed_in(shop)
    stolen = Browser(shop, token=victim.token)
    change(stolen, THIEF)
    stolen.press(shop.last_link(THIEF))
    assert isinstance(thief.press(onward), SignedIn)
    assert owner_of(shop, ref) == SECOND
    shop.clock.tick(hours=72, minutes=50)
    sign_in(thief, SECOND)
    assert run(shop.erase(thief.visitor)) is Erased.TOO_SOON


def test_a_correction_shows_the_payer_to_nobody_else() -> None:
    shop = Shop()
    public, thief = Browser(shop), Browser(shop)
    ref = public.buy_and_pay(VICTIM)
    shop.payments.invoices[ref] = "https://pay.example/invoice"
    correct(public, ref, THIEF)
    assert isinstance(thief.press(shop.last_link(THIEF)), SignedIn)
    show = ShowReceipt(store=shop.store, payments=shop.payments, clock=shop.clock)
    receipt = run(show(thief.visitor, order_of(shop, ref)))
    assert receipt is not None
    assert receipt.by_payer is False
    assert run(show.invoice(thief.visitor, order_of(shop, ref))) is None
    assert VICTIM not in repr(run(shop.own_data(thief.visitor)))


@pytest.mark.parametrize("how", ["years", "deletion", "payer erased"])
def test_the_payer_of_a_corrected_order_stays_hidden(how: str) -> None:
    """What is thrown out after a while, or with an address left behind, must not make a reader the payer."""
    shop = Shop()
    public, thief = Browser(shop), Browser(shop)
    ref = public.buy_and_pay(VICTIM)
    shop.payments.invoices[ref] = "https://pay.example/invoice"
    correct(public, ref, THIEF)
    assert isinstance(thief.press(shop.last_link(THIEF)), SignedIn)
    reader = THIEF
    if how == "years":
        shop.clock.tick(days=400)
    elif how == "payer erased":
        victim, _ = signed_in(shop, VICTIM, PHOTOS)
        assert run(shop.erase(victim.visitor)) is Erased.DONE
    else:
        change(thief, SECOND)
        assert isinstance(thief.press(shop.last_link(SECOND)), SignedIn)
        shop.clock.tick(hours=74)
        left_behind, _ = signed_in(shop, THIEF, PHOTOS)
        assert run(shop.erase(left_behind.visitor)) is Erased.DONE
        reader = SECOND
    run(shop.store.transact(lambda tx: tx.retention.prune(now=shop.clock.now())))
    sign_in(thief, reader)
    assert owner_of(shop, ref) == reader
    show = ShowReceipt(store=shop.store, payments=shop.payments, clock=shop.clock)
    receipt = run(show(thief.visitor, order_of(shop, ref)))
    assert receipt is not None
    assert receipt.by_payer is False
    assert run(show.invoice(thief.visitor, order_of(shop, ref))) is None
    assert VICTIM not in repr(run(shop.own_data(thief.visitor)))
    if how == "years":
        assert VICTIM not in repr(shop.memory.tables.moves)


def test_signing_out_everywhere_reaches_a_session_that_two_changes_carried_away() -> None:
    shop = Shop()
    victim, _ = signed_in(shop)
    stolen = Browser(shop, token=victim.token)
    for address in (THIEF, SECOND):
        change(stolen, address)
        assert isinstance(stolen.press(shop.last_link(address)), SignedIn)
    bystander, _ = signed_in(shop, "other@example.com", PHOTOS)
    home, _ = signed_in(shop, VICTIM, PHOTOS)
    run(shop.sign_out.everywhere(home.visitor))
    assert (stolen.viewer.session, home.viewer.session) == (None, None)
    assert account_of(bystander) == "other@example.com"


def test_who_has_a_former_address_now_takes_no_order_away_that_was_moved_on() -> None:
    """A correction came to an address that its owner left since; a deletion there undoes nothing of hers."""
    shop = Shop()
    buyer = Browser(shop)
    ref = buyer.buy_and_pay("victim@exmaple.com")
    correct(buyer, ref, VICTIM)
    assert isinstance(buyer.press(shop.last_link(VICTIM)), SignedIn)
    change(buyer, NEW)
    assert isinstance(buyer.press(shop.last_link(NEW)), SignedIn)
    present, _ = signed_in(shop, VICTIM, PHOTOS)
    assert run(shop.erase(present.visitor)) is Erased.TOO_SOON, "its notice still guards the order"
    assert owner_of(shop, ref) == NEW
    shop.clock.tick(hours=74)
    sign_in(present, VICTIM)
    assert run(shop.erase(present.visitor)) is Erased.DONE
    assert owner_of(shop, ref) == NEW


def test_a_change_that_a_thief_asked_for_ends_with_his_session_though_his_own_address_was_erased() -> None:
    shop = Shop()
    victim, _ = signed_in(shop)
    stolen = Browser(shop, token=victim.token)
    change(stolen, THIEF)
    undo = shop.last_link(VICTIM)
    thief, _ = signed_in(shop, THIEF, PHOTOS)
    assert run(shop.erase(thief.visitor)) is Erased.DONE
    assert THIEF not in repr(shop.memory.tables.moves)
    assert isinstance(Browser(shop).press(undo), SignedIn)
    assert stolen.viewer.session is None


def test_the_present_holder_of_a_former_address_neither_sees_nor_ends_the_session_of_its_owner() -> None:
    shop = Shop()
    victim, _ = signed_in(shop)
    change(victim, NEW)
    victim.press(shop.last_link(NEW))
    shop.clock.tick(days=4)
    stranger, _ = signed_in(shop, VICTIM, PHOTOS)
    own = run(shop.sign_out.list(stranger.visitor))
    assert own is not None
    assert [session.id for session in own.all] == [own.current.id]
    data = run(shop.own_data(stranger.visitor))
    assert data is not None
    assert len(data.sessions) == 1
    run(shop.sign_out.everywhere(stranger.visitor))
    assert account_of(victim) == NEW


def test_an_account_asks_for_three_changes_an_hour() -> None:
    shop = Shop()
    victim, _ = signed_in(shop)
    answers = [change(victim, f"new{n}@example.com") for n in range(4)]
    assert [isinstance(answer, TooManyRequests) for answer in answers] == [False, False, False, True]


def test_a_neighbour_cannot_use_up_the_sign_ins_of_a_browser_that_verified_the_address() -> None:
    shop = Shop()
    victim, _ = signed_in(shop)
    for _ in range(25):
        Browser(shop).ask_for_link("nonsense")
    assert isinstance(Browser(shop).ask_for_link(VICTIM), TooManyRequests)
    assert not isinstance(victim.ask_for_link(VICTIM), TooManyRequests)
