"""The payment provider refuses: a wrong or restricted key, or something in the request that it does not take."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.payment_account import checkout_trials
from domain.ports import PaymentsRefused
from domain.records import ProblemKind
from domain.usecases.report_problem import works_again
from domain.usecases.return_outcomes import Claimed, Confirming
from domain.values import Money, ProductId
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop, a_product, an_edition
from testkit.stepping import run

MERCHANT = "help@shop.example"
SONGS = ProductId("songs")
WORDS = "Stripe said no (401): Invalid API Key provided: sk_test_*******1234"


def problems(shop: Shop) -> list[tuple[ProblemKind, str, str]]:
    return [(p.kind, p.subject, p.detail) for p in run(shop.report()).problems]


def test_a_checkout_that_is_refused_is_an_entry_in_status_and_one_email_until_one_is_not() -> None:
    shop = Shop()
    anna = Browser(shop)
    shop.payments.refusing = WORDS
    for _ in range(3):
        with pytest.raises(PaymentsRefused):
            anna.buy()
    assert problems(shop) == [
        (ProblemKind.CHECKOUT_REFUSED, "book", "Stripe said no (401): Invalid API Key provided: [sk]")
    ]
    assert run(shop.report()).all_well is False
    shop.deliver_mail()
    [letter] = shop.letters_to(MERCHANT)
    assert "Stripe refused to open the payment page for book" in letter.text
    assert "Invalid API Key provided" in letter.text
    shop.payments.refusing = ""
    anna.buy()
    assert run(shop.report()).all_well is True


def test_what_stops_every_sale_is_one_email_and_is_over_for_all_products_at_once() -> None:
    shop = Shop(edition=an_edition(a_product(BOOK), a_product(PHOTOS), a_product(SONGS)))
    shop.payments.refusing = "Stripe said no (400): you must set an account or business name"
    for product in (BOOK, PHOTOS, BOOK):
        with pytest.raises(PaymentsRefused):
            Browser(shop).buy(product)
    assert [subject for _, subject, _ in problems(shop)] == ["book", "photos"]
    shop.payments.refusing = "Stripe said no (400): No such tax code: 'txcd_1'"
    with pytest.raises(PaymentsRefused):
        Browser(shop).buy(SONGS)
    shop.deliver_mail()
    letters = shop.letters_to(MERCHANT)
    assert [("business name" in letter.text, "tax code" in letter.text) for letter in letters] == [
        (True, False),
        (False, True),
    ]
    shop.payments.refusing = ""
    Browser(shop).buy(PHOTOS)
    assert [subject for _, subject, _ in problems(shop)] == ["songs"]


def test_after_a_refusal_the_next_try_is_another_checkout_with_a_key_of_its_own() -> None:
    """Stripe repeats the answer that a key got first, for a day."""
    shop = Shop()
    anna = Browser(shop)
    anna.buy(
        PHOTOS
    )  # so that the browser has a session, in which the same form within a minute is the same checkout
    shop.payments.refusing = WORDS
    with pytest.raises(PaymentsRefused):
        anna.buy(BOOK)
    shop.payments.refusing = ""
    ref = anna.buy(BOOK)
    found = [c for c in shop.memory.tables.checkouts.values() if c.product == BOOK]
    refused, made = sorted(found, key=lambda c: c.provider_ref is not None)
    assert refused.id != made.id
    assert (refused.provider_ref, made.provider_ref) == (None, ref)


def test_the_merchant_hears_at_most_once_a_day_of_what_comes_and_goes() -> None:
    shop = Shop()
    anna = Browser(shop)
    for day in range(3):
        for _ in range(2):
            shop.payments.refusing = WORDS
            with pytest.raises(PaymentsRefused):
                anna.buy()
            shop.payments.refusing = ""
            anna.buy()
            shop.clock.tick(hours=1)
        shop.deliver_mail()
        assert len(shop.letters_to(MERCHANT)) == day + 1
        shop.clock.tick(hours=22)


def test_another_cause_on_the_same_day_is_another_email_and_three_a_day_are_enough() -> None:
    shop = Shop()
    anna = Browser(shop)
    causes = ("set a business name", "No such tax code", "set a business name", "No head office", "Too much")
    for number, cause in enumerate(causes):
        shop.payments.refusing = f"Stripe said no (400): {cause}"
        with pytest.raises(PaymentsRefused):
            anna.buy()
        shop.deliver_mail()
        assert len(shop.letters_to(MERCHANT)) == (1, 2, 2, 3, 3)[number], cause
    shop.clock.tick(hours=24)
    with pytest.raises(PaymentsRefused):
        anna.buy()
    shop.deliver_mail()
    assert len(shop.letters_to(MERCHANT)) == 3, "it is the cause of yesterday still"


def refused_for(shop: Shop, causes: dict[ProductId, str]) -> None:
    for product, said in causes.items():
        shop.payments.refusing = said
        with pytest.raises(PaymentsRefused):
            Browser(shop).buy(product)


def doctor_opens(shop: Shop, *currencies: str) -> None:
    edition = shop.catalogue.edition
    opened = [trial for trial in checkout_trials(edition) if trial.price.currency in currencies]
    run(shop.store.transact(lambda tx: works_again(tx, edition=edition, opened=opened)))


def test_a_page_that_opens_ends_what_was_refused() -> None:
    shop = Shop()
    refused_for(shop, {BOOK: WORDS})
    run(shop.reconcile())
    doctor_opens(shop, "usd")
    assert {kind for kind, _, _ in problems(shop)} == {ProblemKind.LIST_REFUSED}, "lists are another matter"


def test_a_page_ends_only_what_is_sold_in_the_currencies_that_opened() -> None:
    euro = Money(800, "eur")
    shop = Shop(
        edition=an_edition(a_product(BOOK), a_product(PHOTOS, other_prices=(euro,)), a_product(SONGS))
    )
    refused_for(shop, {BOOK: "no (400): one", PHOTOS: "no (400): other", SONGS: "no (400): other"})
    doctor_opens(shop)
    assert [subject for _, subject, _ in problems(shop)] == [BOOK, PHOTOS, SONGS], "no page opened"
    doctor_opens(shop, "usd")
    assert [subject for _, subject, _ in problems(shop)] == [PHOTOS, SONGS], "photos are sold in euros, too"
    shop.catalogue.edition = an_edition(a_product(BOOK), a_product(SONGS))
    doctor_opens(shop, "usd")
    assert problems(shop) == [], "nobody can buy the photos any more, so they hold up nothing"


def test_a_lookup_that_is_refused_after_paying_shows_that_it_is_being_confirmed_and_tells_the_merchant() -> (
    None
):
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy()
    shop.payments.pay(ref, email="anna@example.com")
    shop.payments.refusing = WORDS
    assert anna.come_back(ref) == Confirming()
    assert [kind for kind, _, _ in problems(shop)] == [ProblemKind.LOOKUP_REFUSED]
    shop.deliver_mail()
    [letter] = shop.letters_to(MERCHANT)
    assert "whether a customer has paid" in letter.text
    shop.payments.refusing = ""
    shop.clock.tick(seconds=6)
    assert anna.come_back(ref) == Claimed(here=True)
    run(shop.reconcile())
    assert problems(shop) == []


def test_a_problem_that_nobody_meets_again_is_forgotten() -> None:
    shop = Shop()
    shop.payments.refusing = WORDS
    with pytest.raises(PaymentsRefused):
        Browser(shop).buy(BOOK)
    later = shop.clock.now() + timedelta(days=31)
    run(shop.store.transact(lambda tx: tx.retention.prune(now=later)))
    assert problems(shop) == []
