"""What staff note about a sale, for each other: no customer ever sees it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from domain.frozen import frozen
from domain.values import CheckoutId

LONGEST_NOTE: Final = 2000


@frozen
class Note:
    """The note of one sale. It may name people, so it goes with its customer."""

    checkout: CheckoutId
    text: str
    written_at: datetime
    written_by: str
    """See `domain.staff.Actor`."""


def note_text(typed: str) -> str | None:
    """A note as it is stored: lines end with a line feed, "" for none; None if it is too long."""
    text = "\n".join(
        line.rstrip() for line in typed.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ).strip()
    text = text.replace("\x00", "")
    return text if len(text) <= LONGEST_NOTE else None
