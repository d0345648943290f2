"""What every mailer promises. A subclass says how to make one, what arrived, and how to break the line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from domain.mail import Envelope
from domain.ports import Mailer, MailNotSent, MailRefused, MailUnknown
from domain.values import EmailAddress

T = TypeVar("T")
ENVELOPE = Envelope(
    to=EmailAddress("anna@example.com"),
    subject="Your purchase: “Émile”",
    text="Open it:\nhttps://shop.example/login/" + "A" * 64 + "\n",
    html='<p>Open <a href="https://shop.example/login/' + "A" * 64 + '">it</a> — ✓</p>',
    idempotency_key="shop-1/access:c1",
    written_at=datetime(2026, 3, 1, 12, 0, 7, tzinfo=UTC),
)
SENDER = "The Shop <tickets@shop.example>"
NAMES = [
    ("Shop: Tickets", "Shop: Tickets"),
    ('"Shop: Tickets"', "Shop: Tickets"),
    ("Shop, Inc.", "Shop, Inc."),
    ("Shop (the best)", "Shop (the best)"),
    ("a@b; Dr. Who", "a@b; Dr. Who"),
    ('The "Best" Shop', 'The "Best" Shop'),
    ('"The \\"Best\\" Shop"', 'The "Best" Shop'),
    ("Émile: x", "Émile: x"),
    ("Shop\\", "Shop\\"),
]
"""As written in EMAIL_FROM, and as read."""


class MailerContract:
    """Each method is a promise of `domain.ports.Mailer`."""

    mailer: Mailer

    def arrived(self) -> list[tuple[str, str, str]]:
        """(to, subject, text) of what is in the mailbox, oldest first, deduplicated as the email provider does it."""
        raise NotImplementedError

    def break_the_line(self) -> None:
        """From now on nothing answers."""
        raise NotImplementedError

    def refuse(self) -> None:
        """From now on the email provider says no for good."""
        raise NotImplementedError

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(work)

    def send(self, envelope: Envelope) -> None:
        self.and_close(lambda: self.mailer.send(envelope))

    def and_close(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Connections belong to the event loop that made them."""

        async def once() -> T:
            try:
                return await work()
            finally:
                await self.mailer.close()

        return self.run(once())

    def test_a_mail_arrives_as_it_was_written(self) -> None:
        self.send(ENVELOPE)
        [(to, subject, text)] = self.arrived()
        assert (to, subject) == ("anna@example.com", ENVELOPE.subject)
        assert ENVELOPE.text.splitlines()[1] in text.splitlines()

    def test_the_same_key_twice_arrives_once(self) -> None:
        self.send(ENVELOPE)
        self.send(ENVELOPE)
        assert len(self.arrived()) == 1

    def test_another_key_arrives_too(self) -> None:
        self.send(ENVELOPE)
        self.send(replace(ENVELOPE, idempotency_key="shop-1/access:c2"))
        assert len(self.arrived()) == 2

    def test_a_broken_line_is_worth_another_try(self) -> None:
        self.break_the_line()
        with pytest.raises((MailNotSent, MailUnknown)):
            self.send(ENVELOPE)

    def test_a_no_for_good_is_told_with_what_to_do(self) -> None:
        self.refuse()
        with pytest.raises(MailRefused, match=r"\w+"):
            self.send(ENVELOPE)

    def test_a_check_sends_nothing(self) -> None:
        self.send(ENVELOPE)
        self.and_close(self.mailer.check)
        assert len(self.arrived()) == 1

    def test_a_check_says_that_the_line_is_broken(self) -> None:
        self.break_the_line()
        with pytest.raises((MailNotSent, MailUnknown)):
            self.and_close(self.mailer.check)

    def test_the_sender_is_judged_in_a_sentence(self) -> None:
        fine, words = self.and_close(self.mailer.sender_found)
        assert isinstance(fine, bool)
        assert " " in words

    def test_it_can_be_closed_before_it_was_used_and_twice(self) -> None:
        async def twice() -> None:
            await self.mailer.close()
            await self.mailer.close()

        self.run(twice())
