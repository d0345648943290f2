"""Coming back without a password: links, codes, limits, sessions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.keys import Key, Keyring, read_token, tidy_code
from domain.magic_link import LinkPurpose
from domain.mail import MailState
from domain.usecases.link_outcomes import LinkError, LinkRejected, SignedIn
from domain.usecases.request_login import CheckYourEmail, NotAnAddress, NothingToRenew, TooManyRequests
from domain.values import LinkId
from entrypoints.testing import BOOK, SECRET, Browser, Shop
from testkit.stepping import run

ANNA = "anna@example.com"


def a_buyer(shop: Shop) -> Browser:
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    return anna


def asked(shop: Shop, browser: Browser, email: str = ANNA) -> None:
    assert isinstance(browser.ask_for_link(email), CheckYourEmail)
    shop.deliver_mail()


def look(shop: Shop, token: str, browser: Browser | None = None) -> Any:
    """What the page of a link shows in a browser."""
    return run(shop.redeem.look((browser or Browser(shop)).visitor, token))


def error_of(came: object) -> LinkError | None:
    return came.error if isinstance(came, LinkRejected) else None


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


def test_only_the_newest_link_of_a_session_works_and_other_sessions_keep_theirs() -> None:
    """Somebody who asks in my name must not be able to kill the link I asked for."""
    shop = Shop()
    a_buyer(shop)
    mine, eves = Browser(shop), Browser(shop)
    asked(shop, mine)
    first = shop.last_link(ANNA)
    asked(shop, eves)
    assert look(shop, first).purpose is LinkPurpose.LOGIN
    asked(shop, mine)
    assert look(shop, first) == LinkRejected(error=LinkError.SUPERSEDED, renewable=True)


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


# ------------------------------------------------------------------ same answer, same work


def test_known_and_unknown_addresses_get_the_same_answer_and_leave_the_same_rows() -> None:
    shop = Shop()
    a_buyer(shop)
    counts = []
    for email in (ANNA, "stranger@example.com"):
        before = shop.memory.tables.copy()
        answer = Browser(shop).ask_for_link(email)
        assert isinstance(answer, CheckYourEmail)
        after = shop.memory.tables
        counts.append(
            [
                len(getattr(after, t)) - len(getattr(before, t))
                for t in ("sessions", "links", "outbox", "limits")
            ]
        )
    assert counts[0] == counts[1]
    shop.deliver_mail()
    assert shop.letters_to("stranger@example.com") == []
    assert [m.state for m in shop.memory.tables.outbox.values()][-1] is MailState.DROPPED


def test_known_and_unknown_addresses_take_the_same_steps_at_every_port() -> None:
    """What happens before the answer is the same, step by step; only the mail worker, later, tells them apart."""
    traces = []
    for email in (ANNA, "stranger@example.com"):
        steps: list[str] = []

        async def note(place: str, steps: list[str] = steps) -> None:
            steps.append(place)

        shop = Shop(pause=note)
        a_buyer(shop)
        steps.clear()
        Browser(shop).ask_for_link(email)
        traces.append(steps)
    assert traces[0] == traces[1]
    assert traces[0]


def test_an_address_that_is_none_is_refused_with_a_sentence() -> None:
    shop = Shop()
    assert isinstance(Browser(shop).ask_for_link("bob"), NotAnAddress)
    assert not shop.memory.tables.links


# ------------------------------------------------------------------ limits


def asked_times(shop: Shop, browsers: list[Browser], email: str = ANNA) -> int:
    """How many mails went out for these requests."""
    before = len(shop.letters_to(email))
    for browser in browsers:
        assert isinstance(browser.ask_for_link(email), CheckYourEmail)
        shop.deliver_mail()
    return len(shop.letters_to(email)) - before


def test_three_in_fifteen_minutes_per_address_from_however_many_browsers() -> None:
    shop = Shop()
    a_buyer(shop)
    Browser(shop).ask_for_link("other@example.com")
    strangers = [Browser(shop, network=f"198.51.{n}.1") for n in range(4)]
    assert asked_times(shop, strangers) == 3
    shop.clock.tick(minutes=15, seconds=1)
    assert asked_times(shop, strangers[:1]) == 1


def test_strangers_share_ten_a_day_and_a_browser_that_proved_the_mailbox_has_its_own() -> None:
    """Nobody can lock an owner out by asking in their name."""
    shop = Shop()
    anna = a_buyer(shop)
    anna.press(shop.last_link(ANNA))
    sent = 0
    for number in range(40):
        sent += asked_times(shop, [Browser(shop, network=f"198.51.{number}.1")])
        shop.clock.tick(minutes=10)
    assert sent == 10
    anna.token = None  # logged out, but the browser once proved the mailbox
    assert asked_times(shop, [anna]) == 1
    imposter = Browser(shop, device="v1.made.up")
    assert asked_times(shop, [imposter]) == 0


def test_made_up_tags_give_a_signed_in_browser_no_fresh_count() -> None:
    shop = Shop()
    anna = a_buyer(shop)
    anna.press(shop.last_link(ANNA))
    sent = 0
    for number in range(14):
        anna.device = f"made.up.{number}"
        sent += asked_times(shop, [anna])
        shop.clock.tick(minutes=16)
    assert sent == 10


def test_a_limited_request_keeps_the_last_mail_working() -> None:
    shop = Shop()
    a_buyer(shop)
    browser = Browser(shop)
    assert asked_times(shop, [browser] * 3) == 3
    token = shop.last_link(ANNA)
    browser.ask_for_link(ANNA)
    assert look(shop, token).purpose is LinkPurpose.LOGIN


def test_twenty_an_hour_per_network_then_the_same_for_any_address_and_for_nonsense() -> None:
    shop = Shop()
    a_buyer(shop)
    for number in range(20):
        Browser(shop).ask_for_link(f"s{number}@example.com" if number % 2 else "nonsense")
    for email in (ANNA, "stranger@example.com", "nonsense"):
        assert isinstance(Browser(shop).ask_for_link(email), TooManyRequests)
    assert isinstance(Browser(shop, network="192.0.2.2").ask_for_link(ANNA), CheckYourEmail)
    shop.clock.tick(hours=1, seconds=1)
    assert isinstance(Browser(shop).ask_for_link(ANNA), CheckYourEmail)


def test_access_emails_never_count_and_are_never_withheld() -> None:
    shop = Shop()
    for _ in range(12):
        Browser(shop).buy_and_pay(ANNA)
    assert len(shop.letters_to(ANNA)) == 12
    assert asked_times(shop, [Browser(shop)]) == 1


# ------------------------------------------------------------------ sessions


def test_a_new_token_at_each_login_and_the_old_one_is_dead() -> None:
    """Session fixation: what a browser carried before it proved a mailbox opens nothing afterwards."""
    shop = Shop()
    anna = a_buyer(shop)
    planted = anna.token
    anna.press(shop.last_link(ANNA))
    assert anna.token != planted
    assert Browser(shop, token=planted).viewer.session is None
    assert anna.owned == {BOOK}


def test_proving_another_mailbox_begins_a_new_row_that_inherits_nothing() -> None:
    shop = Shop()
    browser = a_buyer(shop)
    browser.press(shop.last_link(ANNA))
    Browser(shop).buy_and_pay("eve@example.com")
    browser.press(shop.last_link("eve@example.com"))
    session = browser.viewer.session
    assert session is not None
    assert str(session.mailbox) == "eve@example.com"
    assert all(h.purchase.mailbox.canonical == "eve@example.com" for h in browser.viewer.holdings)


@pytest.mark.parametrize(("idle_days", "times", "alive"), [(13, 2, True), (14, 1, False), (13, 3, False)])
def test_a_session_ends_after_fourteen_idle_days_and_after_thirty_in_all(
    idle_days: int, times: int, alive: bool
) -> None:
    shop = Shop()
    anna = a_buyer(shop)
    anna.press(shop.last_link(ANNA))
    for _ in range(times):
        shop.clock.tick(days=idle_days)
        owned = anna.owned
    assert (owned == {BOOK}) is alive


def test_last_seen_is_written_at_most_once_a_day() -> None:
    shop = Shop()
    anna = a_buyer(shop)
    seen = []
    for hours in (1, 20, 4, 1):
        shop.clock.tick(hours=hours)
        _ = anna.owned
        seen.append(next(iter(shop.memory.tables.sessions.values())).seen_at)
    assert len(set(seen)) == 2


def test_logging_out_ends_the_session_on_the_server() -> None:
    shop = Shop()
    anna = a_buyer(shop)
    run(shop.sign_out.here(anna.visitor))
    assert anna.owned == frozenset()
    assert not shop.memory.tables.sessions


def test_logging_out_everywhere_and_ending_one() -> None:
    shop = Shop()
    laptop, phone, eve = a_buyer(shop), Browser(shop), Browser(shop)
    laptop.press(shop.last_link(ANNA))
    asked(shop, phone)
    phone.press(shop.last_link(ANNA))
    eve.buy_and_pay("eve@example.com")
    own = run(shop.sign_out.list(laptop.visitor))
    assert own is not None
    assert len(own.all) == 2
    eves = eve.viewer.session
    assert eves is not None
    assert run(shop.sign_out.one(laptop.visitor, eves.id)) is False, "somebody else's session is left alone"
    run(shop.sign_out.everywhere(laptop.visitor))
    assert (laptop.owned, phone.owned, eve.owned) == (frozenset(), frozenset(), {BOOK})
