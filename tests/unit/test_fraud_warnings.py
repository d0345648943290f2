"""Early fraud warnings: the merchant hears of each once, and a payment below the limit is refunded once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.access import Holding
from domain.fact import Fact, FactKind
from domain.product import FraudTerms
from domain.refund import RefundCause
from domain.usecases.act_on_fraud_warnings import AT_ONCE
from domain.usecases.list_todo import Task
from domain.values import CheckoutId, Money
from entrypoints.testing import Browser, Shop
from testkit.sold import sold
from testkit.stepping import run


def sale(shop: Shop) -> tuple[CheckoutId, str]:
    """Its checkout, and its payment."""
    _, _, purchase = sold(shop)
    assert purchase.payment is not None
    return purchase.checkout, purchase.payment


def warn(
    shop: Shop, payment: str, *, status: str = "actionable", name: str = "issfr_1", later: int = 0
) -> None:
    fact = Fact(
        object_id=name, kind=FactKind.WARNING, payment=payment, as_of=int(shop.clock.now().timestamp()) + later,
        status=status, amount=0,
    )  # fmt: skip
    run(shop.store.transact(shop.note.work(fact)))


def notices(shop: Shop) -> list[str]:
    return [key for key in shop.memory.tables.outbox if key.startswith("notice:fraud:")]


def terms(shop: Shop, most: Money | None) -> None:
    edition = shop.catalogue.edition
    fraud = FraudTerms(refund_up_to=most)
    shop.catalogue.edition = replace(edition, shop=replace(edition.shop, fraud=fraud))


def test_the_merchant_is_emailed_once_and_access_stays_open() -> None:
    shop = Shop()
    checkout, payment = sale(shop)
    warn(shop, payment)
    for _ in range(3):
        assert run(shop.act_on_fraud_warnings()) == 0
    assert notices(shop) == ["notice:fraud:issfr_1"]
    held = run(shop.store.read(lambda tx: tx.purchases.with_facts(checkout)))
    assert held is not None
    assert held.standing.state.name == "LIVE"
    assert not shop.memory.tables.refund_requests


@pytest.mark.parametrize(("most", "asked"), [(900, 1), (899, 0)])
def test_a_payment_up_to_the_limit_is_refunded_as_fraudulent_once(most: int, asked: int) -> None:
    shop = Shop()
    checkout, payment = sale(shop)
    terms(shop, Money(most, "usd"))
    warn(shop, payment)
    assert [run(shop.act_on_fraud_warnings()) for _ in range(3)] == [asked, 0, 0]
    requests = list(shop.memory.tables.refund_requests.values())
    assert [(one.checkout, one.cause, one.amount) for one in requests] == [
        (checkout, RefundCause.FRAUDULENT, Money(900, "usd"))
    ] * asked
    assert notices(shop) == ["notice:fraud:issfr_1"]


def test_more_warnings_than_the_queue_shows_are_acted_on_all_the_same() -> None:
    """After a night without Stripe, or a run of stolen cards."""
    shop = Shop()
    terms(shop, Money(900, "usd"))
    for number in range(AT_ONCE + 2):
        Browser(shop, network=f"192.0.2.{number}").buy_and_pay(f"p{number}@example.com")
    payments = [purchase.payment or "" for purchase in shop.memory.tables.purchases.values()]
    for number, payment in enumerate(payments):
        warn(shop, payment, name=f"issfr_{number:02}", later=number)
    assert run(shop.act_on_fraud_warnings()) == len(payments)
    assert len(notices(shop)) == len(payments)
    assert run(shop.act_on_fraud_warnings()) == 0


def test_a_limit_in_another_currency_refunds_nothing() -> None:
    shop = Shop()
    _, payment = sale(shop)
    terms(shop, Money(100_000, "eur"))
    warn(shop, payment)
    assert run(shop.act_on_fraud_warnings()) == 0
    assert not shop.memory.tables.refund_requests


def test_it_waits_for_the_merchant_until_nothing_can_be_done_about_it() -> None:
    shop = Shop()
    _, payment = sale(shop)
    warn(shop, payment)
    status = run(shop.report())
    assert [held.purchase.payment for held in status.fraud_warnings] == [payment]
    assert not status.all_well
    warn(shop, payment, status="over", later=1)
    status = run(shop.report())
    assert not status.fraud_warnings
    assert status.all_well


@pytest.mark.parametrize("kind", [FactKind.REFUND, FactKind.DISPUTE])
def test_a_refund_or_a_dispute_ends_it(kind: FactKind) -> None:
    shop = Shop()
    _, payment = sale(shop)
    warn(shop, payment)
    status = "succeeded" if kind is FactKind.REFUND else "needs_response"
    fact = Fact(
        object_id="x_1",
        kind=kind,
        payment=payment,
        as_of=int(shop.clock.now().timestamp()),
        status=status,
        amount=900,
    )
    run(shop.store.transact(shop.note.work(fact)))
    assert not run(shop.report()).fraud_warnings
    assert run(shop.act_on_fraud_warnings()) == 0
    assert not notices(shop)


def test_it_is_a_row_of_the_queue() -> None:
    shop = Shop()
    checkout, payment = sale(shop)
    warn(shop, payment)
    [row] = [row for row in run(shop.list_todo()).rows if row.task is Task.FRAUD_WARNING]
    assert isinstance(row.about, Holding)
    assert (row.about.purchase.checkout, row.decides and row.decides.object_id) == (checkout, "issfr_1")


def test_a_warning_about_a_test_purchase_is_left_alone_with_a_live_key() -> None:
    """Its payment cannot be refunded with that key, and nobody lost money."""
    shop = Shop()
    shop.payments.livemode = False
    _, payment = sale(shop)
    terms(shop, Money(10_000, "usd"))
    warn(shop, payment)
    shop.payments.livemode = True
    assert run(shop.act_on_fraud_warnings()) == 0
    assert notices(shop) == []
    shop.payments.livemode = False
    assert run(shop.act_on_fraud_warnings()) == 1
    assert len(notices(shop)) == 1
