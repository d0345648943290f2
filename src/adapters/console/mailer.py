"""The mailer port on a terminal: for trials on this machine, when there is no email provider."""

from __future__ import annotations

import sys
from typing import TextIO

from domain.mail import Envelope


class ConsoleMailer:
    """Prints each mail's text once. It holds a link that opens an account, so it never runs on a public shop."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._printed: set[str] = set()

    async def send(self, envelope: Envelope) -> None:
        """See Mailer."""
        if envelope.idempotency_key in self._printed:
            return
        self._printed.add(envelope.idempotency_key)
        lines = "\n".join(f"  | {line}" for line in envelope.text.splitlines())
        self._stream.write(f"\n  To: {envelope.to}\n  Subject: {envelope.subject}\n{lines}\n\n")
        self._stream.flush()

    async def check(self) -> None:
        """A terminal is always there."""

    async def sender_found(self) -> tuple[bool, str]:
        """It is visible on this terminal only."""
        return True, "mails are printed where `serve` runs, on this machine only"

    async def close(self) -> None:
        """Nothing is held."""
