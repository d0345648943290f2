"""A sale that the merchant ends: nothing is begun any more, and nothing that was paid is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.mail import MailKind
from domain.product import Saleability, Status, offered
from domain.usecases.checkout_outcomes import (
    AlreadyYours,
    ConfirmationEmailed,
    FreeOrderBooked,
    NoSuchProduct,
    NotForSale,
)
from domain.usecases.link_outcomes import LinkError, LinkRejected
from domain.values import ProductId
from entrypoints.maintenance.checks.products import products_finding
from entrypoints.testing import Browser, Shop, a_product, an_edition
from testkit.statuses import FREE, LAMP, a_lamp, become, edition_of
from testkit.stepping import run

ANNA = "anna@example.com"
ENDED = (Status.DRAFT, Status.RETIRED)
ANSWER = {
    Status.DRAFT: Saleability.NOT_ON_SALE,
    Status.UNLISTED: Saleability.ON_SALE,
    Status.ON_SALE: Saleability.ON_SALE,
    Status.RETIRED: Saleability.RETIRED,
}


def a_shop() -> Shop:
    return Shop(edition=edition_of(a_lamp()))


@pytest.mark.parametrize("status", Status)
def test_only_what_is_on_sale_or_unlisted_is_offered(status: Status) -> None:
    now = Shop().clock.now()
    assert offered(a_lamp(status=status), now=now) is ANSWER[status]
    if status is not Status.RETIRED:
        assert offered(a_lamp(status=status, held_back=True), now=now) is Saleability.NOT_ON_SALE


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("owner", [False, True])
def test_buy_asks_the_provider_for_what_is_offered_only(status: Status, *, owner: bool) -> None:
    shop = a_shop()
    browser = Browser(shop)
    if owner:
        browser.buy_and_pay(ANNA, LAMP)
    become(shop, status=status)
    calls, rows = list(shop.payments.calls), dict(shop.memory.tables.checkouts)
    paid = run(shop.start_checkout(browser.visitor, LAMP, again=True))
    free = browser.take(FREE, email=ANNA)
    if status is Status.DRAFT:
        assert (paid, free) == (NoSuchProduct(), NoSuchProduct())
    elif status is Status.RETIRED:
        for answer in (paid, free):
            assert isinstance(answer, NotForSale)
            assert answer.why is Saleability.RETIRED
    else:
        assert not isinstance(paid, NoSuchProduct | NotForSale | AlreadyYours)
        assert not isinstance(free, NoSuchProduct | NotForSale | AlreadyYours)
        return
    assert (shop.payments.calls, shop.memory.tables.checkouts) == (calls, rows)


@pytest.mark.parametrize("status", ENDED)
@pytest.mark.parametrize("first", ["webhook", "redirect", "reconciler"])
def test_what_was_paid_after_the_sale_ended_is_booked(status: Status, first: str) -> None:
    """The payment page was open before: the money was taken."""
    shop = a_shop()
    browser = Browser(shop)
    ref = browser.buy(LAMP)
    become(shop, status=status)
    shop.payments.pay(ref, email=ANNA)
    if first == "webhook":
        shop.hear_of(ref)
    elif first == "redirect":
        browser.come_back(ref, LAMP)
    else:
        run(shop.reconcile())
    assert browser.owned == {LAMP}
    assert shop.memory.tables.quarantined == {}
    shop.deliver_mail()
    [mail] = shop.letters_to(ANNA)
    assert "The lamp" in mail.text
    another = Browser(shop)
    another.press(shop.last_link(ANNA))
    assert another.owned == {LAMP}
    assert [held.kind for held in shop.memory.tables.outbox.values()] == [MailKind.ACCESS]


@pytest.mark.parametrize("status", ENDED)
def test_a_free_order_that_was_not_confirmed_when_the_sale_ended_is_not_booked(status: Status) -> None:
    """Nothing was paid, so nothing is lost; the link is not used up, in case the sale goes on."""
    shop = a_shop()
    browser = Browser(shop)
    browser.take(FREE, email=ANNA)
    shop.deliver_mail()
    become(shop, status=status)
    came = browser.press(shop.last_link(ANNA))
    assert isinstance(came, LinkRejected)
    assert came.error is LinkError.NO_LONGER_SOLD
    assert shop.memory.tables.purchases == {}
    become(shop)
    browser.press(shop.last_link(ANNA))
    assert browser.owned == {FREE}


@pytest.mark.parametrize("status", ENDED)
def test_what_is_free_stays_with_those_who_ordered_it(status: Status) -> None:
    shop = a_shop()
    anna = Browser(shop)
    anna.buy_and_pay(ANNA, LAMP)
    anna.press(shop.last_link(ANNA))
    assert isinstance(anna.take(FREE), FreeOrderBooked)
    become(shop, status=status)
    assert anna.owned == {LAMP, FREE}
    assert run(shop.fetch_file(anna.visitor, FREE, "it.txt"))


def test_doctor_names_what_is_not_sold_as_usual_in_one_line() -> None:
    assert products_finding(an_edition()).words == "2 products of A Shop"
    retired = [a_product(ProductId(f"r{n:02}"), status=Status.RETIRED) for n in range(12)]
    draft, gone = a_lamp(status=Status.DRAFT), a_product(status=Status.DRAFT, present=False)
    assert products_finding(an_edition(draft, gone, *retired)).words == (
        "13 products of A Shop; drafts: lamp; "
        "retired: r00, r01, r02, r03, r04, r05, r06, r07, r08, r09 and 2 more"
    )


@pytest.mark.parametrize("status", ENDED)
def test_a_restored_shop_books_what_was_sold_before_the_sale_ended(status: Status) -> None:
    shop = a_shop()
    ref = Browser(shop).buy(LAMP)
    shop.memory.tables.checkouts.clear()
    become(shop, status=status)
    shop.payments.pay(ref, email=ANNA)
    shop.hear_of(ref)
    [purchase] = shop.memory.tables.purchases.values()
    assert (purchase.product, purchase.product_name) == (LAMP, "The lamp")


def test_what_is_free_is_ordered_from_its_moment_on() -> None:
    shop = a_shop()
    opens = shop.clock.now() + timedelta(hours=1)
    become(shop, available_from=opens)
    browser = Browser(shop)
    answer = browser.take(FREE, email=ANNA)
    assert isinstance(answer, NotForSale)
    assert answer.why is Saleability.NOT_YET
    assert shop.memory.tables.outbox == {}
    shop.clock.tick(hours=1)
    assert isinstance(browser.take(FREE, email=ANNA), ConfirmationEmailed)
