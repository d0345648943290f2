"""Facts commute: late, twice and out of order, the state is the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Closed, Holding, NotYours, Opens, access
from domain.decision import decided
from domain.fact import Fact, FactKind, MerchantStatus, newer
from domain.purchase import Purchase, PurchaseState, Source, Standing, standing
from domain.session import Session
from domain.values import (
    CheckoutId,
    Digest,
    EmailAddress,
    Money,
    ProductId,
    ProviderRef,
    SessionId,
    UserId,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ANNA, EVE = EmailAddress("anna@example.com"), EmailAddress("eve@example.com")
PURCHASE = Purchase(
    checkout=CheckoutId("c1"), provider_ref=ProviderRef("cs_test_1"), payment="pi_1", user=UserId("u1"), mailbox=ANNA,
    paid_email=ANNA, product=ProductId("book"), product_name="The book", paid=Money(900, "usd"), livemode=False,
    session=SessionId("s1"), booked_at=NOW, source=Source.SALE,
)  # fmt: skip
STATUSES = {
    FactKind.SESSION: ["open", "expired", "unpaid", "failed", "paid", "new word"],
    FactKind.REFUND: ["pending", "requires_action", "succeeded", "canceled", "failed", "new word"],
    FactKind.DISPUTE: [
        "warning_needs_response", "warning_under_review", "needs_response", "under_review", "warning_closed",
        "prevented", "won", "lost", "new word",
    ],
    FactKind.MERCHANT: ["restored", "revoked"],
    FactKind.WARNING: ["actionable", "over", "new word"],
}  # fmt: skip
REQUESTS = {FactKind.REFUND: ["", "", "r1", "r2"], FactKind.MERCHANT: ["", "r1", "r2", "r1 r2"]}
"""The refund requests that a fact can name."""
FACTS = st.sampled_from(list(FactKind)).flatmap(
    lambda kind: st.builds(
        Fact,
        object_id=st.sampled_from(
            ["merchant:c1"] if kind is FactKind.MERCHANT else [f"{kind.value}_1", f"{kind.value}_2"]
        ),
        kind=st.just(kind),
        payment=st.just(None if kind is FactKind.MERCHANT else "pi_1"),
        as_of=st.integers(1, 4),
        status=st.sampled_from(STATUSES[kind]),
        amount=st.just(0) if kind is FactKind.MERCHANT else st.sampled_from([300, 600, 900]),
        request=st.sampled_from(REQUESTS.get(kind, [""])),
        answer_by=st.sampled_from([0, 7, 8]) if kind is FactKind.DISPUTE else st.just(0),
    )
)


def registers(facts: list[Fact]) -> dict[str, Fact]:
    held: dict[str, Fact] = {}
    for fact in facts:
        held[fact.object_id] = newer(held.get(fact.object_id), fact)
    return held


@given(st.lists(FACTS, max_size=8), st.randoms(use_true_random=False))
def test_every_order_gives_the_same_state(facts: list[Fact], entropy: object) -> None:
    shuffled = [*facts, *facts[:2]]
    entropy.shuffle(shuffled)  # type: ignore[attr-defined]
    assert registers(facts) == registers(shuffled)
    assert standing(PURCHASE, registers(facts).values()) == standing(PURCHASE, registers(shuffled).values())


@given(st.lists(FACTS, max_size=8), st.sampled_from([0, 300, 900, 1000]))
def test_the_state_is_what_is_gone_of_the_payment_and_who_still_disputes_it(
    facts: list[Fact], paid: int
) -> None:
    """Written out from the rule: gone = refunds pending or succeeded + amounts of lost disputes.

    Then what is in doubt, then the merchant's word, which counts with any refund that it came with.
    """
    word = registers(facts).get("merchant:c1")
    held = registers(facts).values()
    refunds = [(f.status, f.amount) for f in held if f.kind is FactKind.REFUND]
    disputes = [(f.status, f.amount) for f in held if f.kind is FactKind.DISPUTE]
    lost = sum(amount for status, amount in disputes if status == "lost")
    gone = lost + sum(amount for status, amount in refunds if status in ("pending", "succeeded"))
    answers = {
        name: {f.status for f in held if f.kind is FactKind.REFUND and f.request == name}
        for name in ("r1", "r2")
    }
    counts = {name for name, said in answers.items() if not said or said & {"pending", "succeeded"}}
    revoked = word is not None and word.status == "revoked" and (
        word.request == "" or not counts.isdisjoint(word.request.split(" "))
    )  # fmt: skip
    in_doubt = any(status == "new word" for status, _ in [*refunds, *disputes]) or any(
        status in ("needs_response", "under_review") for status, _ in disputes
    )
    if gone > 0 and gone >= paid:
        expected = PurchaseState.CHARGED_BACK if lost else PurchaseState.REFUNDED
    elif in_doubt:
        expected = PurchaseState.SUSPENDED
    else:
        expected = PurchaseState.REVOKED if revoked else PurchaseState.LIVE
    purchase = replace(PURCHASE, paid=Money(paid, "usd"))
    assert standing(purchase, held).state is expected
    shown = Holding(purchase=purchase, facts=tuple(held))
    assert shown.refunded + shown.charged_back == min(gone, paid), "never more than was paid"


@given(
    st.lists(FACTS, max_size=6), st.sampled_from([f for f in STATUSES[FactKind.DISPUTE] if "warning" in f])
)
def test_an_inquiry_changes_nothing(facts: list[Fact], status: str) -> None:
    """No money was taken: https://docs.stripe.com/disputes/how-disputes-work#inquiries"""
    inquiry = Fact(
        object_id="an inquiry", kind=FactKind.DISPUTE, payment="pi_1", as_of=9, status=status, amount=900
    )
    held = list(registers(facts).values())
    assert standing(PURCHASE, [*held, inquiry]) == standing(PURCHASE, held)


def test_paid_stays_paid_whatever_is_said_later() -> None:
    paid = Fact(object_id="cs", kind=FactKind.SESSION, payment=None, as_of=1, status="paid", amount=900)
    for status in ("open", "expired", "unpaid", "failed"):
        assert newer(paid, replace(paid, as_of=99, status=status)) == paid


def fact(kind: FactKind, status: str, *, amount: int = 900, at: int = 1, name: str = "x") -> Fact:
    return Fact(object_id=name, kind=kind, payment="pi_1", as_of=at, status=status, amount=amount)


REVOKED = decided(None, PURCHASE.checkout, MerchantStatus.REVOKED, now=NOW)


def answer(status: str, *, name: str = "re_1") -> Fact:
    """The refund of a part that answers the request r1."""
    return replace(fact(FactKind.REFUND, status, amount=1, name=name), request="r1")


def test_the_last_decision_wins_whatever_the_clock_says() -> None:
    """Two in one second, and one under a clock that was set back."""
    first = decided(None, PURCHASE.checkout, MerchantStatus.REVOKED, now=NOW)
    second = decided(first, PURCHASE.checkout, MerchantStatus.RESTORED, now=NOW)
    third = decided(second, PURCHASE.checkout, MerchantStatus.REVOKED, now=NOW - timedelta(days=1))
    assert [first.as_of, second.as_of, third.as_of] == [1772323200, 1772323201, 1772323202]
    for order in permutations([first, second, third]):
        assert registers(list(order)) == {"merchant:c1": third}
    late = decided(third, PURCHASE.checkout, MerchantStatus.RESTORED, now=NOW + timedelta(days=1))
    assert late.as_of == 1772409600


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ([], PurchaseState.LIVE),
        ([fact(FactKind.REFUND, "succeeded", amount=899)], PurchaseState.LIVE),
        ([fact(FactKind.REFUND, "succeeded")], PurchaseState.REFUNDED),
        ([fact(FactKind.REFUND, "pending")], PurchaseState.REFUNDED),
        ([fact(FactKind.REFUND, "failed")], PurchaseState.LIVE),
        ([fact(FactKind.REFUND, "requires_action")], PurchaseState.LIVE),
        ([fact(FactKind.REFUND, "something new", amount=1)], PurchaseState.SUSPENDED),
        ([fact(FactKind.REFUND, "succeeded", amount=450, name="a"),
          fact(FactKind.REFUND, "pending", amount=450, name="b")], PurchaseState.REFUNDED),
        ([fact(FactKind.DISPUTE, "needs_response")], PurchaseState.SUSPENDED),
        ([fact(FactKind.DISPUTE, "warning_needs_response")], PurchaseState.LIVE),
        ([fact(FactKind.DISPUTE, "warning_under_review")], PurchaseState.LIVE),
        ([fact(FactKind.DISPUTE, "lost", amount=899)], PurchaseState.LIVE),
        ([fact(FactKind.DISPUTE, "lost", amount=300, name="a"),
          fact(FactKind.REFUND, "pending", amount=600, name="b")], PurchaseState.CHARGED_BACK),
        ([fact(FactKind.DISPUTE, "lost", amount=300, name="a"),
          fact(FactKind.DISPUTE, "lost", amount=600, name="b")], PurchaseState.CHARGED_BACK),
        ([fact(FactKind.DISPUTE, "lost", amount=300, name="a"),
          fact(FactKind.DISPUTE, "under_review", amount=600, name="b")], PurchaseState.SUSPENDED),
        ([fact(FactKind.DISPUTE, "something new")], PurchaseState.SUSPENDED),
        ([fact(FactKind.DISPUTE, "won")], PurchaseState.LIVE),
        ([fact(FactKind.DISPUTE, "warning_closed")], PurchaseState.LIVE),
        ([fact(FactKind.DISPUTE, "lost")], PurchaseState.CHARGED_BACK),
        ([fact(FactKind.DISPUTE, "won", name="a"), fact(FactKind.DISPUTE, "lost", name="b")],
         PurchaseState.CHARGED_BACK),
        ([REVOKED], PurchaseState.REVOKED),
        ([replace(REVOKED, status="restored")], PurchaseState.LIVE),
        ([REVOKED, fact(FactKind.REFUND, "succeeded", amount=1)], PurchaseState.REVOKED),
        ([REVOKED, fact(FactKind.REFUND, "succeeded")], PurchaseState.REFUNDED),
        ([REVOKED, fact(FactKind.DISPUTE, "lost")], PurchaseState.CHARGED_BACK),
        ([REVOKED, fact(FactKind.DISPUTE, "needs_response")], PurchaseState.SUSPENDED),
        ([REVOKED, fact(FactKind.DISPUTE, "won")], PurchaseState.REVOKED),
        ([REVOKED, fact(FactKind.REFUND, "failed")], PurchaseState.REVOKED),
        ([replace(REVOKED, status="restored"), fact(FactKind.REFUND, "pending")], PurchaseState.REFUNDED),
        ([replace(REVOKED, status="restored"), fact(FactKind.DISPUTE, "lost")], PurchaseState.CHARGED_BACK),
        ([replace(REVOKED, request="r1")], PurchaseState.REVOKED),
        ([replace(REVOKED, request="r1"), answer("pending")], PurchaseState.REVOKED),
        ([replace(REVOKED, request="r1"), answer("succeeded")], PurchaseState.REVOKED),
        ([replace(REVOKED, request="r1"), answer("failed")], PurchaseState.LIVE),
        ([replace(REVOKED, request="r1"), answer("canceled")], PurchaseState.LIVE),
        ([replace(REVOKED, request="r2"), answer("failed")], PurchaseState.REVOKED),
        ([replace(REVOKED, request="r1"), answer("failed"), answer("succeeded", name="re_2")], PurchaseState.REVOKED),
        ([replace(REVOKED, request="r1 r2"), answer("failed")], PurchaseState.REVOKED),
        ([replace(REVOKED, request="r2 r1"), answer("failed")], PurchaseState.REVOKED),
        ([replace(REVOKED, request="r1 r2"), answer("failed"), replace(answer("failed", name="re_2"), request="r2")],
         PurchaseState.LIVE),
    ],
)  # fmt: skip
def test_what_the_facts_add_up_to(facts: list[Fact], state: PurchaseState) -> None:
    for order in permutations(facts):
        assert standing(PURCHASE, order).state is state


def test_within_one_second_the_rank_decides() -> None:
    pending, failed = fact(FactKind.REFUND, "pending"), fact(FactKind.REFUND, "failed")
    assert newer(pending, failed) == newer(failed, pending) == failed
    later = replace(pending, as_of=2)
    assert newer(failed, later) == later


def session(*, row: str, mailbox: EmailAddress | None) -> Session:
    return Session(
        id=SessionId(row), token_hash=Digest("h"), mailbox=mailbox, started_at=NOW, seen_at=NOW, label="b"
    )


@pytest.mark.parametrize(
    ("browser", "opens"),
    [
        (None, False),
        (session(row="s1", mailbox=None), True),
        (session(row="s2", mailbox=None), False),
        (session(row="s2", mailbox=ANNA), True),
        (session(row="s2", mailbox=EVE), False),
        (session(row="s1", mailbox=EVE), False),
    ],
)
def test_a_purchase_opens_for_its_browser_and_its_mailbox_and_nobody_else(
    browser: Session | None, opens: bool
) -> None:
    holdings = [Holding(purchase=PURCHASE, facts=())]
    found = access(browser, product=PURCHASE.product, holdings=holdings, now=NOW)
    assert isinstance(found, Opens if opens else NotYours)


@pytest.mark.parametrize(("hours", "opens"), [(23.9, True), (24, False)])
def test_the_browser_that_started_the_checkout_opens_it_for_a_day(hours: float, opens: bool) -> None:
    now = NOW + timedelta(hours=hours)
    holdings = [Holding(purchase=PURCHASE, facts=())]
    guest, owner = session(row="s1", mailbox=None), session(row="s2", mailbox=ANNA)
    found = access(guest, product=PURCHASE.product, holdings=holdings, now=now)
    assert isinstance(found, Opens if opens else NotYours)
    assert isinstance(access(owner, product=PURCHASE.product, holdings=holdings, now=now), Opens)


def test_access_is_the_union_of_live_grants() -> None:
    """A refunded copy closes nothing that another copy opens."""
    refund = fact(FactKind.REFUND, "succeeded", at=1772366400)
    closed = Holding(purchase=PURCHASE, facts=(refund,))
    live = Holding(purchase=replace(PURCHASE, checkout=CheckoutId("c2"), payment="pi_2"), facts=())
    browser = session(row="s1", mailbox=ANNA)
    found = access(browser, product=PURCHASE.product, holdings=[closed], now=NOW)
    assert found == Closed(purchase=PURCHASE, standing=Standing(PurchaseState.REFUNDED, 1772366400))
    assert isinstance(access(browser, product=PURCHASE.product, holdings=[closed, live], now=NOW), Opens)
