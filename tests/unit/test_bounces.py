"""An access email that bounced: the merchant learns whose it is, and it stays on the list until somebody is reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from domain.mail import Delivery, Mail, MailProblem, MailState
from domain.ports import DeliveryReport, InvalidWebhook, OtherReport
from domain.usecases.handle_email_webhook import HandleEmailWebhook
from domain.usecases.list_todo import Task
from domain.usecases.report_status import SentAgain
from domain.values import CheckoutId, EmailAddress
from entrypoints.mail_lines import mail_lines
from entrypoints.testing import Browser, Shop
from testkit import by_hand
from testkit.stepping import run

ANNA, MERCHANT = "anna@example.com", "help@shop.example"


class Reports:
    """One report, whatever comes in."""

    def __init__(self, report: DeliveryReport) -> None:
        self._report = report

    def parse_webhook(
        self, body: bytes, headers: object, *, shop: str
    ) -> DeliveryReport | OtherReport | InvalidWebhook:
        return self._report


def report(shop: Shop, key: str, delivery: Delivery) -> None:
    reports = Reports(DeliveryReport(key=key, delivery=delivery))
    hear = HandleEmailWebhook(store=shop.store, reports=reports, catalogue=shop.catalogue, clock=shop.clock)
    run(hear(b"", {}))
    shop.deliver_mail()


def delivered(shop: Shop, address: str = ANNA) -> tuple[Browser, Mail]:
    """A sale whose access email was sent, and the browser that paid."""
    browser = Browser(shop)
    browser.buy_and_pay(address)
    shop.deliver_mail()
    mail = next(mail for mail in shop.memory.tables.outbox.values() if str(mail.to) == address)
    return browser, mail


def bounced(shop: Shop, address: str = ANNA) -> tuple[Browser, Mail]:
    """A sale whose access email came back, and the browser that paid."""
    browser, mail = delivered(shop, address)
    report(shop, mail.key, Delivery.BOUNCED)
    return browser, mail


def listed(shop: Shop) -> list[str]:
    return [mail.key for mail in run(shop.report()).bounced]


def test_every_bounce_is_reported_with_its_order_and_needs_the_merchant() -> None:
    shop = Shop()
    assert run(shop.report()).all_well
    for number in range(3):
        _, mail = bounced(shop, f"anna{number}@example.com")
        notice = shop.letters_to(MERCHANT)[number]
        order = mail.key.removeprefix("access:")[:16]
        for part in (notice.text, notice.html):
            assert f"order {order} (The book)" in part
            assert mail.key in part
            assert "anna" not in part, "an account can be deleted; this email would keep its address"
        status = run(shop.report())
        assert status.all_well is False
        line = f"  {mail.key}  to a•••@example.com, queued 2026-03-01 12:00 UTC: order {order} (The book)"
        assert line in mail_lines(status)
    report(shop, mail.key, Delivery.BOUNCED)
    assert len(shop.letters_to(MERCHANT)) == 3, "once each"


def test_an_email_whose_outcome_was_unknown_and_that_bounced_is_no_longer_stuck() -> None:
    shop = Shop()
    _, mail = delivered(shop)
    stuck = replace(mail, state=MailState.STUCK, problem=MailProblem.OUTCOME_UNKNOWN.value)
    shop.memory.tables.outbox[mail.key] = stuck
    assert [waiting.key for waiting in run(shop.report()).mails] == [mail.key]
    report(shop, mail.key, Delivery.BOUNCED)
    held = shop.memory.tables.outbox[mail.key]
    assert (held.state, listed(shop), run(shop.report()).mails) == (MailState.SENT, [mail.key], [])


def signs_in(shop: Shop, browser: Browser, mail: Mail) -> None:
    Browser(shop).press(shop.last_link(ANNA))


def asks_for_another(shop: Shop, browser: Browser, mail: Mail) -> None:
    shop.clock.tick(minutes=1)
    run(shop.resend(browser.visitor, order_of(mail)))
    shop.deliver_mail()
    [again] = [key for key in shop.memory.tables.outbox if key.startswith("access-again:")]
    assert listed(shop) == [mail.key], "it may bounce, too"
    report(shop, again, Delivery.DELIVERED)


def is_sent_again(shop: Shop, browser: Browser, mail: Mail) -> None:
    assert by_hand.send_again(shop, mail.key) is SentAgain.QUEUED


def is_dismissed(shop: Shop, browser: Browser, mail: Mail) -> None:
    assert by_hand.dismiss(shop, mail.key) is True
    assert by_hand.dismiss(shop, mail.key) is False


def order_of(mail: Mail) -> CheckoutId:
    return CheckoutId(mail.key.removeprefix("access:"))


@pytest.mark.parametrize("reach", [signs_in, asks_for_another, is_sent_again, is_dismissed])
def test_a_bounce_is_off_the_list_once_somebody_was_reached(
    reach: Callable[[Shop, Browser, Mail], None],
) -> None:
    shop = Shop()
    browser, mail = bounced(shop)
    shop.clock.tick(minutes=1)
    reach(shop, browser, mail)
    assert listed(shop) == []
    assert run(shop.report()).all_well
    assert run(shop.report()).noted == []


def test_the_email_that_was_sent_again_is_judged_in_its_place() -> None:
    shop = Shop()
    _, mail = bounced(shop)
    by_hand.send_again(shop, mail.key)
    shop.deliver_mail()
    report(shop, f"{mail.key}#2", Delivery.BOUNCED)
    assert listed(shop) == [f"{mail.key}#2"]


def test_a_customer_who_was_verified_before_the_sale_is_still_listed() -> None:
    """The mailbox was theirs then; now it does not take our email."""
    shop = Shop()
    browser, mail = bounced(shop)
    browser.press(shop.last_link(ANNA))
    shop.clock.tick(days=90)
    browser.buy_and_pay(ANNA)
    shop.deliver_mail()
    second = next(key for key in shop.memory.tables.outbox if key.startswith("access:") and key != mail.key)
    report(shop, second, Delivery.BOUNCED)
    assert listed(shop) == [second]


def test_a_purchase_whose_address_was_corrected_is_off_the_list() -> None:
    shop = Shop()
    _, mail = bounced(shop)
    keep = shop.memory.tables.purchases[order_of(mail)]
    assert keep.mailbox == mail.to
    shop.memory.tables.purchases[keep.checkout] = replace(keep, mailbox=EmailAddress("right@example.com"))
    assert listed(shop) == []


def test_a_bounce_leaves_the_page_of_emails_with_the_queue_after_ninety_days() -> None:
    shop = Shop()
    _, mail = bounced(shop)
    page, queue = shop.list_emails, shop.list_todo
    shop.clock.tick(days=90)
    assert [one.key for one in run(page.waiting())] == [mail.key]
    assert Task.BOUNCED_EMAIL in {row.task for row in run(queue()).rows}
    shop.clock.tick(seconds=1)
    assert run(page.waiting()) == []
    assert Task.BOUNCED_EMAIL not in {row.task for row in run(queue()).rows}
    assert listed(shop) == [], "`coatcheck status` prints the queue"
