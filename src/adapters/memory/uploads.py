"""Uploaded files of other shops' sales, in pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.tables import Record
from domain.csv_rows import Piece
from domain.uploads import Upload, UploadState


class Uploads(Record):
    def get(self, upload: str) -> Upload | None:
        return self._t.uploads.get(upload)

    def newest(self, *, limit: int) -> Sequence[Upload]:
        return sorted(self._t.uploads.values(), key=lambda one: one.id, reverse=True)[:limit]

    def piece(self, upload: str, number: int) -> Piece | None:
        return self._t.upload_pieces.get((upload, number))

    def piece_with(self, upload: str, line: int) -> Piece | None:
        found = [
            piece for (of, _), piece in self._t.upload_pieces.items() if of == upload and piece.line <= line
        ]
        return max(found, key=lambda piece: piece.number, default=None)

    def add(self, upload: Upload) -> None:
        self._t.uploads[upload.id] = upload

    def add_piece(self, upload: str, piece: Piece) -> bool:
        held = self._t.uploads.get(upload)
        if held is None or held.state is not UploadState.ARRIVING:
            return False
        self._t.upload_pieces[upload, piece.number] = piece
        return True

    def due(self, *, now: datetime) -> Upload | None:
        waiting = (
            one
            for one in self._t.uploads.values()
            if one.state.is_worked_on and one.due_at <= now and not one.is_expired(now=now)
        )
        return min(waiting, key=lambda one: (one.due_at, one.id), default=None)

    def replace(self, held: Upload, by: Upload) -> bool:
        now = self._t.uploads.get(held.id)
        if now is None or now.version != held.version:
            return False
        self._t.uploads[held.id] = replace(
            by, id=now.id, name=now.name, by=now.by, at=now.at, version=now.version + 1
        )
        return True

    def drop_pieces(self, upload: str) -> int:
        gone = [key for key in self._t.upload_pieces if key[0] == upload]
        for key in gone:
            del self._t.upload_pieces[key]
        return len(gone)

    def drop(self, upload: str) -> bool:
        self.drop_pieces(upload)
        return self._t.uploads.pop(upload, None) is not None
