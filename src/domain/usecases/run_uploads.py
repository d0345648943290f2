"""Go through the rows of files: those that were uploaded, in the background and by whichever node comes first, and
those that a command reads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Final

from domain.audit import ENTROPY, AuditAction, ByHand
from domain.csv_rows import Record, Records, UnreadableCsv
from domain.frozen import frozen
from domain.imports import Layout, Refused, Row, read_row
from domain.ports import Catalogue, Clock, Randomness, Store
from domain.rights import NotAllowed
from domain.staff import Actor
from domain.transaction import Transaction
from domain.uploads import Report, SeenIds, Upload, UploadState
from domain.usecases.authorise import refusal, write_down
from domain.usecases.import_rows import ImportRows
from domain.usecases.row_batches import Batch, batches, lines_of

_NOTED_EVERY: Final = 20
"""Lots of a dry run, which writes nothing else, between two notes of how far it is."""


@frozen
class RunUploads:
    """Run it now and then, on any node. One that dies is followed by another, from the last lot on."""

    store: Store
    catalogue: Catalogue
    clock: Clock
    rows: ImportRows

    async def __call__(self) -> int:
        """Work on every file that is due, to its end; how many. Raises StoreUnavailable: then run it again."""
        count = 0
        while (due := await self._due()) is not None:
            held = await self._follow(due)
            if held is not None:
                await self._work_on(held)
                count += 1
        return count

    async def _due(self) -> Upload | None:
        now = self.clock.now()
        return await self.store.read(lambda tx: tx.uploads.due(now=now))

    async def _work_on(self, held: Upload) -> None:
        try:
            await (self._check(held) if held.state is UploadState.CHECKING else self._import(held))
        except UnreadableCsv as error:
            problem, line = error.problem, error.line

            def broken(tx: Transaction) -> None:
                now = tx.uploads.get(held.id)
                if now is not None and now.state is held.state:
                    tx.uploads.replace(now, now.broken(problem, line))

            await self.store.transact(broken)

    async def _check(self, upload: Upload) -> None:
        """From the first row on, also if another worker was half through: what it had seen went with it."""
        held: Upload | None = upload
        report, seen, number = Report(), SeenIds(), 0
        async for batch in self._batches(upload, line=1):
            report = report.plus(await self.rows.check(self._read(batch, upload), seen=seen))
            number += 1
            if held is not None and number % _NOTED_EVERY == 0:
                held = await self._follow(replace(held, line=batch.line, report=report))
            if held is None:
                return
        if held is not None and not held.is_expired(
            now=self.clock.now()
        ):  # else its end may have been deleted
            await self._follow(replace(held, state=UploadState.CHECKED, line=upload.lines + 1, report=report))

    async def _import(self, upload: Upload) -> None:
        held: Upload | None = upload
        async for batch in self._batches(upload, line=upload.line):
            held = await self.store.transact(self._booking(held, batch)) if held is not None else None
            if held is None:
                return
        if held is not None and not held.is_expired(now=self.clock.now()):
            await self.store.transact(_finish(held))

    def _booking(self, held: Upload, batch: Batch) -> Callable[[Transaction], Upload | None]:
        """A lot, and how far it brought the file, in one transaction: after a crash it goes on behind it."""
        now = self.clock.now()
        work = self.rows.work(self._read(batch, held), email=held.plan is not None and held.plan.email)

        def book(tx: Transaction) -> Upload | None:
            current = tx.uploads.get(held.id)
            if current is None or current.version != held.version:
                return None
            report = held.report.plus(work(tx))
            return _write(tx, held, replace(held.leased(now=now), line=batch.line, report=report))

        return book

    async def _follow(self, by: Upload) -> Upload | None:
        """Write how far it is, and keep it; None if it is gone, or another worker's."""
        now = self.clock.now()
        return await self.store.transact(lambda tx: _write(tx, by, by.leased(now=now)))

    def _batches(self, upload: Upload, *, line: int) -> AsyncIterator[Batch]:
        lines = lines_of(self.store, upload, line=line)
        return batches(lines, Records(upload.delimiter, line=line))

    def _read(self, batch: Batch, upload: Upload) -> list[Row | Refused]:
        if upload.plan is None:
            return []
        layout = Layout.of(upload.plan, upload.header)
        return read_all(batch.records, layout, catalogue=self.catalogue, clock=self.clock)


def read_all(
    records: Sequence[Record], layout: Layout, *, catalogue: Catalogue, clock: Clock
) -> list[Row | Refused]:
    """What records become. A header is none, and neither is a line of totals."""
    edition, now = catalogue.current(), clock.now()
    return [
        read_row(one, layout, edition=edition, now=now)
        for one in records
        if not layout.is_header(one) and not layout.is_totals(one)
    ]


def _write(tx: Transaction, held: Upload, by: Upload) -> Upload | None:
    return replace(by, version=held.version + 1) if tx.uploads.replace(held, by) else None


def _finish(held: Upload) -> Callable[[Transaction], None]:
    def work(tx: Transaction) -> None:
        if tx.uploads.replace(held, replace(held, state=UploadState.DONE, line=held.lines + 1)):
            tx.uploads.drop_pieces(held.id)

    return work


@frozen
class ImportFile:
    """`coatcheck import`: the rows of a file on the shop's machine. Run again, it adds what is missing."""

    store: Store
    catalogue: Catalogue
    clock: Clock
    randomness: Randomness
    rows: ImportRows

    async def __call__(
        self,
        lines: AsyncIterator[Sequence[str]],
        records: Records,
        layout: Layout,
        *,
        actor: Actor,
        form: str,
        dry_run: bool,
        look: Callable[[int], object] = lambda _: None,
    ) -> Report | NotAllowed:
        """`look` gets the number of rows of each lot. Raises UnreadableCsv, StoreUnavailable."""
        now = self.clock.now()
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))

        def note(tx: Transaction) -> NotAllowed | None:
            refused = refusal(tx, AuditAction.IMPORT, asked.id, asked=asked)
            if refused is None and not dry_run:
                write_down(tx, asked.line(AuditAction.IMPORT, asked.id))
            return refused

        refused = await self.store.transact(note)
        if refused is not None:
            return refused
        report, seen = Report(), SeenIds()
        async for batch in batches(lines, records):
            rows = read_all(batch.records, layout, catalogue=self.catalogue, clock=self.clock)
            if dry_run:
                report = report.plus(await self.rows.check(rows, seen=seen))
            else:
                report = report.plus(await self.store.transact(self.rows.work(rows, email=layout.plan.email)))
            look(len(batch.records))
        return report
