"""Limits that an attacker cannot turn against others: by network class, by address, and with a part kept for customers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from domain.limits import ASKED_BY_STRANGERS, checkout_shares, network_of, networks_around
from domain.mail import MailKind
from domain.ports import MailNotSent
from domain.usecases.change_outcomes import CheckYourNewEmail
from domain.usecases.checkout_outcomes import ConfirmationEmailed, RedirectToPayment, TooManyOrders
from domain.usecases.request_login import CheckYourEmail, TooManyRequests
from domain.values import ProductId
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop, a_product, an_edition
from testkit.stepping import run

ANNA = "anna@example.com"
FREE = ProductId("free")


def a_shop() -> Shop:
    return Shop(edition=an_edition(a_product(BOOK), a_product(PHOTOS), a_product(FREE, price=0)))


def asked(shop: Shop, networks: list[str]) -> Counter[type]:
    """What strangers were answered who asked for a link, each to an address of their own; one a second."""
    answers: Counter[type] = Counter()
    for number, peer in enumerate(networks):
        shop.clock.tick(seconds=1)
        browser = Browser(shop, network=network_of(peer))
        answers[type(browser.ask_for_link(f"x{number}@example.com"))] += 1
    return answers


# ------------------------------------------------------------------ networks


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("nonsense", "unknown"),
    ],
)
def test_a_household_is_an_ipv4_address_or_a_64(peer: str, network: str) -> None:
    assert network_of(peer) == network


def test_a_peer_that_is_named_at_length_is_nobody_and_not_remembered() -> None:
    """A proxy may pass on whatever a client wrote into a header: `fe80::1%` and a kilobyte is an address to Python."""
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("fe80::1%" + "z" * 1000) == "unknown"


def test_around_an_address_are_the_networks_that_one_customer_may_have_all_of() -> None:
    assert networks_around("2001:db8:1:2::/64") == (
        ("2001:db8:1:2::/64", 1),
        ("2001:db8:1::/56", 2),
        ("2001:db8:1::/48", 8),
    )
    assert networks_around("192.0.2.7") == (("192.0.2.7", 1), ("192.0.2.0/24", 8))
    assert networks_around("unknown") == (("unknown", 1),)


@pytest.mark.parametrize(
    ("networks", "accepted"),
    [
        ([f"2001:db8:1:2::{n:x}" for n in range(300)], 20),
        ([f"2001:db8:1:{n % 256:x}::1" for n in range(300)], 40),
        ([f"2001:db8:1:{n * 256:x}::1" for n in range(250)], 160),
        ([f"192.0.2.{n % 250}" for n in range(300)], 160),
    ],
    ids=["/64", "/56", "/48", "IPv4 /24"],
)
def test_a_network_has_one_allowance_however_many_addresses_of_it_are_used(
    networks: list[str], accepted: int
) -> None:
    assert asked(a_shop(), networks)[CheckYourEmail] == accepted


def test_a_refused_request_takes_no_place_in_any_network() -> None:
    shop = a_shop()
    assert asked(shop, ["2001:db8:1:2::1"] * 100)[CheckYourEmail] == 20
    assert asked(shop, ["2001:db8:1:3::1"] * 100)[CheckYourEmail] == 20, "its neighbour in the /56"


# ------------------------------------------------------------------ the whole shop


def ask_for_more_than_the_shop_sends(shop: Shop) -> list[object]:
    """Each from a network and for an address of its own, by turns for a link and for something free."""
    answers: list[object] = []
    for number in range(ASKED_BY_STRANGERS.most + 20):
        browser = Browser(shop, network=f"10.0.{number}.1")
        if number % 2:
            answers.append(browser.ask_for_link(f"x{number}@example.com"))
        else:
            answers.append(browser.take(FREE, email=f"x{number}@example.com"))
    return answers


def test_strangers_share_half_of_what_the_shop_sends_and_the_rest_is_kept_for_known_browsers() -> None:
    shop = a_shop()
    anna = Browser(shop, network="192.0.2.9")
    anna.buy_and_pay(ANNA)
    anna.press(shop.last_link(ANNA))
    anna.token = None
    answers = Counter(type(answer) for answer in ask_for_more_than_the_shop_sends(shop))
    assert answers[CheckYourEmail] + answers[ConfirmationEmailed] == ASKED_BY_STRANGERS.most
    assert answers[TooManyRequests] + answers[TooManyOrders] == 20
    stranger = Browser(shop, network="192.0.3.9")
    refused = [stranger.ask_for_link(email) for email in (ANNA, "never@example.com")]
    assert refused[0] == refused[1], "the answer does not say whether the address is known"
    assert isinstance(refused[0], TooManyRequests)
    assert isinstance(anna.ask_for_link(ANNA), CheckYourEmail)
    assert isinstance(anna.ask_for_link("never@example.com"), TooManyRequests), "it never proved that address"
    shop.clock.tick(seconds=11)
    assert isinstance(stranger.ask_for_link(ANNA), CheckYourEmail)


def test_links_that_known_browsers_ask_for_leave_before_those_of_strangers() -> None:
    shop = a_shop()
    anna = Browser(shop, network="192.0.2.9")
    anna.buy_and_pay(ANNA)
    anna.press(shop.last_link(ANNA))
    ask_for_more_than_the_shop_sends(shop)
    shop.clock.tick(seconds=1)
    anna.ask_for_link(ANNA)
    assert run(shop.lease_mail())[0].to.canonical == ANNA


# ------------------------------------------------------------------ one address


def every_form(shop: Shop, number: int) -> None:
    """All ways in which somebody who never verified Anna's address can have mail sent to it, each in a new browser."""
    network = f"10.{number % 250}.{number // 250}.1"
    evil = f"evil{number}@example.com"
    Browser(shop, network=network).ask_for_link(ANNA)
    Browser(shop, network=network).take(FREE, email=ANNA)
    run(shop.request_login.renew(Browser(shop, network=network).visitor, shop.last_link(ANNA)))
    eve = Browser(shop, network=network)
    eve.buy_and_pay(evil)
    order = next(reversed(shop.memory.tables.purchases))
    answer = run(shop.change_address.correct(eve.visitor, order, ANNA))
    assert isinstance(answer, CheckYourNewEmail), "a limited request gets the same answer"
    eve.press(shop.last_link(evil))
    answer = run(shop.change_address.change(eve.visitor, ANNA))
    assert isinstance(answer, CheckYourNewEmail)


def test_ten_mails_a_day_and_three_in_a_quarter_of_an_hour_over_all_forms_together() -> None:
    """Anna's address is known by a purchase, whose access email does not count."""
    shop = a_shop()
    Browser(shop).buy_and_pay(ANNA)
    sent: list[datetime] = []
    for number in range(30):
        before = len(shop.letters_to(ANNA))
        every_form(shop, number)
        shop.deliver_mail()
        sent += [shop.clock.now()] * (len(shop.letters_to(ANNA)) - before)
        shop.clock.tick(minutes=49)
    quarter, day = timedelta(minutes=15), timedelta(days=1)
    assert max(sum(at <= other < at + quarter for other in sent) for at in sent) == 3
    assert max(sum(at <= other < at + day for other in sent) for at in sent) == 10


def test_whatever_strangers_ask_for_the_owner_gets_her_link_and_the_mail_of_her_purchases() -> None:
    shop = a_shop()
    anna = Browser(shop, network="192.0.2.9")
    anna.buy_and_pay(ANNA)
    anna.press(shop.last_link(ANNA))
    anna.token = None
    for number in range(6):
        every_form(shop, number)
        shop.clock.tick(minutes=16)
    shop.deliver_mail()
    before = len(shop.letters_to(ANNA))
    for _ in range(3):
        anna.ask_for_link(ANNA)
    shop.deliver_mail()
    assert len(shop.letters_to(ANNA)) == before + 3
    for _ in range(5):
        Browser(shop).buy_and_pay(ANNA)
    assert len(shop.letters_to(ANNA)) == before + 8


# ------------------------------------------------------------------ checkouts


def press_buy(browser: Browser) -> bool:
    """Whether it went on to the payment page."""
    started = run(browser.shop.start_checkout(browser.visitor, BOOK, again=True))
    if isinstance(started, RedirectToPayment):
        browser.token = started.new_token or browser.token
    return isinstance(started, RedirectToPayment)


def during_an_attack(shop: Shop, honest: list[Browser], *, seconds: int, networks: int = 400) -> int:
    """Networks, each in another /24, press Buy forty times a second together, more often than the shop starts
    checkouts; one honest customer a second does. How many of those were refused."""
    attackers = [Browser(shop, network=f"10.{n % 200}.{n // 200}.1") for n in range(networks)]
    began, refused, turn = shop.clock.now(), 0, 0
    for second in range(seconds):
        shop.clock.time = began + timedelta(seconds=second)
        for _ in range(40):
            attackers[turn % networks].token = None
            press_buy(attackers[turn % networks])
            turn += 1
        refused += not press_buy(honest[second % len(honest)])
    shop.clock.tick(seconds=1)
    return refused


def customers(shop: Shop, number: int) -> list[Browser]:
    """Browsers that have paid for something before."""
    found = [Browser(shop, network=f"192.0.{n}.2") for n in range(number)]
    for n, browser in enumerate(found):
        shop.clock.tick(seconds=1)
        browser.buy_and_pay(f"customer{n}@example.com")
    shop.clock.tick(minutes=15)
    return found


def test_no_customer_is_refused_while_four_hundred_networks_press_buy() -> None:
    shop = a_shop()
    assert during_an_attack(shop, customers(shop, 8), seconds=8) == 0


def test_a_browser_that_verified_an_address_is_a_customer_too() -> None:
    shop = a_shop()
    known = customers(shop, 8)
    for n, browser in enumerate(known):
        shop.deliver_mail()
        browser.token = None
        browser.press(shop.last_link(f"customer{n}@example.com"))
    assert during_an_attack(shop, known, seconds=8) == 0


def test_new_visitors_get_through_as_soon_as_every_attacking_network_has_had_its_first_tries() -> None:
    """Two tries of 100 networks, 40 a second: that takes five seconds. Afterwards they share what is for further
    checkouts, and crowd out each other."""
    shop = a_shop()
    new = [Browser(shop, network=f"192.0.{n}.2") for n in range(13)]
    during_an_attack(shop, new[:5], seconds=5, networks=100)
    assert during_an_attack(shop, new[5:], seconds=8, networks=100) == 0


def test_one_customer_cannot_use_up_what_is_kept_for_customers() -> None:
    """A copied cookie, used from everywhere."""
    shop = a_shop()
    anna, *others = customers(shop, 4)
    for second in range(3):
        for number in range(40):
            press_buy(replace(anna, network=f"10.{second}.{number}.1"))
        for other in others:
            assert press_buy(other)
        shop.clock.tick(seconds=1)


@pytest.mark.parametrize(("livemode", "stripe_allows"), [(False, 25), (True, 100)])
def test_checkouts_stay_below_what_stripe_allows_with_room_for_other_requests(
    livemode: bool, stripe_allows: int
) -> None:
    shares = checkout_shares(livemode=livemode)
    assert shares.further.most < shares.strangers.most < shares.all.most <= 0.8 * stripe_allows


# ------------------------------------------------------------------ the outbox


def test_what_a_payment_caused_leaves_before_everything_that_was_asked_for() -> None:
    shop = a_shop()
    ask_for_more_than_the_shop_sends(shop)
    shop.clock.tick(seconds=1)
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=ANNA)
    shop.hear_of(ref)
    first = run(shop.lease_mail())[0]
    assert (first.kind, first.to.canonical) == (MailKind.ACCESS, ANNA)


def test_access_emails_of_free_orders_leave_after_those_of_payments() -> None:
    """A browser that verified an address can order any number of free things."""
    shop = a_shop()
    eve = Browser(shop)
    eve.buy_and_pay("eve@example.com")
    eve.press(shop.last_link("eve@example.com"))
    for _ in range(9):
        eve.take(FREE, again=True)
    shop.clock.tick(seconds=1)
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=ANNA)
    shop.hear_of(ref)
    assert run(shop.lease_mail())[0].to.canonical == ANNA


def test_links_for_unknown_addresses_take_no_place_in_the_outbox() -> None:
    """One look at the outbox gets past all of them to the mail that is really to be sent."""
    shop = a_shop()
    Browser(shop).buy_and_pay(ANNA)
    for number in range(90):
        Browser(shop, network=f"10.0.{number}.1").ask_for_link(f"unknown{number}@example.com")
    shop.clock.tick(seconds=1)
    Browser(shop, network="192.0.2.9").ask_for_link(ANNA)
    assert [mail.to.canonical for mail in run(shop.lease_mail())] == [ANNA]
    assert run(shop.lease_mail()) == []


# ------------------------------------------------------------------ leases


def sold(shop: Shop) -> None:
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=ANNA)
    shop.hear_of(ref)


def test_the_mail_of_a_dead_holder_is_due_within_half_a_minute_under_the_same_key() -> None:
    shop = a_shop()
    sold(shop)
    [first] = run(shop.lease_mail())
    shop.clock.tick(seconds=30)
    [again] = run(shop.lease_mail())
    assert (again.key, again.link, again.letter) == (first.key, first.link, first.letter)
    assert again.unknown_since is not None, "it may have got through before its holder died"


def test_a_send_that_takes_minutes_stays_with_its_holder_while_that_one_lives() -> None:
    shop = a_shop()
    sold(shop)
    held = run(shop.lease_mail())
    for _ in range(24):
        shop.clock.tick(seconds=5)
        held = run(shop.lease_mail.renew(held))
        assert len(held) == 1
        assert run(shop.lease_mail()) == []


def test_a_lease_that_another_node_has_taken_over_is_not_renewed() -> None:
    shop = a_shop()
    sold(shop)
    slow = run(shop.lease_mail())
    shop.clock.tick(seconds=30)
    assert len(run(shop.lease_mail())) == 1
    assert run(shop.lease_mail.renew(slow)) == []


def test_renewing_never_shortens_the_pause_before_a_retry() -> None:
    shop = a_shop()
    sold(shop)
    held = run(shop.lease_mail())
    shop.mailer.failing = MailNotSent("away")
    run(shop.hand_over(held[0]))
    [mail] = shop.memory.tables.outbox.values()
    assert run(shop.lease_mail.renew(held)) == []
    assert [mail] == list(shop.memory.tables.outbox.values())


def test_a_process_that_starts_alone_takes_back_what_its_predecessor_held() -> None:
    shop = a_shop()
    sold(shop)
    [first] = run(shop.lease_mail())
    assert run(shop.lease_mail.take_back()) == 1
    [again] = run(shop.lease_mail())
    assert again.key == first.key
    assert again.unknown_since is not None
    run(shop.hand_over(again))
    assert run(shop.lease_mail.take_back()) == 0
