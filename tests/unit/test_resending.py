"""The merchant has an access link emailed again: to the address on file alone, within limits, and only if it opens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.fact import Fact, FactKind
from domain.limits import ACCESS_LINKS_AGAIN
from domain.mail import Delivery, MailState
from domain.purchase import Purchase
from domain.usecases.find_order import SeveralOrders
from domain.usecases.link_outcomes import SignedIn
from domain.usecases.request_login import NotAnAddress
from domain.usecases.resend_access_link import Resent
from domain.usecases.resend_outcomes import AccessQueued, NotSent, Resending, WhyNotSent
from domain.values import CheckoutId, EmailAddress, EmailProblem
from entrypoints.resend_lines import not_sent_line, queued_lines
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop
from testkit import by_hand
from testkit.stepping import run
from testkit.without_address import paid

ANNA = "anna@example.com"


def newest(shop: Shop) -> Purchase:
    return list(shop.memory.tables.purchases.values())[-1]


def resent(shop: Shop, wanted: str) -> Resending:
    found = by_hand.resend(shop, wanted)
    shop.deliver_mail()
    return found


def record(shop: Shop, purchase: Purchase, kind: FactKind, status: str) -> None:
    fact = Fact(f"x_{purchase.checkout}", kind, purchase.payment, as_of=1, status=status, amount=900)
    run(shop.store.transact(lambda tx: tx.facts.record(fact)))


def two_orders(shop: Shop) -> tuple[Purchase, Purchase]:
    anna = Browser(shop)
    anna.buy_and_pay(ANNA, BOOK)
    book = newest(shop)
    shop.clock.tick(days=30)
    anna.buy_and_pay(ANNA, PHOTOS)
    return book, newest(shop)


@pytest.mark.parametrize("length", [4, 16, 99])
def test_an_access_email_goes_to_the_address_on_file_with_a_new_link_that_works(length: int) -> None:
    shop = Shop()
    Browser(shop).buy_and_pay(ANNA)
    old, order = shop.last_link(ANNA), newest(shop)
    assert resent(shop, order.checkout[:length]) == AccessQueued(EmailAddress(ANNA), order, (), bounced=False)
    link = shop.last_link(ANNA)
    assert link != old
    keys = list(shop.memory.tables.outbox)
    assert keys[0] == f"access:{order.checkout}"
    assert keys[1].startswith(f"access-again:{order.checkout}:")
    phone = Browser(shop)
    assert isinstance(phone.press(link), SignedIn)
    assert phone.owned == {BOOK}


def test_for_an_address_one_email_names_the_newest_open_order_and_its_link_opens_all() -> None:
    shop = Shop()
    book, photos = two_orders(shop)
    assert resent(shop, "Anna@Example.com") == AccessQueued(
        EmailAddress(ANNA), photos, (book,), bounced=False
    )
    assert len(shop.letters_to(ANNA)) == 3
    phone = Browser(shop)
    phone.press(shop.last_link(ANNA))
    assert phone.owned == {BOOK, PHOTOS}
    record(shop, photos, FactKind.DISPUTE, "needs_response")
    assert resent(shop, ANNA) == AccessQueued(EmailAddress(ANNA), book, (), bounced=False)


@pytest.mark.parametrize(
    ("kind", "status", "why"),
    [(FactKind.REFUND, "succeeded", WhyNotSent.REFUNDED), (FactKind.DISPUTE, "lost", WhyNotSent.CHARGED_BACK),
     (FactKind.DISPUTE, "under_review", WhyNotSent.IN_DISPUTE),
     (FactKind.REFUND, "a_new_status", WhyNotSent.UNKNOWN_STATUS)],
)  # fmt: skip
def test_nothing_is_sent_for_an_order_that_is_closed(kind: FactKind, status: str, why: WhyNotSent) -> None:
    shop = Shop()
    Browser(shop).buy_and_pay(ANNA)
    order = newest(shop)
    record(shop, order, kind, status)
    for wanted in (order.checkout, ANNA):
        assert resent(shop, wanted) == NotSent(why, order)
    assert len(shop.memory.tables.outbox) == 1


def test_nothing_is_sent_for_a_test_purchase_of_a_live_shop() -> None:
    """Made after it went live, by a node with a test key."""
    shop = Shop()
    shop.payments.livemode = True
    run(shop.go_live())
    shop.payments.livemode = False
    Browser(shop).buy_and_pay(ANNA)
    assert newest(shop).livemode is False
    assert resent(shop, ANNA) == NotSent(WhyNotSent.TEST_PURCHASE, newest(shop))


def test_nothing_is_sent_for_an_order_without_an_address_or_of_an_erased_customer() -> None:
    shop = Shop()
    order = paid(shop, Browser(shop))
    assert resent(shop, order.checkout) == NotSent(WhyNotSent.WITHOUT_ADDRESS, order)
    anna = Browser(shop, network="192.0.2.9")
    anna.buy_and_pay(ANNA)
    mine = newest(shop).checkout
    anna.press(shop.last_link(ANNA))
    run(shop.erase(anna.visitor))
    sent = len(shop.letters_to(ANNA))
    assert resent(shop, mine) == NotSent(WhyNotSent.ERASED, shop.memory.tables.purchases[mine])
    assert resent(shop, ANNA) == NotSent(WhyNotSent.NO_SUCH_CUSTOMER)
    assert len(shop.letters_to(ANNA)) == sent


def test_nothing_is_sent_to_an_address_that_bought_nothing() -> None:
    shop = Shop()
    Browser(shop).buy_and_pay(ANNA)
    assert resent(shop, "ben@example.com") == NotSent(WhyNotSent.NO_SUCH_CUSTOMER)
    assert resent(shop, "ffff") == NotSent(WhyNotSent.NO_SUCH_ORDER)
    assert resent(shop, newest(shop).checkout[:3]) == NotSent(WhyNotSent.NO_SUCH_ORDER)
    assert resent(shop, "a..b@example.com") == NotAnAddress(EmailProblem.LOCAL_PART_REFUSED)
    assert shop.letters_to("ben@example.com") == []


def test_a_beginning_that_several_orders_share_sends_nothing() -> None:
    shop = Shop()
    Browser(shop).buy_and_pay(ANNA)
    one = newest(shop)
    for number in range(2):
        row = replace(one, checkout=CheckoutId(f"abcd{number:028x}"), provider_ref=None, payment=None)
        shop.memory.tables.purchases[row.checkout] = row
    assert isinstance(resent(shop, "abcd"), SeveralOrders)
    assert len(shop.memory.tables.outbox) == 1


def test_three_emails_an_hour_leave_for_one_address_whatever_the_merchant_names() -> None:
    shop = Shop()
    book, photos = two_orders(shop)
    sent = [resent(shop, wanted) for wanted in (book.checkout, photos.checkout, ANNA, ANNA, book.checkout)]
    assert [isinstance(one, AccessQueued) for one in sent] == [True] * 3 + [False] * 2
    assert sent[3] == NotSent(WhyNotSent.ENOUGH, photos)
    assert len(shop.letters_to(ANNA)) == 2 + 3
    shop.clock.tick(hours=1)
    assert isinstance(resent(shop, ANNA), AccessQueued)


def test_the_customers_own_allowance_is_another() -> None:
    shop = Shop()
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    order = newest(shop).checkout
    for _ in range(3):
        resent(shop, order)
    asked = [run(shop.resend(anna.visitor, order)) for _ in range(ACCESS_LINKS_AGAIN.most + 1)]
    assert asked == [Resent.QUEUED] * 3 + [Resent.ENOUGH]


def test_what_is_still_queued_is_not_queued_once_more() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy()
    shop.payments.pay(ref, email=ANNA)
    shop.hear_of(ref)
    order = newest(shop)
    assert by_hand.resend(shop, ANNA) == NotSent(WhyNotSent.STILL_QUEUED, order)
    shop.deliver_mail()
    assert isinstance(by_hand.resend(shop, ANNA), AccessQueued)
    assert by_hand.resend(shop, order.checkout) == NotSent(WhyNotSent.STILL_QUEUED, order)
    assert [mail.state for mail in shop.memory.tables.outbox.values()] == [MailState.SENT, MailState.QUEUED]


def test_the_merchant_is_told_that_the_last_access_email_bounced() -> None:
    shop = Shop()
    Browser(shop).buy_and_pay(ANNA)
    key = f"access:{newest(shop).checkout}"
    run(shop.store.transact(lambda tx: tx.outbox.record_delivery(key, Delivery.BOUNCED)))
    found = resent(shop, ANNA)
    assert isinstance(found, AccessQueued)
    assert found.bounced


def test_what_is_said_names_orders_and_a_masked_address_and_no_link() -> None:
    shop = Shop()
    book, photos = two_orders(shop)
    found = resent(shop, ANNA)
    assert isinstance(found, AccessQueued)
    said = queued_lines(found)
    assert said == [
        f"The access email for order {photos.checkout[:16]} (The photos) is queued for a•••@example.com.",
        "A running shop sends it within a second.",
        "Its link signs the customer in, so it also opens:",
        f"  order {book.checkout[:16]} (The book)",
    ]


@pytest.mark.parametrize("why", WhyNotSent)
def test_every_reason_is_one_sentence(why: WhyNotSent) -> None:
    shop = Shop()
    Browser(shop).buy_and_pay(ANNA)
    line = not_sent_line(NotSent(why, newest(shop)), "ffff")
    assert "{" not in line
    assert "\n" not in line
    assert ("nothing was sent: " in line) or ("no order matches 'ffff'" in line)
