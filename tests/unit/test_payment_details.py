"""How a payment was made, on its receipt: asked for once, for the payer alone, and never waited for long."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from domain.ports import PaymentDetails
from domain.usecases.link_outcomes import SignedIn
from domain.usecases.show_receipt import Receipt, ShowReceipt
from domain.values import CheckoutId
from entrypoints.http.payment_details import KnownDetails
from entrypoints.testing import Browser, Shop
from testkit.owners import ANNA, order_of, signed_in
from testkit.stepping import run

VISA = PaymentDetails(method="Visa", last_digits="4242")


def a_receipt(shop: Shop, browser: Browser, order: CheckoutId) -> Receipt:
    found = run(
        ShowReceipt(store=shop.store, payments=shop.payments, clock=shop.clock)(browser.visitor, order)
    )
    assert isinstance(found, Receipt)
    return found


def test_only_the_verified_owner_reads_how_it_was_paid_and_the_provider_is_asked_once() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy_and_pay(ANNA)
    order = order_of(shop, ref)
    shop.payments.details[ref] = VISA
    show = ShowReceipt(store=shop.store, payments=shop.payments, clock=shop.clock)

    async def both(receipt: Receipt, known: KnownDetails) -> list[PaymentDetails | None]:
        return [await known.of(receipt), await known.of(receipt)]

    unverified = a_receipt(shop, anna, order)
    assert asyncio.run(both(unverified, KnownDetails(show))) == [None, None]
    assert run(show.details(unverified)) is None
    assert "details" not in shop.payments.calls
    assert isinstance(anna.press(shop.last_link(ANNA)), SignedIn)
    mine = a_receipt(shop, anna, order)
    assert asyncio.run(both(mine, KnownDetails(show))) == [VISA, VISA]
    assert shop.payments.calls.count("details") == 1


def test_a_provider_that_does_not_answer_holds_up_one_receipt_for_a_moment_and_no_other() -> None:
    shop = Shop()
    anna, ref = signed_in(shop)
    receipt = a_receipt(shop, anna, order_of(shop, ref))
    asked = []

    class Hanging:
        async def details(self, receipt: Receipt) -> PaymentDetails:
            asked.append(receipt)
            await asyncio.Event().wait()
            raise AssertionError

    async def ask(rest: float) -> list[PaymentDetails | None]:
        known = KnownDetails(cast("Any", Hanging()), patience=0, rest=rest)
        return [await known.of(receipt) for _ in range(3)]

    assert asyncio.run(ask(60)) == [None] * 3
    assert len(asked) == 1
    assert asyncio.run(ask(0)) == [None] * 3
    assert len(asked) == 4, "it is asked again later"
