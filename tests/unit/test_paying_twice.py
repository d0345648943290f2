"""Paying twice by accident: a debit that is under way is mentioned, and the other payment pages of a browser end."""

from __future__ import annotations

from collections import deque
from typing import Any, cast

import pytest

from domain.claim import NotPaid
from domain.fact import CheckoutStatus
from domain.purchase import BookedBy
from domain.usecases.checkout_outcomes import AlreadyYours, RedirectToPayment
from domain.usecases.claim_outcome import Booked
from domain.values import ProductId, ProviderRef
from entrypoints.run.paid_lately import PaidLately
from entrypoints.run.timers import Worker
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop, a_product, an_edition
from testkit.stepping import run

ANNA = "anna@example.com"
PACK = ProductId("pack")


def pay(shop: Shop, ref: ProviderRef, status: str = CheckoutStatus.PAID, email: str | None = ANNA) -> None:
    shop.payments.pay(ref, email=email, status=status)
    shop.hear_of(ref, event=f"evt_{status}_{ref[-8:]}")


def status_of(shop: Shop, *refs: ProviderRef) -> list[str]:
    return [shop.payments.sessions[ref].status.value for ref in refs]


def open_page(browser: Browser, product: ProductId = BOOK, *, again: bool = False) -> ProviderRef:
    """Open a payment page in a tab of its own, a while after the last one: it is no double click."""
    browser.shop.clock.tick(minutes=2)
    return browser.buy(product, again=again)


def press_buy(browser: Browser, product: ProductId = BOOK, *, again: bool = False) -> object:
    return run(browser.shop.start_checkout(browser.visitor, product, again=again))


def pending(browser: Browser) -> list[ProductId]:
    return [checkout.product for checkout in run(browser.shop.list_pending(browser.viewer))]


# ------------------------------------------------------------------ a debit is under way


def test_buy_asks_while_a_debit_is_under_way_and_again_is_the_answer() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy()
    assert isinstance(press_buy(anna), RedirectToPayment), (
        "a page that nobody paid keeps nobody from another one"
    )
    pay(shop, ref, CheckoutStatus.UNPAID)
    assert pending(anna) == [BOOK]
    assert press_buy(anna) == AlreadyYours(product=shop.edition.products[BOOK], pending=True)
    assert isinstance(press_buy(anna, PHOTOS), RedirectToPayment)
    assert isinstance(press_buy(anna, again=True), RedirectToPayment)
    assert isinstance(press_buy(Browser(shop)), RedirectToPayment), "another browser knows nothing of it"


@pytest.mark.parametrize(("end", "answer"), [("failed", RedirectToPayment), ("paid", AlreadyYours)])
def test_the_question_ends_with_the_debit(end: str, answer: type) -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy()
    pay(shop, ref, CheckoutStatus.UNPAID)
    shop.clock.tick(hours=20)
    pay(shop, ref, end)
    assert pending(anna) == []
    assert isinstance(press_buy(anna), answer)


def test_every_browser_of_the_account_knows_of_its_debit_and_no_other_one() -> None:
    shop = Shop()
    desk, phone, ben = Browser(shop), Browser(shop), Browser(shop)
    desk.buy_and_pay(ANNA, PHOTOS)
    desk.press(shop.last_link(ANNA))
    ref = desk.buy()
    pay(shop, ref, CheckoutStatus.UNPAID)
    phone.ask_for_link(ANNA)
    shop.deliver_mail()
    phone.press(shop.last_link(ANNA))
    ben.buy_and_pay("ben@example.com", PHOTOS)
    assert [pending(one) for one in (desk, phone, ben, Browser(shop))] == [[BOOK], [BOOK], [], []]
    assert press_buy(phone) == AlreadyYours(product=shop.edition.products[BOOK], pending=True)


def test_a_debit_that_began_before_the_sign_in_is_still_known_in_that_browser() -> None:
    shop = Shop()
    anna = Browser(shop)
    anna.buy_and_pay(ANNA, PHOTOS)
    pay(shop, anna.buy(), CheckoutStatus.UNPAID)
    anna.press(shop.last_link(ANNA))
    assert pending(anna) == [BOOK]
    run(shop.sign_out.here(anna.visitor))
    assert pending(anna) == []


def test_a_debit_for_a_bundle_is_one_for_what_is_in_it() -> None:
    shop = Shop(edition=an_edition(a_product(BOOK), a_product(PACK, price=1500, contains=(BOOK,))))
    anna = Browser(shop)
    pay(shop, anna.buy(PACK), CheckoutStatus.UNPAID)
    assert press_buy(anna, BOOK) == AlreadyYours(product=shop.edition.products[BOOK], pending=True)


# ------------------------------------------------------------------ two payment pages


@pytest.mark.parametrize("how", ["after the claim", "by the reconciler"])
def test_the_other_open_pages_of_that_browser_for_that_product_expire(how: str) -> None:
    shop = Shop()
    anna, ben = Browser(shop), Browser(shop)
    paid, second, third = (open_page(anna) for _ in range(3))
    photos, bens = open_page(anna, PHOTOS), open_page(ben)
    shop.clock.tick(minutes=3)
    pay(shop, paid)
    [checkout] = shop.memory.tables.purchases
    if how == "after the claim":
        assert run(shop.expire_duplicates(checkout)) == 2
    else:
        run(shop.reconcile())
    assert status_of(shop, paid, second, third) == ["paid", "expired", "expired"]
    assert status_of(shop, photos, bens) == ["open", "open"]
    calls = len(shop.payments.calls)
    assert run(shop.expire_duplicates()) == run(shop.expire_duplicates(checkout)) == 0
    assert len(shop.payments.calls) == calls, "what is expired is not asked about again"


def test_one_that_is_bought_on_purpose_after_the_payment_stays_open() -> None:
    shop = Shop()
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    shop.clock.tick(seconds=1)
    present = open_page(anna, again=True)
    run(shop.reconcile())
    assert status_of(shop, present) == ["open"]
    other = open_page(anna, again=True)
    shop.clock.tick(seconds=1)
    pay(shop, present)
    run(shop.reconcile())
    assert status_of(shop, present, other) == ["paid", "expired"], "of two presents the one that was not paid"


def test_one_that_is_bought_on_purpose_while_a_debit_is_under_way_stays_open_when_that_arrives() -> None:
    shop = Shop()
    anna = Browser(shop)
    debit, forgotten = open_page(anna), open_page(anna)
    pay(shop, debit, CheckoutStatus.UNPAID)
    presents = [open_page(anna, again=True) for _ in range(2)]
    shop.clock.tick(minutes=3)
    pay(shop, debit)
    run(shop.reconcile())
    assert status_of(shop, debit, forgotten, *presents) == ["paid", "expired", "open", "open"]
    shop.clock.tick(minutes=3)
    pay(shop, presents[0])
    run(shop.reconcile())
    assert status_of(shop, *presents) == ["paid", "expired"], "confirmed once more, and not twice"


@pytest.mark.parametrize("first_again", [True, False])
def test_a_form_that_says_again_although_there_was_nothing_to_confirm_is_no_second_purchase(
    first_again: bool,
) -> None:
    shop = Shop()
    anna = Browser(shop)
    first, second = open_page(anna, again=first_again), open_page(anna, again=True)
    pay(shop, first)
    run(shop.reconcile())
    assert status_of(shop, first, second) == ["paid", "expired"]


def test_one_that_is_paid_at_the_same_time_is_booked_and_never_expired() -> None:
    shop = Shop()
    anna = Browser(shop)
    first, second = open_page(anna), open_page(anna)
    pay(shop, first)
    shop.payments.pay(second, email=ANNA)  # no webhook has come yet
    assert run(shop.expire_duplicates()) == 1
    assert status_of(shop, first, second) == ["paid", "paid"]
    assert len(shop.memory.tables.purchases) == 2, (
        "the money was taken, so there is a purchase to be refunded"
    )


@pytest.mark.parametrize("end", ["paid", "failed"])
def test_one_whose_debit_is_under_way_is_left_alone(end: str) -> None:
    shop = Shop()
    anna = Browser(shop)
    debit, card = open_page(anna), open_page(anna)
    pay(shop, debit, CheckoutStatus.UNPAID)
    run(shop.reconcile())
    assert status_of(shop, card) == ["open"], "nothing is paid yet"
    pay(shop, card)
    run(shop.reconcile())
    assert status_of(shop, debit, card) == ["unpaid", "paid"]
    pay(shop, debit, end)
    run(shop.reconcile())
    assert status_of(shop, debit) == [end]


def test_the_providers_failure_is_made_good_by_the_reconciler() -> None:
    shop = Shop()
    anna = Browser(shop)
    first, second = open_page(anna), open_page(anna)
    pay(shop, first)
    shop.payments.failing = True
    assert run(shop.expire_duplicates()) == 0
    shop.payments.failing = False
    assert status_of(shop, second) == ["open"]
    run(shop.reconcile())
    assert status_of(shop, second) == ["expired"]
    assert anna.come_back(second) == NotPaid(status=CheckoutStatus.EXPIRED)


def test_only_a_first_claim_with_other_pages_is_kept_for_the_worker() -> None:
    shop = Shop()
    anna = Browser(shop)
    lone, first, second = open_page(anna, PHOTOS), open_page(anna), open_page(anna)
    counted: list[object] = []
    lately = PaidLately(counted.append)
    for ref in (lone, first, first, second):
        shop.payments.pay(ref, email=ANNA)
        outcome = run(shop.store.transact(shop.claim.work(shop.payments.sessions[ref], by=BookedBy.WEBHOOK)))
        assert isinstance(outcome, Booked)
        lately.note(outcome)
    kept = [shop.memory.tables.purchases[checkout].provider_ref for checkout in lately.waiting]
    assert (kept, len(counted)) == ([first, second], 4)


def test_the_worker_expires_them_once() -> None:
    shop = Shop()
    anna = Browser(shop)
    first, second = open_page(anna), open_page(anna)
    pay(shop, first)
    unused = cast("Any", None)
    worker = Worker(
        outbox=unused, send_refunds=unused, act_on_fraud_warnings=unused, report_withdrawals=unused,
        reconcile=unused, retry=unused, recheck_payments=unused, supply_licences=unused,
        review_catalogue=unused, store=unused, address=unused, clock=unused, catalogue=unused, goods=unused, code_links=unused,
        scrub_what_waits=unused, run_uploads=unused, link_audit=unused, shared_limits=unused,
        send_sales_digest=unused, sum_days=unused, expire_duplicates=shop.expire_duplicates,
        paid=deque(shop.memory.tables.purchases),
    )  # fmt: skip
    run(worker.expire_what_was_paid())
    assert (status_of(shop, second), list(worker.paid)) == (["expired"], [])
    calls = len(shop.payments.calls)
    run(worker.expire_what_was_paid())
    assert len(shop.payments.calls) == calls
