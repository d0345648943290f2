"""Every use case of the back office asks whether its actor may, and writes a line whether they may or not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.audit import AuditAction, AuditResult
from domain.keys import Keyring
from domain.mail import Delivery
from domain.product import Licences
from domain.rights import NotAllowed, Verdict
from domain.staff import Actor, Role, StaffId
from domain.usecases.announce import Announced
from domain.usecases.book_payment import PaymentBooked
from domain.usecases.grant_outcomes import Granted
from domain.usecases.own_address import BecomeCopy, OwnAddress
from domain.usecases.reconcile_outcome import Reconciled
from domain.usecases.refund_outcomes import RefundAsked
from domain.usecases.replace_key import KeyReplaced, NotReplaced, WhyNotReplaced
from domain.usecases.report_status import SentAgain
from domain.usecases.resend_outcomes import AccessQueued, NotSent, WhyNotSent
from domain.usecases.send_owner_link import OwnerLink
from domain.usecases.send_refused import Resent
from domain.values import CheckoutId, Money
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop, a_product, an_edition
from entrypoints.testing.office import Office
from testkit import by_hand
from testkit.by_hand import log
from testkit.stepping import run

SUPPORT = Actor("staff:s1", role=Role.SUPPORT, fresh=True, staff=StaffId("s1"))
STALE = replace(SUPPORT, fresh=False)
VIEWER = Actor("staff:v1", role=Role.VIEWER, fresh=True, staff=StaffId("v1"))
OWNER = Actor("staff:o1", role=Role.OWNER, fresh=True, staff=StaffId("o1"))
WRONG_ROLE, ABOVE_LIMIT = NotAllowed(Verdict.WRONG_ROLE), NotAllowed(Verdict.ABOVE_LIMIT)


def bought(shop: Shop, address: str = "anna@example.com") -> str:
    Browser(shop).buy_and_pay(address)
    shop.deliver_mail()
    return sorted(shop.memory.tables.purchases)[-1]


def test_a_viewer_sends_and_dismisses_nothing_and_each_try_is_a_line() -> None:
    shop = Shop()
    run(shop.store.transact(lambda tx: tx.shop.open("shop-1")))
    office, order = Office(shop), bought(shop)
    key = f"access:{order}"
    run(shop.store.transact(lambda tx: tx.outbox.record_delivery(key, Delivery.BOUNCED)))
    before = repr(shop.memory.tables.outbox)
    told: dict[str, Any] = {"actor": VIEWER}
    outcomes = [
        run(shop.resend_to_customer(order, form="f1", **told)),
        run(shop.report.dismiss(key, form="f2", **told)),
        run(shop.report.send_again(key, form="f3", **told)),
        run(shop.send_refused(form="f4", **told)),
        run(shop.announce(BOOK, form="f5", **told)),
        run(office.reconcile(form="f6", **told)),
    ]
    assert outcomes == [WRONG_ROLE] * 6
    assert repr(shop.memory.tables.outbox) == before
    refused = [
        (line.action.value, line.object_id) for line in log(shop) if line.result is AuditResult.REFUSED
    ]
    assert sorted(refused) == sorted([
        ("resend", order), ("dismiss-bounce", key), ("send-again", key), ("send-again", ""),
        ("announce", BOOK), ("reconcile", "shop-1"),
    ])  # fmt: skip
    assert run(shop.report.dismiss("no such id", actor=VIEWER, form="f9")) == WRONG_ROLE
    assert not any(line.object_id == "no such id" for line in log(shop)), (
        "the log holds nothing that was typed"
    )


def test_support_may_do_the_same_but_for_announcing() -> None:
    shop = Shop()
    office, order = Office(shop), bought(shop)
    key = f"access:{order}"
    told: dict[str, Any] = {"actor": STALE}
    assert isinstance(run(shop.resend_to_customer(order, form="f1", **told)), AccessQueued)
    assert run(shop.report.send_again(key, form="f3", **told)) is SentAgain.QUEUED
    assert run(shop.send_refused(form="f4", **told)) == Resent()
    assert run(shop.announce(BOOK, form="f5", actor=SUPPORT)) == WRONG_ROLE
    assert run(shop.announce(BOOK, form="f6", actor=replace(OWNER, fresh=False))) == NotAllowed(
        Verdict.PROVE_AGAIN
    )
    assert isinstance(run(shop.announce(BOOK, form="f7", actor=OWNER)), Announced)
    assert isinstance(run(office.reconcile(form="f8", **told)), Reconciled)
    done = [line.action.value for line in log(shop) if line.result is AuditResult.DONE]
    assert sorted(done) == ["announce", "reconcile", "resend", "send-again"]


def test_a_viewer_names_no_owner() -> None:
    shop = Shop()
    shop.payments.pay(Browser(shop).buy(), email=None)
    run(shop.reconcile())
    [order] = shop.memory.tables.purchases
    sent = run(shop.send_owner_link(order, "anna@example.com", actor=VIEWER, form="f1"))
    assert sent == WRONG_ROLE
    assert shop.letters_to("anna@example.com") == []
    sent = run(shop.send_owner_link(order, "anna@example.com", actor=SUPPORT, form="f2"))
    assert sent is OwnerLink.QUEUED


def test_staff_resend_to_one_address_three_times_an_hour_over_all_of_them() -> None:
    shop = Shop()
    order = bought(shop)
    for number, actor in enumerate((SUPPORT, OWNER, SUPPORT)):
        assert isinstance(run(shop.resend_to_customer(order, actor=actor, form=f"f{number}")), AccessQueued)
        shop.deliver_mail()
    outcome = run(shop.resend_to_customer(order, actor=OWNER, form="f9"))
    assert isinstance(outcome, NotSent)
    assert outcome.why is WhyNotSent.ENOUGH
    shop.clock.tick(seconds=3601)
    assert isinstance(run(shop.resend_to_customer(order, actor=OWNER, form="f9")), AccessQueued)


def test_staff_send_what_was_sent_again_three_times_an_hour_over_all_ways_to_do_it() -> None:
    shop = Shop()
    key = f"access:{bought(shop)}"
    for number in range(3):
        sent = run(shop.report.send_again(key, actor=SUPPORT, form=f"f{number}"))
        assert sent is SentAgain.QUEUED
        shop.deliver_mail()
        key = f"{key.partition('#')[0]}#{number + 2}"
    assert run(shop.report.send_again(key, actor=OWNER, form="f8")) is SentAgain.ENOUGH
    resent = run(
        shop.resend_to_customer(key.partition("#")[0].removeprefix("access:"), actor=OWNER, form="f9")
    )
    assert isinstance(resent, NotSent)
    assert resent.why is WhyNotSent.ENOUGH
    assert len(shop.letters_to("anna@example.com")) == 4
    assert run(shop.report.send_again(key, actor=by_hand.CLI, form="f10")) is SentAgain.QUEUED, "on the host"


# ------------------------------------------------------------------ grants


def test_support_gives_away_ten_a_day_and_an_owner_any_number() -> None:
    shop = Shop()

    def give(number: int, actor: Actor) -> object:
        to, form = f"anna{number}@example.com", f"f{number} {actor.name}"
        return run(shop.grant_product(PHOTOS, to, actor=actor, form=form, reason="a review"))

    assert all(isinstance(give(number, SUPPORT), Granted) for number in range(10))
    assert give(10, SUPPORT) == ABOVE_LIMIT
    assert give(10, SUPPORT) == ABOVE_LIMIT
    other = replace(SUPPORT, name="staff:s2", staff=StaffId("s2"))
    assert isinstance(give(10, other), Granted), "each of them has ten"
    assert all(isinstance(give(number, OWNER), Granted) for number in range(11, 23))
    [line] = [line for line in log(shop) if line.result is AuditResult.REFUSED]
    assert (line.action, line.actor) == (AuditAction.GRANT, SUPPORT.name)
    shop.clock.tick(seconds=24 * 3600 + 1)
    assert isinstance(give(30, SUPPORT), Granted)


def a_payment_in_quarantine(shop: Shop, email: str) -> str:
    """Of ours, but less was paid than was asked."""
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=email)
    shop.payments.sessions[ref] = replace(shop.payments.sessions[ref], subtotal=700, total=700)
    shop.hear_of(ref, event=f"evt {ref}")
    return ref


def test_free_copies_and_booked_payments_are_ten_a_day_together() -> None:
    office = Office()
    shop = office.shop

    def give(number: int) -> object:
        to = f"anna{number}@example.com"
        return run(shop.grant_product(PHOTOS, to, actor=SUPPORT, form=f"g{number}", reason="a review"))

    def book(number: int, actor: Actor) -> object:
        ref = a_payment_in_quarantine(shop, f"ben{number}@example.com")
        told: dict[str, Any] = {"actor": actor, "form": f"b{number}", "reason": "they wrote"}
        first, second = (run(office.book_payment(ref, **told)) for _ in range(2))
        assert first == second, "the same form is done and counted once"
        return first

    assert all(isinstance(give(number), Granted) for number in range(7))
    assert all(isinstance(book(number, SUPPORT), PaymentBooked) for number in range(3))
    assert book(3, SUPPORT) == ABOVE_LIMIT
    assert give(10) == ABOVE_LIMIT
    [waiting] = run(shop.store.read(lambda tx: tx.quarantine.open_entries()))
    refused = {(line.action, line.object_id) for line in log(shop) if line.result is AuditResult.REFUSED}
    assert refused == {(AuditAction.BOOK_PAYMENT, waiting.ref), (AuditAction.GRANT, PHOTOS)}
    assert isinstance(book(4, OWNER), PaymentBooked)
    shop.clock.tick(seconds=24 * 3600 + 1)
    booked = run(office.book_payment(waiting.ref, actor=SUPPORT, form="b5", reason="they wrote"))
    assert isinstance(booked, PaymentBooked)


def test_what_was_not_given_is_not_counted() -> None:
    shop = Shop()
    for number in range(12):
        run(
            shop.grant_product(
                PHOTOS, "anna@example.com", actor=SUPPORT, form=f"f{number}", reason="a review"
            )
        )
    given = run(shop.grant_product(PHOTOS, "ben@example.com", actor=SUPPORT, form="f20", reason="a review"))
    assert isinstance(given, Granted)


# ------------------------------------------------------------------ licence keys


def test_support_replaces_ten_licence_keys_a_day_and_an_owner_any_number() -> None:
    keys = Licences(listed=tuple(f"k{number}" for number in range(40)))
    office = Office(Shop(edition=an_edition(a_product(BOOK, licences=keys))))
    shop = office.shop
    run(shop.supply_licences())
    order = bought(shop)

    def change(number: int, actor: Actor) -> object:
        told: dict[str, Any] = {"actor": actor, "form": f"f{number} {actor.name}", "reason": "leaked"}
        first, second = (run(office.replace_key(order, **told)) for _ in range(2))
        assert first == second, "the same form is done and counted once"
        return first

    assert all(isinstance(change(number, SUPPORT), KeyReplaced) for number in range(10))
    kept = shop.memory.tables.purchases[CheckoutId(order)].licences
    assert change(10, SUPPORT) == ABOVE_LIMIT
    assert shop.memory.tables.purchases[CheckoutId(order)].licences == kept
    other = replace(SUPPORT, name="staff:s2", staff=StaffId("s2"))
    assert isinstance(change(11, other), KeyReplaced), "each of them has ten"
    assert all(isinstance(change(number, OWNER), KeyReplaced) for number in range(12, 24))
    [line] = [line for line in log(shop) if line.result is AuditResult.REFUSED]
    assert (line.action, line.actor, line.object_id) == (AuditAction.REPLACE_KEY, SUPPORT.name, order)
    shop.clock.tick(seconds=24 * 3600 + 1)
    assert isinstance(change(30, SUPPORT), KeyReplaced)


def test_a_list_that_is_used_up_uses_no_allowance_up() -> None:
    office = Office(Shop(edition=an_edition(a_product(BOOK, licences=Licences(listed=("k1",))))))
    shop = office.shop
    run(shop.supply_licences())
    order = bought(shop)
    told: dict[str, Any] = {"actor": SUPPORT, "reason": "leaked"}
    for number in range(12):
        found = run(office.replace_key(order, form=f"f{number}", **told))
        assert isinstance(found, NotReplaced)
        assert found.why is WhyNotReplaced.NO_KEYS
    assert run(office.replace_key(order, actor=VIEWER, form="f20", reason="leaked")) == WRONG_ROLE
    shop.catalogue.edition = an_edition(a_product(BOOK, licences=Licences(listed=("k1", "k2"))))
    run(shop.supply_licences())
    assert isinstance(run(office.replace_key(order, form="f21", **told)), KeyReplaced)


# ------------------------------------------------------------------ refunds


def refunding(limits: tuple[Money, ...]) -> tuple[Shop, str]:
    shop = Shop()
    order = bought(shop)
    edition = shop.catalogue.edition
    shop.catalogue.edition = replace(edition, shop=replace(edition.shop, support_refunds=limits))
    return shop, order


def ask(shop: Shop, order: str, typed: str, actor: Actor, form: str) -> object:
    return run(shop.request_refund(order, typed, actor=actor, form=form, reason="too late"))


@pytest.mark.parametrize(
    ("limits", "typed", "allowed"),
    [
        ((), "0.01", False),
        ((Money(500, "usd"),), "5.00", True),
        ((Money(500, "usd"),), "5.01", False),
        ((Money(500, "usd"),), "", False),
        ((Money(5000, "usd"),), "", True),
        ((Money(5000, "eur"),), "0.01", False),
        ((Money(1, "eur"), Money(500, "usd")), "5.00", True),
    ],
)
def test_support_refunds_up_to_the_limit_in_the_currency(
    limits: tuple[Money, ...], typed: str, allowed: bool
) -> None:
    shop, order = refunding(limits)
    outcome = ask(shop, order, typed, SUPPORT, "f1")
    assert isinstance(outcome, RefundAsked) if allowed else outcome == ABOVE_LIMIT
    assert (len(shop.memory.tables.refund_requests) == 1) == allowed
    assert isinstance(ask(shop, order, "1.00", OWNER, "f2"), RefundAsked) or typed == ""


def test_the_limit_is_for_all_that_one_of_them_refunds_of_a_purchase() -> None:
    shop, order = refunding((Money(500, "usd"),))
    assert isinstance(ask(shop, order, "3.00", SUPPORT, "f1"), RefundAsked)
    assert ask(shop, order, "2.01", SUPPORT, "f2") == ABOVE_LIMIT
    assert isinstance(ask(shop, order, "2.00", SUPPORT, "f3"), RefundAsked)
    [line] = [line for line in log(shop) if line.result is AuditResult.REFUSED]
    assert (line.action, line.object_id) == (AuditAction.REFUND, order)
    assert ask(shop, order, "0.01", STALE, "f4") == NotAllowed(Verdict.PROVE_AGAIN)
    assert ask(shop, order, "0.01", VIEWER, "f5") == WRONG_ROLE


def test_a_refund_that_came_to_nothing_leaves_the_limit_as_it_was_also_once_it_was_dismissed() -> None:
    shop, order = refunding((Money(500, "usd"),))
    asked = ask(shop, order, "5.00", SUPPORT, "f1")
    assert isinstance(asked, RefundAsked)
    shop.payments.forbidden = {"refund"}
    run(shop.send_refunds())
    assert run(shop.report.dismiss(asked.request.id, actor=SUPPORT, form="f2")) is True
    assert isinstance(ask(shop, order, "5.00", SUPPORT, "f3"), RefundAsked)


# ------------------------------------------------------------------ what is done on the shop's machine


def test_erasing_again_and_announcing_leave_a_line() -> None:
    shop = Shop()
    order = bought(shop)
    asked = by_hand.asked(shop)
    run(shop.erase_again([CheckoutId(order)], asked=asked))
    run(shop.announce(BOOK, actor=by_hand.CLI, form="f1"))
    shop_id = run(shop.store.read(lambda tx: tx.shop.id())) or ""
    assert [(line.action.value, line.object_id, line.actor) for line in log(shop)][-2:] == [
        ("erase-again", shop_id, "cli:ada"),
        ("announce", BOOK, "cli:ada"),
    ]


def test_the_address_is_confirmed_with_a_line_if_it_changed() -> None:
    shop = Shop()
    run(shop.store.transact(lambda tx: tx.shop.open("shop-1")))
    own = OwnAddress(store=shop.store, catalogue=shop.catalogue, base_url="https://there.example")
    assert run(own.confirm(asked=by_hand.asked(shop))) is None
    assert run(own.confirm(asked=by_hand.asked(shop))) == "https://there.example"
    assert [(line.action, line.object_id) for line in log(shop)] == [(AuditAction.CONFIRM_ADDRESS, "shop-1")]


def test_a_copy_says_in_its_log_that_it_became_one() -> None:
    shop = Shop()
    run(shop.store.transact(lambda tx: tx.shop.open("shop-1")))
    become = BecomeCopy(
        store=shop.store, catalogue=shop.catalogue, keyring=Keyring.of(("a secret of the copy alone, long enough",)),
        clock=shop.clock, randomness=shop.randomness, base_url="https://copy.example",
    )  # fmt: skip
    became = run(become(asked=by_hand.asked(shop)))
    [line] = log(shop)
    assert (line.action, line.object_id) == (AuditAction.CONFIRM_ADDRESS, became)
