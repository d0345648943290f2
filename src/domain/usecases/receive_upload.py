"""Take in a file of another shop's sales as it arrives: each piece is stored before the next one is awaited."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from domain.audit import ENTROPY, AuditAction, ByHand
from domain.csv_rows import CsvProblem, Piece, Pieces, Records, UnreadableCsv, delimiter_of
from domain.frozen import frozen
from domain.ports import Clock, Randomness, Store
from domain.rights import NotAllowed
from domain.staff import Actor
from domain.transaction import Transaction
from domain.uploads import KEPT_FOR, MOST_UPLOADS, Upload, UploadState
from domain.usecases.authorise import refusal
from domain.values import sortable_id

_LONGEST_NAME: Final = 100


@frozen
class TooManyUploads:
    """So many files wait already that one is to be imported or deleted first."""


class UploadGone(Exception):
    """The file was deleted while it arrived: by the merchant, or since somebody's account was deleted."""


@frozen
class ReceiveUpload:
    """`begin`, then `Receiving.feed` for all that arrives, then `Receiving.end`."""

    store: Store
    clock: Clock
    randomness: Randomness

    async def begin(self, name: str, *, actor: Actor, form: str) -> Receiving | NotAllowed | TooManyUploads:
        """Nothing is read of the file until it is known who sends it. Raises StoreUnavailable."""
        now = self.clock.now()
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))
        upload = Upload(
            id=sortable_id(now=now, entropy=self.randomness.token(10)),
            name=shown_name(name),
            by=actor.name,
            at=now,
            expires_at=now + KEPT_FOR,
            due_at=now,
        )

        def work(tx: Transaction) -> NotAllowed | TooManyUploads | None:
            refused = refusal(tx, AuditAction.IMPORT, upload.id, asked=asked)
            if refused is not None:
                return refused
            kept = [one for one in tx.uploads.newest(limit=10 * MOST_UPLOADS) if one.state.holds_file]
            if sum(not one.is_expired(now=now) for one in kept) >= MOST_UPLOADS:
                return TooManyUploads()
            tx.uploads.add(upload)
            return None

        return await self.store.transact(work) or Receiving(self.store, upload)


@dataclass(slots=True)
class Receiving:
    """One file that is arriving."""

    store: Store
    upload: Upload
    _pieces: Pieces = field(default_factory=Pieces)
    _first: Piece | None = None

    async def feed(self, data: bytes) -> None:
        """Raises UnreadableCsv and UploadGone: then call `abandon`. Raises StoreUnavailable."""
        await self._keep(self._pieces.feed(data))

    async def end(self) -> Upload:
        """All of it arrived: its header is read. Raises as `feed` does."""
        await self._keep(self._pieces.end())
        assert self._first is not None
        lines = self._first.lines
        delimiter = delimiter_of(lines[0])
        header = next(Records(delimiter).feed(lines), None)
        if header is None:
            raise UnreadableCsv(CsvProblem.EMPTY, 1)
        ready = replace(
            self.upload,
            state=UploadState.READY,
            size=self._pieces.size,
            lines=self._pieces.lines,
            header=tuple(cell.strip() for cell in header.cells),
            delimiter=delimiter,
        )
        if not await self.store.transact(lambda tx: tx.uploads.replace(self.upload, ready)):
            raise UploadGone
        return replace(ready, version=self.upload.version + 1)

    async def abandon(self) -> None:
        """It will not be complete. Raises StoreUnavailable: then it is deleted within a day."""
        await self.store.transact(lambda tx: tx.uploads.drop(self.upload.id))

    async def _keep(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            self._first = self._first or piece
            kept = await self.store.transact(
                lambda tx, piece=piece: tx.uploads.add_piece(self.upload.id, piece)  # type: ignore[misc]  # its default is a piece
            )
            if not kept:
                raise UploadGone


def shown_name(name: str) -> str:
    """The name of a file as it is kept: its end, without what cannot be printed."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable())[-_LONGEST_NAME:] or "file"
