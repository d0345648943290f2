"""Whose browser a click acts for: changes, corrections, links of other people, public computers, repeated submits."""

from __future__ import annotations

import pytest

from domain.access import CHECKOUT_GRANT, Opens, access
from domain.address_change import ChangeKind, MayNotCorrect
from domain.magic_link import LinkPurpose
from domain.product import Licences
from domain.usecases.change_outcomes import CheckYourNewEmail, SameAddress, VerifyAgain
from domain.usecases.erase_me import Erased
from domain.usecases.link_outcomes import LinkError, LinkRejected, LinkValid, SignedIn
from domain.usecases.request_login import TooManyRequests
from domain.usecases.return_from_payment import Claimed
from domain.usecases.show_receipt import ShowReceipt
from domain.values import CheckoutId, EmailAddress, ProductId, ProviderRef, mask
from entrypoints.testing import BASE_URL, BOOK, PHOTOS, Browser, Shop, a_product, an_edition
from testkit.stepping import run

VICTIM, NEW = "victim@example.com", "victim@new.example"
THIEF, SECOND = "thief@example.com", "thief@second.example"


def order_of(shop: Shop, ref: ProviderRef) -> CheckoutId:
    [found] = [c.id for c in shop.memory.tables.checkouts.values() if c.provider_ref == ref]
    return found


def owner_of(shop: Shop, ref: ProviderRef) -> str | None:
    mailbox = shop.memory.tables.purchases[order_of(shop, ref)].mailbox
    return None if mailbox is None else str(mailbox)


def correct(browser: Browser, ref: ProviderRef, typed: str) -> object:
    answer = run(browser.shop.change_address.correct(browser.visitor, order_of(browser.shop, ref), typed))
    browser.shop.deliver_mail()
    return answer


def change(browser: Browser, typed: str) -> object:
    answer = run(browser.shop.change_address.change(browser.visitor, typed))
    browser.shop.deliver_mail()
    return answer


def opens(browser: Browser, product: ProductId = BOOK) -> bool:
    viewer = browser.viewer
    now = browser.shop.clock.now()
    return isinstance(access(viewer.session, product=product, holdings=viewer.holdings, now=now), Opens)


def error_of(came: object) -> LinkError | None:
    return came.error if isinstance(came, LinkRejected) else None


def links_to(shop: Shop, address: str) -> list[str]:
    """The tokens of every link that arrived there, oldest first."""
    texts = (mail.text for mail in shop.letters_to(address))
    return [text.partition(f"{BASE_URL}/login/")[2].split()[0] for text in texts if "/login/" in text]


def signed_in(shop: Shop, email: str = VICTIM, product: ProductId = BOOK) -> tuple[Browser, ProviderRef]:
    browser = Browser(shop)
    ref = browser.buy_and_pay(email, product)
    assert isinstance(browser.press(shop.last_link(email)), SignedIn)
    return browser, ref


def sign_in(browser: Browser, email: str) -> object:
    browser.ask_for_link(email)
    browser.shop.deliver_mail()
    return browser.press(browser.shop.last_link(email))


def account_of(browser: Browser) -> str | None:
    session = browser.viewer.session
    return None if session is None or session.mailbox is None else str(session.mailbox)


# ------------------------------------------------------------------ a change of address


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
    assert (shown.moving.asked_here, shown.moving.merges) == (False, True)
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


# ------------------------------------------------------------------ a correction, a public computer


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
    assert order_of(shop, ref)[:12] in notice.text


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


# ------------------------------------------------------------------ somebody else's link


def test_the_page_of_a_link_names_the_account_and_whether_this_browser_asked() -> None:
    shop = Shop()
    asking, other = Browser(shop), Browser(shop)
    Browser(shop).buy_and_pay(THIEF)
    asking.ask_for_link(THIEF)
    shop.deliver_mail()
    link = shop.last_link(THIEF)
    for browser, known in ((asking, True), (other, False)):
        shown = run(shop.redeem.look(browser.visitor, link))
        assert isinstance(shown, LinkValid)
        assert (shown.purpose, str(shown.mailbox)) == (LinkPurpose.LOGIN, THIEF)
        assert shown.known_here is known


def test_a_browser_that_left_an_account_during_the_checkout_learns_where_the_link_went() -> None:
    shop = Shop()
    Browser(shop).buy_and_pay(NEW, PHOTOS)
    victim, _ = signed_in(shop)
    ref = victim.buy(PHOTOS)
    sign_in(victim, NEW)
    shop.payments.pay(ref, email=VICTIM)
    assert victim.come_back(ref, PHOTOS) == Claimed(here=False, sent_to=EmailAddress(VICTIM))
    assert Browser(shop).come_back(ref, PHOTOS) == Claimed(here=False, sent_to=None)
    assert Browser(shop, token=victim.token).come_back(ref, PHOTOS) != Claimed(here=True)


# ------------------------------------------------------------------ the same submit, twice


def a_link(shop: Shop, purpose: str) -> tuple[Browser, str]:
    """A browser with the page of a link in front of it, and the link."""
    browser = Browser(shop, form="f" * 64)
    if purpose == "access":
        Browser(shop).buy_and_pay(VICTIM)
    elif purpose == "order":
        browser.take(ProductId("free"), email=VICTIM)
    elif purpose == "login":
        Browser(shop).buy_and_pay(VICTIM)
        browser.ask_for_link(VICTIM)
    elif purpose == "change":
        signed, _ = signed_in(shop, THIEF)
        browser.token = signed.token
        change(browser, VICTIM)
    shop.deliver_mail()
    return browser, shop.last_link(VICTIM)


def a_shop() -> Shop:
    return Shop(
        edition=an_edition(a_product(BOOK), a_product(PHOTOS), a_product(ProductId("free"), price=0, stock=1))
    )


@pytest.mark.parametrize("purpose", ["access", "login", "order", "change"])
def test_a_double_click_gets_one_session_whichever_answer_the_browser_keeps(purpose: str) -> None:
    shop = a_shop()
    browser, link = a_link(shop, purpose)
    twice = Browser(shop, token=browser.token, form=browser.form)
    first, second = browser.press(link), twice.press(link)
    assert isinstance(first, SignedIn)
    assert isinstance(second, SignedIn)
    assert first.token == second.token
    assert account_of(browser) == account_of(twice) == VICTIM
    assert len([s for s in shop.memory.tables.sessions.values() if str(s.mailbox) == VICTIM]) == 1
    assert len(shop.memory.tables.purchases) == 1


@pytest.mark.parametrize("before", [None, THIEF])
@pytest.mark.parametrize("kept", ["old", "new"])
def test_a_code_entered_twice_gets_one_session_whichever_cookie_the_browser_kept(
    kept: str, before: str | None
) -> None:
    shop = a_shop()
    Browser(shop).buy_and_pay(VICTIM)
    browser = Browser(shop) if before is None else signed_in(shop, before)[0]
    browser.ask_for_link(VICTIM)
    shop.deliver_mail()
    code, old = shop.last_code(VICTIM), browser.token
    for _ in range(4):
        assert error_of(browser.type_code("00000000")) is LinkError.WRONG_CODE
    first = browser.type_code(code)
    assert isinstance(first, SignedIn)
    again = Browser(shop, token=old if kept == "old" else browser.token)
    assert isinstance(again.type_code(code), SignedIn)
    assert again.token == browser.token
    assert error_of(Browser(shop, token=old).type_code("00000000")) is LinkError.NO_CODE_HERE


def test_a_repeated_submit_is_known_by_its_cookie_for_a_minute_and_only_while_its_session_lives() -> None:
    shop = a_shop()
    browser, link = a_link(shop, "access")
    assert isinstance(browser.press(link), SignedIn)
    for form in (None, "e" * 64):
        assert error_of(Browser(shop, form=form).press(link)) is LinkError.USED
    shop.clock.tick(seconds=59)
    assert isinstance(Browser(shop, form=browser.form).press(link), SignedIn)
    shop.clock.tick(seconds=1)
    assert error_of(Browser(shop, form=browser.form).press(link)) is LinkError.USED
    browser, link = a_link(shop, "login")
    browser.press(link)
    run(shop.sign_out.here(browser.visitor))
    assert error_of(Browser(shop, form=browser.form).press(link)) is LinkError.USED


def test_no_value_from_before_signing_in_becomes_the_session_token() -> None:
    shop = a_shop()
    browser, link = a_link(shop, "login")
    before = {browser.token, browser.form}
    browser.press(link)
    assert browser.token not in before
    rest = repr(shop.memory.tables)
    assert browser.token is not None
    assert browser.token not in rest
    assert str(browser.form) not in rest


# ------------------------------------------------------------------ what is free and few


def test_the_last_free_copy_is_taken_once_however_many_orders_wait() -> None:
    shop = a_shop()
    free = ProductId("free")
    buyers = [Browser(shop) for _ in range(3)]
    addresses = [f"b{n}@example.com" for n in range(3)]
    for browser, address in zip(buyers, addresses, strict=True):
        browser.take(free, email=address)
    shop.deliver_mail()
    came = [b.press(shop.last_link(a)) for b, a in zip(buyers, addresses, strict=True)]
    assert [error_of(c) for c in came] == [None, LinkError.SOLD_OUT, LinkError.SOLD_OUT]
    assert len(shop.memory.tables.purchases) == 1


def test_the_grant_of_a_checkout_lasts_a_day() -> None:
    shop = Shop()
    browser = Browser(shop)
    browser.buy_and_pay(VICTIM)
    shop.clock.time += CHECKOUT_GRANT
    assert browser.owned == frozenset()
    shop.clock.time -= CHECKOUT_GRANT
    assert browser.owned == {BOOK}
