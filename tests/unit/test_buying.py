"""From the click on Buy to the provider's page: what is asked, what is refused, what is counted."""

from __future__ import annotations

import pytest

from domain.ports import PaymentsUnreachable
from domain.product import Saleability
from domain.usecases.checkout_outcomes import (
    AlreadyYours,
    NoSuchProduct,
    NotForSale,
    RedirectToPayment,
    TooManyCheckouts,
)
from domain.values import ProductId
from entrypoints.testing import BOOK, Browser, Shop, a_product, an_edition
from testkit.stepping import run

ANNA = "anna@example.com"


def test_an_unknown_product_a_sold_out_one_and_one_not_on_sale_ask_the_provider_nothing() -> None:
    shop = Shop(edition=an_edition(a_product(stock=1), a_product(ProductId("old"), held_back=True)))
    Browser(shop).buy_and_pay(ANNA)
    calls = list(shop.payments.calls)
    browser = Browser(shop)
    assert run(shop.start_checkout(browser.visitor, ProductId("none"), again=False)) == NoSuchProduct()
    for pid, why in ((BOOK, Saleability.SOLD_OUT), (ProductId("old"), Saleability.NOT_ON_SALE)):
        answer = run(shop.start_checkout(browser.visitor, pid, again=False))
        assert isinstance(answer, NotForSale)
        assert answer.why is why
    assert shop.payments.calls == calls
    assert len(shop.memory.tables.sessions) == 1


def test_an_owner_is_asked_before_buying_twice() -> None:
    shop = Shop()
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    assert isinstance(run(shop.start_checkout(anna.visitor, BOOK, again=False)), AlreadyYours)
    assert anna.buy(again=True)


def test_our_row_stands_before_the_provider_is_asked_and_holds_its_id_afterwards() -> None:
    shop = Shop()
    seen: list[int] = []

    async def pause(place: str) -> None:
        if place == "start sent":
            seen.append(len(shop.memory.tables.checkouts))

    shop.payments._pause = pause
    ref = Browser(shop).buy()
    assert seen == [1]
    [checkout] = shop.memory.tables.checkouts.values()
    assert checkout.provider_ref == ref
    assert shop.payments.sessions[ref].reference == checkout.id


def test_a_known_account_is_named_to_the_provider() -> None:
    shop = Shop()
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    anna.press(shop.last_link(ANNA))
    assert shop.payments.sessions[anna.buy(again=True)].email == ANNA


def test_when_the_provider_is_away_nothing_was_charged_and_no_place_is_lost() -> None:
    shop = Shop()
    browser = Browser(shop)
    shop.payments.failing = True
    for _ in range(40):
        shop.clock.tick(seconds=1)
        with pytest.raises(PaymentsUnreachable):
            run(shop.start_checkout(browser.visitor, BOOK, again=False))
    shop.payments.failing = False
    assert browser.buy()


def test_thirty_unpaid_checkouts_per_network_in_ten_minutes_and_a_paid_one_gives_its_place_back() -> None:
    shop = Shop()
    refs = []
    for _ in range(30):
        shop.clock.tick(seconds=1)
        refs.append(Browser(shop).buy())
    refused = run(shop.start_checkout(Browser(shop).visitor, BOOK, again=False))
    assert isinstance(refused, TooManyCheckouts)
    assert (refused.until - shop.clock.now()).total_seconds() == 600 - 29
    assert Browser(shop, network="192.0.2.9").buy()
    shop.payments.pay(refs[0], email=ANNA)
    shop.hear_of(refs[0])
    assert Browser(shop).buy()
    shop.clock.tick(minutes=10)
    assert Browser(shop).buy()


def test_fourteen_checkouts_a_second_for_all_strangers_and_twenty_for_the_whole_shop() -> None:
    shop = Shop()
    customers = [Browser(shop, network=f"192.0.{number}.1") for number in range(7)]
    for browser in customers:
        browser.buy_and_pay(ANNA)
        shop.clock.tick(seconds=1)
    before = len(shop.memory.tables.checkouts)
    for number in range(14):
        assert Browser(shop, network=f"198.51.{number}.1").buy()
    stranger = Browser(shop, network="203.0.113.1")
    assert isinstance(run(shop.start_checkout(stranger.visitor, BOOK, again=False)), TooManyCheckouts)
    for browser in customers[:6]:
        assert browser.buy(again=True)
    last = run(shop.start_checkout(customers[6].visitor, BOOK, again=True))
    assert isinstance(last, TooManyCheckouts)
    assert len(shop.memory.tables.checkouts) == before + 20
    shop.clock.tick(seconds=1)
    assert isinstance(run(shop.start_checkout(stranger.visitor, BOOK, again=False)), RedirectToPayment)


def test_abandoned_checkouts_go_a_week_after_they_expired_and_paid_ones_never() -> None:
    shop = Shop()
    Browser(shop).buy()
    paid = Browser(shop).buy_and_pay(ANNA)
    debit = Browser(shop).buy()
    shop.payments.pay(debit, email=ANNA, status="unpaid")
    shop.hear_of(debit, event="evt_d")
    for days, left in ((7.5, 3), (1, 2)):
        shop.clock.tick(days=days)
        now = shop.clock.now()
        run(shop.store.transact(lambda tx, now=now: tx.retention.prune(now=now)))  # type: ignore[misc]
        assert len(shop.memory.tables.checkouts) == left
    assert {c.provider_ref for c in shop.memory.tables.checkouts.values()} == {paid, debit}
