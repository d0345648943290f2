"""Whether a waiver ended the right of withdrawal: given, confirmed by an email that arrived, and opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from contracts.samples import a_move

from domain.fact import Fact, FactKind
from domain.mail import Delivery, Mail, MailProblem, MailState
from domain.ports import MailRefused
from domain.purchase import Purchase
from domain.usecases.list_todo import Task
from domain.usecases.waiver_proofs import proof_of
from domain.values import ChangeId, EmailAddress, UserId
from domain.waiver_proof import WaiverProof, waiver_holds, waiver_proof
from entrypoints.admin.evidence import evidence
from entrypoints.admin.sale_panels import panels
from entrypoints.admin.waiver_parts import waiver_rows
from entrypoints.customer_lines import customer_lines
from entrypoints.testing import Browser, Shop
from entrypoints.todo_lines import waiting_lines
from testkit import by_hand
from testkit.stepping import run
from testkit.waivers import TEXT, TICKED, a_shop_with_waiver

ANNA, RIGHT = "anna@example.com", "anna@right.example"
BEN = EmailAddress("ben@example.com")


def sold(shop: Shop) -> Browser:
    anna = Browser(shop)
    anna.buy_and_pay(ANNA, boxes=TICKED)
    return anna


def purchase_of(shop: Shop) -> Purchase:
    [purchase] = shop.memory.tables.purchases.values()
    return purchase


def mails_of(shop: Shop) -> list[Mail]:
    return [mail for mail in shop.memory.tables.outbox.values() if mail.repeats_waiver]


def report(shop: Shop, mail: Mail, delivery: Delivery) -> None:
    run(shop.store.transact(lambda tx: tx.outbox.record_delivery(mail.key, delivery)))


def opened(shop: Shop) -> None:
    checkout, now = purchase_of(shop).checkout, shop.clock.now()
    run(shop.store.transact(lambda tx: tx.downloads.mark_opened(checkout, at=now)))


def proof(shop: Shop) -> WaiverProof:
    found = run(shop.store.read(lambda tx: proof_of(tx, purchase_of(shop))))
    assert found is not None
    return found


def tasks(shop: Shop) -> list[Task]:
    return [row.task for row in run(shop.list_todo()).rows]


# ---------------------------------------------------------------- the rule


def test_the_right_is_lost_once_the_waiver_is_given_confirmed_and_used_and_not_before() -> None:
    shop = a_shop_with_waiver()
    sold(shop)
    assert proof(shop).confirmed_at == shop.clock.now()
    assert not proof(shop).holds, "nothing was opened"
    shop.clock.tick(minutes=5)
    opened(shop)
    assert proof(shop).holds
    assert waiver_holds(purchase_of(shop), mails_of(shop))


def test_without_a_waiver_it_stays_whatever_was_opened() -> None:
    shop = Shop()
    Browser(shop).buy_and_pay(ANNA)
    opened(shop)
    assert waiver_proof(purchase_of(shop), shop.memory.tables.outbox.values()) is None
    assert not waiver_holds(purchase_of(shop), shop.memory.tables.outbox.values())


CHANGES: dict[str, Callable[[Mail], Mail]] = {
    "bounced": lambda mail: replace(mail, delivery=Delivery.BOUNCED),
    "delayed": lambda mail: replace(mail, delivery=Delivery.DELAYED),
    "queued": lambda mail: replace(mail, state=MailState.QUEUED, settled_at=None),
    "stuck": lambda mail: replace(mail, state=MailState.STUCK, settled_at=None, unknown_since=mail.queued_at),
    "dropped": lambda mail: replace(mail, state=MailState.DROPPED, problem=MailProblem.TOO_LATE),
    "of another sale": lambda mail: replace(mail, key="access:another"),
    "without the text": lambda mail: replace(mail, email=replace(as_access(mail), waiver=None)),
    "of another text": lambda mail: replace(
        mail, email=replace(as_access(mail), waiver=replace(as_access(mail).waiver, text="ab" * 16))
    ),
}


def as_access(mail: Mail) -> Any:
    return mail.email


@pytest.mark.parametrize("change", CHANGES)
def test_an_email_that_did_not_arrive_or_does_not_repeat_it_confirms_nothing(change: str) -> None:
    shop = a_shop_with_waiver()
    sold(shop)
    opened(shop)
    [mail] = mails_of(shop)
    changed = CHANGES[change](mail)
    found = waiver_proof(purchase_of(shop), [changed])
    assert found is not None
    assert found.confirmed_at is None
    assert not waiver_holds(purchase_of(shop), [changed])
    assert waiver_holds(purchase_of(shop), [changed, mail]), "one copy that arrived is enough"
    assert found.under_way is (change in ("queued", "delayed"))


@pytest.mark.parametrize("delivery", [None, Delivery.ACCEPTED, Delivery.DELIVERED, Delivery.COMPLAINED])
def test_what_was_taken_and_not_returned_counts_as_arrived(delivery: Delivery | None) -> None:
    shop = a_shop_with_waiver()
    sold(shop)
    [mail] = mails_of(shop)
    found = waiver_proof(purchase_of(shop), [replace(mail, delivery=delivery)])
    assert found is not None
    assert found.confirmed_at == mail.settled_at


def test_what_went_to_an_address_that_was_corrected_since_confirms_nothing() -> None:
    shop = a_shop_with_waiver()
    sold(shop)
    [mail] = mails_of(shop)
    later = mail.queued_at + timedelta(minutes=5)
    corrected = replace(purchase_of(shop), mailbox=BEN)
    for copies, confirmed in (
        ([mail], False),
        ([replace(mail, to=BEN)], True),
        ([mail, replace(mail, key="access-again:" + corrected.checkout + ":x", queued_at=later)], True),
    ):
        found = waiver_proof(corrected, copies, corrected_at=later)
        assert found is not None
        assert (found.confirmed_at is not None) is confirmed


# ---------------------------------------------------------------- what the merchant sees


def test_a_bounced_confirmation_waits_in_to_do_and_in_status_until_a_copy_arrives() -> None:
    shop = a_shop_with_waiver()
    anna = sold(shop)
    assert Task.WAIVER_UNCONFIRMED not in tasks(shop)
    [mail] = mails_of(shop)
    report(shop, mail, Delivery.BOUNCED)
    opened(shop)
    assert tasks(shop).count(Task.WAIVER_UNCONFIRMED) == 1
    assert not proof(shop).holds, "the right stays"
    said = "\n".join(waiting_lines(run(shop.report())))
    assert "1 purchase whose waiver of the right of withdrawal is not confirmed" in said
    assert "coatcheck resend ORDER" in said
    shop.clock.tick(minutes=10)
    run(shop.resend(anna.visitor, purchase_of(shop).checkout))
    assert Task.WAIVER_UNCONFIRMED not in tasks(shop), "a copy is on its way"
    shop.deliver_mail()
    assert Task.WAIVER_UNCONFIRMED not in tasks(shop)
    assert proof(shop).holds
    assert proof(shop).confirmed_at == shop.clock.now()
    report(shop, mails_of(shop)[-1], Delivery.BOUNCED)
    assert Task.WAIVER_UNCONFIRMED in tasks(shop)


def test_one_that_could_not_be_sent_waits_too_and_leaves_when_it_is_sent_again() -> None:
    shop = a_shop_with_waiver()
    shop.mailer.failing = MailRefused("no such domain")
    sold(shop)
    assert Task.WAIVER_UNCONFIRMED in tasks(shop)
    shop.mailer.failing = None
    assert by_hand.send_again(shop, mails_of(shop)[0].key)
    shop.deliver_mail()
    assert Task.WAIVER_UNCONFIRMED not in tasks(shop)
    assert proof(shop).confirmed_at is not None


def test_a_closed_purchase_waits_for_no_confirmation() -> None:
    shop = a_shop_with_waiver()
    sold(shop)
    report(shop, mails_of(shop)[0], Delivery.BOUNCED)
    purchase = purchase_of(shop)
    run(shop.store.transact(lambda tx: tx.facts.record(refund_of(purchase, shop.clock.now()))))
    assert Task.WAIVER_UNCONFIRMED not in tasks(shop)


def refund_of(purchase: Purchase, now: datetime) -> Fact:
    return Fact(
        "re_1", FactKind.REFUND, purchase.payment, int(now.timestamp()), "succeeded", purchase.paid.amount
    )


def test_the_page_of_the_sale_says_what_became_of_the_right_and_why() -> None:
    shop = a_shop_with_waiver()
    sold(shop)
    edition = shop.catalogue.current()

    def shown() -> Any:
        return run(shop.show_sale(purchase_of(shop).checkout))

    rows = waiver_rows(shown(), edition.shop.law, UTC)
    assert dict(rows)["Right of withdrawal"] == "stays until the purchase is opened"
    assert [value for name, value in rows if name == "Agreed to"] == [*TEXT.sentences]
    assert dict(rows)["Hash of the text"] == f"{TEXT.hash} (en)"
    assert dict(rows)["First opened"] == "not yet"
    opened(shop)
    assert dict(waiver_rows(shown(), edition.shop.law, UTC))["Right of withdrawal"].startswith("lost")
    report(shop, mails_of(shop)[0], Delivery.BOUNCED)
    rows = waiver_rows(shown(), edition.shop.law, UTC)
    assert dict(rows)["Right of withdrawal"].startswith("stays: the waiver is not confirmed")
    assert any("repeats the waiver did not arrive" in panel.what for panel in panels(shown(), edition, "/x"))
    assert "Right of withdrawal waived: 2026-03-01 12:00:00+00:00" in evidence(shown(), edition)


def test_without_a_waiver_the_page_of_the_sale_says_nothing_of_it() -> None:
    shop = Shop()
    Browser(shop).buy_and_pay(ANNA)
    shown = run(shop.show_sale(purchase_of(shop).checkout))
    assert shown is not None
    assert waiver_rows(shown, shop.catalogue.current().shop.law, UTC) == []


def test_the_command_line_says_the_same_of_an_order() -> None:
    shop = a_shop_with_waiver()
    sold(shop)
    customer = run(shop.show_customer(purchase_of(shop).checkout))
    assert customer is not None
    said = "\n".join(customer_lines(customer))  # type: ignore[arg-type]
    assert (
        f"Right of withdrawal waived 2026-03-01 12:00 UTC (text {TEXT.hash}, en), confirmed by email" in said
    )
    assert "not opened: the right stays." in said


def test_after_a_correction_a_copy_to_the_right_address_is_asked_for() -> None:
    shop = a_shop_with_waiver()
    sold(shop)
    purchase, now = purchase_of(shop), shop.clock.now()
    move = replace(
        a_move(old=EmailAddress(ANNA), new=BEN, at=now, checkouts=(purchase.checkout,)),
        done_at=now + timedelta(hours=1),
    )
    earlier = replace(
        move, id=ChangeId("m0"), asked_at=now - timedelta(minutes=1), done_at=None, undone_at=now
    )

    def correct(tx: Any) -> None:
        tx.address_changes.begin(earlier)
        tx.address_changes.begin(move)
        user = tx.users.get_or_add(BEN, new_id=UserId("u2"), now=now)
        tx.purchases.transfer([purchase.checkout], old=EmailAddress(ANNA), mailbox=BEN, user=user)

    run(shop.store.transact(correct))
    assert proof(shop).confirmed_at is None, "it went to somebody else"
    assert Task.WAIVER_UNCONFIRMED in tasks(shop)
    shop.clock.tick(hours=2)
    by_hand.resend(shop, purchase.checkout)
    shop.deliver_mail()
    assert proof(shop).confirmed_at == shop.clock.now()
    assert Task.WAIVER_UNCONFIRMED not in tasks(shop)
