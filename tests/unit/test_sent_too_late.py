"""Emails that are sent again long after they were queued: their links confirm and undo nothing that is settled."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.mail import Mail, MailKind, MailState
from domain.usecases.link_outcomes import SignedIn
from domain.usecases.report_status import SentAgain
from domain.usecases.resend_access_link import Resent as AccessResent
from domain.usecases.send_refused import Resent
from domain.values import EmailAddress
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop
from testkit import by_hand
from testkit.stepping import run

OLD, NEW = "old@example.com", "new@example.com"


def refused(shop: Shop, to: str, kind: MailKind) -> Mail:
    """The last email of a kind to an address, as after an attempt that the email provider refused."""
    mails = [m for m in shop.memory.tables.outbox.values() if str(m.to) == to and m.kind is kind]
    mail = replace(mails[-1], state=MailState.STUCK, problem="the key was revoked", unknown_since=None)
    shop.memory.tables.outbox[mail.key] = mail
    if mail.link is not None:
        held = shop.memory.tables.links[mail.link]
        shop.memory.tables.links[mail.link] = replace(held, sent_at=None)
    return mail


def prune(shop: Shop) -> None:
    run(shop.store.transact(lambda tx: tx.retention.prune(now=shop.clock.now())))


def moved(shop: Shop) -> tuple[Browser, Mail]:
    """An account that went from one address to another; the email that tells the old one was refused."""
    anna = Browser(shop)
    anna.buy_and_pay(OLD)
    anna.press(shop.last_link(OLD))
    run(shop.change_address.change(anna.visitor, NEW))
    shop.deliver_mail()
    notice = refused(shop, OLD, MailKind.ADDRESS)
    assert isinstance(anna.press(shop.last_link(NEW)), SignedIn)
    return anna, notice


@pytest.mark.parametrize("days", [2, 6])
def test_an_undo_that_was_refused_works_when_it_is_sent_within_a_week(days: int) -> None:
    shop = Shop()
    anna, _ = moved(shop)
    shop.clock.tick(days=days)
    assert by_hand.send_refused(shop) == Resent(queued=1)
    shop.deliver_mail()
    assert isinstance(Browser(shop).press(shop.last_link(OLD)), SignedIn)
    assert anna.viewer.session is None


@pytest.mark.parametrize("days", [7, 9])
@pytest.mark.parametrize("one_by_one", [False, True])
def test_an_undo_that_was_refused_is_dropped_after_a_week(days: int, one_by_one: bool) -> None:
    """On day ten the old address is forgotten, and the email with it."""
    shop = Shop()
    anna, notice = moved(shop)
    letters = len(shop.letters_to(OLD))
    for _ in range(days):
        shop.clock.tick(days=1)
        prune(shop)
    if one_by_one:
        assert by_hand.send_again(shop, notice.key) is SentAgain.TOO_LATE
    else:
        assert by_hand.send_refused(shop) == Resent(dropped=1)
    shop.deliver_mail()
    held = shop.memory.tables.outbox[notice.key]
    assert (held.state, held.problem) == (MailState.DROPPED, "too_late")
    assert len(shop.letters_to(OLD)) == letters
    anna.ask_for_link(NEW)
    shop.deliver_mail()
    anna.press(shop.last_link(NEW))
    assert anna.owned == {BOOK}, "the change stands"


@pytest.mark.parametrize("days", [6, 8])
@pytest.mark.parametrize("key_taken_out", [False, True])
def test_an_undo_that_stayed_queued_while_the_shop_stood_still_is_not_sent_after_a_week(
    days: int, key_taken_out: bool
) -> None:
    """The old address has not heard of a change that is final: the merchant learns that."""
    shop = Shop()
    _, notice = moved(shop)
    shop.mailer.mailbox.clear()
    name = "gone" if key_taken_out else notice.key_name
    queued = replace(notice, state=MailState.QUEUED, problem="", key_name=name)
    shop.memory.tables.outbox[notice.key] = queued
    letters = len(shop.letters_to(OLD))
    shop.clock.tick(days=days)
    shop.deliver_mail()
    if days == 6:
        assert len(shop.letters_to(OLD)) == letters + 1
        assert isinstance(Browser(shop).press(shop.last_link(OLD)), SignedIn)
        return
    assert len(shop.letters_to(OLD)) == letters
    held = shop.memory.tables.outbox[notice.key]
    assert (held.state, held.problem) == (MailState.STUCK, "too_late")
    assert not run(shop.report()).all_well
    assert "waited for a week" in shop.letters_to("help@shop.example")[-1].text
    assert by_hand.send_refused(shop) == Resent(dropped=1)
    assert run(shop.report()).all_well


def test_one_that_may_have_been_sent_is_told_as_such_also_after_a_week() -> None:
    """What is known of an earlier attempt outweighs its age: `--send-refused` leaves it alone."""
    shop = Shop()
    _, notice = moved(shop)
    unknown = replace(notice, state=MailState.QUEUED, problem="no answer", unknown_since=shop.clock.now())
    shop.clock.tick(days=7)
    lately = replace(unknown, unknown_since=shop.clock.now())
    shop.memory.tables.outbox[notice.key] = lately
    shop.deliver_mail()
    held = shop.memory.tables.outbox[notice.key]
    assert (held.state, held.problem, held.may_have_been_sent) == (MailState.STUCK, "no answer", True)
    assert "may have been sent" in shop.letters_to("help@shop.example")[-1].text
    assert by_hand.send_refused(shop) == Resent()


def test_an_access_email_is_sent_again_however_late_and_its_link_opens() -> None:
    shop = Shop()
    anna = Browser(shop)
    anna.buy_and_pay(OLD, PHOTOS)
    refused(shop, OLD, MailKind.ACCESS)
    for _ in range(30):
        shop.clock.tick(days=1)
        prune(shop)
    assert by_hand.send_refused(shop) == Resent(queued=1)
    shop.deliver_mail()
    there = Browser(shop)
    assert isinstance(there.press(shop.last_link(OLD)), SignedIn)
    assert there.owned == {PHOTOS}


@pytest.mark.parametrize("asked_for_again", [False, True])
def test_an_access_email_is_not_sent_again_to_an_address_that_was_corrected(asked_for_again: bool) -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy_and_pay("stranger@example.com")
    if asked_for_again:
        [order] = shop.memory.tables.purchases
        assert run(shop.resend(anna.visitor, order)) is AccessResent.QUEUED
        shop.deliver_mail()
    mail = refused(shop, "stranger@example.com", MailKind.ACCESS)
    [order] = shop.memory.tables.purchases
    run(shop.change_address.correct(anna.visitor, order, NEW))
    shop.deliver_mail()
    assert isinstance(anna.press(shop.last_link(NEW)), SignedIn)
    letters = len(shop.letters_to("stranger@example.com"))
    assert by_hand.send_refused(shop) == Resent(dropped=1)
    shop.deliver_mail()
    assert len(shop.letters_to("stranger@example.com")) == letters
    held = shop.memory.tables.outbox[mail.key]
    assert (held.state, held.problem) == (MailState.DROPPED, "too_late"), ref


def test_a_link_that_names_an_owner_is_never_sent_again_as_a_sign_in() -> None:
    """Once it was pruned nothing tells what it was for, and a sign-in would lead nowhere."""
    shop = Shop()
    browser = Browser(shop)
    ref = browser.buy()
    shop.payments.pay(ref, email="a..b@docomo.ne.jp")
    shop.hear_of(ref)
    [order] = shop.memory.tables.purchases
    run(shop.change_address.correct(browser.visitor, order, OLD))
    shop.deliver_mail()
    refused(shop, OLD, MailKind.ORDER)
    for _ in range(16):
        shop.clock.tick(days=1)
        prune(shop)
    assert by_hand.send_refused(shop) == Resent(dropped=1)
    shop.deliver_mail()
    assert [link for link in shop.memory.tables.links.values() if link.mailbox == EmailAddress(OLD)] == []
