"""What happens to a purchase afterwards: refunds, disputes, late money, in whatever order it is told."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.access import Closed, NotYours, Opens, access
from domain.claim import ProviderCheckout, RejectReason
from domain.mail import MailKind
from domain.purchase import Fact, FactKind, PurchaseState
from domain.usecases.recheck_payments import Recheck
from domain.values import ProviderRef
from entrypoints.http.page import closing_reason
from entrypoints.testing import BOOK, Browser, Shop
from testkit.stepping import run

ANNA = "anna@example.com"
PRICE = 900


def a_sale(shop: Shop) -> tuple[Browser, ProviderRef]:
    anna = Browser(shop)
    return anna, anna.buy_and_pay(ANNA)


def state_of(shop: Shop, ref: ProviderRef) -> PurchaseState | None:
    [checkout] = [c.id for c in shop.memory.tables.checkouts.values() if c.provider_ref == ref]
    found = run(shop.store.read(lambda tx: tx.purchases.with_facts(checkout)))
    return None if found is None else found.standing.state


def opens(browser: Browser) -> object:
    viewer = browser.viewer
    return access(viewer.session, product=BOOK, holdings=viewer.holdings, now=browser.shop.clock.now())


def subjects(shop: Shop) -> list[str]:
    shop.deliver_mail()
    return [mail.subject for mail in shop.letters_to(ANNA)][1:]


# ------------------------------------------------------------------ one after the other


def test_a_full_refund_closes_and_the_page_says_when_and_the_buyer_is_told() -> None:
    shop = Shop()
    anna, ref = a_sale(shop)
    assert shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=PRICE)) == "noted"
    found = opens(anna)
    assert isinstance(found, Closed)
    assert closing_reason(found.standing) == "This purchase was refunded on 1 March 2026."
    assert subjects(shop) == ["Your refund: The book"]


def test_a_partial_refund_keeps_it_open_and_parts_that_add_up_close_it() -> None:
    shop = Shop()
    anna, ref = a_sale(shop)
    shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=300, name="a"))
    assert isinstance(opens(anna), Opens)
    shop.deliver_mail()
    assert "You keep your access" in shop.letters_to(ANNA)[-1].text
    shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=600, name="b"))
    assert isinstance(opens(anna), Closed)
    shop.deliver_mail()
    assert "$6.00" in shop.letters_to(ANNA)[-1].text
    assert "no longer have access" in shop.letters_to(ANNA)[-1].text


def test_never_more_goes_back_than_was_paid_whatever_is_told() -> None:
    """Refunds that make no sense together are still a closed purchase, with a sum that can be shown."""
    shop = Shop()
    anna, ref = a_sale(shop)
    for name in ("a", "b"):
        told = shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=10**10, name=name)
        assert shop.hear_fact(told) != "unheard"
    assert isinstance(opens(anna), Closed)
    assert [held.refunded for held in anna.viewer.holdings] == [PRICE]
    shop.deliver_mail()
    assert f"We refunded ${PRICE / 100:.2f} for" in shop.letters_to(ANNA)[-1].text


def test_a_refund_that_fails_gives_access_back_and_the_buyer_hears_of_it() -> None:
    shop = Shop()
    anna, ref = a_sale(shop)
    anna.press(shop.last_link("anna@example.com"))
    shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "pending", amount=PRICE))
    assert isinstance(opens(anna), Closed)
    shop.clock.tick(days=3)
    shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "failed", amount=PRICE))
    assert isinstance(opens(anna), Opens)
    assert subjects(shop) == ["Your refund: The book", "You have access again: The book"]


@pytest.mark.parametrize(
    ("ends", "state"),
    [
        ("won", PurchaseState.LIVE),
        ("warning_closed", PurchaseState.LIVE),
        ("lost", PurchaseState.CHARGED_BACK),
    ],
)
def test_an_open_dispute_suspends_and_its_end_decides(ends: str, state: PurchaseState) -> None:
    shop = Shop()
    anna, ref = a_sale(shop)
    shop.hear_fact(shop.payments.tell(ref, FactKind.DISPUTE, "needs_response", amount=PRICE))
    found = opens(anna)
    assert isinstance(found, Closed)
    assert closing_reason(found.standing) == "The payment has been in dispute since 1 March 2026."
    shop.clock.tick(days=30)
    shop.hear_fact(shop.payments.tell(ref, FactKind.DISPUTE, ends, amount=PRICE))
    assert state_of(shop, ref) is state
    assert subjects(shop) == (["You have access again: The book"] if state is PurchaseState.LIVE else [])


def test_the_same_news_twice_is_mailed_once() -> None:
    shop = Shop()
    _, ref = a_sale(shop)
    fact = shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=PRICE)
    outcomes = [shop.hear_fact(fact, event=f"evt_{n}") for n in range(4)]
    assert outcomes == ["noted", "known", "known", "known"]
    assert subjects(shop) == ["Your refund: The book"]


def test_an_unknown_status_is_kept_and_counts_against_access() -> None:
    shop = Shop()
    anna, ref = a_sale(shop)
    shop.hear_fact(shop.payments.tell(ref, FactKind.DISPUTE, "a new word of Stripe's", amount=PRICE))
    assert isinstance(opens(anna), Closed)


def test_a_payment_that_fails_late_is_mailed_and_makes_no_user() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy()
    shop.payments.pay(ref, email=ANNA, status="unpaid")
    assert shop.hear_of(ref) == "awaiting payment"
    shop.payments.pay(ref, email=ANNA, status="failed")
    for n in range(3):
        assert shop.hear_of(ref, event=f"evt_{n}", kind="checkout.session.async_payment_failed") == "failed"
    shop.deliver_mail()
    assert [m.subject for m in shop.letters_to(ANNA)] == ["Your payment did not go through: The book"]
    assert not shop.memory.tables.users
    assert isinstance(opens(anna), NotYours)


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


def foreign_fact(shop: Shop) -> Fact:
    ref = ProviderRef("cs_test_foreign")
    shop.payments.invent(
        ProviderCheckout(
            ref=ref, as_of=1, livemode=False, mode="payment", status="paid", currency="usd", subtotal=5, total=5,
            discount=0, tax=0, email="x@example.com", payment="pi_foreign", reference=None, product=None, shop=None,
            seal=None,
        )
    )  # fmt: skip
    return shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=5)


def test_a_refund_of_a_foreign_payment_goes_to_quarantine_and_the_merchant_hears_once() -> None:
    shop = Shop()
    fact = foreign_fact(shop)
    assert shop.hear_fact(fact) == "waits for its sale"
    shop.clock.tick(minutes=11)
    assert [read for _, read in run(shop.recheck_payments())] == [Recheck.FOREIGN]
    shop.hear_fact(fact, event="evt_again")
    shop.clock.tick(minutes=11)
    run(shop.recheck_payments())
    entries = {q.ref: q.reason for q in run(shop.report()).quarantine}
    assert entries["cs_test_foreign"] is RejectReason.NO_METADATA
    shop.deliver_mail()
    assert len(shop.letters_to("help@shop.example")) == 1


def test_a_refund_of_a_payment_that_stripe_does_not_know_goes_to_quarantine() -> None:
    shop = Shop()
    fact = replace(foreign_fact(shop), payment="pi_nobody")
    shop.payments.facts.clear()
    shop.hear_fact(fact)
    shop.clock.tick(minutes=11)
    assert [read for _, read in run(shop.recheck_payments())] == [Recheck.FOREIGN]
    assert {q.ref: q.reason for q in run(shop.report()).quarantine} == {
        "pi_nobody": RejectReason.FOREIGN_PAYMENT
    }


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


# ------------------------------------------------------------------ every order

Step = tuple[str, int]
"""What is told (see `told`), and at which second Stripe says that it was so."""


def told(shop: Shop, ref: ProviderRef, step: Step, event: str) -> None:
    kind, second = step
    shop.clock.time = shop.clock.time.replace(minute=0, second=second)
    match kind:
        case "paid" | "unpaid" | "failed":
            session = replace(
                shop.payments.sessions[ref], status=kind, as_of=second, email=ANNA, payment="pi_1"
            )
            delivery = shop.payments.sign(event=event, kind="checkout.session.completed", reading=session)
            run(shop.hear(delivery.body, delivery.signature))
        case _:
            name, status, amount = FACTS[kind]
            fact_kind = FactKind.REFUND if name.startswith("re") else FactKind.DISPUTE
            fact = Fact(
                object_id=name, kind=fact_kind, payment="pi_1", as_of=second, status=status, amount=amount
            )
            delivery = shop.payments.fact_delivery(fact, event=event)
            run(shop.hear(delivery.body, delivery.signature))


FACTS = {
    "partial refund": ("re_part", "succeeded", 400),
    "rest refund": ("re_rest", "succeeded", 500),
    "refund failed": ("re_rest", "failed", 500),
    "dispute opened": ("dp_1", "needs_response", 900),
    "dispute won": ("dp_1", "won", 900),
    "dispute lost": ("dp_1", "lost", 900),
}
STORY = ["unpaid", "failed", "paid", *FACTS]


def outcome(steps: list[Step]) -> tuple[object, object, object]:
    """State, access and refunded sum after these news."""
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy()
    for number, step in enumerate(steps):
        told(shop, ref, step, f"evt_{number}")
    viewer = anna.viewer
    found = access(viewer.session, product=BOOK, holdings=viewer.holdings, now=shop.clock.now())
    reason = found.standing if isinstance(found, Closed) else type(found).__name__
    refunded = sum(held.refunded for held in viewer.holdings)
    return state_of(shop, ref), reason, refunded


@settings(max_examples=400)
@given(
    chosen=st.lists(st.sampled_from(STORY), min_size=1, max_size=9, unique=True),
    again=st.lists(st.integers(0, 8), max_size=4),
    same_second=st.booleans(),
    entropy=st.randoms(use_true_random=False),
)
def test_every_permutation_with_duplicates_ends_as_the_same_set_in_order(
    chosen: list[str], again: list[int], same_second: bool, entropy: object
) -> None:
    """Through the front door: events, the claim and the store, not the rule alone."""
    in_order = [
        (kind, 5 if same_second else 1 + STORY.index(kind)) for kind in sorted(chosen, key=STORY.index)
    ]
    shuffled = [*in_order, *(in_order[n % len(in_order)] for n in again)]
    entropy.shuffle(shuffled)  # type: ignore[attr-defined]
    assert outcome(shuffled) == outcome(in_order)


@pytest.mark.parametrize("kinds", [("paid", "rest refund", "partial refund", "refund failed"),
                                   ("unpaid", "failed", "paid", "dispute opened"),
                                   ("paid", "dispute opened", "dispute won", "dispute lost")])  # fmt: skip
def test_all_orders_of_four(kinds: tuple[str, ...]) -> None:
    steps = [(kind, 1 + STORY.index(kind)) for kind in kinds]
    expected = outcome(sorted(steps, key=lambda step: step[1]))
    for order in permutations(steps):
        assert outcome(list(order)) == expected


def test_no_order_mails_anything_twice() -> None:
    for order in permutations(["paid", "rest refund", "partial refund", "refund failed"]):
        shop = Shop()
        ref = Browser(shop).buy()
        for number, kind in enumerate([*order, *order]):
            told(shop, ref, (kind, 1 + STORY.index(kind)), f"evt_{number}")
        keys = [m.key for m in shop.memory.tables.outbox.values() if m.kind is MailKind.UPDATE]
        assert len(keys) == len(set(keys))
        access_emails = [m for m in shop.memory.tables.outbox.values() if m.kind is MailKind.ACCESS]
        assert len(access_emails) == 1


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


def test_a_sweep_reports_what_fits_nothing_until_it_is_dismissed() -> None:
    shop = Shop()
    a_sale(shop)
    foreign_fact(shop)
    shop.payments.facts.clear()
    for _ in range(2):
        assert run(shop.reconcile()).refused == ["cs_test_foreign"]
    run(shop.report.dismiss("cs_test_foreign"))
    assert run(shop.reconcile()).all_well


def test_a_restored_shop_sends_the_same_access_email_to_the_byte() -> None:
    """The database of last night: the sale, its row and its mail are gone, and the carrier has seen the mail already."""
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
    assert len(shop.mailer.handed) == 3, "handed over again, and recognised by the carrier"
    assert not run(shop.report()).mails
