"""News that no webhook brought, long after: the reconciler reads each of the provider's lists from its own cursor."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.fact import CheckoutStatus, FactKind
from domain.ports import PaymentsUnreachable
from domain.purchase import PurchaseState
from domain.records import ProblemKind
from domain.usecases.reconcile_cursors import DISPUTES, REFUNDS, SESSIONS, WARNINGS, begins_at
from domain.values import ProviderRef
from entrypoints.testing import PHOTOS, Browser, Shop
from testkit.stepping import run

ANNA = "anna@example.com"
PRICE = 900
LISTS = {"list refunds": REFUNDS, "list disputes": DISPUTES, "list": SESSIONS, "list warnings": WARNINGS}


def state_of(shop: Shop, ref: ProviderRef) -> PurchaseState:
    [found] = [p.checkout for p in shop.memory.tables.purchases.values() if p.provider_ref == ref]
    held = run(shop.store.read(lambda tx: tx.purchases.with_facts(found)))
    assert held is not None
    return held.standing.state


def sweeps(shop: Shop, *, days: float) -> None:
    """The shop runs for days, and reconciles once in a while."""
    for _ in range(4):
        shop.clock.tick(hours=days * 6)
        run(shop.reconcile())


def test_a_refund_that_fails_40_hours_after_it_succeeded_is_found() -> None:
    shop = Shop()
    ref = Browser(shop).buy_and_pay(ANNA)
    refund = shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=PRICE)
    shop.hear_fact(refund)
    sweeps(shop, days=40 / 24)
    shop.payments.tell(ref, FactKind.REFUND, "failed", amount=PRICE)
    assert run(shop.reconcile()).noted == [refund.object_id]
    assert state_of(shop, ref) is PurchaseState.LIVE
    assert run(shop.reconcile()).all_well


@settings(max_examples=50)
@given(
    kind=st.sampled_from([FactKind.REFUND, FactKind.DISPUTE]),
    told=st.booleans(),
    days=st.integers(0, 190),
)
def test_news_of_a_refund_within_90_days_and_of_a_dispute_within_180_is_found(
    kind: FactKind, told: bool, days: int
) -> None:
    shop = Shop()
    ref = Browser(shop).buy_and_pay(ANNA)
    shop.clock.tick(minutes=1)
    before, after = ("pending", "failed") if kind is FactKind.REFUND else ("needs_response", "won")
    fact = shop.payments.tell(ref, kind, before, amount=PRICE)
    if told:
        shop.hear_fact(fact)
    run(shop.reconcile())
    assert state_of(shop, ref) is not PurchaseState.LIVE
    shop.memory.tables.due.clear()  # what is not final is asked about every day as well; not here
    sweeps(shop, days=days)
    shop.memory.tables.due.clear()
    shop.payments.tell(ref, kind, after, amount=PRICE)
    run(shop.reconcile())
    assert (state_of(shop, ref) is PurchaseState.LIVE) is (days <= (90 if kind is FactKind.REFUND else 180))


@pytest.mark.parametrize("forbidden", LISTS)
def test_a_list_that_the_key_may_not_read_stops_no_other_and_is_reported_until_it_may(forbidden: str) -> None:
    shop = Shop()
    ref = Browser(shop).buy_and_pay(ANNA)
    run(shop.reconcile())
    shop.clock.tick(minutes=10)
    lost = Browser(shop).buy()
    shop.payments.pay(lost, email="ben@example.com")
    refund = shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=300)
    dispute = shop.payments.tell(ref, FactKind.DISPUTE, "needs_response", amount=PRICE)
    warning = shop.payments.tell(ref, FactKind.WARNING, "actionable", amount=0)
    new = {
        "list refunds": refund.object_id,
        "list disputes": dispute.object_id,
        "list": lost,
        "list warnings": warning.object_id,
    }
    shop.payments.forbidden = {forbidden}
    found = run(shop.reconcile())
    assert {*found.noted, *found.booked} == set(new.values()) - {new[forbidden]}
    assert found.unlisted == {LISTS[forbidden].name: f"the key may not {forbidden}"}
    assert not found.all_well
    [problem] = run(shop.report()).problems
    assert (problem.kind, problem.subject) == (ProblemKind.LIST_REFUSED, LISTS[forbidden].name)
    assert not run(shop.reconcile()).all_well, "whatever else there is"
    shop.deliver_mail()
    assert len(shop.letters_to("help@shop.example")) == 1, "once"
    shop.memory.tables.due.clear()  # what is not final is asked about every day as well; not here
    shop.clock.tick(days=4)
    run(shop.reconcile())
    shop.clock.tick(days=4)
    shop.payments.forbidden = set()
    found = run(shop.reconcile())
    assert {*found.noted, *found.booked} == {new[forbidden]}, "its cursor had stayed"
    assert not run(shop.report()).problems


@pytest.mark.parametrize("cut_off", LISTS)
def test_a_list_that_cannot_be_reached_stops_nothing_else_and_is_read_later(cut_off: str) -> None:
    shop = Shop()
    ref = Browser(shop).buy_and_pay(ANNA)
    run(shop.reconcile())
    read_until = {which.name: shop.memory.tables.cursors[which.name] for which in LISTS.values()}
    shop.clock.tick(minutes=10)
    lost = Browser(shop).buy(PHOTOS)
    shop.payments.pay(lost, email="ben@example.com")
    refund = shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=300)
    dispute = shop.payments.tell(ref, FactKind.DISPUTE, "needs_response", amount=PRICE)
    warning = shop.payments.tell(ref, FactKind.WARNING, "actionable", amount=0)
    new = {
        "list refunds": refund.object_id,
        "list disputes": dispute.object_id,
        "list": lost,
        "list warnings": warning.object_id,
    }
    shop.payments.cut_off = {cut_off}
    shop.payments.calls.clear()
    with pytest.raises(PaymentsUnreachable):
        run(shop.reconcile())
    known = {*shop.memory.tables.facts, *(p.provider_ref for p in shop.memory.tables.purchases.values())}
    assert known & set(new.values()) == set(new.values()) - {new[cut_off]}
    moved = {name for name, at in read_until.items() if shop.memory.tables.cursors[name] > at}
    assert moved == {which.name for which in LISTS.values()} - {LISTS[cut_off].name}
    assert not run(shop.report()).problems, "it is no refusal"
    shop.payments.cut_off = set()
    found = run(shop.reconcile())
    assert {*found.noted, *found.booked} == {new[cut_off]}, "its cursor had stayed"


@pytest.mark.parametrize("cut_off", LISTS)
def test_a_list_that_cannot_be_reached_stops_neither_rechecks_nor_duplicates(cut_off: str) -> None:
    shop = Shop()
    browser = Browser(shop)
    ref = browser.buy()
    shop.clock.tick(minutes=2)
    twin = browser.buy()
    shop.payments.pay(ref, email=ANNA)
    shop.hear_of(ref)
    [purchase] = shop.memory.tables.purchases.values()
    assert purchase.payment is not None
    payment, now = purchase.payment, shop.clock.now()
    run(shop.store.transact(lambda tx: tx.rechecks.schedule(payment, at=now, due_at=now)))
    shop.payments.cut_off = {cut_off}
    with pytest.raises(PaymentsUnreachable):
        run(shop.reconcile())
    assert not shop.memory.tables.due
    assert shop.payments.sessions[twin].status == CheckoutStatus.EXPIRED


def test_each_list_has_a_cursor_of_its_own() -> None:
    shop = Shop()
    Browser(shop).buy_and_pay(ANNA)
    began = shop.clock.now()
    shop.payments.forbidden = {"list disputes"}
    run(shop.reconcile())
    at = {name: shop.memory.tables.cursors.get(which.name) for name, which in LISTS.items()}
    assert at == {"list refunds": began, "list disputes": None, "list": began, "list warnings": began}


def test_a_provider_that_cannot_be_reached_is_no_refusal() -> None:
    shop = Shop()
    browser = Browser(shop)
    paid = browser.buy()
    shop.clock.tick(minutes=2)
    browser.buy()  # a duplicate that is to be expired
    shop.payments.pay(paid, email=ANNA)
    shop.hear_of(paid)
    now = shop.clock.now()
    run(shop.store.transact(lambda tx: tx.rechecks.schedule("pi_1", at=now, due_at=now)))
    shop.payments.failing = True
    shop.payments.calls.clear()
    with pytest.raises(PaymentsUnreachable):
        run(shop.reconcile())
    assert run(shop.report()).all_well
    assert set(shop.payments.calls) == set(LISTS), "it is asked for nothing else while it is down"


def test_nothing_older_than_the_first_checkout_is_asked_for_nor_anything_without_one() -> None:
    shop = Shop()
    now = shop.clock.now()
    assert run(shop.store.read(lambda tx: begins_at(tx, which=REFUNDS, now=now))) is None
    Browser(shop).buy_and_pay(ANNA)
    run(shop.reconcile())
    shop.clock.tick(days=10)
    later = shop.clock.now()
    first = run(shop.store.read(lambda tx: tx.checkouts.first_started_at()))
    for which in LISTS.values():
        since = run(shop.store.read(lambda tx, w=which: begins_at(tx, which=w, now=later)))
        assert since is not None
        assert since == first - timedelta(hours=26)
    assert "list refunds" in shop.payments.calls


def test_a_shop_that_was_off_for_a_year_asks_for_all_of_it() -> None:
    shop = Shop()
    Browser(shop).buy_and_pay(ANNA)
    shop.clock.tick(days=2)
    run(shop.reconcile())
    stopped = shop.clock.now()
    shop.clock.tick(days=365)
    now = shop.clock.now()
    for which in LISTS.values():
        since = run(shop.store.read(lambda tx, w=which: begins_at(tx, which=w, now=now)))
        assert since is not None
        assert since <= stopped


@pytest.mark.parametrize(
    ("forbidden", "kind", "status", "days"),
    [
        ("list refunds", FactKind.REFUND, "succeeded", 100),
        ("list disputes", FactKind.DISPUTE, "needs_response", 190),
    ],
)
def test_a_list_that_was_refused_for_longer_than_it_looks_back_goes_on_where_it_stopped(
    forbidden: str, kind: FactKind, status: str, days: int
) -> None:
    """The other lists were read all the time: how far they got says nothing of this one."""
    shop = Shop()
    ref = Browser(shop).buy_and_pay(ANNA)
    run(shop.reconcile())
    shop.clock.tick(minutes=10)
    fact = shop.payments.tell(ref, kind, status, amount=PRICE)
    shop.payments.forbidden = {forbidden}
    sweeps(shop, days=days)
    assert state_of(shop, ref) is PurchaseState.LIVE
    shop.payments.forbidden = set()
    assert run(shop.reconcile()).noted == [fact.object_id]
    assert state_of(shop, ref) is not PurchaseState.LIVE
