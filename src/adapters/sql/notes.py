"""What staff note about sales."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from adapters.sql.record import Record, Row, Table, insert, micros, moment
from domain.note import Note
from domain.values import CheckoutId

COLUMNS: Final = "checkout_id, text, written_at, written_by"
_WRITE: Final = f"""{insert("sale_notes", COLUMNS)} ON CONFLICT (checkout_id) DO UPDATE
  SET text = excluded.text, written_at = excluded.written_at, written_by = excluded.written_by"""
_CLEAR: Final = "DELETE FROM sale_notes WHERE checkout_id = ?"
_GET: Final = f"SELECT {COLUMNS} FROM sale_notes WHERE checkout_id = ?"
_PAGE: Final = f"SELECT {COLUMNS} FROM sale_notes WHERE checkout_id > ? ORDER BY checkout_id LIMIT ?"


class Notes(Record):
    tables: ClassVar = [Table("sale_notes", COLUMNS, key="checkout_id")]

    def get(self, checkout: CheckoutId) -> Note | None:
        return self._one(_from_row, _GET, (checkout,))

    def page_after(self, checkout: str, *, limit: int) -> Sequence[Note]:
        return self._all(_from_row, _PAGE, (checkout, limit))

    def write(self, note: Note) -> None:
        if note.text:
            self._sql(_WRITE, (note.checkout, note.text, micros(note.written_at), note.written_by))
        else:
            self._sql(_CLEAR, (note.checkout,))


def _from_row(row: Row) -> Note:
    return Note(CheckoutId(row[0]), text=row[1], written_at=moment(row[2]), written_by=row[3])
