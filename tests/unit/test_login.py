"""Coming back without a password: links and codes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.keys import Key, Keyring, read_token, tidy_code
from domain.magic_link import LinkPurpose
from domain.usecases.link_outcomes import LinkError, LinkRejected, SignedIn, SignedInAlready
from domain.usecases.request_login import CheckYourEmail, NothingToRenew
from domain.values import LinkId
from entrypoints.testing import BOOK, SECRET, Browser, Shop
from testkit.logins import ANNA, a_buyer, asked, look
from testkit.owners import error_of
from testkit.stepping import run


def test_an_access_link_opens_on_another_device_once() -> None:
    shop = Shop()
    a_buyer(shop)
    phone = Browser(shop)
    token = shop.last_link(ANNA)
    assert look(shop, token).purpose is LinkPurpose.ACCESS
    assert isinstance(phone.press(token), SignedIn)
    assert phone.owned == {BOOK}
    other = Browser(shop)
    assert error_of(other.press(token)) is LinkError.USED
    assert other.owned == frozenset()


def test_looking_at_a_link_changes_nothing() -> None:
    """Scanners and previews fetch links: GET must not use them up."""
    shop = Shop()
    a_buyer(shop)
    before = shop.memory.tables.copy()
    for _ in range(5):
        look(shop, shop.last_link(ANNA))
    assert shop.memory.tables == before


def test_an_access_link_has_no_code_and_a_login_has_one() -> None:
    shop = Shop()
    a_buyer(shop)
    assert "    " not in shop.letters_to(ANNA)[-1].text
    asked(shop, Browser(shop))
    text = shop.letters_to(ANNA)[-1].text
    assert len(tidy_code(shop.last_code(ANNA))) == 8
    assert "Never give the code to anyone" in text


@pytest.mark.parametrize(("seconds", "opens"), [(15 * 60 - 1, True), (15 * 60, False)])
def test_a_login_link_lives_fifteen_minutes_from_when_its_mail_was_handed_over(
    seconds: int, opens: bool
) -> None:
    shop = Shop()
    a_buyer(shop)
    browser = Browser(shop)
    browser.ask_for_link(ANNA)
    shop.clock.tick(hours=2)  # the mail service was away
    shop.deliver_mail()
    shop.clock.tick(seconds=seconds)
    assert isinstance(browser.press(shop.last_link(ANNA)), SignedIn) is opens


@pytest.mark.parametrize(("hours", "opens"), [(23.9, True), (24, False)])
def test_an_access_link_lives_a_day(hours: float, opens: bool) -> None:
    shop = Shop()
    a_buyer(shop)
    shop.clock.tick(hours=hours)
    assert isinstance(Browser(shop).press(shop.last_link(ANNA)), SignedIn) is opens


def test_an_expired_link_gets_a_new_one_without_typing() -> None:
    shop = Shop()
    a_buyer(shop)
    shop.clock.tick(days=2)
    old = shop.last_link(ANNA)
    phone = Browser(shop)
    came = phone.press(old)
    assert came == LinkRejected(error=LinkError.EXPIRED, renewable=True)
    answer = run(shop.request_login.renew(phone.visitor, old))
    assert isinstance(answer, CheckYourEmail)
    shop.deliver_mail()
    assert isinstance(phone.press(shop.last_link(ANNA)), SignedIn)


def test_a_code_works_only_where_it_was_asked_for_and_either_kills_both() -> None:
    shop = Shop()
    a_buyer(shop)
    phone, eve = Browser(shop), Browser(shop)
    asked(shop, phone)
    asked(shop, eve, "eve@example.com")
    code, link = shop.last_code(ANNA), shop.last_link(ANNA)
    assert error_of(eve.type_code(code)) is LinkError.WRONG_CODE
    assert error_of(Browser(shop).type_code(code)) is LinkError.NO_CODE_HERE
    assert isinstance(phone.type_code(f" {code.lower().replace('-', ' ')} "), SignedIn)
    assert error_of(Browser(shop).press(link)) is LinkError.USED


def test_using_the_link_kills_the_code() -> None:
    shop = Shop()
    a_buyer(shop)
    phone = Browser(shop)
    asked(shop, phone)
    Browser(shop).press(shop.last_link(ANNA))
    assert error_of(phone.type_code(shop.last_code(ANNA))) is LinkError.USED


def test_five_wrong_tries_kill_the_code_and_not_the_link() -> None:
    shop = Shop()
    a_buyer(shop)
    phone = Browser(shop)
    asked(shop, phone)
    wrong = [phone.type_code("00000000") for _ in range(5)]
    assert [w.tries_left for w in wrong if isinstance(w, LinkRejected)] == [4, 3, 2, 1, 0]
    assert error_of(phone.type_code(shop.last_code(ANNA))) is LinkError.CODE_DEAD
    assert isinstance(phone.press(shop.last_link(ANNA)), SignedIn)


def test_a_link_that_is_used_uses_up_the_others_of_its_session_and_other_sessions_keep_theirs() -> None:
    """Somebody who asks in my name must not be able to kill the link I asked for."""
    shop = Shop()
    a_buyer(shop)
    mine, eves = Browser(shop), Browser(shop)
    asked(shop, mine)
    first = shop.last_link(ANNA)
    asked(shop, eves)
    assert look(shop, first).purpose is LinkPurpose.LOGIN
    eves_link = shop.last_link(ANNA)
    asked(shop, mine)
    second = shop.last_link(ANNA)
    assert look(shop, first).purpose is LinkPurpose.LOGIN
    assert isinstance(mine.press(second), SignedIn)
    assert look(shop, first) == LinkRejected(error=LinkError.SUPERSEDED, renewable=True)
    assert look(shop, eves_link).purpose is LinkPurpose.LOGIN


def wrong(shop: Shop, browser: Browser) -> LinkRejected:
    came = browser.type_code("0000-0000")
    assert isinstance(came, LinkRejected)
    return came


@pytest.mark.parametrize("which", [0, 1])
def test_after_asking_twice_both_codes_of_that_browser_work_and_the_one_used_ends_the_other(
    which: int,
) -> None:
    shop = Shop()
    a_buyer(shop)
    mine = Browser(shop)
    codes = []
    for _ in range(2):
        asked(shop, mine)
        codes.append(shop.last_code(ANNA))
        shop.clock.tick(minutes=2)
    other = Browser(shop)
    asked(shop, other)
    assert isinstance(other.type_code(codes[which]), LinkRejected), "a code works where it was asked for"
    assert isinstance(mine.type_code(codes[which]), SignedIn)
    again = Browser(shop, token=mine.token)
    assert isinstance(again.type_code(codes[1 - which]), LinkRejected)


def test_the_codes_of_two_addresses_that_a_browser_asked_for_both_work() -> None:
    shop = Shop()
    a_buyer(shop)
    Browser(shop).buy_and_pay("ben@example.com")
    mine = Browser(shop)
    asked(shop, mine)
    mine.ask_for_link("ben@example.com")
    shop.deliver_mail()
    assert isinstance(mine.type_code(shop.last_code(ANNA)), SignedIn)


def test_five_tries_are_counted_over_all_codes_of_a_browser_whenever_they_were_asked_for() -> None:
    shop = Shop()
    a_buyer(shop)
    mine = Browser(shop)
    asked(shop, mine)
    codes = [shop.last_code(ANNA)]
    assert [wrong(shop, mine).tries_left for _ in range(3)] == [4, 3, 2]
    asked(shop, mine)
    codes.append(shop.last_code(ANNA))
    assert wrong(shop, mine).tries_left == 1
    assert wrong(shop, mine).error is LinkError.CODE_DEAD
    for code in codes:
        assert error_of(mine.type_code(code)) is LinkError.CODE_DEAD
    asked(shop, mine)
    assert isinstance(mine.type_code(shop.last_code(ANNA)), SignedIn), "a new email has a new code"


def test_a_used_link_in_a_browser_that_is_signed_in_as_that_person_goes_on_to_the_product() -> None:
    shop = Shop()
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    link = shop.last_link(ANNA)
    anna.press(link)
    shop.clock.tick(minutes=5)
    before = shop.memory.tables.copy()
    for _ in range(2):
        assert run(shop.redeem.look(anna.visitor, link)) == SignedInAlready(product=BOOK)
        assert anna.press(link) == SignedInAlready(product=BOOK)
    ben = Browser(shop)
    ben.buy_and_pay("ben@example.com")
    ben.press(shop.last_link("ben@example.com"))
    for other in (ben, Browser(shop)):
        assert error_of(run(shop.redeem.look(other.visitor, link))) is LinkError.USED
        assert error_of(other.press(link)) is LinkError.USED
    assert shop.memory.tables.links[read_token(link).id] == before.links[read_token(link).id]  # type: ignore[union-attr]
    run(shop.sign_out.here(anna.visitor))
    assert error_of(run(shop.redeem.look(anna.visitor, link))) is LinkError.USED


@pytest.mark.parametrize(
    "behind", [".", ">", ")", ").", ".)", "]", ",", "*", "_", '"', "…", " ", "%3E", "x", "1", "." * 9]
)
def test_what_a_mail_program_takes_along_behind_a_link_does_not_spoil_it(behind: str) -> None:
    shop = Shop()
    a_buyer(shop)
    asked(shop, anna := Browser(shop))
    came = anna.press(shop.last_link(ANNA) + behind)
    spoils = any(char.isalnum() for char in behind) or len(behind) > 8
    assert isinstance(came, LinkRejected) if spoils else isinstance(came, SignedIn)


@pytest.mark.parametrize("cut", [1, 10, 63])
def test_a_truncated_link_says_so(cut: int) -> None:
    shop = Shop()
    a_buyer(shop)
    assert error_of(look(shop, shop.last_link(ANNA)[:cut])) is LinkError.TRUNCATED


def test_a_forged_link_opens_nothing_and_renews_nothing() -> None:
    shop = Shop()
    a_buyer(shop)
    token = shop.last_link(ANNA)
    link = read_token(token)
    assert link is not None
    forged = Key.of("not the secret of this shop, but long enough").token_of(link.id)
    assert error_of(Browser(shop).press(forged)) is LinkError.FORGED
    assert isinstance(run(shop.request_login.renew(Browser(shop).visitor, forged)), NothingToRenew)


def test_taking_a_secret_out_kills_its_links_and_a_new_one_in_front_does_not() -> None:
    shop = Shop()
    a_buyer(shop)
    token = shop.last_link(ANNA)
    new = "a new secret, also long enough for a shop"
    shop.keyring = Keyring.of((new, SECRET))
    assert look(shop, token).purpose is LinkPurpose.ACCESS
    del shop.__dict__["redeem"]
    shop.keyring = Keyring.of((new,))
    assert error_of(look(shop, token)) is LinkError.FORGED


@given(st.binary(min_size=16, max_size=16), st.text(max_size=80))
def test_a_token_is_read_back_and_nothing_else_is(raw: bytes, junk: str) -> None:
    key = Key.of(SECRET)
    link = LinkId(raw.hex())
    token = read_token(key.token_of(link))
    assert token is not None
    assert token.id == link
    assert token.is_from(key)
    found = read_token(junk)
    assert found is None or not found.is_from(key)


@given(st.binary(min_size=16, max_size=16))
def test_a_code_survives_how_people_type_it(raw: bytes) -> None:
    code = Key.of(SECRET).code_of(LinkId(raw.hex()))
    assert len(code) == 8
    sloppy = f" {code[:4].lower()}-{code[4:]} ".replace("0", "o").replace("1", "l")
    assert tidy_code(sloppy) == code
