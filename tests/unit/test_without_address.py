"""A paid sale whose address cannot be emailed: it opens where it was paid, and gets an address only by a used link."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.address_change import MayNotCorrect
from domain.fact import FactKind
from domain.usecases.change_outcomes import ConfirmOwner
from domain.usecases.link_outcomes import LinkError, LinkRejected, LinkValid, SignedIn
from domain.usecases.request_login import NotAnAddress, TooManyRequests
from domain.usecases.return_outcomes import Claimed
from domain.usecases.send_owner_link import OwnerLink
from domain.usecases.show_receipt import ShowReceipt, WithoutOwner
from domain.values import EmailAddress, EmailProblem
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop
from testkit.stepping import run
from testkit.without_address import ANNA, BEN, access_emails, by_merchant, name, paid, purchase_of

UNUSABLE = [
    "a..b@docomo.ne.jp", "b.@docomo.ne.jp", "änne@example.com", "", None, "not an address", "two@@example.com",
    "anna@localhost", "anna@example.com, ben@example.com", '"a b"@example.com', f"{'a' * 65}@example.com", "\n",
]  # fmt: skip


# ------------------------------------------------------------------ it is booked


@pytest.mark.parametrize("email", UNUSABLE)
@pytest.mark.parametrize("first", ["webhook", "redirect", "reconciler"])
def test_it_is_booked_without_an_address_and_opens_in_the_browser_that_paid(
    email: str | None, first: str
) -> None:
    shop = Shop()
    browser, other = Browser(shop), Browser(shop)
    ref = browser.buy()
    shop.payments.pay(ref, email=email)
    if first == "webhook":
        assert shop.hear_of(ref) == "booked"
    if first == "reconciler":
        assert run(shop.reconcile()).booked == [ref]
    assert browser.come_back(ref) == browser.come_back(ref) == Claimed(here=True)
    assert browser.owned == {BOOK}
    purchase = purchase_of(shop, ref)
    assert (purchase.mailbox, purchase.user, purchase.paid_email) == (None, None, None)
    tables = shop.memory.tables
    assert (tables.users, tables.outbox, tables.links, tables.quarantined) == ({}, {}, {}, {})
    assert other.come_back(ref) == Claimed(here=False, emailed=False), "nothing is said to have been emailed"
    assert other.owned == frozenset()
    assert shop.hear_of(ref, event="evt_2") == "known"


def test_it_opens_for_a_day_and_only_until_an_address_is_verified_there_or_it_is_signed_out() -> None:
    shop = Shop()
    browser, second, third = (Browser(shop) for _ in range(3))
    paid(shop, browser)
    paid(shop, second)
    third.buy_and_pay(BEN, PHOTOS)
    paid(shop, third)
    assert third.owned == {BOOK, PHOTOS}
    run(shop.sign_out.here(second.visitor))
    assert second.owned == frozenset()
    third.press(shop.last_link(BEN))
    assert third.owned == {PHOTOS}, "only what belongs to the address"
    shop.clock.tick(hours=23, minutes=59)
    assert browser.owned == {BOOK}
    shop.clock.tick(minutes=1)
    assert browser.owned == frozenset()


def test_an_account_that_pays_with_an_unusable_address_gets_its_purchase_as_ever() -> None:
    shop = Shop()
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    anna.press(shop.last_link(ANNA))
    ref = anna.buy(PHOTOS)
    shop.payments.pay(ref, email=None)
    session = shop.payments.sessions[ref]
    assert session.email == ANNA, "the payment page was told of it"
    shop.payments.sessions[ref] = replace(session, email="a..b@docomo.ne.jp")
    assert shop.hear_of(ref, event="evt_photos") == "booked"
    assert purchase_of(shop, ref).mailbox == EmailAddress(ANNA)
    assert anna.owned == {BOOK, PHOTOS}


def test_a_debit_that_arrives_days_later_opens_for_a_day_from_then_on() -> None:
    shop = Shop()
    browser = Browser(shop)
    ref = browser.buy()
    shop.payments.pay(ref, email="", status="unpaid")
    assert shop.hear_of(ref, event="evt_1") == "awaiting payment"
    shop.clock.tick(days=4)
    shop.payments.pay(ref, email="")
    assert shop.hear_of(ref, event="evt_2") == "booked"
    assert browser.owned == {BOOK}
    assert shop.memory.tables.outbox == {}
    assert name(shop, browser, purchase_of(shop, ref).checkout, ANNA) == ConfirmOwner()


def test_in_a_restored_shop_no_browser_has_it_and_the_merchants_link_gives_it() -> None:
    old, shop = Shop(), Shop()
    browser = Browser(old)
    ref = browser.buy()
    old.payments.pay(ref, email="a..b@docomo.ne.jp")
    shop.payments.sessions, shop.payments.made_at = old.payments.sessions, old.payments.made_at
    assert shop.hear_of(ref) == "booked"
    order = purchase_of(shop, ref).checkout
    browser.shop = shop
    assert browser.owned == frozenset()
    assert name(shop, browser, order, ANNA) is MayNotCorrect.NOT_HERE
    assert by_merchant(shop, order, ANNA) is OwnerLink.QUEUED
    anna = Browser(shop)
    assert isinstance(anna.press(shop.last_link(ANNA)), SignedIn)
    assert anna.owned == {BOOK}


# ------------------------------------------------------------------ the browser that paid names an address


@pytest.mark.parametrize("how", ["link", "code"])
def test_it_gets_the_address_and_its_access_email_when_the_link_is_used(how: str) -> None:
    shop = Shop()
    browser = Browser(shop)
    order = paid(shop, browser).checkout
    assert name(shop, browser, order, "anna(at)example.com") == NotAnAddress(EmailProblem.NOT_ONE_AT)
    assert name(shop, browser, order, " Anna@Example.com ") == ConfirmOwner()
    assert shop.memory.tables.users == {}
    assert access_emails(shop) == []
    assert shop.memory.tables.purchases[order].mailbox is None
    token, code = shop.last_link(ANNA), shop.last_code(ANNA)
    came = browser.press(token) if how == "link" else browser.type_code(code)
    assert isinstance(came, SignedIn), came
    assert came.product == BOOK
    held = shop.memory.tables.purchases[order]
    [user] = shop.memory.tables.users.values()
    assert (held.mailbox, held.user, user.proved_at) == (EmailAddress(ANNA), user.id, shop.clock.now())
    assert access_emails(shop) == [EmailAddress(ANNA)]
    shop.deliver_mail()
    assert [mail.subject for mail in shop.letters_to(ANNA)][-1] == "Your purchase: The book"
    assert browser.owned == {BOOK}
    phone = Browser(shop)
    assert isinstance(phone.press(shop.last_link(ANNA)), SignedIn)
    assert phone.owned == {BOOK}
    shop.clock.tick(days=2)
    assert browser.owned == {BOOK}, "it is the account's now"


def test_the_link_does_nothing_in_another_browser_and_stays_good_in_the_right_one() -> None:
    """Rule 13: a click in one browser opens nothing for another; nor is the person who clicks signed in."""
    shop = Shop()
    thief, anna = Browser(shop), Browser(shop, network="192.0.2.9")
    anna.buy_and_pay(ANNA, PHOTOS)
    anna.press(shop.last_link(ANNA))
    order = paid(shop, thief).checkout
    assert name(shop, thief, order, ANNA) == ConfirmOwner()
    token = shop.last_link(ANNA)
    for browser in (anna, Browser(shop)):
        before = browser.token
        look = run(shop.redeem.look(browser.visitor, token))
        assert isinstance(look, LinkValid)
        assert look.naming is not None
        assert not look.naming.here
        assert browser.press(token) == LinkRejected(error=LinkError.ELSEWHERE)
        assert browser.token == before
    assert anna.owned == {PHOTOS}
    assert thief.owned == {BOOK}
    assert shop.memory.tables.purchases[order].mailbox is None
    assert isinstance(thief.press(token), SignedIn), "nothing was used up"


def test_nobody_else_can_name_an_address() -> None:
    shop = Shop()
    browser, other = Browser(shop), Browser(shop)
    order = paid(shop, browser).checkout
    other.buy()
    assert name(shop, other, order, BEN) is MayNotCorrect.NOT_HERE
    assert name(shop, Browser(shop), order, BEN) is MayNotCorrect.NOT_HERE
    shop.clock.tick(hours=24)
    assert name(shop, browser, order, BEN) is MayNotCorrect.NOT_HERE
    assert shop.memory.tables.outbox == {}


def test_an_address_that_was_verified_meanwhile_ends_the_right_to_name_one() -> None:
    shop = Shop()
    browser = Browser(shop)
    order = paid(shop, browser).checkout
    Browser(shop, network="192.0.2.9").buy_and_pay(BEN, PHOTOS)
    assert name(shop, browser, order, ANNA) == ConfirmOwner()
    token = shop.last_link(ANNA)
    browser.ask_for_link(BEN)
    shop.deliver_mail()
    browser.press(shop.last_link(BEN))
    assert browser.press(token) == LinkRejected(error=LinkError.ELSEWHERE)
    assert name(shop, browser, order, ANNA) is MayNotCorrect.ANOTHER_SIGNED_IN
    assert shop.memory.tables.purchases[order].mailbox is None


def test_of_two_in_one_browser_the_second_gets_the_address_that_was_verified_for_the_first() -> None:
    shop = Shop()
    browser = Browser(shop)
    first = paid(shop, browser).checkout
    ref = browser.buy(PHOTOS)
    shop.payments.pay(ref, email="a..b@docomo.ne.jp")
    assert shop.hear_of(ref, event="evt_photos") == "booked"
    second = purchase_of(shop, ref).checkout
    assert [h.purchase.checkout for h in browser.viewer.without_owner] == [first, second]
    name(shop, browser, first, ANNA)
    assert isinstance(browser.press(shop.last_link(ANNA)), SignedIn)
    assert browser.owned == {BOOK}, "the address decides now"
    assert browser.come_back(ref, PHOTOS) == Claimed(here=False, emailed=False, unowned=second)
    assert name(shop, browser, second, BEN) is MayNotCorrect.ANOTHER_SIGNED_IN
    shop.clock.tick(minutes=2)
    assert name(shop, browser, second, ANNA) == ConfirmOwner()
    assert isinstance(browser.press(shop.last_link(ANNA)), SignedIn)
    assert browser.owned == {BOOK, PHOTOS}
    assert browser.viewer.without_owner == []
    assert browser.come_back(ref, PHOTOS) == Claimed(here=True)


def test_a_page_that_a_guest_began_is_paid_without_an_address_after_the_browser_signed_in() -> None:
    shop = Shop()
    browser, other = Browser(shop), Browser(shop, network="192.0.2.9")
    browser.buy_and_pay(ANNA)
    ref = browser.buy(PHOTOS)
    browser.press(shop.last_link(ANNA))
    shop.payments.pay(ref, email=None)
    assert shop.hear_of(ref, event="evt_photos") == "booked"
    order = purchase_of(shop, ref).checkout
    show = ShowReceipt(store=shop.store, payments=shop.payments, clock=shop.clock)
    other.buy_and_pay(BEN)
    other.press(shop.last_link(BEN))
    assert other.come_back(ref, PHOTOS) == Claimed(here=False, emailed=False)
    assert name(shop, other, order, BEN) is MayNotCorrect.NOT_HERE
    assert run(show(other.visitor, order)) is None
    page = run(show(browser.visitor, order))
    assert isinstance(page, WithoutOwner), "no receipt: it does not open"
    assert run(show.invoice(browser.visitor, order)) is None
    shop.clock.tick(hours=23)
    assert name(shop, browser, order, ANNA) == ConfirmOwner()
    browser.press(shop.last_link(ANNA))
    assert browser.owned == {BOOK, PHOTOS}


def test_after_a_day_a_browser_that_verified_an_address_names_none() -> None:
    shop = Shop()
    browser = Browser(shop)
    browser.buy_and_pay(ANNA)
    ref = browser.buy(PHOTOS)
    browser.press(shop.last_link(ANNA))
    shop.payments.pay(ref, email=None)
    shop.hear_of(ref, event="evt_photos")
    order = purchase_of(shop, ref).checkout
    shop.clock.tick(hours=24)
    assert name(shop, browser, order, ANNA) is MayNotCorrect.NOT_HERE
    assert browser.viewer.without_owner == []
    assert (
        run(ShowReceipt(store=shop.store, payments=shop.payments, clock=shop.clock)(browser.visitor, order))
        is None
    )


def test_what_another_address_verified_since_began_is_not_inherited() -> None:
    shop = Shop()
    browser = Browser(shop)
    order = paid(shop, browser).checkout
    for address in (BEN, ANNA):
        Browser(shop, network="192.0.2.9").buy_and_pay(address, PHOTOS)
        browser.ask_for_link(address)
        shop.deliver_mail()
        browser.press(shop.last_link(address))
    assert name(shop, browser, order, ANNA) is MayNotCorrect.NOT_HERE
    assert browser.viewer.without_owner == []


def test_three_addresses_can_be_named_and_a_double_click_counts_once() -> None:
    shop = Shop()
    browser = Browser(shop)
    order = paid(shop, browser).checkout
    for number in range(3):
        assert name(shop, browser, order, f"a{number}@example.com") == ConfirmOwner()
        shop.clock.tick(seconds=1)
        assert name(shop, browser, order, f"a{number}@example.com") == ConfirmOwner()
        assert len(shop.letters_to(f"a{number}@example.com")) == 1
        shop.clock.tick(hours=7)
    assert name(shop, browser, order, ANNA) is MayNotCorrect.ENOUGH
    assert shop.letters_to(ANNA) == []
    assert name(shop, browser, order, "nonsense") == NotAnAddress(EmailProblem.NOT_ONE_AT)


def test_naming_counts_under_the_limits_of_a_sign_in() -> None:
    """An address that strangers had three emails sent to just now gets no fourth, and that does not show."""
    shop = Shop()
    browser, stranger = Browser(shop), Browser(shop, network="192.0.2.9")
    order = paid(shop, browser).checkout
    for _ in range(3):
        stranger.ask_for_link(ANNA)
    shop.deliver_mail()
    before = len(shop.mailer.mailbox)
    assert name(shop, browser, order, ANNA) == ConfirmOwner()
    assert len(shop.mailer.mailbox) == before
    full = Shop()
    browser = Browser(full)
    order = paid(full, browser).checkout
    for number in range(20):
        Browser(full).ask_for_link(f"a{number}@example.com")
    asked = name(full, browser, order, ANNA)
    assert isinstance(asked, TooManyRequests), asked
    full.clock.tick(hours=1)
    assert [name(full, browser, order, f"b{n}@example.com") for n in range(3)] == [ConfirmOwner()] * 3, (
        "what was refused is no attempt"
    )


def test_a_purchase_that_is_closed_needs_no_address() -> None:
    shop = Shop()
    browser = Browser(shop)
    purchase = paid(shop, browser)
    assert purchase.provider_ref is not None
    fact = shop.payments.tell(purchase.provider_ref, FactKind.REFUND, "succeeded", amount=900)
    shop.hear_fact(fact)
    assert name(shop, browser, purchase.checkout, ANNA) is MayNotCorrect.CLOSED
    assert shop.memory.tables.outbox == {}


def test_a_refund_before_the_address_is_known_is_emailed_with_it() -> None:
    shop = Shop()
    browser = Browser(shop)
    purchase = paid(shop, browser)
    assert purchase.provider_ref is not None
    name(shop, browser, purchase.checkout, ANNA)
    token = shop.last_link(ANNA)
    shop.hear_fact(shop.payments.tell(purchase.provider_ref, FactKind.REFUND, "succeeded", amount=400))
    assert isinstance(browser.press(token), SignedIn)
    shop.deliver_mail()
    assert [m.subject for m in shop.letters_to(ANNA)][1:] == [
        "Your purchase: The book",
        "Your refund: The book",
    ]


def test_the_first_link_that_is_used_decides() -> None:
    shop = Shop()
    browser, ben = Browser(shop), Browser(shop)
    order = paid(shop, browser).checkout
    assert by_merchant(shop, order, BEN) is OwnerLink.QUEUED
    assert name(shop, browser, order, ANNA) == ConfirmOwner()
    bens, annas = shop.last_link(BEN), shop.last_link(ANNA)
    assert isinstance(ben.press(bens), SignedIn)
    assert browser.press(annas) == LinkRejected(error=LinkError.HAS_OWNER)
    assert access_emails(shop) == [EmailAddress(BEN)]
    assert shop.memory.tables.purchases[order].mailbox == EmailAddress(BEN)
