"""How a request reaches the provider whatever it answers: never refunded twice, and never lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.refund import KEY_LASTS, RefundRequest, RefundState
from domain.usecases.send_refunds import LEASE
from entrypoints.testing import Shop
from testkit import by_hand
from testkit.after_sale import PRICE
from testkit.sold import only_fact, only_request, sold
from testkit.stepping import run

MINUTE = timedelta(minutes=1)


class Recording:
    """The provider in memory, and the keys that it was asked under."""

    def __init__(self, shop: Shop) -> None:
        self.keys: list[str] = []
        self._refund = shop.payments.refund
        self.inner = shop.payments

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    async def refund(self, payment: str, amount: int, *, key: str, request: str, cause: object) -> object:
        self.keys.append(key)
        return await self._refund(payment, amount, key=key, request=request, cause=cause)  # type: ignore[arg-type]


def asked(shop: Shop, typed: str = "") -> tuple[RefundRequest, Recording]:
    _, _, order = sold(shop)
    by_hand.refund(shop, order.checkout, typed)
    recording = Recording(shop)
    shop.__dict__["send_refunds"] = replace(shop.send_refunds, payments=recording)  # another adapter
    return only_request(shop), recording


def send(shop: Shop, *, after: timedelta = timedelta()) -> RefundRequest:
    shop.clock.tick(seconds=after.total_seconds())
    run(shop.send_refunds())
    return only_request(shop)


def test_without_an_answer_the_same_key_is_sent_again_and_refunds_once() -> None:
    shop = Shop()
    request, recording = asked(shop)
    shop.payments.refund_fault = "lost"
    open_ = send(shop)
    assert (open_.state, open_.problem, open_.due_at) == (
        RefundState.REQUESTED, "told to lose the answer", shop.clock.now() + timedelta(seconds=30),
    )  # fmt: skip
    assert send(shop, after=timedelta(seconds=29)) == open_, "not yet"
    assert send(shop, after=timedelta(seconds=1)).due_at == shop.clock.now() + MINUTE, "longer each time"
    shop.payments.refund_fault = ""
    assert send(shop, after=MINUTE).state is RefundState.DONE
    assert recording.keys == [f"refund/{request.id}"] * 3
    assert len(shop.payments.facts) == 1


def test_an_error_of_the_providers_own_is_followed_by_a_look_and_then_by_the_next_key() -> None:
    shop = Shop()
    request, recording = asked(shop)
    shop.payments.refund_fault = "failed"
    waiting = send(shop)
    assert (waiting.failed, waiting.attempt, waiting.due_at) == (True, 1, shop.clock.now() + MINUTE)
    assert send(shop, after=MINUTE - timedelta(seconds=1)) == waiting
    shop.payments.refund_fault = ""
    done = send(shop, after=timedelta(seconds=1))
    assert (done.state, done.attempt) == (RefundState.DONE, 2)
    assert recording.keys == [f"refund/{request.id}", f"refund/{request.id}/2"]
    assert shop.payments.calls[-2:] == ["refunds", "refund"]
    assert only_fact(shop).request == request.id


def test_what_the_provider_did_in_spite_of_its_error_is_found_and_not_sent_again() -> None:
    shop = Shop()
    request, recording = asked(shop, "3")
    shop.payments.refund_fault = "failed but done"
    send(shop)
    shop.payments.refund_fault = ""
    assert send(shop, after=MINUTE).state is RefundState.DONE
    assert recording.keys == [f"refund/{request.id}"]
    assert (only_fact(shop).amount, len(shop.payments.facts)) == (300, 1)


def test_errors_in_a_row_each_get_a_key_of_their_own() -> None:
    shop = Shop()
    request, recording = asked(shop)
    shop.payments.refund_fault = "failed"
    for _ in range(3):
        send(shop, after=timedelta(minutes=30))
    shop.payments.refund_fault = ""
    assert send(shop, after=timedelta(minutes=30)).state is RefundState.DONE
    names = [f"refund/{request.id}{end}" for end in ("", "/2", "/3", "/4")]
    assert recording.keys == names


@pytest.mark.parametrize("listing", ["refused", "away"])
def test_while_the_refunds_cannot_be_listed_no_other_key_is_tried(listing: str) -> None:
    shop = Shop()
    request, recording = asked(shop)
    shop.payments.refund_fault = "failed but done"
    send(shop)
    (shop.payments.forbidden if listing == "refused" else shop.payments.cut_off).add("refunds")
    for _ in range(3):
        held = send(shop, after=timedelta(hours=1))
        assert (held.state, held.failed, held.attempt) == (RefundState.REQUESTED, True, 1)
    assert recording.keys == [f"refund/{request.id}"]
    shop.payments.forbidden.clear()
    shop.payments.cut_off.clear()
    assert send(shop, after=timedelta(hours=1)).state is RefundState.DONE
    assert len(shop.payments.facts) == 1


@pytest.mark.parametrize("done", [True, False])
def test_a_key_that_the_provider_may_have_forgotten_is_not_trusted(done: bool) -> None:
    """As in a shop that was restored from a backup of days ago, or whose provider was away for a day."""
    shop = Shop()
    request, recording = asked(shop, "3")
    shop.payments.refund_fault = "lost"
    if not done:
        shop.payments.cut_off.add("refund")
    send(shop)
    shop.payments.refund_fault = ""
    shop.payments.cut_off.clear()
    shop.payments.forget_keys()
    assert send(shop, after=KEY_LASTS).state is RefundState.DONE
    assert recording.keys == [f"refund/{request.id}"] + ([] if done else [f"refund/{request.id}/2"])
    assert [fact.amount for fact in shop.payments.facts.values()] == [300]


def test_a_refusal_of_what_was_done_already_is_no_refusal() -> None:
    """The error came first, the refund with a delay: listing missed it, and nothing was left to refund."""
    shop = Shop()
    request, recording = asked(shop)
    shop.payments.refund_fault = "failed"
    send(shop)
    shop.payments.refund_fault = ""
    late = shop.payments.refunds_of

    async def listed(payment: str) -> object:
        found = await late(payment)
        if not found:  # the provider does it right after it was asked
            shop.payments.refund_now(payment, PRICE, request.id)
        return found

    recording.refunds_of = listed  # type: ignore[attr-defined]
    assert send(shop, after=MINUTE).state is RefundState.DONE
    assert recording.keys == [f"refund/{request.id}", f"refund/{request.id}/2"]
    assert [fact.amount for fact in shop.payments.facts.values()] == [PRICE]


def test_a_worker_that_died_is_followed_by_another_after_its_lease() -> None:
    shop = Shop()
    request, recording = asked(shop)
    run(shop.store.transact(lambda tx: tx.refund_requests.lease(
        now=shop.clock.now(), until=shop.clock.now() + LEASE
    )))  # fmt: skip
    send(shop)
    assert recording.keys == []
    assert send(shop, after=LEASE).state is RefundState.DONE
    assert recording.keys == [f"refund/{request.id}"]


def test_a_repeated_answer_of_then_does_not_undo_what_happened_since() -> None:
    """Stripe repeats the saved answer, "pending", although the refund has failed meanwhile."""
    shop = Shop()
    asked(shop)
    shop.payments.refund_status, shop.payments.refund_fault = "pending", "lost"
    send(shop)
    [made] = shop.payments.facts.values()
    shop.clock.tick(seconds=20)
    gone = shop.payments.facts[made.object_id] = replace(
        made, status="failed", as_of=int(shop.clock.now().timestamp())
    )
    shop.hear_fact(gone)
    run(shop.store.transact(shop.note.work(made)))
    assert only_fact(shop).status == "failed"
    assert only_request(shop).state is RefundState.FAILED
