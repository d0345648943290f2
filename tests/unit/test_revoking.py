"""The merchant closes purchases and opens them again: once for each form, told to the customer, and never over money."""

from __future__ import annotations

import copy
from datetime import UTC

import pytest

from domain.access import Closed, Opens
from domain.audit import AuditAction
from domain.fact import FactKind, MerchantStatus
from domain.purchase import Purchase, PurchaseState, Standing
from domain.usecases.decision_outcomes import Decided, Unchanged, WhyUnchanged
from domain.usecases.erase_refusal import Erased
from domain.usecases.grant_outcomes import Granted
from domain.usecases.look_at_decision import DecisionSeen
from domain.usecases.resend_outcomes import NotSent, WhyNotSent
from domain.values import ProviderRef
from entrypoints.customer_lines import customer_lines
from entrypoints.decision_lines import reopened_lines, revoked_lines, unchanged_line
from entrypoints.http.library import STAMPS
from entrypoints.http.page import closing_reason
from entrypoints.testing import BOOK, Browser, Shop
from entrypoints.testing.office import Office
from testkit import by_hand
from testkit.after_sale import ANNA, PRICE, a_sale, opens, subjects
from testkit.by_hand import CLI
from testkit.stepping import run

CLOSED, OPEN_AGAIN = "Your access to The book has ended", "You have access again: The book"


def sold(shop: Shop) -> tuple[Browser, ProviderRef, Purchase]:
    anna, ref = a_sale(shop)
    [order] = shop.memory.tables.purchases.values()
    return anna, ref, order


def test_a_revoked_purchase_is_closed_with_the_day_and_its_customer_is_told_once() -> None:
    shop = Shop()
    anna, _, order = sold(shop)
    found = by_hand.revoke(shop, order.checkout[:16], form="f1")
    assert found == Decided(order, PurchaseState.REVOKED, told=True)
    closed = opens(anna)
    assert isinstance(closed, Closed)
    assert closing_reason(closed.standing, UTC) == "The seller closed this purchase on 1 March 2026."
    assert subjects(shop) == [CLOSED]
    text = shop.letters_to(ANNA)[-1].text
    assert "The seller closed your purchase of The book." in text
    assert "stolen" not in text, "the reason is the merchant's"
    before = copy.deepcopy(shop.memory.tables)
    assert by_hand.revoke(shop, order.checkout, form="f1") == found
    assert by_hand.revoke(shop, order.checkout) == Unchanged(
        WhyUnchanged.ALREADY_REVOKED, order, PurchaseState.REVOKED
    )
    assert shop.memory.tables == before
    [line] = by_hand.log(shop)
    assert (line.action, line.object_id, line.actor, line.reason) == (
        AuditAction.REVOKE, order.checkout, "cli:ada", "stolen",
    )  # fmt: skip


def test_a_restored_purchase_opens_again_and_each_time_is_told() -> None:
    shop = Shop()
    anna, _, order = sold(shop)
    for number in range(2):
        by_hand.revoke(shop, order.checkout)
        found = by_hand.restore(shop, order.checkout, form=f"restored {number}")
        assert found == Decided(order, PurchaseState.LIVE, told=True)
        assert isinstance(opens(anna), Opens), "within the same second"
    assert by_hand.restore(shop, order.checkout, form="restored 1") == found
    assert sorted(subjects(shop)) == [OPEN_AGAIN, OPEN_AGAIN, CLOSED, CLOSED]
    assert by_hand.restore(shop, order.checkout) == Unchanged(
        WhyUnchanged.NOT_REVOKED, order, PurchaseState.LIVE
    )


def test_nobody_is_emailed_quietly() -> None:
    shop = Shop()
    _, _, order = sold(shop)
    assert by_hand.revoke(shop, order.checkout, tell=False, form="f1") == Decided(
        order, PurchaseState.REVOKED, told=False
    )
    assert by_hand.restore(shop, order.checkout, tell=False) == Decided(order, PurchaseState.LIVE, told=False)
    assert by_hand.revoke(shop, order.checkout, tell=False, form="f1") == Decided(
        order, PurchaseState.LIVE, told=False
    ), "the same form does not close it again"
    assert subjects(shop) == []


@pytest.mark.parametrize(
    ("kind", "status", "state"),
    [
        (FactKind.REFUND, "succeeded", PurchaseState.REFUNDED),
        (FactKind.DISPUTE, "lost", PurchaseState.CHARGED_BACK),
        (FactKind.DISPUTE, "needs_response", PurchaseState.SUSPENDED),
    ],
)
def test_restoring_never_overrules_what_money_says(kind: FactKind, status: str, state: PurchaseState) -> None:
    shop = Shop()
    anna, ref, order = sold(shop)
    by_hand.revoke(shop, order.checkout, tell=False)
    shop.hear_fact(shop.payments.tell(ref, kind, status, amount=PRICE))
    found = by_hand.restore(shop, order.checkout)
    assert found == Decided(order, state, told=False)
    assert isinstance(opens(anna), Closed)
    assert OPEN_AGAIN not in subjects(shop)
    assert by_hand.restore(shop, order.checkout) == Unchanged(WhyUnchanged.NOT_REVOKED, order, state)


def test_a_dispute_that_is_won_does_not_reopen_what_the_merchant_closed() -> None:
    shop = Shop()
    anna, ref, order = sold(shop)
    shop.hear_fact(shop.payments.tell(ref, FactKind.DISPUTE, "needs_response", amount=PRICE))
    found = by_hand.revoke(shop, order.checkout)
    assert found == Decided(order, PurchaseState.SUSPENDED, told=True), "the dispute is said first"
    shop.clock.tick(seconds=5)
    shop.hear_fact(shop.payments.tell(ref, FactKind.DISPUTE, "won", amount=PRICE))
    closed = opens(anna)
    assert isinstance(closed, Closed)
    assert closed.standing.state is PurchaseState.REVOKED
    assert subjects(shop) == [CLOSED]


def test_what_is_refunded_can_be_revoked_quietly_by_itself_and_stays_so_if_the_refund_fails() -> None:
    shop = Shop()
    _, ref, order = sold(shop)
    shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "pending", amount=PRICE))
    assert by_hand.revoke(shop, order.checkout) == Decided(order, PurchaseState.REFUNDED, told=False)
    shop.clock.tick(seconds=5)
    shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "failed", amount=PRICE))
    [held] = run(shop.store.read(lambda tx: tx.purchases.page_after("", limit=9)))
    assert held.standing.state is PurchaseState.REVOKED
    assert OPEN_AGAIN not in subjects(shop)


def test_a_grant_is_revoked_and_given_again() -> None:
    shop = Shop()
    given = run(shop.grant_product(BOOK, ANNA, actor=CLI, form="f1", reason="x"))
    assert isinstance(given, Granted)
    shop.deliver_mail()
    assert by_hand.revoke(shop, given.order.checkout) == Decided(
        given.order, PurchaseState.REVOKED, told=True
    )
    assert subjects(shop) == [CLOSED]
    again = run(shop.grant_product(BOOK, ANNA, actor=CLI, form="f2", reason="x"))
    assert isinstance(again, Granted)
    assert again.order != given.order


def test_the_email_says_so_if_another_order_opens_the_product() -> None:
    shop = Shop()
    _, _, order = sold(shop)
    shop.clock.tick(minutes=1)
    Browser(shop).buy_and_pay(ANNA)
    by_hand.revoke(shop, order.checkout)
    shop.deliver_mail()
    text = shop.letters_to(ANNA)[-1].text
    assert "You keep your access to The book: another order of yours includes it." in text
    assert "You no longer have access" not in text


def test_what_is_wrong_changes_nothing_and_is_said() -> None:
    shop = Shop()
    _, _, order = sold(shop)
    before = copy.deepcopy(shop.memory.tables)
    for act in (by_hand.revoke, by_hand.restore):
        assert act(shop, "ffff", reason="x") == Unchanged(WhyUnchanged.NO_SUCH_ORDER)
        assert act(shop, order.checkout, reason=" ") == Unchanged(WhyUnchanged.NO_REASON, order)
    assert shop.memory.tables == before
    number = order.checkout[:16]
    lines = [
        unchanged_line(Unchanged(WhyUnchanged.NO_SUCH_ORDER), "ffff"),
        *(unchanged_line(Unchanged(why, order, state), number) for why, state in (
            (WhyUnchanged.NO_REASON, PurchaseState.LIVE),
            (WhyUnchanged.ALREADY_REVOKED, PurchaseState.REVOKED),
            (WhyUnchanged.NOT_REVOKED, PurchaseState.LIVE),
            (WhyUnchanged.NOT_REVOKED, PurchaseState.SUSPENDED),
            (WhyUnchanged.NOT_REVOKED, PurchaseState.REFUNDED),
        )),
    ]  # fmt: skip
    instead = "; `coatcheck grant` gives its product in another order"
    of = f"order {number} (The book)"
    assert lines == [
        (
            "no order matches 'ffff': give the order number, or at least its first 4 characters (`coatcheck customer "
            "ADDRESS` lists them)"
        ),
        "nothing was done: --reason is empty, or longer than 500 characters",
        f"nothing was done: {of} is revoked already",
        f"nothing was done: {of} is open",
        f"nothing was done: {of} is closed, because it is in dispute",
        f"nothing was done: {of} is closed, because it was refunded{instead}",
    ]


def test_the_command_line_says_what_was_done() -> None:
    shop = Shop()
    _, _, order = sold(shop)
    number = order.checkout[:16]
    told = "The email to a•••@example.com is queued. A running shop sends it within a second."
    assert revoked_lines(Decided(order, PurchaseState.REVOKED, told=True)) == [
        f"Order {number} (The book) is closed.", told,
    ]  # fmt: skip
    assert reopened_lines(Decided(order, PurchaseState.LIVE, told=False)) == [
        f"Order {number} (The book) is open again.", "Nobody is emailed.",
    ]  # fmt: skip
    assert reopened_lines(Decided(order, PurchaseState.REFUNDED, told=False)) == [
        f"Order {number} (The book) is not revoked any more. It stays closed, because it was refunded.",
    ]


def test_the_merchant_sees_it_and_an_access_email_is_not_sent_again() -> None:
    shop = Shop()
    _, _, order = sold(shop)
    by_hand.revoke(shop, order.checkout)
    customer = "\n".join(customer_lines(run(shop.show_customer(ANNA))))  # type: ignore[arg-type]
    assert "Closed since 2026-03-01 12:00 UTC: revoked." in customer
    assert f"Order {order.checkout[:16]} closed by hand." in customer
    assert "Email that an order is closed" in customer
    assert by_hand.resend(shop, order.checkout) == NotSent(WhyNotSent.REVOKED, order)


@pytest.mark.parametrize("state", PurchaseState)
def test_every_state_has_words_of_its_own_on_pages_and_in_the_library(state: PurchaseState) -> None:
    reasons = {closing_reason(Standing(one, since), UTC) for one in PurchaseState for since in (None, 0)}
    assert len(reasons) == 2 * len(PurchaseState) - 1, "an open one has no day"
    assert (STAMPS[state] is None) is (state is PurchaseState.LIVE)


def test_the_reason_goes_with_the_person() -> None:
    shop = Shop()
    anna, _, order = sold(shop)
    anna.press(shop.last_link(ANNA))
    by_hand.revoke(shop, order.checkout)
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    assert [(line.action, line.reason) for line in by_hand.log(shop)] == [(AuditAction.REVOKE, "")]
    assert by_hand.restore(shop, order.checkout) == Decided(
        shop.memory.tables.purchases[order.checkout], PurchaseState.LIVE, told=False
    )


def assert_told(shop: Shop, seen: DecisionSeen) -> None:
    """The last email that Anna got is the one that was shown before."""
    shop.deliver_mail()
    told = shop.letters_to(ANNA)[-1]
    assert seen.letter is not None
    assert (seen.letter.subject, seen.letter.text, seen.letter.html) == (told.subject, told.text, told.html)


def looked_at(shop: Shop, order: Purchase, status: MerchantStatus) -> DecisionSeen:
    found = run(Office(shop).look_at_decision(order.checkout, status))
    assert found is not None
    return found


def test_what_the_customer_will_be_told_is_shown_before_and_is_what_they_are_told() -> None:
    shop = Shop()
    _, _, order = sold(shop)
    closing = looked_at(shop, order, MerchantStatus.REVOKED)
    assert (closing.to, closing.standing.state) == (order.mailbox, PurchaseState.REVOKED)
    assert closing_reason(closing.standing, UTC) == "The seller closed this purchase on 1 March 2026."
    by_hand.revoke(shop, order.checkout)
    assert_told(shop, closing)
    assert closing.letter is not None
    assert "You no longer have access to it." in closing.letter.text
    assert looked_at(shop, order, MerchantStatus.REVOKED).to is None, "it is closed already"
    opening = looked_at(shop, order, MerchantStatus.RESTORED)
    assert (opening.to, opening.standing.state) == (order.mailbox, PurchaseState.LIVE)
    by_hand.restore(shop, order.checkout)
    assert_told(shop, opening)


def test_nobody_is_told_twice_that_a_purchase_is_closed_even_if_it_is_in_dispute_since() -> None:
    shop = Shop()
    _, ref, order = sold(shop)
    by_hand.revoke(shop, order.checkout)
    shop.hear_fact(shop.payments.tell(ref, FactKind.DISPUTE, "needs_response", amount=PRICE))
    assert looked_at(shop, order, MerchantStatus.REVOKED).to is None


def test_nobody_is_told_of_what_does_not_open() -> None:
    shop = Shop()
    _, ref, order = sold(shop)
    assert looked_at(shop, order, MerchantStatus.RESTORED).to is None, "it was not revoked"
    by_hand.revoke(shop, order.checkout)
    shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=PRICE))
    found = looked_at(shop, order, MerchantStatus.RESTORED)
    assert (found.to, found.letter, found.standing.state) == (None, None, PurchaseState.REFUNDED)


def test_whoever_keeps_the_product_by_another_order_is_told_so() -> None:
    shop = Shop()
    _, _, order = sold(shop)
    Browser(shop).buy_and_pay(ANNA)
    closing = looked_at(shop, order, MerchantStatus.REVOKED)
    assert closing.letter is not None
    assert "You keep your access to The book" in closing.letter.text
