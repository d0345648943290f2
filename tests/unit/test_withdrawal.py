"""Withdrawals: receipt is certain, nothing else happens without a proof and a decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from contracts import samples
from contracts.withdrawals import a_withdrawal

from domain.fact import Fact, FactKind
from domain.law import LawTerms
from domain.legal_period import last_day
from domain.mail import Delivery, Mail
from domain.product import CatalogueEdition
from domain.purchase import PurchaseState, Source, order_number
from domain.rights import NotAllowed
from domain.staff import Actor, Role, StaffId
from domain.transaction import Transaction
from domain.usecases.refund_outcomes import NotRefunded, WhyNotRefunded
from domain.usecases.withdrawal_outcomes import (
    DecidedOn,
    Received,
    Statement,
    Undecided,
    WhyUndecided,
)
from domain.values import CheckoutId, EmailAddress, Money
from domain.withdrawal import WithdrawalState, can_be_withdrawn, days_left, in_time, unlinked, written
from domain.withdrawal_emails import WithdrawalAccepted, WithdrawalReceived
from entrypoints.testing import BOOK, Browser, Shop, an_edition
from testkit.stepping import run
from testkit.waivers import TEXT, TICKED

BERLIN = ZoneInfo("Europe/Berlin")
HOST = Actor.on_host("ada")
ANNA, MALLORY = "anna@example.com", "mallory@example.com"


@pytest.fixture
def shop() -> Shop:
    return Shop()


def with_law(law: LawTerms) -> CatalogueEdition:
    edition = an_edition()
    return replace(edition, shop=replace(edition.shop, law=law))


def bought(shop: Shop, email: str = ANNA) -> tuple[Browser, CheckoutId]:
    """A browser that paid, and its order; the access email is out of the way."""
    browser = Browser(shop)
    ref = browser.buy()
    shop.payments.pay(ref, email=email)
    browser.come_back(ref)
    shop.deliver_mail()
    [order] = [p.checkout for p in shop.memory.tables.purchases.values() if p.provider_ref == ref]
    return browser, order


def state(contract: str, *, email: str = ANNA, order: CheckoutId | None = None) -> Statement:
    return Statement("Anna A.", contract, EmailAddress.parse(email), order)


def confirm(shop: Shop, browser: Browser, statement: Statement, form: str = "w1") -> Received:
    return run(shop.confirm_withdrawal(browser.visitor, statement, form=form))


def queued(shop: Shop, template: str) -> list[Mail]:
    return [mail for mail in shop.memory.tables.outbox.values() if mail.email.template == template]


def standing(shop: Shop, order: CheckoutId) -> PurchaseState:
    held = run(shop.store.read(lambda tx: tx.purchases.with_facts(order)))
    assert held is not None
    return held.standing.state


# ------------------------------------------------------------------ the rules


@pytest.mark.parametrize(
    ("bought_on", "last"),
    [
        (datetime(2026, 12, 1, 10, tzinfo=UTC), date(2026, 12, 15)),
        (datetime(2026, 12, 5, 10, tzinfo=UTC), date(2026, 12, 21)),  # a Saturday: until Monday
        (datetime(2026, 12, 6, 10, tzinfo=UTC), date(2026, 12, 21)),  # a Sunday
        (datetime(2026, 11, 30, 23, 30, tzinfo=UTC), date(2026, 12, 15)),  # the next day in Berlin
        (datetime(2026, 10, 12, 10, tzinfo=UTC), date(2026, 10, 26)),  # over the end of summer time
    ],
)
def test_fourteen_days_are_days_of_the_shop_and_end_on_a_working_day(bought_on: datetime, last: date) -> None:
    assert last_day(bought_on, BERLIN) == last
    purchase = replace(samples.a_purchase(), booked_at=bought_on)
    end = datetime(last.year, last.month, last.day, 23, 59, 59, tzinfo=BERLIN)
    assert in_time(purchase, end, BERLIN)
    assert not in_time(purchase, end + timedelta(seconds=1), BERLIN)


def test_what_a_person_writes_is_one_line_of_at_most_two_hundred_characters() -> None:
    assert written("  Anna\n\tA.  ") == "Anna A."
    assert written("x" * 200) == "x" * 200
    assert [written(typed) for typed in ("", " \n ", "x" * 201)] == [None, None, None]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("see evil.example/x", "see evil. example/x"), ("https://evil.example", "https: //evil. example"),
        ("bought 3.50 on 1.12.2026", "bought 3.50 on 1.12.2026"), ("a@b.example", "a@b. example"),
    ],
)  # fmt: skip
def test_what_a_person_writes_is_no_link_in_an_email(shop: Shop, typed: str, shown: str) -> None:
    confirm(shop, Browser(shop), state(typed, email=MALLORY))
    [mail] = queued(shop, "withdrawal_received")
    assert isinstance(mail.email, WithdrawalReceived)
    assert (mail.email.contract, unlinked(typed)) == (shown, shown)


def test_only_what_was_sold_for_money_is_offered() -> None:
    sale = samples.a_purchase()
    assert can_be_withdrawn(sale)
    assert not can_be_withdrawn(replace(sale, paid=Money(0, "usd")))
    assert not any(
        can_be_withdrawn(replace(sale, source=source)) for source in Source if source is not Source.SALE
    )


# ------------------------------------------------------------------ the receipt


def test_the_browser_that_holds_the_purchase_proves_it_and_a_double_confirm_is_one(shop: Shop) -> None:
    browser, order = bought(shop)
    first = confirm(shop, browser, state("the book", order=order))
    assert first == confirm(shop, browser, state("the book", order=order))
    held = first.withdrawal
    assert (held.checkout, held.proved_at, held.state) == (order, held.received_at, WithdrawalState.OPEN)
    assert held.received_at.microsecond == 0
    [mail] = queued(shop, "withdrawal_received")
    assert mail.to.canonical == ANNA
    assert queued(shop, "withdrawal_to_prove") == [], "who holds it need not be asked"
    assert standing(shop, order) is PurchaseState.LIVE, "received is not accepted"


def test_a_stranger_withdraws_a_victims_order_nothing_closes_and_the_victim_is_asked(shop: Shop) -> None:
    victim, order = bought(shop)
    stranger = Browser(shop)
    found = confirm(shop, stranger, state(f"Order #{order_number(order)}", email=MALLORY))
    assert (found.withdrawal.checkout, found.withdrawal.proved_at) == (order, None)
    assert [mail.to.canonical for mail in queued(shop, "withdrawal_received")] == [MALLORY]
    [asked] = queued(shop, "withdrawal_to_prove")
    assert asked.to.canonical == ANNA
    assert standing(shop, order) is PurchaseState.LIVE
    outcome = run(shop.decide_withdrawal.accept("w1", actor=HOST, form="f1"))
    assert isinstance(outcome, Undecided)
    assert outcome.why is WhyUndecided.NOT_PROVED
    assert victim.owned == {BOOK}


def test_choosing_an_order_that_this_browser_does_not_hold_proves_nothing(shop: Shop) -> None:
    _, order = bought(shop)
    found = confirm(shop, Browser(shop), state("x", email=MALLORY, order=order))
    assert (found.withdrawal.checkout, found.withdrawal.proved_at) == (None, None)
    assert queued(shop, "withdrawal_to_prove") == []


def test_a_guest_with_a_wrong_number_is_acknowledged_and_matches_nothing(shop: Shop) -> None:
    bought(shop)
    found = confirm(shop, Browser(shop), state("Order 0000000000000000", email=MALLORY))
    assert (found.withdrawal.checkout, found.emailed) == (None, True)
    outcome = run(shop.decide_withdrawal.accept("w1", actor=HOST, form="f1"))
    assert isinstance(outcome, Undecided)
    assert outcome.why is WhyUndecided.NO_PURCHASE


def test_without_a_number_the_only_purchase_of_the_address_is_meant(shop: Shop) -> None:
    _, order = bought(shop)
    assert confirm(shop, Browser(shop), state("a book, in May")).withdrawal.checkout == order
    shop.clock.tick(hours=2)
    bought(shop)
    assert confirm(shop, Browser(shop), state("a book, in May"), "w2").withdrawal.checkout is None, (
        "which of two?"
    )


def test_the_owner_confirms_by_the_link_in_the_email_once(shop: Shop) -> None:
    _, order = bought(shop)
    confirm(shop, Browser(shop), state(order_number(order), email=MALLORY))
    shop.deliver_mail()
    [letter] = [one for one in shop.letters_to(ANNA) if "Did you withdraw" in one.subject]
    assert "Anna A." in letter.text
    Browser(shop).press(shop.last_link(ANNA))
    held = run(shop.find_withdrawal("w1"))
    assert held is not None
    assert held.proved_at is not None


# ------------------------------------------------------------------ limits


def test_the_fourth_email_to_an_address_waits_for_a_day_and_the_statement_does_not(shop: Shop) -> None:
    for number in range(5):
        found = confirm(shop, Browser(shop), state("x", email=MALLORY), f"w{number}")
        assert found.emailed
    now = shop.clock.now()
    due = sorted(mail.due_at - now for mail in queued(shop, "withdrawal_received"))
    assert due == [timedelta(0)] * 3 + [timedelta(days=1)] * 2
    assert len(shop.memory.tables.withdrawals) == 5


def test_a_network_gets_ten_an_hour_and_the_owner_is_asked_once_a_day(shop: Shop) -> None:
    _, order = bought(shop)
    browser = Browser(shop)
    for number in range(11):
        confirm(shop, browser, state(order_number(order), email=f"m{number}@example.com"), f"w{number}")
    now = shop.clock.now()
    due = sorted(mail.due_at - now for mail in queued(shop, "withdrawal_received"))
    assert due == [timedelta(0)] * 10 + [timedelta(hours=1)]
    assert len(queued(shop, "withdrawal_to_prove")) == 1
    shop.clock.tick(hours=25)
    confirm(shop, browser, state(order_number(order), email=MALLORY), "late")
    assert len(queued(shop, "withdrawal_to_prove")) == 2


def test_after_two_hundred_a_day_statements_are_kept_and_nobody_is_emailed(shop: Shop) -> None:
    for number in range(201):
        found = confirm(shop, Browser(shop), state("x", email=f"m{number}@example.com"), f"w{number:03}")
        assert found.emailed is (number < 200)
    assert len(shop.memory.tables.withdrawals) == 201
    assert confirm(shop, Browser(shop), state("x", email="m200@example.com"), "w200").emailed is False


# ------------------------------------------------------------------ the decision


def accepted(shop: Shop, **changes: Any) -> Any:
    return run(shop.decide_withdrawal.accept("w1", **({"actor": HOST, "form": "f1"} | changes)))


def test_accepting_asks_for_the_rest_and_ends_access_while_that_refund_counts(shop: Shop) -> None:
    browser, order = bought(shop)
    confirm(shop, browser, state("the book", order=order))
    outcome = accepted(shop)
    assert isinstance(outcome, DecidedOn)
    assert outcome.refund == Money(900, "usd")
    assert standing(shop, order) is PurchaseState.REVOKED
    assert accepted(shop) == outcome, "the same form again"
    assert isinstance(accepted(shop, form="f2"), Undecided)
    [request] = shop.memory.tables.refund_requests.values()
    assert (request.amount, outcome.withdrawal.request) == (Money(900, "usd"), request.id)
    [mail] = queued(shop, "withdrawal_accepted")
    assert mail.to.canonical == ANNA
    run(shop.send_refunds())
    assert standing(shop, order) is PurchaseState.REFUNDED
    [fact] = [
        f for f in shop.memory.tables.facts.values() if f.request == request.id and f.kind.value == "refund"
    ]
    failed = replace(fact, status="failed", as_of=fact.as_of + 1)
    run(shop.store.transact(lambda tx: tx.facts.record(failed)))
    assert standing(shop, order) is PurchaseState.LIVE, "the money did not go, so access is back"


def test_where_nothing_is_left_there_is_no_refund(shop: Shop) -> None:
    browser, order = bought(shop)
    confirm(shop, browser, state("the book", order=order))
    run(shop.request_refund(order, actor=HOST, form="r1", reason="asked by mail"))
    outcome = accepted(shop)
    assert isinstance(outcome, DecidedOn)
    assert (outcome.refund, outcome.withdrawal.request) == (None, "")
    [mail] = queued(shop, "withdrawal_accepted")
    assert mail.email == WithdrawalAccepted("The book", order_number(order))


def test_a_disputed_purchase_is_not_refunded_by_a_withdrawal(shop: Shop) -> None:
    browser, order = bought(shop)
    confirm(shop, browser, state("the book", order=order))
    _dispute(shop, order)
    outcome = accepted(shop)
    assert isinstance(outcome, NotRefunded)
    assert outcome.why is WhyNotRefunded.IN_DISPUTE
    assert queued(shop, "withdrawal_accepted") == []


def _dispute(shop: Shop, order: CheckoutId) -> None:
    payment = shop.memory.tables.purchases[order].payment
    second = int(shop.clock.now().timestamp())
    fact = Fact("du_1", FactKind.DISPUTE, payment, as_of=second, status="needs_response", amount=900)
    run(shop.store.transact(lambda tx: tx.facts.record(fact)))


def test_refusing_needs_a_reason_and_emails_it(shop: Shop) -> None:
    browser, order = bought(shop)
    confirm(shop, browser, state("the book", order=order))
    for reason in ("", "x" * 501):
        outcome = run(shop.decide_withdrawal.refuse("w1", actor=HOST, form="f1", reason=reason))
        assert isinstance(outcome, Undecided)
        assert outcome.why is WhyUndecided.NO_REASON
    outcome = run(shop.decide_withdrawal.refuse("w1", actor=HOST, form="f1", reason="You opened it."))
    assert isinstance(outcome, DecidedOn)
    assert outcome.withdrawal.state is WithdrawalState.REFUSED
    [mail] = queued(shop, "withdrawal_refused")
    assert standing(shop, order) is PurchaseState.LIVE
    assert isinstance(accepted(shop, form="f2"), Undecided)
    assert mail.to.canonical == ANNA


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPPORT])
def test_a_viewer_decides_nothing_and_support_no_more_than_its_limit(shop: Shop, role: Role) -> None:
    browser, order = bought(shop)
    confirm(shop, browser, state("the book", order=order))
    actor = Actor("staff:s1", role=role, fresh=True, staff=StaffId("s1"))
    assert isinstance(accepted(shop, actor=actor), NotAllowed)
    assert standing(shop, order) is PurchaseState.LIVE
    assert shop.memory.tables.refund_requests == {}


def test_an_erased_persons_withdrawal_keeps_no_name_and_is_refunded_at_stripe(shop: Shop) -> None:
    browser, order = bought(shop)
    confirm(shop, browser, state("the book", order=order))
    run(shop.store.transact(lambda tx: tx.erasures.erase(EmailAddress.parse(ANNA), at=shop.clock.now())))
    held = run(shop.find_withdrawal("w1"))
    assert held is not None
    assert (held.name, held.contract, held.email) == ("", "", None)
    outcome = accepted(shop)
    assert isinstance(outcome, NotRefunded)
    assert outcome.why is WhyNotRefunded.ERASED


# ------------------------------------------------------------------ the merchant


def test_the_merchant_is_emailed_at_most_once_an_hour(shop: Shop) -> None:
    browser, order = bought(shop)
    run(shop.report_withdrawals())
    assert queued(shop, "withdrawals_noted") == []
    confirm(shop, browser, state("the book", order=order))
    for _ in range(3):
        run(shop.report_withdrawals())
    confirm(shop, Browser(shop), state("x", email=MALLORY), "w2")
    run(shop.report_withdrawals())
    [first] = queued(shop, "withdrawals_noted")
    assert (first.email.matched, first.email.unmatched) == ("1", "")  # type: ignore[union-attr]  # as its template says
    shop.clock.tick(hours=1)
    run(shop.report_withdrawals())
    assert [m.email.unmatched for m in queued(shop, "withdrawals_noted")] == ["", "1"]  # type: ignore[union-attr]  # as above


def test_shop_toml_lets_proved_withdrawals_be_accepted_in_time_and_no_others() -> None:
    shop = Shop(edition=with_law(LawTerms(withdrawal=True, refunds_at_once=True)))
    browser, order = bought(shop)
    _, other = bought(shop, "ben@example.com")
    confirm(shop, Browser(shop), state(order_number(other), email=MALLORY), "w2")
    assert run(shop.report_withdrawals()) == 0, "nobody proved it"
    confirm(shop, browser, state("the book", order=order))
    assert [run(shop.report_withdrawals()) for _ in range(2)] == [1, 0]
    assert standing(shop, order) is PurchaseState.REVOKED
    assert standing(shop, other) is PurchaseState.LIVE


@pytest.mark.parametrize(
    ("opened", "bounced", "lost"), [(True, False, True), (False, False, False), (True, True, False)]
)
def test_what_was_waived_confirmed_and_opened_is_left_to_the_merchant_with_the_proof(
    opened: bool, bounced: bool, lost: bool
) -> None:
    law = LawTerms(withdrawal=True, refunds_at_once=True, waiver=True, waiver_texts=(TEXT,))
    shop = Shop(edition=with_law(law))
    browser = Browser(shop)
    browser.come_back(browser.buy_and_pay(ANNA, boxes=TICKED))
    [purchase], [mail] = shop.memory.tables.purchases.values(), shop.memory.tables.outbox.values()

    def change(tx: Transaction) -> None:
        if opened:
            tx.downloads.mark_opened(purchase.checkout, at=shop.clock.now())
        if bounced:
            tx.outbox.record_delivery(mail.key, Delivery.BOUNCED)

    run(shop.store.transact(change))
    confirm(shop, browser, state("the book", order=purchase.checkout))
    [seen] = run(shop.list_withdrawals(matched=True))
    assert seen.waiver is not None
    assert (seen.waived, seen.waiver.confirmed_at is None) == (lost, bounced)
    assert run(shop.report_withdrawals()) == (0 if lost else 1)
    assert standing(shop, purchase.checkout) is (PurchaseState.LIVE if lost else PurchaseState.REVOKED)


def test_days_left_count_down_to_a_working_day() -> None:
    held = replace(a_withdrawal(), received_at=datetime(2026, 12, 1, 10, tzinfo=UTC))
    assert days_left(held, now=datetime(2026, 12, 1, 23, tzinfo=UTC), zone=UTC) == 14
    assert days_left(held, now=datetime(2026, 12, 16, tzinfo=UTC), zone=UTC) == -1
