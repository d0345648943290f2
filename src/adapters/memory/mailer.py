"""An email provider in memory: delivers a key once, and fails on request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from domain.mail import Envelope
from domain.ports import MailSentBefore


async def _no_pause(place: str) -> None:
    """The pause between two steps; tests replace it."""


class MemoryMailer:
    """`handed` is every accepted try, `mailbox` what arrives: one a key, as a provider deduplicates.

    `pause` is awaited before a mail is accepted and after: where the line can break. `failing` raises what it
    holds, and accepts nothing.
    """

    def __init__(self, *, pause: Callable[[str], Awaitable[None]] = _no_pause) -> None:
        self.handed: list[Envelope] = []
        self.mailbox: dict[str, Envelope] = {}
        self.failing: Exception | None = None
        self._pause = pause

    async def send(self, envelope: Envelope) -> None:
        """See Mailer."""
        await self._pause("before accept")
        if self.failing is not None:
            raise self.failing
        held = self.mailbox.setdefault(envelope.idempotency_key, envelope)
        if held != envelope:
            raise MailSentBefore("another mail went out under this key")
        self.handed.append(envelope)
        await self._pause("accepted")

    async def check(self) -> None:
        """See Mailer."""
        if self.failing is not None:
            raise self.failing

    async def sender_found(self) -> tuple[bool, str]:
        """See Mailer."""
        if self.failing is not None:
            raise self.failing
        return True, "any sender will do"

    async def close(self) -> None:
        """Nothing is held."""
