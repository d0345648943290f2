"""Refunds on the wire: one key, one refund, whatever Stripe answers; and what the stand-in does with faults."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from adapters.stripe.account import StripeAccount
from adapters.stripe.payments import StripePayments
from adapters.stripe.wire import news_of
from domain.fact import FactKind
from domain.ports import FactEvent, PaymentsFailed, PaymentsRefused, PaymentsUnreachable
from domain.refund import RefundCause
from testkit.sales import sold
from testkit.servers import WEBHOOK_SECRET, Sandbox
from testkit.stripe_schema import holds

CAUSE = RefundCause.REQUESTED


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    box = Sandbox(tmp_path_factory.mktemp("refunds"), "http://localhost:1")
    box.start()
    yield box
    box.stop()


@pytest.fixture
def sandbox(box: Sandbox) -> Iterator[Sandbox]:
    yield box
    box.behave(refund="", permissions=None)


def ask(sandbox: Sandbox, work: Any) -> Any:
    async def asked() -> Any:
        adapter = StripePayments(
            key="rk_test_abcdefgh", webhook_secrets=(WEBHOOK_SECRET,), api_base=sandbox.url
        )
        try:
            return await work(adapter)
        finally:
            await adapter.close()

    return asyncio.run(asked())


def a_payment(sandbox: Sandbox) -> str:
    return str(sold(sandbox)["payment_intent"])


def refund(sandbox: Sandbox, payment: str, amount: int, *, key: str, request: str = "r1") -> Any:
    return ask(
        sandbox, lambda p: p.refund(payment, amount, key=key, request=request, cause=RefundCause.DUPLICATE)
    )


def refunds(sandbox: Sandbox, payment: str) -> Any:
    return ask(sandbox, lambda p: p.refunds_of(payment))


def test_a_refund_names_its_request_in_the_answer_the_list_and_the_webhook(sandbox: Sandbox) -> None:
    payment = a_payment(sandbox)
    made = refund(sandbox, payment, 300, key="refund/a", request="r9")
    assert (made.kind, made.status, made.amount, made.payment, made.request) == (
        FactKind.REFUND, "succeeded", 300, payment, "r9",
    )  # fmt: skip
    [listed] = refunds(sandbox, payment)
    assert (listed.object_id, listed.request) == (made.object_id, "r9")
    held = httpx.get(
        f"{sandbox.url}/v1/refunds/{made.object_id}", headers={"authorization": "Bearer rk_test_abcdefgh"}
    ).json()
    holds("refund", held)
    assert (held["reason"], held["metadata"]) == ("duplicate", {"coatcheck_refund": "r9"})
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "refund.created",
        "created": 5,
        "data": {"object": held},
    }
    told = news_of(json.dumps(event).encode())
    assert isinstance(told, FactEvent)
    assert (told.fact.object_id, told.fact.request) == (made.object_id, "r9")


def test_the_same_key_gives_the_same_refund_of_the_same_second(sandbox: Sandbox) -> None:
    payment = a_payment(sandbox)
    first = refund(sandbox, payment, 300, key="refund/b")
    assert refund(sandbox, payment, 300, key="refund/b") == first
    assert refund(sandbox, payment, 300, key="refund/c") != first
    assert len(refunds(sandbox, payment)) == 2


def test_a_repeated_answer_is_as_old_as_the_refund(sandbox: Sandbox) -> None:
    """Its `Date` is today's, and its status is that of then: a fact of today would undo what happened since."""
    payment = a_payment(sandbox)
    first = refund(sandbox, payment, 300, key="refund/old")
    created = httpx.get(
        f"{sandbox.url}/v1/refunds/{first.object_id}", headers={"authorization": "Bearer rk_test_abcdefgh"}
    ).json()["created"]
    assert first.as_of == created


@pytest.mark.parametrize(
    ("fault", "error", "made"),
    [
        ("400", PaymentsRefused, 0),
        ("500", PaymentsFailed, 0),
        ("500-done", PaymentsFailed, 1),
        ("lost", PaymentsUnreachable, 1),
        ("lost-before", PaymentsUnreachable, 0),
    ],
)
def test_each_fault_is_what_it_is_and_failures_are_repeated_under_their_key(
    sandbox: Sandbox, fault: str, error: type[Exception], made: int
) -> None:
    payment = a_payment(sandbox)
    key = f"refund/{fault}"
    sandbox.behave(refund=fault)
    with pytest.raises(error) as caught:
        refund(sandbox, payment, 300, key=key)
    assert isinstance(caught.value, PaymentsFailed) is (error is PaymentsFailed)
    assert len(refunds(sandbox, payment)) == made
    sandbox.behave(refund="")
    if fault.startswith("lost"):
        assert refund(sandbox, payment, 300, key=key).amount == 300
        assert len(refunds(sandbox, payment)) == 1, "the same key, once"
        return
    with pytest.raises(error):
        refund(sandbox, payment, 300, key=key)
    assert len(refunds(sandbox, payment)) == made
    assert refund(sandbox, payment, 300, key=f"{key}/2").amount == 300


def test_a_refusal_is_in_stripes_words_and_saved(sandbox: Sandbox) -> None:
    payment = a_payment(sandbox)
    refund(sandbox, payment, 900, key="refund/all")
    for _ in range(2):
        with pytest.raises(PaymentsRefused, match="has already been refunded"):
            refund(sandbox, payment, 1, key="refund/more")
    with pytest.raises(PaymentsRefused, match="No such payment_intent"):
        refund(sandbox, "pi_unknown", 1, key="refund/unknown")


def test_every_refund_of_a_payment_is_listed_over_all_pages(sandbox: Sandbox) -> None:
    payment = a_payment(sandbox)

    async def many(p: StripePayments) -> None:
        for number in range(101):
            await p.refund(payment, 1, key=f"refund/many/{number}", request=f"m{number}", cause=CAUSE)

    ask(sandbox, many)
    assert {fact.request for fact in refunds(sandbox, payment)} == {f"m{number}" for number in range(101)}
    assert list(refunds(sandbox, "pi_unknown")) == []


@pytest.mark.parametrize(
    ("permissions", "may"), [(None, True), (["charge_write"], True), (["charge_read"], False), ([], False)]
)
def test_whether_the_key_may_refund_is_found_without_moving_money(
    sandbox: Sandbox, permissions: list[str] | None, may: bool
) -> None:
    sandbox.behave(permissions=permissions)
    problem = ask(sandbox, lambda p: StripeAccount(p).refund_problem())
    assert (problem is None) is may
    assert may or "rak_charge_write" in problem
