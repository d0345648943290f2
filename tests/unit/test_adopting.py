"""The sales of a shop built along the tutorial, adopted: once each, for one user a mailbox, and nobody is mailed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.product import Product
from domain.purchase import PurchaseState, Source
from domain.transaction import Transaction
from domain.usecases.import_sales import Imported, ImportSales
from domain.usecases.imported_sale import OldSale
from domain.values import EmailAddress, Money, ProductId, UserId
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop, a_product, an_edition
from testkit.stepping import run

ANNA = EmailAddress("anna@example.com")
SALE = OldSale(row="1", email="Anna@Example.com", product="book", ref="cs_live_a1", amount=1999)


def adopt(shop: Shop, *sales: OldSale, **renamed: str) -> Imported:
    adopting = ImportSales(store=shop.store, catalogue=shop.catalogue, clock=shop.clock)
    return run(adopting(sales, renamed=renamed))


def rows(shop: Shop) -> str:
    tables = shop.memory.tables
    return repr((tables.users, tables.checkouts, tables.purchases, tables.facts, tables.outbox))


def test_a_sale_opens_for_its_mailbox_and_nobody_is_mailed() -> None:
    shop = Shop()
    assert adopt(shop, SALE).booked == 1
    [held] = run(shop.store.read(lambda tx: tx.purchases.of_address(ANNA)))
    assert held.purchase.paid == Money(1999, "usd"), (
        "what was paid there, in the currency of the product here"
    )
    assert (held.purchase.product_name, held.purchase.livemode) == ("The book", None)
    assert held.purchase.source is Source.IMPORT
    assert held.standing.state is PurchaseState.LIVE
    assert not shop.memory.tables.outbox
    assert not shop.memory.tables.links
    browser = Browser(shop)
    browser.ask_for_link(str(ANNA))
    shop.deliver_mail()
    browser.press(shop.last_link(str(ANNA)))
    assert browser.owned == {BOOK}
    assert len(shop.letters_to(str(ANNA))) == 1, "the link she asked for"


def test_one_user_for_a_mailbox_however_it_was_written() -> None:
    """The tutorial compares addresses letter by letter."""
    shop = Shop()
    twice = replace(SALE, row="2", ref="cs_live_a2", email="anna@example.com", product="photos")
    assert adopt(shop, SALE, twice).booked == 2
    assert [user.mailbox for user in shop.memory.tables.users.values()] == [ANNA]


def test_a_sale_that_the_tutorials_race_doubled_is_adopted_once() -> None:
    shop = Shop()
    found = adopt(shop, SALE, replace(SALE, row="2"))
    assert (found.booked, found.doubled, found.problems) == (1, 1, [])


def test_a_second_run_changes_nothing_and_a_longer_file_adds_what_is_new() -> None:
    shop = Shop()
    adopt(shop, SALE)
    before = rows(shop)
    shop.clock.tick(days=3)
    again = adopt(shop, SALE)
    assert (again.booked, again.known, rows(shop)) == (0, 1, before)
    assert adopt(shop, SALE, replace(SALE, row="2", ref="cs_live_a2")).booked == 1


@pytest.mark.parametrize(
    ("broken", "word"),
    [
        (replace(SALE, row="9", ref=""), "names no Stripe session"),
        (replace(SALE, row="9", ref="../cs_live_1"), "names no Stripe session"),
        (replace(SALE, row="9", ref="cs_live_b", product="p7"), "--product p7=ITS-ID"),
        (replace(SALE, row="9", ref="cs_live_b", email=""), "no address that can be mailed"),
        (replace(SALE, row="9", ref="cs_live_b", email="nobody"), "no address that can be mailed"),
        (replace(SALE, row="9", ref="cs_live_b", amount=-5), "an amount must be"),
    ],
)
def test_a_broken_row_is_told_in_a_sentence_and_costs_no_other_row(broken: OldSale, word: str) -> None:
    shop = Shop()
    found = adopt(shop, broken, SALE)
    assert found.booked == 1
    [problem] = found.problems
    assert problem.startswith("purchases row 9 was left out: ")
    assert word in problem
    assert "nna@" not in problem


def test_products_have_other_names_here_and_a_price_that_is_not_noted_is_the_catalogues() -> None:
    shop = Shop()
    found = adopt(shop, replace(SALE, product="p1", amount=None), p1="photos")
    assert found.booked == 1
    [purchase] = shop.memory.tables.purchases.values()
    assert (purchase.product, purchase.paid) == (PHOTOS, Money(1400, "usd"))


def test_a_bundle_opens_what_it_contains_today() -> None:
    lot: Product = a_product(ProductId("lot"), contains=(BOOK,))
    shop = Shop(edition=an_edition(a_product(), lot))
    adopt(shop, replace(SALE, product="lot"))
    [purchase] = shop.memory.tables.purchases.values()
    assert purchase.products == ("lot", "book")


def test_who_was_erased_here_does_not_come_back_by_a_second_run() -> None:
    shop = Shop()
    adopt(shop, SALE)
    run(shop.store.transact(lambda tx: tx.erasures.erase(ANNA, at=shop.clock.now())))
    found = adopt(shop, SALE)
    assert (found.booked, found.erased) == (0, 1)
    assert not shop.memory.tables.users


def test_who_moved_to_another_address_here_stays_there() -> None:
    shop = Shop()
    adopt(shop, SALE)
    [checkout] = shop.memory.tables.purchases
    ben = EmailAddress("ben@example.com")

    def work(tx: Transaction) -> None:
        user = tx.users.get_or_add(ben, new_id=UserId("u2"), now=shop.clock.now())
        tx.purchases.transfer([checkout], old=ANNA, mailbox=ben, user=user)
        tx.users.drop_without_purchases(ANNA)

    run(shop.store.transact(work))
    adopt(shop, SALE)
    assert [user.mailbox for user in shop.memory.tables.users.values()] == [ben]
