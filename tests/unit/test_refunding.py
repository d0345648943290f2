"""Refunds by hand: our row first, the provider second. What is checked, and what comes of a request."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.access import Closed, Opens
from domain.amounts import AmountProblem
from domain.audit import AuditAction
from domain.fact import FactKind
from domain.purchase import PurchaseState
from domain.refund import RefundRequest, RefundState
from domain.usecases.erase_refusal import Erased
from domain.usecases.grant_outcomes import Granted
from domain.usecases.refund_outcomes import NotAnAmount, NotRefunded, RefundAsked, WhyNotRefunded
from domain.values import Money
from entrypoints.customer_lines import customer_lines
from entrypoints.refund_lines import asked_lines, not_refunded_line, waiting_refund_lines
from entrypoints.testing import BOOK, Shop
from testkit import by_hand
from testkit.after_sale import ANNA, PRICE, opens, state_of, subjects
from testkit.by_hand import CLI
from testkit.sold import only_fact, only_request, sold
from testkit.stepping import run

REFUND, OPEN_AGAIN = "Your refund: The book", "You have access again: The book"


def asked(found: object) -> RefundRequest:
    assert isinstance(found, RefundAsked), found
    return found.request


def test_a_refund_is_asked_for_by_our_row_then_sent_once_and_told_when_the_provider_confirms_it() -> None:
    shop = Shop()
    anna, _, order = sold(shop)
    request = asked(by_hand.refund(shop, order.checkout[:16], form="f1"))
    now = shop.clock.now()
    assert request == RefundRequest(
        id=request.id, payment=order.payment or "", checkout=order.checkout, amount=Money(PRICE, "usd"),
        reason="too late", by="cli:ada", at=now, due_at=now, keyed_at=now,
    )  # fmt: skip
    assert only_request(shop) == request
    assert (shop.payments.calls.count("refund"), subjects(shop)) == (0, [])
    assert isinstance(opens(anna), Opens), "the money has not moved yet"
    assert run(shop.send_refunds()) == 1
    fact = only_fact(shop)
    assert (fact.status, fact.amount, fact.request, fact.payment) == (
        "succeeded", PRICE, request.id, order.payment,
    )  # fmt: skip
    assert (only_request(shop).state, only_request(shop).settled_at) == (RefundState.DONE, now)
    assert isinstance(opens(anna), Closed)
    assert subjects(shop) == [REFUND]
    shop.hear_fact(shop.payments.facts[fact.object_id])
    assert run(shop.send_refunds()) == 0
    assert (shop.payments.calls.count("refund"), subjects(shop)) == (1, [REFUND])
    [line] = by_hand.log(shop)
    assert (line.id, line.action, line.object_id, line.reason) == (
        request.id, AuditAction.REFUND, order.checkout, "too late",
    )  # fmt: skip


def test_the_same_form_twice_gives_the_first_result() -> None:
    shop = Shop()
    _, _, order = sold(shop)
    first = by_hand.refund(shop, order.checkout, "3", form="f1")
    before = copy.deepcopy(shop.memory.tables)
    assert by_hand.refund(shop, order.checkout, "4", form="f1", close=True) == first
    assert shop.memory.tables == before


@pytest.mark.parametrize(
    ("typed", "minor"),
    [("", 900), ("9", 900), ("3.50", 350), ("3,50", 350), ("$3.50", 350), ("0.01", 1), (" ", 900)],
)
def test_the_amount_is_in_major_units_and_all_that_is_left_by_default(typed: str, minor: int) -> None:
    shop = Shop()
    _, _, order = sold(shop)
    assert asked(by_hand.refund(shop, order.checkout, typed)).amount == Money(minor, "usd")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("9.01", WhyNotRefunded.TOO_MUCH),
        ("0", WhyNotRefunded.NOTHING_ASKED),
        ("3.5011", AmountProblem.TOO_FINE),
        ("3 EUR", AmountProblem.OTHER_CURRENCY),
        ("all", AmountProblem.NOT_A_NUMBER),
        ("-3", AmountProblem.NOT_A_NUMBER),
        ("1,000", AmountProblem.AMBIGUOUS),
    ],
)
def test_an_amount_that_is_wrong_refunds_nothing(
    typed: str, expected: WhyNotRefunded | AmountProblem
) -> None:
    shop = Shop()
    _, _, order = sold(shop)
    before = copy.deepcopy(shop.memory.tables)
    found = by_hand.refund(shop, order.checkout, typed)
    if isinstance(expected, AmountProblem):
        assert found == NotAnAmount(expected, order)
    else:
        assert found == NotRefunded(expected, order, Money(PRICE, "usd"))
    assert shop.memory.tables == before


def test_never_more_than_was_paid_whether_asked_for_told_or_lost() -> None:
    shop = Shop()
    _, ref, order = sold(shop)
    asked(by_hand.refund(shop, order.checkout, "3"))
    nothing_left = NotRefunded(WhyNotRefunded.TOO_MUCH, order, Money(600, "usd"))
    assert by_hand.refund(shop, order.checkout, "6.01") == nothing_left
    run(shop.send_refunds())
    assert by_hand.refund(shop, order.checkout, "6.01") == nothing_left, "counted once: as the fact"
    shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "pending", amount=200))
    assert asked(by_hand.refund(shop, order.checkout)).amount == Money(400, "usd")
    assert by_hand.refund(shop, order.checkout) == NotRefunded(
        WhyNotRefunded.NOTHING_LEFT, order, Money(0, "usd")
    )


def test_a_refund_that_the_webhook_told_first_and_its_open_request_count_once() -> None:
    shop = Shop()
    _, _, order = sold(shop)
    request = asked(by_hand.refund(shop, order.checkout, "3"))
    shop.payments.refund_fault = "lost"
    run(shop.send_refunds())
    assert only_request(shop).state is RefundState.REQUESTED
    [told] = shop.payments.facts.values()
    shop.hear_fact(told)
    assert only_request(shop).state is RefundState.DONE, "the webhook settles it"
    assert told.request == request.id
    assert asked(by_hand.refund(shop, order.checkout)).amount == Money(600, "usd")


@pytest.mark.parametrize("status", ["needs_response", "under_review", "a new word"])
def test_nothing_is_refunded_while_the_bank_decides(status: str) -> None:
    shop = Shop()
    _, ref, order = sold(shop)
    shop.hear_fact(shop.payments.tell(ref, FactKind.DISPUTE, status, amount=PRICE))
    assert by_hand.refund(shop, order.checkout) == NotRefunded(WhyNotRefunded.IN_DISPUTE, order)


def test_what_a_lost_dispute_took_is_not_refunded_again_and_an_inquiry_hinders_nothing() -> None:
    shop = Shop()
    _, ref, order = sold(shop)
    shop.hear_fact(shop.payments.tell(ref, FactKind.DISPUTE, "warning_needs_response", amount=PRICE))
    shop.hear_fact(shop.payments.tell(ref, FactKind.DISPUTE, "lost", amount=500, name="2"))
    assert asked(by_hand.refund(shop, order.checkout)).amount == Money(400, "usd")


def test_what_was_not_paid_here_or_in_this_mode_or_by_a_person_who_is_gone_is_refused() -> None:
    shop = Shop()
    anna, _, order = sold(shop)
    given = run(shop.grant_product(BOOK, "ben@example.com", actor=CLI, form="f1", reason="x"))
    assert isinstance(given, Granted)
    assert by_hand.refund(shop, given.order.checkout) == NotRefunded(
        WhyNotRefunded.NOT_PAID_HERE, given.order
    )
    assert by_hand.refund(shop, "ffff") == NotRefunded(WhyNotRefunded.NO_SUCH_ORDER)
    assert by_hand.refund(shop, order.checkout, reason=" ") == NotRefunded(WhyNotRefunded.NO_REASON, order)
    shop.payments.livemode = True
    assert by_hand.refund(shop, order.checkout) == NotRefunded(WhyNotRefunded.OTHER_MODE, order)
    shop.payments.livemode = False
    anna.press(shop.last_link(ANNA))
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    erased = shop.memory.tables.purchases[order.checkout]
    assert by_hand.refund(shop, order.checkout) == NotRefunded(WhyNotRefunded.ERASED, erased)
    assert not shop.memory.tables.refund_requests


# ------------------------------------------------------------------ with access


def test_a_partial_refund_keeps_access_unless_it_is_to_close() -> None:
    shop = Shop()
    anna, ref, order = sold(shop)
    by_hand.refund(shop, order.checkout, "3")
    run(shop.send_refunds())
    assert isinstance(opens(anna), Opens)
    by_hand.refund(shop, order.checkout, "1", close=True)
    assert state_of(shop, ref) is PurchaseState.REVOKED, "at once"
    run(shop.send_refunds())
    assert state_of(shop, ref) is PurchaseState.REVOKED
    assert subjects(shop) == [REFUND, REFUND]
    kept, gone = (letter.text for letter in shop.letters_to(ANNA)[1:])
    assert "You keep your access" in kept
    assert "You no longer have access" in gone


def test_if_the_refund_fails_later_access_that_ended_with_it_is_back_and_status_says_so() -> None:
    shop = Shop()
    _, ref, order = sold(shop)
    request = asked(by_hand.refund(shop, order.checkout, "3", close=True))
    shop.payments.refund_status = "pending"
    run(shop.send_refunds())
    assert (state_of(shop, ref), run(shop.report()).refunds) == (PurchaseState.REVOKED, [])
    shop.clock.tick(days=5)
    shop.hear_fact(replace(only_fact(shop), status="failed", as_of=int(shop.clock.now().timestamp())))
    assert state_of(shop, ref) is PurchaseState.LIVE
    assert subjects(shop) == [REFUND, OPEN_AGAIN]
    status = run(shop.report())
    assert [(one.id, one.state) for one in status.refunds] == [(request.id, RefundState.FAILED)]
    assert not status.all_well
    assert by_hand.dismiss(shop, request.id, form="f9") is True
    assert by_hand.dismiss(shop, request.id) is False
    assert run(shop.report()).all_well
    assert [line.action for line in by_hand.log(shop)] == [AuditAction.REFUND, AuditAction.DISMISS_REFUND]


def test_a_refused_request_ends_with_the_providers_words_and_access_is_back() -> None:
    shop = Shop()
    anna, ref, order = sold(shop)
    asked(by_hand.refund(shop, order.checkout, "3", close=True))
    shop.payments.forbidden = {"refund"}
    run(shop.send_refunds())
    assert isinstance(opens(anna), Opens)
    assert state_of(shop, ref) is PurchaseState.LIVE
    ended = only_request(shop)
    assert (ended.state, ended.problem) == (RefundState.REFUSED, "the key may not refund")
    assert run(shop.report()).refunds == [ended]
    shop.payments.forbidden = set()
    shop.clock.tick(days=9)
    assert run(shop.send_refunds()) == 0, "a new request has a new id"
    assert subjects(shop) == []


def test_a_refused_request_leaves_a_later_decision_alone() -> None:
    shop = Shop()
    _, ref, order = sold(shop)
    by_hand.refund(shop, order.checkout, "3", close=True)
    by_hand.revoke(shop, order.checkout)
    shop.payments.forbidden = {"refund"}
    run(shop.send_refunds())
    assert state_of(shop, ref) is PurchaseState.REVOKED


def test_a_second_refund_that_is_to_close_access_does_not_change_since_when_it_is_closed() -> None:
    def closed_since() -> int:
        held = run(shop.store.read(lambda tx: tx.purchases.with_facts(order.checkout)))
        assert held is not None
        assert held.standing.state is PurchaseState.REVOKED
        return held.standing.since or 0

    shop = Shop()
    _, _, order = sold(shop)
    by_hand.refund(shop, order.checkout, "3", form="f1", close=True)
    before = closed_since()
    shop.clock.tick(days=2)
    by_hand.refund(shop, order.checkout, "2", form="f2", close=True)
    assert closed_since() == before + 1, "only so much later that the decision is the newest"


def test_closing_what_is_revoked_already_does_not_tie_it_to_the_refund() -> None:
    shop = Shop()
    _, ref, order = sold(shop)
    by_hand.revoke(shop, order.checkout)
    by_hand.refund(shop, order.checkout, "3", close=True)
    shop.payments.forbidden = {"refund"}
    run(shop.send_refunds())
    assert state_of(shop, ref) is PurchaseState.REVOKED


def test_nobody_is_emailed_quietly_whoever_confirms_it() -> None:
    shop = Shop()
    _, _, order = sold(shop)
    by_hand.refund(shop, order.checkout, "3", tell=False)
    run(shop.send_refunds())
    shop.hear_fact(only_fact(shop))
    assert subjects(shop) == []
    by_hand.refund(shop, order.checkout)
    run(shop.send_refunds())
    assert subjects(shop) == [REFUND]
    assert "We refunded $6.00" in shop.letters_to(ANNA)[-1].text


def test_the_reason_goes_with_the_person_and_the_refund_still_goes_out() -> None:
    shop = Shop()
    anna, _, order = sold(shop)
    anna.press(shop.last_link(ANNA))
    by_hand.refund(shop, order.checkout)
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    assert only_request(shop).reason == ""
    run(shop.send_refunds())
    assert (only_request(shop).state, only_fact(shop).amount) == (RefundState.DONE, PRICE)


# ------------------------------------------------------------------ what is said


def test_requests_without_an_answer_for_long_are_shown() -> None:
    shop = Shop()
    _, _, order = sold(shop)
    request = asked(by_hand.refund(shop, order.checkout, "3"))
    assert run(shop.report()).all_well
    shop.payments.cut_off = {"refund"}
    run(shop.send_refunds())
    shop.clock.tick(minutes=10)
    status = run(shop.report())
    assert not status.all_well
    stands = "no answer yet, last attempt: told to fail"
    assert waiting_refund_lines(status.refunds) == [
        "",
        "1 refund has not arrived (dismiss one that ended: coatcheck status --dismiss ID):",
        f"  {request.id}  $3.00, order {order.checkout[:16]}, since 2026-03-01 12:00 UTC: {stands}",
    ]
    assert by_hand.dismiss(shop, request.id) is False, "an open one is not forgotten"
    customer = "\n".join(customer_lines(run(shop.show_customer(ANNA))))  # type: ignore[arg-type]
    assert f"Refund of $3.00, order {order.checkout[:16]}, requested by cli:ada: no answer yet" in customer
    named = customer_lines(run(shop.show_customer(ANNA)), {"cli:ada": "ada@example.com"})  # type: ignore[arg-type]
    assert "requested by ada@example.com: no answer yet" in "\n".join(named)


def test_the_command_line_says_what_is_under_way_or_why_nothing_is() -> None:
    shop = Shop()
    _, _, order = sold(shop)
    found = by_hand.refund(shop, order.checkout, "3", close=True)
    assert isinstance(found, RefundAsked)
    named = f"order {order.checkout[:16]} (The book)"
    assert asked_lines(found) == [
        f"A refund of $3.00 for {named} is on its way (not answered yet).",
        "A running shop sends it to Stripe within seconds; `coatcheck customer` shows what came of it.",
        "The order is closed, unless the refund fails.",
        "a•••@example.com is emailed once Stripe confirms it.",
    ]
    left = Money(600, "usd")
    why = [
        *(NotRefunded(why, order, left) for why in WhyNotRefunded if why is not WhyNotRefunded.NO_SUCH_ORDER),
        NotRefunded(WhyNotRefunded.NO_SUCH_ORDER),
        *(NotAnAmount(problem, order) for problem in AmountProblem),
    ]
    lines = [not_refunded_line(one, "ffff") for one in why]
    assert f"nothing was refunded: $6.00 can be refunded of {named}, and no more" in lines
    assert "nothing was refunded: the amount can be read in two ways; write it as 10.00" in lines
    assert all("{" not in line and "None" not in line for line in lines)


def test_a_worker_of_another_address_sends_nothing() -> None:
    shop = Shop()
    _, _, order = sold(shop)
    run(shop.store.transact(lambda tx: tx.shop.open("s1")))
    run(shop.store.transact(lambda tx: tx.shop.serve("https://elsewhere.example")))
    by_hand.refund(shop, order.checkout)
    assert run(shop.send_refunds()) == 0
    assert "refund" not in shop.payments.calls


def test_an_open_request_is_not_closed_by_time() -> None:
    shop = Shop()
    _, _, order = sold(shop)
    by_hand.refund(shop, order.checkout)
    shop.payments.failing = True
    for _ in range(30):
        run(shop.send_refunds())
        shop.clock.tick(hours=1)
    assert only_request(shop).state is RefundState.REQUESTED
    shop.payments.failing = False
    run(shop.send_refunds())
    assert (only_request(shop).state, len(shop.payments.facts)) == (RefundState.DONE, 1)
    assert shop.clock.now() - only_request(shop).at == timedelta(hours=30)
