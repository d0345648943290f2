"""Records of a file in small lots, so that neither the event loop nor a sale waits for an import."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

from domain.csv_rows import Record, Records
from domain.frozen import frozen
from domain.ports import Store
from domain.uploads import Upload

AT_ONCE: Final = 50
"""Rows in one transaction: a few milliseconds."""


@frozen
class Batch:
    """Some records. `line`: where the next one begins."""

    records: Sequence[Record]
    line: int


async def batches(lines: AsyncIterator[Sequence[str]], records: Records) -> AsyncIterator[Batch]:
    """The records of lines that come in lots. Raises UnreadableCsv where they cannot be read on."""
    held: list[Record] = []
    async for lot in lines:
        for record in records.feed(lot):
            held.append(record)
            if len(held) == AT_ONCE:
                yield Batch(held, records.line)
                held = []
    if held:
        yield Batch(held, records.line)
    records.end()


async def lines_of(store: Store, upload: Upload, *, line: int) -> AsyncIterator[Sequence[str]]:
    """The lines of an uploaded file from one on, a piece at a time. Raises StoreUnavailable."""
    piece = await store.read(lambda tx: tx.uploads.piece_with(upload.id, line))
    skip = line - piece.line if piece else 0
    while piece is not None:
        yield piece.lines[skip:]
        skip, number = 0, piece.number + 1
        piece = await store.read(lambda tx, number=number: tx.uploads.piece(upload.id, number))  # type: ignore[misc]  # its default is an int
