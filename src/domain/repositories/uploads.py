"""Uploaded files of other shops' sales. Each docstring is a contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.csv_rows import Piece
from domain.uploads import Upload


class ReadUploads(Protocol):
    """Uploaded files. Reading only."""

    def get(self, upload: str) -> Upload | None:
        """The file of that id."""

    def newest(self, *, limit: int) -> Sequence[Upload]:
        """Files in the reverse order of id: the newest first."""

    def piece(self, upload: str, number: int) -> Piece | None:
        """A piece of a file by its number; None after the last, or if the file is gone."""

    def piece_with(self, upload: str, line: int) -> Piece | None:
        """The piece that holds a line of a file; the last piece for a line after the end."""

    def due(self, *, now: datetime) -> Upload | None:
        """The file that is longest due to be worked on (`UploadState.is_worked_on`), if it has not expired."""


class Uploads(ReadUploads, Protocol):
    """Uploaded files."""

    def add(self, upload: Upload) -> None:
        """A new file, without pieces yet. Its id is fresh randomness."""

    def add_piece(self, upload: str, piece: Piece) -> bool:
        """Keep a piece of a file that is still arriving; False, and nothing written, if it is not."""

    def replace(self, held: Upload, by: Upload) -> bool:
        """Write what became of a file, if it is still as `held`; whether we wrote. `version` goes up by one."""

    def drop_pieces(self, upload: str) -> int:
        """Delete the pieces of a file; how many."""

    def drop(self, upload: str) -> bool:
        """Delete a file and its pieces; whether there was one."""
