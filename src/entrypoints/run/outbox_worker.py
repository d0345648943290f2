"""Send what is due in the outbox, a few at a time. An email that takes long frees its place and keeps its lease."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from domain.mail import Mail
from domain.ports import StoreUnavailable
from domain.usecases.deliver_mail import DeliverMail
from domain.usecases.lease_mail import LeaseMail
from entrypoints.run.logs import log

# Few at a time: mail can wait a second, shoppers' requests in the same process cannot.
_PLACES: Final = 2
# At most some twenty a second: email providers have rate limits (Resend: a few requests a second), and a burst of
# sales must not wait for its mails.
_BETWEEN_MAILS: Final = timedelta(seconds=0.1)
_PATIENCE: Final = timedelta(minutes=1)
_LONGEST: Final = timedelta(hours=1)
"""Longer than all that RFC 5321 §4.5.3.2 lets a mail server take."""


def _nobody_counts(_: str) -> None:
    """Mails are not counted."""


@dataclass(frozen=True, slots=True)
class OutboxWorker:
    """All sending of one process. It knows what it is sending, so nothing is sent twice at the same time."""

    lease_mail: LeaseMail
    deliver_mail: DeliverMail
    note_mail: Callable[[str], None] = _nobody_counts
    patience: timedelta = _PATIENCE
    """How long one email may take before another takes its place."""
    longest: timedelta = _LONGEST
    """How long one email may take at all; then its outcome is unknown."""
    _held: dict[str, Mail] = field(default_factory=dict)
    """Leased here and not settled: being sent, or waiting for a place."""
    _waiting: deque[Mail] = field(default_factory=deque)
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_PLACES))
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def deliver_due(self) -> None:
        """Begin to send all that is due, each as soon as there is a place. Raises StoreUnavailable."""
        while True:
            await self._places.acquire()
            mail = None
            try:
                mail = await self._next()
            finally:
                if mail is None:
                    self._places.release()
            if mail is None:
                return
            self._start(self._occupy(mail))

    async def renew_leases(self) -> None:
        """Keep what is held: an email provider may take longer than a lease lasts. Raises StoreUnavailable.

        What is lost before it was begun belongs to another node now.
        """
        if not self._held:
            return
        asked = dict(self._held)
        kept = {mail.key: mail for mail in await self.lease_mail.renew(list(asked.values()))}
        for mail in [mail for mail in self._waiting if mail.key in asked and mail.key not in kept]:
            self._waiting.remove(mail)
            del self._held[mail.key]
        self._held.update({key: mail for key, mail in kept.items() if key in self._held})

    async def take_back_leases(self) -> None:
        """Take back the leases of mails that an earlier process was sending when it died."""
        held = await self.lease_mail.take_back()
        if held:
            log.info("mails taken back from a process that died", extra={"fields": {"count": held}})

    async def close(self) -> None:
        """Give up what is being sent. Its outcome is unknown, and is kept as that since it was leased."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _next(self) -> Mail | None:
        """The next to be sent; None if nothing is due."""
        while not self._waiting:
            leased = await self.lease_mail()
            if not leased:
                return None
            # While the store was away, the lease of an email that is still being sent may have ended.
            self._waiting.extend(mail for mail in leased if mail.key not in self._held)
            self._held.update({mail.key: mail for mail in leased})
        return self._waiting.popleft()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _occupy(self, mail: Mail) -> None:
        """Send one email, and keep its place until it is sent or takes long."""
        try:
            sending = self._start(self._send(mail))
            done, _ = await asyncio.wait({sending}, timeout=self.patience.total_seconds())
            if not done:
                log.warning("an email takes long", extra={"fields": {"email": mail.kind.value}})
            await asyncio.sleep(_BETWEEN_MAILS.total_seconds())
        finally:
            self._places.release()

    async def _send(self, mail: Mail) -> None:
        """Send it and store the outcome; an error is logged, and the email is due again when its lease ends."""
        try:
            try:
                async with asyncio.timeout(self.longest.total_seconds()):
                    state = await self.deliver_mail(mail)
            except TimeoutError:
                state = await self.deliver_mail.unanswered(mail)
            self.note_mail(state.value)
        except StoreUnavailable as error:
            log.warning("mail waits", extra={"fields": {"error": type(error).__name__}})
        except Exception as error:
            log.error("mail failed", exc_info=error)
        finally:
            self._held.pop(mail.key, None)
