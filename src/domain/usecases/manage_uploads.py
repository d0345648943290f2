"""What the merchant does with an uploaded file: look, say which column is what, start its import, delete it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum, auto

from domain.audit import ENTROPY, AuditAction, ByHand
from domain.csv_rows import Record, Records, UnreadableCsv
from domain.frozen import frozen
from domain.import_plan import Plan
from domain.imports import Layout, MissingColumns, Row, read_row
from domain.ports import Catalogue, Clock, Randomness, Store
from domain.rights import NotAllowed, Verdict, verdict
from domain.staff import Actor
from domain.transaction import Transaction
from domain.uploads import KEPT_FOR, PLANNABLE, Outcome, SeenIds, Upload, UploadState
from domain.usecases.authorise import refusal, write_down
from domain.usecases.import_rows import ImportRows

_SAMPLE = 5
_LOOKED_THROUGH = 200
"""Records of which the samples are the first."""


class UploadChange(Enum):
    """What came of a request."""

    DONE = auto()
    GONE = auto()
    """There is no such file any more."""
    NOT_NOW = auto()
    """It is being worked on, or was imported."""


@frozen
class Seen:
    """A file as its page shows it."""

    upload: Upload
    sample: Sequence[Record] = ()
    """Its first records as they stand there."""
    rows: Sequence[tuple[Row, Outcome]] = ()
    """Its first rows that are not refused for what they say, with what would become of them."""


@frozen
class ManageUploads:
    """Only owners see what is in a file."""

    store: Store
    catalogue: Catalogue
    clock: Clock
    randomness: Randomness
    rows: ImportRows

    async def newest(self, *, actor: Actor, limit: int = 20) -> Sequence[Upload] | NotAllowed:
        """The files, the newest first. Raises StoreUnavailable."""
        refused = _not_an_owner(actor)
        if refused is not None:
            return refused
        return await self.store.read(lambda tx: tx.uploads.newest(limit=limit))

    async def is_worked_on(self, upload: str) -> bool:
        """Whether somebody goes through its rows. Raises StoreUnavailable."""
        held = await self.store.read(lambda tx: tx.uploads.get(upload))
        return held is not None and held.state.is_worked_on

    async def look(self, upload: str, *, actor: Actor) -> Seen | NotAllowed | None:
        """One file, with samples while they can be read; None if there is none. Raises StoreUnavailable."""
        refused = _not_an_owner(actor)
        if refused is not None:
            return refused
        held, piece = await self.store.read(lambda tx: (tx.uploads.get(upload), tx.uploads.piece(upload, 0)))
        if held is None or piece is None or not held.header:
            return None if held is None else Seen(held)
        try:
            first = _records(piece.lines[: 2 * _LOOKED_THROUGH], held)
        except UnreadableCsv:
            return Seen(held)
        if held.plan is None or held.state is not UploadState.CHECKED:
            return Seen(held, sample=first[:_SAMPLE])
        return Seen(held, sample=first[:_SAMPLE], rows=await self._judged(first, held.header, held.plan))

    async def plan(
        self, upload: str, plan: Plan, *, actor: Actor
    ) -> UploadChange | MissingColumns | NotAllowed:
        """Say which column is what, and have all rows checked. Raises StoreUnavailable."""
        now, refused = self.clock.now(), _not_an_owner(actor)
        if refused is not None:
            return refused

        def work(tx: Transaction) -> UploadChange | MissingColumns:
            held = tx.uploads.get(upload)
            if held is None or held.is_expired(now=now):
                return UploadChange.GONE
            if held.state not in PLANNABLE:
                return UploadChange.NOT_NOW
            try:
                Layout.of(plan, held.header)
            except MissingColumns as missing:
                return missing
            tx.uploads.replace(held, replace(held.begun(UploadState.CHECKING, now=now), plan=plan))
            return UploadChange.DONE

        return await self.store.transact(work)

    async def start(self, upload: str, *, email: bool, actor: Actor, form: str) -> UploadChange | NotAllowed:
        """Import a file that was checked. `form`: names this request, however often it is submitted.

        Raises StoreUnavailable.
        """
        now = self.clock.now()
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))

        def work(tx: Transaction) -> UploadChange | NotAllowed:
            done = tx.audit.by_form(form)
            if done is not None and done.object_id == upload:
                return UploadChange.DONE
            refused = refusal(tx, AuditAction.IMPORT, upload, asked=asked)
            if refused is not None:
                return refused
            held = tx.uploads.get(upload)
            if held is None or held.is_expired(now=now):
                return UploadChange.GONE
            if held.state is not UploadState.CHECKED or held.plan is None:
                return UploadChange.NOT_NOW
            write_down(tx, asked.line(AuditAction.IMPORT, upload))
            begun = held.begun(UploadState.IMPORTING, now=now)
            plan = replace(held.plan, email=email)
            tx.uploads.replace(held, replace(begun, plan=plan, expires_at=now + KEPT_FOR))
            return UploadChange.DONE

        return await self.store.transact(work)

    async def drop(self, upload: str, *, actor: Actor) -> UploadChange | NotAllowed:
        """Delete a file. An import that is under way ends; what was imported stays. Raises StoreUnavailable."""
        refused = _not_an_owner(actor)
        if refused is not None:
            return refused
        gone = await self.store.transact(lambda tx: tx.uploads.drop(upload))
        return UploadChange.DONE if gone else UploadChange.GONE

    async def _judged(
        self, records: Sequence[Record], header: Sequence[str], plan: Plan
    ) -> Sequence[tuple[Row, Outcome]]:
        layout, now, edition = Layout.of(plan, header), self.clock.now(), self.catalogue.current()
        read = [
            read_row(one, layout, edition=edition, now=now) for one in records if not layout.is_totals(one)
        ]
        rows = [row for row in read if isinstance(row, Row)][:_SAMPLE]
        return list(zip(rows, await self.rows.check(rows, seen=SeenIds()), strict=True))


def _records(lines: Sequence[str], upload: Upload) -> list[Record]:
    """The first records after the header."""
    found = []
    for record in Records(upload.delimiter).feed(lines):
        found.append(record)
        if len(found) > _LOOKED_THROUGH:
            break
    return found[1:]


def _not_an_owner(actor: Actor) -> NotAllowed | None:
    """Looking needs the role alone; a passkey is asked for where something begins."""
    found = verdict(actor, AuditAction.IMPORT)
    return NotAllowed(found) if found is Verdict.WRONG_ROLE else None
