"""Refunds and disputes of payments that the shop knows nothing of yet, and what the reconciler finds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.access import Closed, Opens
from domain.claim import RejectReason
from domain.fact import FactKind
from domain.purchase import PurchaseState
from domain.usecases.recheck_payments import Recheck
from domain.values import ProviderRef
from entrypoints.testing import Browser, Shop
from testkit import by_hand
from testkit.after_sale import ANNA, PRICE, a_sale, foreign_fact, opens, state_of, subjects
from testkit.stepping import run

# ------------------------------------------------------------------ facts without a sale


def test_a_refund_that_comes_before_its_sale_waits_and_is_mailed_with_it() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy()
    shop.payments.pay(ref, email=ANNA)
    refund = shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=PRICE)
    assert shop.hear_fact(refund) == "waits for its sale"
    assert shop.hear_of(ref) == "booked"
    assert isinstance(opens(anna), Closed)
    shop.deliver_mail()
    assert {m.subject for m in shop.letters_to(ANNA)} == {"Your purchase: The book", "Your refund: The book"}


def test_a_fact_without_a_sale_has_its_payment_read_and_ours_is_claimed() -> None:
    """Its webhook and its redirect were lost: the refund is the first we hear of the sale."""
    shop = Shop()
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=ANNA)
    shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=300))
    assert run(shop.recheck_payments()) == [], "a sale may still come by itself"
    shop.clock.tick(minutes=11)
    [(payment, read)] = run(shop.recheck_payments())
    assert (payment, read) == (shop.payments.sessions[ref].payment, Recheck.REPAIRED)
    assert state_of(shop, ref) is PurchaseState.LIVE
    assert run(shop.recheck_payments()) == []


def test_a_refund_of_a_foreign_payment_is_noted_as_closed_and_the_merchant_hears_nothing() -> None:
    shop = Shop()
    fact = foreign_fact(shop)
    assert shop.hear_fact(fact) == "waits for its sale"
    shop.clock.tick(minutes=11)
    assert [read for _, read in run(shop.recheck_payments())] == [Recheck.FOREIGN]
    shop.hear_fact(fact, event="evt_again")
    shop.clock.tick(minutes=11)
    run(shop.recheck_payments())
    assert shop.memory.tables.quarantined["cs_test_foreign"].reason is RejectReason.NO_METADATA
    status = run(shop.report())
    assert (status.quarantine, status.all_well, status.tally.foreign) == ([], True, 1)
    shop.deliver_mail()
    assert shop.letters_to("help@shop.example") == []


@pytest.mark.parametrize("mode", ["payment", "subscription"])
@pytest.mark.parametrize("livemode", [True, False])
@pytest.mark.parametrize("owner", [None, "another"])
def test_a_session_of_another_program_needs_nobody_whatever_else_it_is(
    mode: str, livemode: bool, owner: str | None
) -> None:
    shop = Shop()
    foreign_fact(shop)
    session = replace(
        shop.payments.sessions[ProviderRef("cs_test_foreign")], mode=mode, livemode=livemode, shop=owner
    )
    shop.payments.invent(session)
    assert shop.hear_of(session.ref).startswith("not ours: ")
    assert run(shop.report()).all_well
    shop.clock.tick(days=100)
    run(shop.store.transact(lambda tx: tx.retention.prune(now=shop.clock.now())))
    assert not shop.memory.tables.quarantined


def test_a_shop_that_was_restored_under_a_wrong_id_loses_nothing_once_the_id_is_right() -> None:
    """Its sessions looked like another shop's meanwhile, and were closed; a closed entry never decides."""
    shop = Shop()
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=ANNA)
    shop.memory.tables.checkouts.clear()
    right = shop.payments.sessions[ref]
    shop.payments.invent(replace(right, shop="misspelt"))
    assert shop.hear_of(ref) == "not ours: another shop"
    shop.payments.invent(right)
    assert shop.hear_of(ref) == "booked"


def test_a_refund_of_a_payment_that_stripe_does_not_know_is_noted_as_closed() -> None:
    shop = Shop()
    fact = replace(foreign_fact(shop), payment="pi_nobody")
    shop.payments.facts.clear()
    shop.hear_fact(fact)
    shop.clock.tick(minutes=11)
    assert [read for _, read in run(shop.recheck_payments())] == [Recheck.FOREIGN]
    assert shop.memory.tables.quarantined["pi_nobody"].reason is RejectReason.FOREIGN_PAYMENT
    assert run(shop.report()).all_well


def test_a_fact_waits_three_days_for_stripe_to_answer_and_not_longer() -> None:
    shop = Shop()
    fact = foreign_fact(shop)
    shop.hear_fact(fact)
    shop.payments.failing = True
    for _ in range(80):
        shop.clock.tick(hours=1)
        assert all(read is Recheck.UNREACHABLE for _, read in run(shop.recheck_payments()))
    assert {q.ref: q.reason for q in run(shop.report()).quarantine} == {
        "pi_foreign": RejectReason.UNREADABLE_PAYMENT
    }
    assert len([c for c in shop.payments.calls if c == "payment"]) < 40, "less and less often"


def test_a_charge_that_was_refunded_has_its_payment_read_at_once() -> None:
    """charge.refunded has no refund in it."""
    shop = Shop()
    anna, ref = a_sale(shop)
    shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=PRICE)
    payment = shop.payments.sessions[ref].payment
    assert payment is not None
    delivery = shop.payments.payment_delivery(payment)
    assert getattr(run(shop.hear(delivery.body, delivery.signature)), "name", "") == "to be read"
    assert isinstance(opens(anna), Opens)
    assert run(shop.recheck_payments()) == [(payment, Recheck.REPAIRED)]
    assert isinstance(opens(anna), Closed)
    assert subjects(shop) == ["Your refund: The book"]


def test_what_is_not_final_is_asked_about_once_a_day() -> None:
    """A pending refund whose end nobody tells of, and a debit."""
    shop = Shop()
    anna, ref = a_sale(shop)
    anna.press(shop.last_link("anna@example.com"))
    shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "pending", amount=PRICE))
    other = Browser(shop).buy()
    shop.payments.pay(other, email="ben@example.com", status="unpaid")
    shop.hear_of(other, event="evt_other")
    shop.payments.tell(ref, FactKind.REFUND, "failed", amount=PRICE)
    shop.payments.pay(other, email="ben@example.com")
    shop.clock.tick(hours=23)
    assert run(shop.recheck_payments()) == []
    shop.clock.tick(hours=2)
    assert [read for _, read in run(shop.recheck_payments())] == [Recheck.REPAIRED, Recheck.REPAIRED]
    assert isinstance(opens(anna), Opens)
    assert state_of(shop, other) is PurchaseState.LIVE
    shop.clock.tick(days=2)
    assert run(shop.recheck_payments()) == []


# ------------------------------------------------------------------ the reconciler


def test_a_sweep_brings_what_nobody_told_of_and_says_so_once() -> None:
    shop = Shop()
    _, ref = a_sale(shop)
    lost = Browser(shop).buy()
    shop.payments.pay(lost, email="ben@example.com")
    shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=PRICE)
    found = run(shop.reconcile())
    assert (found.booked, found.noted) == ([lost], [f"refund_1_{ref[8:]}"])
    assert not found.all_well
    assert run(shop.reconcile()).all_well


def test_a_sweep_counts_what_belongs_to_other_programs_apart() -> None:
    shop = Shop()
    a_sale(shop)
    foreign_fact(shop)
    shop.payments.facts.clear()
    for _ in range(2):
        found = run(shop.reconcile())
        assert (found.refused, found.foreign, found.all_well) == ([], 1, True)


def test_a_sweep_reports_what_fits_nothing_until_it_is_dismissed() -> None:
    shop = Shop()
    a_sale(shop)
    foreign_fact(shop)
    shop.payments.facts.clear()
    session = shop.payments.sessions[ProviderRef("cs_test_foreign")]
    shop.payments.invent(
        replace(session, shop=shop.catalogue.current().shop.id, reference="unknown", product="book", seal="x")
    )
    for _ in range(2):
        assert run(shop.reconcile()).refused == ["cs_test_foreign"]
    by_hand.dismiss(shop, "cs_test_foreign")
    assert run(shop.reconcile()).all_well


def test_a_restored_shop_sends_the_same_access_email_to_the_byte() -> None:
    """The database of last night: the sale, its row and its mail are gone, and the email provider has seen the mail already."""
    shop = Shop()
    anna = Browser(shop)
    first = anna.buy_and_pay("first@example.com")
    backup = shop.memory.tables.copy()
    ref = anna.buy_and_pay(ANNA, again=True)
    [sent] = shop.letters_to(ANNA)
    shop.memory.tables = backup
    shop.clock.tick(hours=5)
    assert run(shop.reconcile()).booked == [ref]
    shop.deliver_mail()
    assert first != ref
    assert shop.letters_to(ANNA) == [sent]
    assert len(shop.mailer.handed) == 3, "handed over again, and recognised by the email provider"
    assert not run(shop.report()).mails
