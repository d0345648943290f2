"""What happens to a purchase afterwards: refunds, disputes, late money, in whatever order it is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.access import Closed, NotYours, Opens, access
from domain.fact import Fact, FactKind
from domain.mail import MailKind
from domain.purchase import PurchaseState
from domain.values import ProductId, ProviderRef
from entrypoints.http.page import closing_reason
from entrypoints.testing import BOOK, Browser, Shop, a_product, an_edition
from testkit.after_sale import ANNA, PRICE, a_sale, opens, state_of, subjects
from testkit.stepping import run

PACK = ProductId("pack")

# ------------------------------------------------------------------ one after the other


def test_a_full_refund_closes_and_the_page_says_when_and_the_buyer_is_told() -> None:
    shop = Shop()
    anna, ref = a_sale(shop)
    assert shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=PRICE)) == "noted"
    found = opens(anna)
    assert isinstance(found, Closed)
    assert closing_reason(found.standing, UTC) == "This purchase was refunded on 1 March 2026."
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
    assert closing_reason(found.standing, UTC) == "The payment has been in dispute since 1 March 2026."
    shop.clock.tick(days=30)
    shop.hear_fact(shop.payments.tell(ref, FactKind.DISPUTE, ends, amount=PRICE))
    assert state_of(shop, ref) is state
    assert subjects(shop) == (["You have access again: The book"] if state is PurchaseState.LIVE else [])


@pytest.mark.parametrize("kind", ["warning_needs_response", "warning_under_review"])
def test_an_inquiry_takes_no_money_and_closes_nothing(kind: str) -> None:
    shop = Shop()
    anna, ref = a_sale(shop)
    shop.hear_fact(shop.payments.tell(ref, FactKind.DISPUTE, kind, amount=PRICE))
    assert isinstance(opens(anna), Opens)
    shop.clock.tick(minutes=1)
    shop.hear_fact(shop.payments.tell(ref, FactKind.DISPUTE, "needs_response", amount=PRICE))
    assert isinstance(opens(anna), Closed), "the inquiry became a dispute"
    shop.clock.tick(minutes=1)
    shop.hear_fact(shop.payments.tell(ref, FactKind.DISPUTE, "warning_closed", amount=PRICE))
    assert subjects(shop) == ["You have access again: The book"]


def test_a_dispute_lost_over_a_part_keeps_access_and_what_adds_up_to_all_of_it_closes() -> None:
    shop = Shop()
    anna, ref = a_sale(shop)
    shop.hear_fact(shop.payments.tell(ref, FactKind.DISPUTE, "needs_response", amount=300))
    assert isinstance(opens(anna), Closed)
    shop.clock.tick(hours=1)
    shop.hear_fact(shop.payments.tell(ref, FactKind.DISPUTE, "lost", amount=300))
    assert isinstance(opens(anna), Opens)
    [held] = anna.viewer.holdings
    assert (held.refunded, held.charged_back) == (0, 300)
    shop.clock.tick(hours=1)
    shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=600))
    assert isinstance(opens(anna), Closed)
    assert subjects(shop) == ["You have access again: The book", "Your refund: The book"]
    assert "no longer have access" in shop.letters_to(ANNA)[-1].text


def test_an_email_about_a_refund_promises_no_access_while_a_dispute_is_open() -> None:
    shop = Shop()
    _, ref = a_sale(shop)
    shop.hear_fact(shop.payments.tell(ref, FactKind.DISPUTE, "needs_response", amount=600))
    shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=300))
    assert subjects(shop) == ["Your refund: The book"]
    text = shop.letters_to(ANNA)[-1].text
    assert "keep your access" not in text
    assert "no longer have access" not in text
    assert "is suspended for now" in text


@pytest.mark.parametrize("other", [BOOK, PACK], ids=["bought twice", "in a bundle, too"])
def test_an_email_about_a_refund_does_not_say_that_access_ended_while_another_order_opens_it(
    other: ProductId,
) -> None:
    shop = Shop(edition=an_edition(a_product(BOOK), a_product(PACK, contains=(BOOK,))))
    _, ref = a_sale(shop)
    again = Browser(shop).buy_and_pay(ANNA, product=other)
    shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=PRICE))
    shop.deliver_mail()
    text = shop.letters_to(ANNA)[-1].text
    assert "You keep your access to The book: another order of yours includes it." in text
    assert "no longer have access" not in text
    shop.hear_fact(shop.payments.tell(again, FactKind.REFUND, "succeeded", amount=PRICE))
    shop.deliver_mail()
    assert "You no longer have access to The" in shop.letters_to(ANNA)[-1].text


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
    "inquiry opened": ("dp_2", "warning_needs_response", 900),
    "part disputed": ("dp_3", "under_review", 500),
    "part lost": ("dp_3", "lost", 500),
}
STORY = ["unpaid", "failed", "paid", *FACTS]


def outcome(steps: list[Step]) -> tuple[object, ...]:
    """State, access and the sums that are gone after these news."""
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy()
    for number, step in enumerate(steps):
        told(shop, ref, step, f"evt_{number}")
    viewer = anna.viewer
    found = access(viewer.session, product=BOOK, holdings=viewer.holdings, now=shop.clock.now())
    reason = found.standing if isinstance(found, Closed) else type(found).__name__
    gone = [(held.refunded, held.charged_back) for held in viewer.holdings]
    return state_of(shop, ref), reason, gone


@settings(max_examples=400)
@given(
    chosen=st.lists(st.sampled_from(STORY), min_size=1, max_size=12, unique=True),
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
                                   ("paid", "partial refund", "part disputed", "part lost"),
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
