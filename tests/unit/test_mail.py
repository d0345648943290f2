"""The outbox: at least once on the wire, the same bytes every time, and what cannot be sent is shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.keys import Keyring
from domain.mail import Mail, MailState, pause_before_retry
from domain.ports import MailNotSent, MailRefused, MailUnknown
from domain.usecases.report_status import SentAgain
from entrypoints.testing import SECRET, Browser, Shop
from testkit.stepping import run

ANNA = "anna@example.com"


def sold(shop: Shop) -> Mail:
    """A sale whose access email is still in the outbox."""
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=ANNA)
    shop.hear_of(ref)
    [mail] = shop.memory.tables.outbox.values()
    return mail


def now_of(shop: Shop, key: str) -> Mail:
    return shop.memory.tables.outbox[key]


def test_every_try_sends_the_same_bytes_under_the_same_key() -> None:
    shop = Shop()
    mail = sold(shop)
    for _ in range(3):
        leased = run(shop.lease_mail())
        assert [m.key for m in leased] == [mail.key]
        run(shop.mailer.send(run(_envelope(shop, leased[0]))))  # sent, and then we die before we mark it
        shop.clock.tick(minutes=2)
    shop.deliver_mail()
    assert len(set(shop.mailer.handed)) == 1
    assert len(shop.letters_to(ANNA)) == 1
    [checkout] = shop.memory.tables.checkouts
    assert shop.letters_to(ANNA)[0].idempotency_key == f"shop-1/access:{checkout}"


async def _envelope(shop: Shop, mail: Mail):
    from domain.mail import fill
    from entrypoints.testing import BASE_URL

    assert mail.letter is not None
    return fill(mail, mail.letter, key=shop.keyring.signing, base_url=BASE_URL, shop="shop-1")


def test_a_mail_is_leased_to_one_worker_at_a_time() -> None:
    shop = Shop()
    sold(shop)
    assert len(run(shop.lease_mail())) == 1
    assert len(run(shop.lease_mail())) == 0


@pytest.mark.parametrize("failure", [MailNotSent("away"), MailUnknown("broken")])
def test_a_failure_that_may_pass_is_tried_again_with_back_off(failure: Exception) -> None:
    shop = Shop()
    mail = sold(shop)
    shop.mailer.failing = failure
    waits = []
    for _ in range(4):
        shop.deliver_mail()
        waits.append((now_of(shop, mail.key).due_at - shop.clock.now()).total_seconds())
        shop.clock.time = now_of(shop, mail.key).due_at
    assert waits == [5, 10, 20, 40]
    shop.mailer.failing = None
    shop.deliver_mail()
    assert now_of(shop, mail.key).state is MailState.SENT


def test_the_back_off_ends_at_an_hour() -> None:
    assert pause_before_retry(1000).total_seconds() == 3600


def test_what_is_refused_for_good_sticks_and_the_merchant_is_told_once() -> None:
    shop = Shop()
    mail = sold(shop)
    shop.mailer.failing = MailRefused("no such key")
    run(shop.mail_round())
    shop.mailer.failing = None
    shop.deliver_mail()
    assert now_of(shop, mail.key).state is MailState.STUCK
    status = run(shop.report())
    assert [(m.key, m.problem) for m in status.mails] == [(mail.key, "no such key")]
    assert len(shop.letters_to("help@shop.example")) == 1


def test_an_outcome_unknown_for_a_day_is_shown_and_sent_again_only_by_the_merchant() -> None:
    """The carrier forgets its keys after 24 hours: another try would perhaps be a second mail."""
    shop = Shop()
    mail = sold(shop)
    shop.mailer.failing = MailUnknown("broken")
    for _ in range(30):
        shop.deliver_mail()
        shop.clock.tick(hours=1)
    shop.mailer.failing = None
    shop.deliver_mail()
    held = now_of(shop, mail.key)
    assert (held.state, held.problem) == (MailState.STUCK, "outcome_unknown")
    assert shop.letters_to(ANNA) == []
    assert run(shop.report.send_again(mail.key)) is SentAgain.QUEUED
    shop.deliver_mail()
    assert len(shop.letters_to(ANNA)) == 1
    assert Browser(shop).press(shop.last_link(ANNA))


def test_a_mail_whose_secret_was_taken_out_is_queued_anew_under_a_new_key() -> None:
    shop = Shop()
    mail = sold(shop)
    shop.keyring = Keyring.of(("the new secret of this shop, long enough",))
    run(shop.mail_round())
    shop.deliver_mail()
    assert now_of(shop, mail.key).state is MailState.DROPPED
    assert now_of(shop, f"{mail.key}#2").state is MailState.SENT
    assert len(shop.letters_to(ANNA)) == 1


def test_a_mail_says_what_was_bought_and_whom_to_ask_and_escapes_the_rest() -> None:
    shop = Shop()
    sold(shop)
    shop.deliver_mail()
    [mail] = shop.letters_to(ANNA)
    for part in (mail.text, mail.html):
        assert "The book" in part
        assert "$9.00" in part
        assert "A Shop" in part
        assert "help@shop.example" in part
        assert "https://shop.example/login/" in part
        assert "{{" not in part
    assert SECRET not in mail.html
    assert "<script" not in mail.html


def test_the_letter_at_rest_has_slots_where_link_and_code_will_go() -> None:
    shop = Shop()
    assert sold(shop).letter is None, "nothing is rendered in a claim"
    [mail] = run(shop.lease_mail())
    letter = mail.letter
    assert letter is not None
    assert now_of(shop, mail.key).letter == letter
    assert "/login/" not in letter.html + letter.text
    assert "{{coatcheck:link}}" in letter.text


def test_a_name_stored_with_an_old_sale_cannot_break_the_subject_of_its_mail() -> None:
    """The catalogue refuses such names today; what was sold under one is still mailed about."""
    shop = Shop()
    sold(shop)
    [mail] = run(shop.lease_mail())
    assert mail.letter is not None
    stored = replace(mail.letter, subject="Your purchase: =?utf-8?q?=0ABcc:_thief?=\r\nBcc: thief\u2028")
    mail = replace(mail, letter=stored)
    assert run(_envelope(shop, mail)).subject == "Your purchase: = ?utf-8?q?=0ABcc:_thief?=  Bcc: thief "
