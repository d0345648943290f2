"""The outbox: at least once on the wire, the same bytes every time, and what cannot be sent is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from adapters.memory.mailer import MemoryMailer
from domain.keys import Keyring
from domain.mail import Envelope, Mail, MailState, pause_before_retry
from domain.ports import MailNotSent, MailRefused, MailUnknown
from domain.usecases.report_status import SentAgain
from domain.usecases.send_refused import Resent
from domain.values import LinkId
from entrypoints.mail_lines import mail_lines
from entrypoints.testing import SECRET, Browser, Shop
from testkit import by_hand
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


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no such header"),
        RuntimeError("a bug"),
        KeyError("id"),
        UnicodeError("no text"),
        AssertionError(),
    ],
)
def test_an_error_that_the_port_does_not_name_ends_as_stuck_with_the_mailers_words(error: Exception) -> None:
    """It would be the same at every attempt. The email may have been sent: the error does not say when it happened."""
    shop = Shop()
    mail = sold(shop)
    shop.mailer.failing = error
    run(shop.mail_round())
    held = now_of(shop, mail.key)
    assert (held.state, held.attempts) == (MailState.STUCK, 1)
    assert held.problem.startswith(type(error).__name__)
    assert str(error).strip("'") in held.problem
    assert held.unknown_since is not None
    shop.mailer.failing = None
    shop.clock.tick(days=30)
    shop.deliver_mail()
    assert shop.letters_to(ANNA) == [], "nothing is tried again"
    assert len(shop.letters_to("help@shop.example")) == 1, "the merchant knows"


def test_an_error_of_the_system_is_tried_again_with_the_same_key_and_not_for_ever() -> None:
    """A mailer that lets `ConnectionResetError` through: the next attempt may go well."""
    shop = Shop()
    mail = sold(shop)
    shop.mailer.failing = ConnectionResetError(104, "Connection reset by peer")
    shop.deliver_mail()
    held = now_of(shop, mail.key)
    assert (held.state, held.due_at - shop.clock.now()) == (MailState.QUEUED, pause_before_retry(1))
    for _ in range(30):
        shop.clock.tick(hours=1)
        shop.deliver_mail()
    held = now_of(shop, mail.key)
    assert held.state is MailState.STUCK
    assert "Connection reset by peer" in held.problem
    assert held.unknown_since is not None


def test_what_was_surely_not_sent_is_tried_for_three_days_and_then_left_to_the_merchant() -> None:
    shop = Shop()
    mail = sold(shop)
    shop.mailer.failing = MailNotSent("the daily quota is used up")
    states = []
    for _ in range(73):
        shop.deliver_mail()
        states.append(now_of(shop, mail.key).state)
        shop.clock.tick(hours=1)
    assert states == [MailState.QUEUED] * 72 + [MailState.STUCK]
    held = now_of(shop, mail.key)
    assert (held.problem, held.may_have_been_sent) == ("the daily quota is used up", False)


def test_an_email_that_cannot_be_put_together_is_stuck_and_surely_not_sent() -> None:
    """A row whose link is no id: its URL cannot be made."""
    shop = Shop()
    mail = sold(shop)
    shop.memory.tables.outbox[mail.key] = replace(mail, link=LinkId("no hex"))
    run(shop.mail_round())
    held = now_of(shop, mail.key)
    assert (held.state, held.unknown_since) == (MailState.STUCK, None)
    assert held.problem.startswith("ValueError")


def test_one_email_that_stops_its_mailer_holds_up_no_other() -> None:
    """Leased together: whatever one does, the others leave in the same round."""
    shop = Shop()
    for number in range(3):
        ref = Browser(shop).buy()
        shop.payments.pay(ref, email=f"anna{number}@example.com")
        shop.hear_of(ref, event=f"evt_{number}")

    class OneFails(MemoryMailer):
        async def send(self, envelope: Envelope) -> None:
            if envelope.to.canonical.startswith("anna1"):
                raise TypeError("not this one")
            await super().send(envelope)

    shop.mailer = OneFails()
    shop.deliver_mail()
    assert [len(shop.letters_to(f"anna{number}@example.com")) for number in range(3)] == [1, 0, 1]


def test_an_outcome_unknown_for_a_day_is_shown_and_sent_again_only_by_the_merchant() -> None:
    """The email provider forgets its keys after 24 hours: another try would perhaps be a second mail."""
    shop = Shop()
    mail = sold(shop)
    shop.mailer.failing = MailUnknown("broken")
    for _ in range(30):
        shop.deliver_mail()
        shop.clock.tick(hours=1)
    shop.mailer.failing = None
    shop.deliver_mail()
    held = now_of(shop, mail.key)
    assert (held.state, held.problem) == (MailState.STUCK, "broken")
    assert held.may_have_been_sent
    assert shop.letters_to(ANNA) == []
    assert by_hand.send_again(shop, mail.key) is SentAgain.QUEUED
    shop.deliver_mail()
    assert len(shop.letters_to(ANNA)) == 1
    assert Browser(shop).press(shop.last_link(ANNA))


def test_an_email_of_which_nothing_was_heard_says_so() -> None:
    """Its process died at every attempt, so no email provider's words are known."""
    shop = Shop()
    mail = sold(shop)
    for _ in range(2):
        run(shop.lease_mail())
        shop.clock.tick(hours=24)
    run(shop.lease_mail())
    held = now_of(shop, mail.key)
    assert (held.state, held.problem, held.may_have_been_sent) == (MailState.STUCK, "outcome_unknown", True)


def test_one_command_sends_again_what_was_refused_and_nothing_that_may_have_been_sent() -> None:
    shop = Shop()
    refused, unknown = (
        [sold_to(shop, f"anna{n}@example.com") for n in range(150)],
        sold_to(shop, "ben@example.com"),
    )
    shop.deliver_mail()
    for mail in refused:
        settle(shop, mail, unknown_since=None)
    settle(shop, unknown, unknown_since=shop.clock.now())
    assert by_hand.send_refused(shop) == Resent(queued=150)
    assert by_hand.send_refused(shop) == Resent(), "once, however often it is asked for"
    shop.deliver_mail()
    assert [len(shop.letters_to(str(mail.to))) for mail in refused] == [2] * 150
    assert len(shop.letters_to("ben@example.com")) == 1
    assert [mail.key for mail in run(shop.report()).mails] == [unknown.key]
    assert by_hand.send_again(shop, unknown.key) is SentAgain.QUEUED
    shop.deliver_mail()
    assert len(shop.letters_to("ben@example.com")) == 2
    assert run(shop.report()).all_well


def test_two_commands_at_once_send_each_refused_email_once() -> None:
    other: list[Resent] = []

    async def overtaken(place: str) -> None:
        """Between the first one's look and its transaction, the second one does everything."""
        if place == "begin" and waits.pop("other", False):
            other.append(by_hand.send_refused(shop))

    waits: dict[str, bool] = {}
    shop = Shop(pause=overtaken)
    settle(shop, sold(shop), unknown_since=None)
    waits["other"] = True
    assert (by_hand.send_refused(shop), other) == (Resent(), [Resent(queued=1)])


def sold_to(shop: Shop, address: str) -> Mail:
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=address)
    shop.hear_of(ref, event=f"evt_{address}")
    return next(mail for mail in shop.memory.tables.outbox.values() if str(mail.to) == address)


def settle(shop: Shop, mail: Mail, *, unknown_since: datetime | None) -> None:
    """As after an attempt that was refused, or whose outcome is unknown."""
    stuck = replace(mail, state=MailState.STUCK, problem="no such key", unknown_since=unknown_since)
    shop.memory.tables.outbox[mail.key] = stuck


def test_an_email_that_was_refused_after_an_unknown_outcome_may_have_been_sent() -> None:
    shop = Shop()
    mail = sold(shop)
    shop.mailer.failing = MailUnknown("no answer")
    shop.deliver_mail()
    shop.clock.tick(minutes=1)
    shop.mailer.failing = MailRefused("the key was revoked")
    shop.deliver_mail()
    held = now_of(shop, mail.key)
    assert (held.problem, held.may_have_been_sent) == ("the key was revoked", True)
    assert by_hand.send_refused(shop) == Resent(queued=1), "the notice to the merchant"


def test_a_key_that_was_used_before_means_sent_and_is_noted_apart() -> None:
    """After the restore of a backup, say: the email provider knows the key and has another body under it."""
    shop = Shop()
    mail = sold(shop)
    [leased] = run(shop.lease_mail())
    held = run(_envelope(shop, leased))
    shop.mailer.mailbox[held.idempotency_key] = replace(held, text="of another day")
    shop.clock.tick(minutes=1)
    shop.deliver_mail()
    sent = now_of(shop, mail.key)
    assert (sent.state, sent.problem, sent.sent_at) == (MailState.SENT, "key_used", shop.clock.now())
    status = run(shop.report())
    assert ([m.key for m in status.noted], status.all_well) == ([mail.key], True)
    assert by_hand.send_refused(shop) == Resent()
    assert by_hand.send_again(shop, mail.key) is SentAgain.QUEUED
    assert run(shop.report()).noted == []
    shop.deliver_mail()
    assert len(shop.letters_to(ANNA)) == 2


def test_the_merchant_reads_apart_what_was_refused_what_may_have_been_sent_and_what_is_late() -> None:
    """One command sends again all of the first; each of the second is a decision; the third takes care of itself."""
    shop = Shop()
    mails = [sold_to(shop, f"anna{number}@example.com") for number in range(4)]
    refused, unknown, noted, late = mails
    shop.deliver_mail()
    settle(shop, refused, unknown_since=None)
    settle(shop, unknown, unknown_since=shop.clock.now())
    held = now_of(shop, noted.key)
    shop.memory.tables.outbox[noted.key] = replace(held, problem="key_used")
    shop.memory.tables.outbox[late.key] = replace(late, problem="no answer")
    shop.clock.tick(minutes=11)
    lists: list[tuple[str, list[str]]] = []
    for line in filter(None, mail_lines(run(shop.report()))):
        if line.startswith("  "):
            lists[-1][1].append(line.split()[0])
        else:
            lists.append((line.partition(" (")[0], []))
    assert lists == [
        ("1 email refused", [refused.key]),
        ("2 emails that may have been sent", [unknown.key, noted.key]),
        ("1 email delayed", [late.key]),
    ]


def test_sending_again_twice_sends_twice_and_a_dropped_one_names_its_successor() -> None:
    shop = Shop()
    mail = sold(shop)
    shop.deliver_mail()
    for number in (2, 3):
        assert by_hand.send_again(shop, mail.key) is SentAgain.QUEUED
        shop.deliver_mail()
        assert len(shop.letters_to(ANNA)) == number
    settle(shop, mail, unknown_since=None)
    assert by_hand.send_again(shop, mail.key) is SentAgain.QUEUED
    assert by_hand.send_again(shop, mail.key) is SentAgain.QUEUED_BEFORE


def test_words_that_no_database_stores_are_kept_without_what_it_cannot_hold() -> None:
    """A server's answer in Latin-1 reaches us as halves of surrogate pairs; PostgreSQL takes no NUL."""
    for words in ("550 \udcfcberf\udcfcllt", "550 \0 nothing"):
        kept = str(MailRefused(words))
        assert kept.encode().count(b"\0") == 0
        assert kept.startswith("550 ")


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
