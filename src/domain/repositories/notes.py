"""What staff note about sales. Each docstring is a contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domain.note import Note
from domain.values import CheckoutId


class ReadNotes(Protocol):
    """What staff note about sales. Reading only."""

    def get(self, checkout: CheckoutId) -> Note | None:
        """The note of a sale."""

    def page_after(self, checkout: str, *, limit: int) -> Sequence[Note]:
        """Notes in order of the checkout's id, after `checkout`."""


class Notes(ReadNotes, Protocol):
    """What staff note about sales."""

    def write(self, note: Note) -> None:
        """Make this the note of its sale. Without a text, the sale has none any more."""
