"""Whose browser a link acts for that is another's, that is submitted twice, or that orders what is free."""

from __future__ import annotations

import pytest

from domain.access import CHECKOUT_GRANT
from domain.magic_link import LinkPurpose
from domain.usecases.link_outcomes import LinkError, LinkValid, SignedIn
from domain.usecases.return_outcomes import Claimed
from domain.values import EmailAddress, ProductId
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop, a_product, an_edition
from testkit.owners import error_of
from testkit.stepping import run
from testkit.victims import NEW, THIEF, VICTIM, account_of, change, sign_in, signed_in

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
