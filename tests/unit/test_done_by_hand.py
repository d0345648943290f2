"""What the merchant does by hand leaves one line that says who did what to what; what is refused leaves none."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from domain.audit import AuditAction, AuditLine, AuditResult
from domain.mail import Delivery, MailState
from domain.purchase import Purchase
from domain.usecases.erase_refusal import Erased
from domain.usecases.report_status import ReasonMissing, SentAgain
from domain.usecases.resend_outcomes import AccessQueued, NotSent, WhyNotSent
from domain.usecases.send_owner_link import OwnerLink
from domain.usecases.send_refused import Resent
from domain.values import EmailAddress
from entrypoints.cli_audit import audit_line
from entrypoints.testing import PHOTOS, Browser, Shop
from testkit import by_hand
from testkit.stepping import run
from testkit.without_address import paid, purchase_of

ANNA, BEN = "anna@example.com", "ben@example.com"


def line(shop: Shop, action: AuditAction, of: str, result: AuditResult = AuditResult.DONE) -> AuditLine:
    """The newest line, as it has to be."""
    return AuditLine(
        id=by_hand.log(shop)[-1].id, form="f1", at=shop.clock.now(), actor="cli:ada", action=action, object_id=of,
        result=result, reason="",
    )  # fmt: skip


def bought(shop: Shop) -> tuple[Browser, Purchase]:
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    return anna, list(shop.memory.tables.purchases.values())[-1]


def refused(shop: Shop) -> str:
    """The key of an access email that the email provider refused."""
    order = unsent(shop)
    settle(shop, f"access:{order.checkout}", MailState.STUCK)
    return f"access:{order.checkout}"


def unsent(shop: Shop) -> Purchase:
    """A sale whose access email is still queued."""
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=ANNA)
    assert shop.hear_of(ref, event=f"evt_{ref[-8:]}") == "booked"
    return purchase_of(shop, ref)


def settle(shop: Shop, key: str, state: MailState) -> None:
    run(shop.store.transact(lambda tx: tx.outbox.settle(key, state=state, at=shop.clock.now(), problem="no")))


def changes_nothing(shop: Shop, act: Callable[[], object]) -> object:
    before = copy.deepcopy(shop.memory.tables)
    found = act()
    assert shop.memory.tables == before
    return found


# ------------------------------------------------------------------ each action


def test_an_access_link_sent_again_is_a_line_about_the_order_and_the_same_form_sends_one_email() -> None:
    shop = Shop()
    _, order = bought(shop)
    first = by_hand.resend(shop, ANNA, form="f1")
    assert first == AccessQueued(EmailAddress(ANNA), order, (), bounced=False)
    assert by_hand.log(shop) == [line(shop, AuditAction.RESEND, order.checkout)]
    shop.deliver_mail()
    assert changes_nothing(shop, partial(by_hand.resend, shop, ANNA, form="f1")) == first
    by_hand.resend(shop, ANNA, form="f2")
    assert [one.form for one in by_hand.log(shop)] == ["f1", "f2"]


def test_the_first_result_names_the_other_orders_and_not_who_deleted_their_account() -> None:
    shop = Shop()
    anna, book = bought(shop)
    anna.buy_and_pay(ANNA, PHOTOS)
    first = by_hand.resend(shop, book.checkout, form="f1")
    assert isinstance(first, AccessQueued)
    assert len(first.others) == 1
    assert by_hand.resend(shop, book.checkout, form="f1") == first
    anna.press(shop.last_link(ANNA))
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    again = by_hand.resend(shop, book.checkout, form="f1")
    assert isinstance(again, NotSent)
    assert again.why is WhyNotSent.ERASED


def test_the_link_for_an_order_without_address_is_a_line_about_the_order_without_the_address() -> None:
    shop = Shop()
    order = paid(shop, Browser(shop))
    assert by_hand.send_link(shop, order.checkout[:8], BEN, form="f1") is OwnerLink.QUEUED
    assert by_hand.log(shop) == [line(shop, AuditAction.SEND_LINK, order.checkout)]
    again = changes_nothing(shop, partial(by_hand.send_link, shop, order.checkout, BEN, form="f1"))
    assert again is OwnerLink.QUEUED
    shop.deliver_mail()
    assert len(shop.letters_to(BEN)) == 1


def test_an_email_sent_again_is_a_line_about_its_key() -> None:
    shop = Shop()
    key = refused(shop)
    assert by_hand.send_again(shop, key, form="f1") is SentAgain.QUEUED
    assert by_hand.log(shop) == [line(shop, AuditAction.SEND_AGAIN, key)]
    settle(shop, f"{key}#2", MailState.STUCK)
    again = changes_nothing(shop, partial(by_hand.send_again, shop, f"{key}#2", form="f1"))
    assert again is SentAgain.QUEUED


def test_an_email_that_is_dropped_instead_is_a_line_that_says_so_once() -> None:
    shop = Shop()
    order = paid(shop, Browser(shop))
    by_hand.send_link(shop, order.checkout, BEN, form="f0")
    [key] = [mail.key for mail in shop.memory.tables.outbox.values() if mail.key.startswith("owner:")]
    settle(shop, key, MailState.STUCK)
    shop.clock.tick(days=8)
    assert by_hand.send_again(shop, key, form="f1") is SentAgain.TOO_LATE
    dropped = line(shop, AuditAction.SEND_AGAIN, key, AuditResult.DROPPED)
    assert by_hand.log(shop)[1:] == [dropped]
    assert by_hand.send_again(shop, key, form="f1") is SentAgain.TOO_LATE
    assert by_hand.send_again(shop, key, form="f2") is SentAgain.TOO_LATE
    assert by_hand.log(shop)[1:] == [dropped], "nothing was left to drop"


def test_all_refused_emails_are_a_line_each_and_the_same_form_sends_each_once() -> None:
    shop = Shop()
    first, second = refused(shop), refused(shop)
    assert by_hand.send_refused(shop, form="f1") == Resent(queued=2)
    done = {(one.object_id, one.action, one.result, one.actor) for one in by_hand.log(shop)}
    assert done == {(key, AuditAction.SEND_AGAIN, AuditResult.DONE, "cli:ada") for key in (first, second)}
    assert len(by_hand.log(shop)) == 2
    settle(shop, f"{first}#2", MailState.STUCK)
    assert changes_nothing(shop, partial(by_hand.send_refused, shop, form="f1")) == Resent()
    shop.clock.tick(seconds=1)
    assert by_hand.send_refused(shop, form="f2") == Resent(queued=1)
    assert by_hand.log(shop)[-1].object_id == f"{first}#2"


def test_a_quarantined_payment_that_is_closed_is_a_line_about_its_id() -> None:
    shop = Shop()
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=ANNA)
    shop.payments.sessions[ref] = replace(shop.payments.sessions[ref], subtotal=899)
    assert shop.hear_of(ref) == "quarantined: wrong amount"
    for reason in ("", "  ", "x" * 501):
        asked = shop.report.dismiss(ref, actor=by_hand.CLI, form="f1", reason=reason)
        assert run(asked) == ReasonMissing()
    assert by_hand.log(shop) == []
    assert by_hand.dismiss(shop, ref, form="f1") is True
    [found] = by_hand.log(shop)
    assert (found.action, found.object_id, found.reason) == (AuditAction.DISMISS_PAYMENT, ref, "not ours")
    assert changes_nothing(shop, partial(by_hand.dismiss, shop, ref, form="f1")) is True
    assert by_hand.dismiss(shop, ref, form="f2") is False, "it is closed already"


def test_a_bounce_that_is_taken_off_the_list_is_a_line_about_the_emails_key() -> None:
    shop = Shop()
    _, order = bought(shop)
    key = f"access:{order.checkout}"
    shop.deliver_mail()
    run(shop.store.transact(lambda tx: tx.outbox.record_delivery(key, Delivery.BOUNCED)))
    assert by_hand.dismiss(shop, key, form="f1") is True
    assert by_hand.log(shop) == [line(shop, AuditAction.DISMISS_BOUNCE, key)]


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("act", "answer"),
    [
        (lambda shop, order: by_hand.resend(shop, BEN), NotSent(WhyNotSent.NO_SUCH_CUSTOMER)),
        (lambda shop, order: by_hand.send_link(shop, order, BEN), OwnerLink.HAS_OWNER),
        (lambda shop, order: by_hand.send_link(shop, "zzzz", BEN), OwnerLink.NO_SUCH_ORDER),
        (lambda shop, order: by_hand.send_again(shop, "access:none"), SentAgain.NO_SUCH_MAIL),
        (lambda shop, order: by_hand.send_again(shop, f"access:{order}"), SentAgain.STILL_QUEUED),
        (lambda shop, order: by_hand.dismiss(shop, ANNA), False),
        (lambda shop, order: by_hand.send_refused(shop), Resent()),
    ],
)
def test_what_is_refused_changes_nothing_and_leaves_no_line(
    act: Callable[[Shop, str], object], answer: object
) -> None:
    shop = Shop()
    order = unsent(shop)
    assert changes_nothing(shop, partial(act, shop, order.checkout)) == answer
    assert by_hand.log(shop) == []


# ------------------------------------------------------------------ the log


def test_no_line_names_anybody_by_address_and_all_outlive_the_account() -> None:
    shop = Shop()
    key = refused(shop)
    [order] = shop.memory.tables.purchases.values()
    by_hand.send_refused(shop)
    shop.deliver_mail()
    by_hand.resend(shop, ANNA)
    shop.deliver_mail()
    anna = Browser(shop)
    anna.press(shop.last_link(ANNA))
    before = by_hand.log(shop)
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    assert by_hand.log(shop) == before
    assert [(one.action, one.object_id) for one in before] == [
        (AuditAction.SEND_AGAIN, key), (AuditAction.RESEND, order.checkout),
    ]  # fmt: skip
    assert ANNA not in repr(shop.memory.tables)


@pytest.mark.parametrize(
    ("action", "result", "reason", "said"),
    [
        (AuditAction.GRANT, AuditResult.DONE, "a review", "grant c1  done: a review"),
        (AuditAction.GRANT, AuditResult.DONE, "", "grant c1  done: (reason deleted with the account)"),
        (AuditAction.RESEND, AuditResult.DONE, "", "resend c1  done"),
        (AuditAction.SEND_AGAIN, AuditResult.DROPPED, "", "send-again c1  dropped"),
    ],
)
def test_a_line_says_that_a_reason_was_deleted_only_where_one_is_asked_for(
    action: AuditAction, result: AuditResult, reason: str, said: str
) -> None:
    shop = Shop()
    one = AuditLine(
        id="a1", form="f1", at=shop.clock.now(), actor="cli:ada", action=action, object_id="c1", result=result,
        reason=reason, reason_hash="ab" * 32 if action is AuditAction.GRANT else "",
    )  # fmt: skip
    assert audit_line(one) == f"2026-03-01 12:00 UTC  cli:ada  {said}"
