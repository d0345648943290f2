"""Coming back without a password: what a stranger learns, how often an email is sent, how long a session lasts."""

from __future__ import annotations

import pytest

from domain.magic_link import LinkPurpose
from domain.mail import MailState
from domain.usecases.request_login import CheckYourEmail, NotAnAddress, TooManyRequests
from entrypoints.testing import BOOK, Browser, Shop
from testkit.logins import ANNA, a_buyer, asked, look
from testkit.stepping import run

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
