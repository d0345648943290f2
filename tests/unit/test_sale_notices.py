"""The merchant hears of sales: of each once, or of a day or a week in one email, however many nodes there are."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.fact import Fact, FactKind
from domain.mail import Envelope, MailKind
from domain.product import Product, SaleNotices
from domain.purchase import Purchase
from domain.staff import Actor
from domain.usecases.erase_refusal import Erased
from domain.usecases.import_sales import ImportSales
from domain.usecases.imported_sale import OldSale
from domain.usecases.send_sales_digest import SendSalesDigest
from domain.values import Money, ProductId
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop, a_product, an_edition
from testkit.stepping import run

ANNA, BEN, MERCHANT = "anna@example.com", "ben@example.com", "help@shop.example"
FREE = ProductId("free")
EACH, DAILY, WEEKLY, OFF = SaleNotices.EACH, SaleNotices.DAILY, SaleNotices.WEEKLY, SaleNotices.OFF


def a_shop(notices: SaleNotices, *products: Product, **more: Any) -> Shop:
    """It has gone live, and opened on Sunday, 1 March 2026, at noon."""
    edition = an_edition(
        *(products or (a_product(BOOK), a_product(PHOTOS, price=1400), a_product(FREE, price=0)))
    )
    shop = Shop(edition=replace(edition, shop=replace(edition.shop, sale_notices=notices)), **more)
    shop.payments.livemode = True
    run(shop.go_live())
    return shop


def announce(shop: Shop, notices: SaleNotices) -> None:
    """The merchant edits shop.toml."""
    edition = shop.catalogue.current()
    shop.catalogue.edition = replace(edition, shop=replace(edition.shop, sale_notices=notices))


def sell(shop: Shop, product: ProductId = BOOK, *, to: str = ANNA, currency: str = "") -> Purchase:
    browser = Browser(shop, network=f"192.0.2.{len(shop.memory.tables.purchases)}")
    ref = browser.buy(product, currency=currency)
    shop.payments.pay(ref, email=to)
    shop.hear_of(ref, event=f"evt_{ref[-12:]}")
    return next(p for p in shop.memory.tables.purchases.values() if p.provider_ref == ref)


def keys(shop: Shop) -> list[str]:
    """The notices about sales, sent or not."""
    mails = shop.memory.tables.outbox.values()
    return [m.key for m in mails if m.kind is MailKind.NOTICE and m.key.startswith("notice:sale")]


def letters(shop: Shop) -> list[Envelope]:
    shop.deliver_mail()
    return shop.letters_to(MERCHANT)


def report(shop: Shop) -> list[str]:
    """The timer of a node that has just started."""
    run(SendSalesDigest(store=shop.store, catalogue=shop.catalogue, clock=shop.clock)())
    return keys(shop)


# ------------------------------------------------------------------ each


def test_each_sale_is_announced_once_whoever_books_it_and_however_often_it_is_heard_of() -> None:
    shop = a_shop(EACH)
    browser = Browser(shop)
    ref = browser.buy()
    shop.payments.pay(ref, email=ANNA)
    for number in range(3):
        shop.hear_of(ref, event=f"evt_{number}")
        browser.come_back(ref)
        run(shop.reconcile())
    [order] = shop.memory.tables.purchases
    assert keys(shop) == [f"notice:sale:{order}"]
    [letter] = letters(shop)
    assert letter.subject == "Sale: The book, $9.00"
    assert "The book was sold for $9.00." in letter.text
    assert f"Order: {order[:16]}" in letter.text
    assert ANNA not in letter.text + letter.html + letter.subject
    sell(shop, to=ANNA)
    assert len(keys(shop)) == 2, "another sale"


def test_without_notices_nothing_is_queued_and_nothing_is_noted() -> None:
    shop = a_shop(OFF)
    sell(shop)
    shop.clock.tick(days=30)
    before = copy.deepcopy(shop.memory.tables)
    assert report(shop) == []
    assert shop.memory.tables == before
    assert list(shop.memory.tables.cursors) == ["started with a live key"]


def free_order(shop: Shop) -> None:
    browser = Browser(shop)
    browser.take(FREE, email=ANNA)
    shop.deliver_mail()
    browser.press(shop.last_link(ANNA))


def test_a_free_order_is_announced_as_one() -> None:
    shop = a_shop(EACH)
    free_order(shop)
    [letter] = letters(shop)
    assert letter.subject == "Free order: The free"
    assert "Nothing was paid." in letter.text


def test_purchase(shop: Shop) -> None:
    shop.payments.livemode = False
    sell(shop)


def granted(shop: Shop) -> None:
    run(shop.grant_product(BOOK, ANNA, actor=Actor.on_host("ada"), form="f1", reason="a review"))


def adopted(shop: Shop) -> None:
    old = OldSale(row="1", email=ANNA, product="book", ref="cs_live_a1", amount=900)
    run(ImportSales(store=shop.store, catalogue=shop.catalogue, clock=shop.clock)([old], renamed={}))


def of_a_quiet_product(shop: Shop) -> None:
    edition = shop.catalogue.current()
    products = {pid: replace(one, sale_notice=pid != BOOK) for pid, one in edition.products.items()}
    shop.catalogue.edition = replace(edition, products=products)
    sell(shop)


test_purchase.__test__ = False  # type: ignore[attr-defined]


@pytest.mark.parametrize("happens", [test_purchase, granted, adopted, of_a_quiet_product])
@pytest.mark.parametrize("notices", [EACH, DAILY, WEEKLY])
def test_what_is_no_sale_or_of_a_quiet_product_is_not_announced(
    happens: Callable[[Shop], None], notices: SaleNotices
) -> None:
    shop = a_shop(notices)
    happens(shop)
    assert shop.memory.tables.purchases
    shop.clock.tick(days=8)
    assert report(shop) == []
    shop.payments.livemode = True
    sell(shop, PHOTOS, to=BEN)
    shop.clock.tick(days=8)
    assert len(report(shop)) == 1, "others are"


def test_a_payment_for_a_deleted_account_is_no_sale_to_be_glad_of() -> None:
    shop = a_shop(EACH)
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    anna.press(shop.last_link(ANNA))
    late = anna.buy(PHOTOS)
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    shop.payments.pay(late, email=ANNA)
    shop.hear_of(late, event="evt_late")
    assert len(shop.memory.tables.purchases) == 2
    assert len(keys(shop)) == 1


# ------------------------------------------------------------------ digests


def test_a_day_is_reported_once_after_its_end_by_whichever_node_comes_first() -> None:
    shop = a_shop(DAILY)
    order = sell(shop)
    shop.clock.tick(hours=12, minutes=9)  # nine minutes past midnight
    assert report(shop) == [], "a sale of that day may still be committed"
    shop.clock.tick(minutes=1)
    assert report(shop) == ["notice:sales:2026-03-02"]
    before = copy.deepcopy(shop.memory.tables)
    for _ in range(3):
        assert report(shop) == ["notice:sales:2026-03-02"]
    assert shop.memory.tables == before
    [letter] = letters(shop)
    assert letter.subject == "Sales on 2026-03-01"
    assert "Total of 1: $9.00 gross, $0.00 refunded or lost in disputes, $9.00 net" in letter.text
    assert f"The book: $9.00, order {order.checkout[:16]}" in letter.text
    assert ANNA not in letter.text + letter.html


def test_two_nodes_that_report_at_the_same_moment_send_one_email() -> None:
    overtaking: list[Shop] = []

    async def another_node(place: str) -> None:
        if place == "begin" and overtaking:
            await overtaking.pop().send_sales_digest()

    shop = a_shop(DAILY, pause=another_node)
    sell(shop)
    shop.clock.tick(hours=13)
    overtaking.append(shop)
    assert report(shop) == ["notice:sales:2026-03-02"]
    assert not overtaking
    assert len(letters(shop)) == 1


def test_a_node_that_dies_before_the_commit_leaves_the_day_to_the_next_one() -> None:
    class Died(Exception):
        pass

    dying: list[bool] = []

    async def die(place: str) -> None:
        if place == "begin" and dying:
            dying.clear()
            raise Died

    shop = a_shop(DAILY, pause=die)
    sell(shop)
    shop.clock.tick(hours=13)
    dying.append(True)
    with pytest.raises(Died):
        report(shop)
    assert report(shop) == ["notice:sales:2026-03-02"]


def test_every_sale_is_in_one_digest_and_a_day_without_sales_has_none() -> None:
    shop = a_shop(DAILY)
    shop.clock.tick(hours=11, minutes=59)
    first = sell(shop)
    shop.clock.tick(minutes=1)  # midnight
    second = sell(shop)
    for _ in range(20):
        shop.clock.tick(hours=6)
        report(shop)
    assert keys(shop) == ["notice:sales:2026-03-02", "notice:sales:2026-03-03"]
    texts = [letter.text for letter in letters(shop)]
    assert [[p.checkout[:16] in text for p in (first, second)] for text in texts] == [
        [True, False],
        [False, True],
    ]


def test_after_a_time_that_nobody_served_one_email_covers_all_of_it() -> None:
    shop = a_shop(DAILY)
    sell(shop)
    shop.clock.tick(days=1)
    report(shop)
    orders = []
    for _ in range(3):
        orders.append(sell(shop))
        shop.clock.tick(days=1)
    assert report(shop) == ["notice:sales:2026-03-02", "notice:sales:2026-03-05"]
    letter = letters(shop)[-1]
    assert letter.subject == "Sales from 2026-03-02 to 2026-03-04"
    assert all(order.checkout[:16] in letter.text for order in orders)


def test_a_week_ends_with_its_sunday_and_the_first_email_is_of_that_week_alone() -> None:
    shop = a_shop(OFF)
    sell(shop)  # on a Sunday
    announce(shop, WEEKLY)
    shop.clock.tick(days=1)
    assert report(shop) == ["notice:sales:2026-03-02"]
    assert letters(shop)[-1].subject == "Sales from 2026-02-23 to 2026-03-01"
    sell(shop)
    shop.clock.tick(days=6)
    assert len(report(shop)) == 1, "the week is not over"
    shop.clock.tick(days=1)
    assert report(shop)[1:] == ["notice:sales:2026-03-09"]


def test_a_change_from_days_to_weeks_reports_nothing_twice() -> None:
    shop = a_shop(DAILY)
    shop.clock.tick(days=1)
    monday = sell(shop)
    shop.clock.tick(days=1)
    report(shop)
    announce(shop, WEEKLY)
    tuesday = sell(shop)
    for _ in range(9):
        shop.clock.tick(days=1)
        report(shop)
    assert keys(shop) == ["notice:sales:2026-03-03", "notice:sales:2026-03-09"]
    letter = letters(shop)[-1]
    assert letter.subject == "Sales from 2026-03-03 to 2026-03-08"
    assert tuesday.checkout[:16] in letter.text
    assert monday.checkout[:16] not in letter.text


def test_a_digest_sums_each_currency_net_of_what_was_taken_back() -> None:
    photos = a_product(PHOTOS, price=1400, other_prices=(Money(1200, "eur"),))
    shop = a_shop(DAILY, a_product(BOOK), photos)
    sell(shop)
    refunded = sell(shop, to=BEN)
    sell(shop, PHOTOS, currency="eur")
    fact = Fact("re_1", FactKind.REFUND, refunded.payment, as_of=1, status="succeeded", amount=400)
    run(shop.store.transact(lambda tx: tx.facts.record(fact)))
    shop.clock.tick(days=1)
    report(shop)
    [letter] = letters(shop)
    for line in (
        "Total of 1: €12.00 gross, €0.00 refunded or lost in disputes, €12.00 net",
        "Total of 2: $18.00 gross, $4.00 refunded or lost in disputes, $14.00 net",
    ):
        assert line in letter.text


def test_a_long_digest_lists_fifty_sales_and_counts_all() -> None:
    shop = a_shop(DAILY)
    one = sell(shop)
    for number in range(250):
        order = f"{one.checkout[:-4]}{number:04x}"
        shop.memory.tables.purchases[order] = replace(one, checkout=order, provider_ref=None, payment=None)  # type: ignore[index, arg-type]
    sales = len(shop.memory.tables.purchases)
    shop.clock.tick(days=1)
    report(shop)
    [letter] = letters(shop)
    assert letter.text.count(", order ") == 50
    assert f"Total of {sales}: $" in letter.text
    assert f"{sales - 50} more are not listed here." in letter.text
    assert "coatcheck export --format csv --from 2026-03-01 --to 2026-03-01" in letter.text


def test_a_bank_debit_is_reported_on_the_day_on_which_it_arrived() -> None:
    shop = a_shop(DAILY)
    browser = Browser(shop)
    ref = browser.buy()
    shop.payments.pay(ref, email=ANNA, status="unpaid")
    shop.hear_of(ref, event="evt_1")
    for _ in range(25):
        shop.clock.tick(days=1)
        assert report(shop) == []
    shop.payments.pay(ref, email=ANNA)
    shop.hear_of(ref, event="evt_2")
    shop.clock.tick(days=1)
    assert report(shop) == [f"notice:sales:{shop.clock.now() - timedelta(hours=12):%Y-%m-%d}"]
