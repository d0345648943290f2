"""What staff note about sales."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.memory.tables import Record, page
from domain.note import Note
from domain.values import CheckoutId


class Notes(Record):
    def get(self, checkout: CheckoutId) -> Note | None:
        return self._t.sale_notes.get(checkout)

    def page_after(self, checkout: str, *, limit: int) -> Sequence[Note]:
        return page(self._t.sale_notes.items(), checkout, limit)

    def write(self, note: Note) -> None:
        if note.text:
            self._t.sale_notes[note.checkout] = note
        else:
            self._t.sale_notes.pop(note.checkout, None)
