"""Every record, a page at a time, in an order that does not change while it is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

from domain.access import Holding
from domain.audit import AuditLine
from domain.frozen import frozen
from domain.mail import Mail
from domain.note import Note
from domain.ports import Store
from domain.records import Quarantined, User
from domain.refund import RefundRequest
from domain.transaction import ReadTransaction
from domain.withdrawal import Withdrawal

PAGE = 500


@frozen
class WithoutOwner:
    """A purchase that belongs to no address, because the one given at the payment cannot be emailed."""

    holding: Holding


Record = User | Holding | WithoutOwner | Mail | Quarantined | AuditLine | RefundRequest | Note | Withdrawal
R = TypeVar("R", User, Holding, Mail, Quarantined, AuditLine, RefundRequest, Note, Withdrawal)


@frozen
class ExportRecords:
    """`coatcheck export`. Holds no more than a page in memory."""

    store: Store

    async def __call__(self) -> AsyncIterator[Record]:
        """Users, purchases with facts, mails, quarantine, audit log, refund requests, notes, withdrawals.

        Raises StoreUnavailable.
        """
        users = self._pages(lambda tx, after: tx.users.page_after(after, limit=PAGE), lambda user: user.id)
        async for user in users:
            yield user
        purchases = self._pages(
            lambda tx, after: tx.purchases.page_after(after, limit=PAGE), lambda held: held.purchase.checkout
        )
        async for held in purchases:
            yield WithoutOwner(held) if await self._is_without_owner(held) else held
        async for mail in self._pages(
            lambda tx, after: tx.outbox.page_after(after, limit=PAGE), lambda mail: mail.key
        ):
            yield mail
        entries = self._pages(
            lambda tx, after: tx.quarantine.page_after(after, limit=PAGE), lambda entry: entry.ref
        )
        async for entry in entries:
            yield entry
        lines = self._pages(lambda tx, after: tx.audit.page_after(after, limit=PAGE), lambda line: line.id)
        async for line in lines:
            yield line
        async for request in self._pages(
            lambda tx, after: tx.refund_requests.page_after(after, limit=PAGE), lambda request: request.id
        ):
            yield request
        async for note in self._pages(
            lambda tx, after: tx.notes.page_after(after, limit=PAGE), lambda note: note.checkout
        ):
            yield note
        async for withdrawal in self._pages(
            lambda tx, after: tx.withdrawals.page_after(after, limit=PAGE), lambda withdrawal: withdrawal.id
        ):
            yield withdrawal

    async def _is_without_owner(self, held: Holding) -> bool:
        if held.purchase.user is not None:
            return False
        return not await self.store.read(lambda tx: tx.erasures.is_erased(held.purchase.checkout))

    async def _pages(
        self, page: Callable[[ReadTransaction, str], Sequence[R]], key: Callable[[R], str]
    ) -> AsyncIterator[R]:
        after = ""
        while True:
            rows = await self._page(page, after)
            for row in rows:
                yield row
            if len(rows) < PAGE:
                return
            after = key(rows[-1])

    async def _page(self, page: Callable[[ReadTransaction, str], Sequence[R]], after: str) -> Sequence[R]:
        return await self.store.read(lambda tx: page(tx, after))
