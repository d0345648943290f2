"""An email provider that takes its time: nothing is sent twice meanwhile, and nothing else waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from adapters.memory.mailer import MemoryMailer
from domain.mail import Envelope, Mail, MailState
from domain.ports import StoreUnavailable
from entrypoints.run.outbox_worker import OutboxWorker
from entrypoints.testing import Browser, Shop
from testkit.leaping import LeapingLoop
from testkit.scripted_smtp import Script, a_server_with
from testkit.servers import Shopper, a_shop
from testkit.waiting import wait_until

SLOW = "slow@example.com"


class SlowMailer(MemoryMailer):
    """Accepts emails to slow@ only once `answers` is set; `given` is every attempt."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()
        self.given: list[str] = []

    async def send(self, envelope: Envelope) -> None:
        self.given.append(envelope.to.canonical)
        if envelope.to.canonical == SLOW:
            await self.answers.wait()
        await super().send(envelope)


Work = Callable[[Shop, SlowMailer, OutboxWorker], Awaitable[None]]


def with_a_slow_provider(work: Work, **more: timedelta) -> None:
    """A sale to slow@ is in the outbox; the work runs beside a worker with little patience."""

    async def main() -> None:
        shop, mailer = Shop(), SlowMailer()
        shop.mailer = mailer
        await sell(shop, SLOW)
        patience = more.pop("patience", timedelta(seconds=0.05))
        worker = OutboxWorker(
            lease_mail=shop.lease_mail, deliver_mail=shop.hand_over, patience=patience, **more
        )
        try:
            async with asyncio.timeout(60):  # a worker that waits for ever ends here
                await work(shop, mailer, worker)
        finally:
            await worker.close()

    asyncio.run(main())


async def sell(shop: Shop, address: str) -> None:
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=address)
    shop.hear_of(ref, event=f"evt_{address}")


def mail_to(shop: Shop, address: str) -> Mail:
    return next(mail for mail in shop.memory.tables.outbox.values() if str(mail.to) == address)


async def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError


def test_ten_minutes_of_waiting_for_an_answer_are_one_attempt() -> None:
    """RFC 5321 §4.5.3.2.6. By the shop's clock; the lease alone would have ended after 20 seconds."""

    async def work(shop: Shop, mailer: SlowMailer, worker: OutboxWorker) -> None:
        await worker.deliver_due()
        await until(lambda: mailer.given == [SLOW])
        for _ in range(60):
            shop.clock.tick(seconds=10)
            await worker.renew_leases()
            await worker.deliver_due()
        assert mailer.given == [SLOW]
        mailer.answers.set()
        await until(lambda: mail_to(shop, SLOW).state is MailState.SENT)
        assert mail_to(shop, SLOW).attempts == 1
        shop.clock.tick(minutes=5)
        await worker.renew_leases()
        await worker.deliver_due()
        assert mailer.given == [SLOW]

    with_a_slow_provider(work)


def test_an_email_that_takes_long_frees_its_place_for_any_number_of_others() -> None:
    async def work(shop: Shop, mailer: SlowMailer, worker: OutboxWorker) -> None:
        for number in range(3):
            await sell(shop, f"anna{number}@example.com")
            await sell(shop, SLOW)
        await worker.deliver_due()
        await until(lambda: len(mailer.given) == 7)
        assert mailer.given.count(SLOW) == 4, "each takes a place of its own, and frees it"
        assert all(len(shop.letters_to(f"anna{n}@example.com")) == 1 for n in range(3))

    with_a_slow_provider(work)


def test_an_email_keeps_its_place_for_a_minute_and_may_take_longer_than_any_mail_server() -> None:
    """By the clock of a loop that does not wait, with the patience that the shop has."""

    async def main() -> None:
        shop, mailer, loop = Shop(), SlowMailer(), asyncio.get_running_loop()
        shop.mailer = mailer
        for address in (SLOW, SLOW, "anna@example.com"):
            await sell(shop, address)
        worker = OutboxWorker(lease_mail=shop.lease_mail, deliver_mail=shop.hand_over)
        loop.call_later(700, mailer.answers.set)
        begun = loop.time()
        await worker.deliver_due()
        await until(lambda: len(mailer.given) == 3)
        assert 60 <= loop.time() - begun < 70
        await mailer.answers.wait()
        await until(lambda: len(mailer.mailbox) == 3)
        await worker.close()
        mails = shop.memory.tables.outbox.values()
        assert [(mail.state, mail.attempts) for mail in mails] == [(MailState.SENT, 1)] * 3

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        runner.run(main())


def test_one_place_stays_free_while_another_is_not_yet_given_up() -> None:
    """A minute has not passed: the second place sends what becomes due meanwhile."""

    async def work(shop: Shop, mailer: SlowMailer, worker: OutboxWorker) -> None:
        await worker.deliver_due()
        for number in range(3):
            await sell(shop, f"anna{number}@example.com")
            await worker.deliver_due()
        await until(lambda: len(mailer.mailbox) == 3)
        assert mailer.given.count(SLOW) == 1

    with_a_slow_provider(work, patience=timedelta(minutes=1))


def test_a_shutdown_within_the_wait_counts_as_unknown_outcome() -> None:
    async def work(shop: Shop, mailer: SlowMailer, worker: OutboxWorker) -> None:
        begun = shop.clock.now()
        await worker.deliver_due()
        await until(lambda: mailer.given == [SLOW])
        shop.clock.tick(minutes=2)
        await worker.renew_leases()
        await worker.close()
        held = mail_to(shop, SLOW)
        assert (held.state, held.unknown_since) == (MailState.QUEUED, begun)
        mailer.answers.set()
        again = OutboxWorker(lease_mail=shop.lease_mail, deliver_mail=shop.hand_over)
        await again.take_back_leases()
        await again.deliver_due()
        await until(lambda: mail_to(shop, SLOW).state is MailState.SENT)
        assert mailer.given == [SLOW, SLOW]
        assert len(mailer.mailbox) == 1, "under the same key"
        await again.close()

    with_a_slow_provider(work)


def test_a_mailer_that_never_comes_back_is_given_up_and_tried_again_later() -> None:
    async def work(shop: Shop, mailer: SlowMailer, worker: OutboxWorker) -> None:
        await worker.deliver_due()
        await until(lambda: mail_to(shop, SLOW).problem == "no_answer")
        held = mail_to(shop, SLOW)
        assert (held.state, held.unknown_since) == (MailState.QUEUED, shop.clock.now())
        assert held.due_at == shop.clock.now() + timedelta(seconds=5)

    with_a_slow_provider(work, longest=timedelta(seconds=0.1))


def test_an_email_whose_lease_ended_while_the_store_was_away_is_not_sent_beside_itself() -> None:
    async def work(shop: Shop, mailer: SlowMailer, worker: OutboxWorker) -> None:
        await worker.deliver_due()
        await until(lambda: mailer.given == [SLOW])
        shop.clock.tick(minutes=2)  # nothing renewed the lease
        await worker.deliver_due()
        await worker.renew_leases()
        assert mailer.given == [SLOW]
        assert mail_to(shop, SLOW).attempts == 2, "it was leased again"
        assert mail_to(shop, SLOW).due_at > shop.clock.now()

    with_a_slow_provider(work)


def test_what_another_node_took_while_it_waited_for_a_place_is_left_to_that_node() -> None:
    async def work(shop: Shop, mailer: SlowMailer, worker: OutboxWorker) -> None:
        await sell(shop, SLOW)
        await sell(shop, "anna@example.com")
        rounds = asyncio.create_task(worker.deliver_due())
        await until(lambda: len(mailer.given) == 2)
        shop.clock.tick(minutes=2)
        assert len(await shop.lease_mail()) == 3, "another node's"
        await worker.renew_leases()
        mailer.answers.set()
        await rounds
        await sell(shop, "ben@example.com")
        await worker.deliver_due()
        await until(lambda: "ben@example.com" in mailer.given)
        assert mailer.given == [SLOW, SLOW, "ben@example.com"], (
            "what had waited longer would have come before"
        )

    with_a_slow_provider(work, patience=timedelta(minutes=1))


def test_an_outcome_that_cannot_be_stored_frees_its_place_again() -> None:
    async def work(shop: Shop, mailer: SlowMailer, worker: OutboxWorker) -> None:
        tried: list[str] = []

        class Away(type(shop.hand_over)):  # type: ignore[misc] - the class of a use case
            async def __call__(self, mail: Mail) -> MailState:
                tried.append(mail.key)
                raise StoreUnavailable

        hand_over = shop.hand_over
        fields: dict[str, Any] = {name: getattr(hand_over, name) for name in type(hand_over).__slots__}
        ill = OutboxWorker(lease_mail=shop.lease_mail, deliver_mail=Away(**fields))
        for times in range(1, 5):
            await ill.deliver_due()
            await until(lambda times=times: len(tried) == times)
            shop.clock.tick(minutes=1)
        assert mail_to(shop, SLOW).attempts == 4
        await ill.close()

    with_a_slow_provider(work)


@pytest.mark.long
def test_a_mail_server_that_answers_the_final_dot_late_is_given_each_message_once(tmp_path: Path) -> None:
    """And after a restart within the wait the same message again, with the same Message-ID and bytes."""
    script = Script()
    with a_server_with(script, answers_late=True) as port:
        variables = {"SMTP_URL": f"smtp://127.0.0.1:{port}", "RESEND_API_KEY": ""}
        with a_shop(tmp_path, warm=False) as shop:
            shop.process.stop()
            shop.process.environment = {**shop.environment, **variables}
            shop.start()
            shop.sandbox.pay(Shopper(shop).buy(), email="anna@example.com", copies=1)
            wait_until(lambda: len(script.messages) == 1)
            with pytest.raises(AssertionError):
                wait_until(lambda: len(script.messages) > 1, within=22)
            shop.process.stop()
            [mail] = shop.export(**variables)["mail"]
            assert (mail["state"], mail["attempts"]) == ("queued", 1)
            shop.start()
            wait_until(lambda: len(script.messages) == 2)
            script.may_answer.set()
            wait_until(lambda: [m["state"] for m in shop.export(**variables)["mail"]] == ["sent"])
    assert script.messages[0] == script.messages[1]
    assert message_from_bytes(script.messages[0])["Message-ID"].endswith("@cloakroom.example>")
