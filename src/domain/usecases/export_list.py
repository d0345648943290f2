"""Export sales, customers, downloads, emails or the audit log as a table, a page at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from domain.audit import ENTROPY, AuditAction, AuditLine, ByHand
from domain.customer_list import CustomerFilter, CustomerRows
from domain.export import (
    ROWS_AT_ONCE,
    Export,
    ExportKind,
    Value,
    audit_values,
    customer_values,
    download_values,
    email_values,
    sale_values,
)
from domain.frozen import frozen
from domain.going_live import STARTED_LIVE
from domain.mail import Mail
from domain.ports import Clock, Randomness, Store
from domain.records import Download
from domain.rights import NotAllowed, Verdict
from domain.sale_list import SaleMark, SaleOrder
from domain.staff import Actor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.authorise import may_go_on, refusal, refuse, write_down

Table = AsyncIterator[Sequence[Sequence[Value]]]
"""Pages of rows, each row in the order of the columns."""
T = TypeVar("T")


class ExportEnded(Exception):
    """The actor lost the right to an export while it ran: the rest is not read. There is a line in the audit log."""


@frozen
class _Going:
    """An export on its way."""

    wanted: Export
    action: AuditAction
    asked: ByHand


@frozen
class ExportList:
    """`coatcheck export --list` and the page "Exports". Holds no more than a page in memory.

    Each page is a read of its own, beside the customers (`Store.survey`), so that no long read keeps the database from
    being tidied, and nobody waits. Sales, customers and lines that were added since the first page are left out; what
    was erased since is not in the pages that follow. Each page is read only while the actor still may: the export ends
    with their session, their membership or their right.
    """

    store: Store
    clock: Clock
    randomness: Randomness

    async def __call__(self, wanted: Export, *, actor: Actor, form: str) -> Table | NotAllowed:
        """The table, which is read as it is iterated; its line is in the audit log by then. Raises StoreUnavailable.

        Iterating raises ExportEnded and StoreUnavailable: then the table is not whole.
        """
        now = self.clock.now()
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))
        action = AuditAction.EXPORT_WITH_ADDRESSES if wanted.has_addresses else AuditAction.EXPORT

        def work(tx: Transaction) -> NotAllowed | None:
            refused = refusal(tx, action, wanted.kind.value, asked=asked)
            if refused is None:
                write_down(tx, asked.line(action, wanted.kind.value))
            return refused

        return await self.store.transact(work) or self._table(_Going(wanted, action, asked))

    async def _table(self, going: _Going) -> Table:
        pages = {
            ExportKind.SALES: self._sales,
            ExportKind.CUSTOMERS: self._customers,
            ExportKind.DOWNLOADS: self._downloads,
            ExportKind.EMAILS: self._emails,
            ExportKind.AUDIT: self._audit,
        }[going.wanted.kind]
        async for page in pages(going):
            yield [[values[name] for name in going.wanted.columns] for values in page]

    async def _sales(self, going: _Going) -> AsyncIterator[Sequence[Mapping[str, Value]]]:
        """The newest first, so whatever is sold meanwhile is before the first page."""
        after: SaleMark | None = None
        while True:
            page, after = await self._read(going, partial(_sales_page, going.wanted, after))
            if page:
                yield page
            if after is None:
                return

    async def _customers(self, going: _Going) -> AsyncIterator[Sequence[Mapping[str, Value]]]:
        after: str | None = None
        while True:
            found, live = await self._read(going, partial(_customers_page, after))
            if found.rows:
                yield [customer_values(row, livemode=live) for row in found.rows]
            after = found.looked_to
            if after is None:
                return

    async def _downloads(self, going: _Going) -> AsyncIterator[Sequence[Mapping[str, Value]]]:
        def page(tx: ReadTransaction, after: Download | None) -> Sequence[Download]:
            return tx.exports.downloads_after(after, limit=ROWS_AT_ONCE)

        async for rows in self._pages(going, page):
            yield [download_values(one) for one in rows if (one.first_at or one.last_at) <= going.asked.at]

    async def _emails(self, going: _Going) -> AsyncIterator[Sequence[Mapping[str, Value]]]:
        def page(tx: ReadTransaction, after: Mail | None) -> Sequence[Mail]:
            return tx.outbox.page_after("" if after is None else after.key, limit=ROWS_AT_ONCE)

        async for rows in self._pages(going, page):
            yield [email_values(mail) for mail in rows if mail.queued_at <= going.asked.at]

    async def _audit(self, going: _Going) -> AsyncIterator[Sequence[Mapping[str, Value]]]:
        def page(tx: ReadTransaction, after: AuditLine | None) -> Sequence[AuditLine]:
            return tx.audit.page_before("" if after is None else after.id, limit=ROWS_AT_ONCE)

        async for rows in self._pages(going, page):
            yield [audit_values(line) for line in rows]

    async def _pages(
        self, going: _Going, page: Callable[[ReadTransaction, T | None], Sequence[T]]
    ) -> AsyncIterator[Sequence[T]]:
        after: T | None = None
        while rows := await self._read(going, partial(_page, page, after)):
            yield rows
            after = rows[-1]

    async def _read(self, going: _Going, work: Callable[[ReadTransaction], T]) -> T:
        """What one page reads, if the actor still may. Raises ExportEnded."""
        now, actor = self.clock.now(), going.asked.actor

        def page(tx: ReadTransaction) -> tuple[T] | None:
            return (work(tx),) if may_go_on(tx, going.action, actor, now=now) else None

        found = await self.store.survey(page)
        if found is None:
            asked = ByHand.asked(
                actor, form=going.asked.form, now=now, entropy=self.randomness.token(ENTROPY)
            )
            about = going.wanted.kind.value
            await self.store.transact(
                lambda tx: refuse(tx, Verdict.WRONG_ROLE, going.action, about, asked=asked)
            )
            raise ExportEnded(f"{actor.name} may not go on with the export of {about}")
        return found[0]


def _page(
    page: Callable[[ReadTransaction, T | None], Sequence[T]], after: T | None, tx: ReadTransaction
) -> Sequence[T]:
    return page(tx, after)


def _sales_page(
    wanted: Export, after: SaleMark | None, tx: ReadTransaction
) -> tuple[Sequence[Mapping[str, Value]], SaleMark | None]:
    found = tx.sale_lists.rows(wanted.sales, order=SaleOrder.NEWEST, after=after, limit=ROWS_AT_ONCE)
    ids = [row.held.purchase.checkout for row in found.rows] if wanted.asks_checkouts else []
    begun = tx.exports.begun(ids) if ids else {}
    rows = [sale_values(row, begun.get(row.held.purchase.checkout)) for row in found.rows]
    return rows, found.looked_to


def _customers_page(after: str | None, tx: ReadTransaction) -> tuple[CustomerRows, bool]:
    """The page, and whether the shop has gone live."""
    found = tx.customer_lists.rows(CustomerFilter(), after=after, limit=ROWS_AT_ONCE)
    return found, tx.shop.cursor(STARTED_LIVE) is not None
