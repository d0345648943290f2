"""List emails for the merchant: those that wait, those of a kind or of an address; and one with its history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain import outbox_keys
from domain.audit import AuditLine
from domain.frozen import frozen
from domain.mail import Mail, MailKind
from domain.ports import Clock, Store
from domain.records import User
from domain.transaction import ReadTransaction
from domain.usecases.list_todo import BOUNCED_SINCE, LATE
from domain.values import EmailAddress

PAGE: Final = 50


@frozen
class EmailHistory:
    """One email, those queued for the same cause before and after it, and what was done to it by hand."""

    mail: Mail
    customer: User | None
    """The customer at the recipient's address; None if the address is the merchant's or no customer's."""
    others: Sequence[Mail]
    lines: Sequence[AuditLine]


@frozen
class ListEmails:
    """The page "Emails". Reads only, beside the customers (`Store.survey`). Raises StoreUnavailable."""

    store: Store
    clock: Clock

    async def waiting(self) -> Sequence[Mail]:
        """Those that were refused, may have been sent, are late, or bounced within 90 days; oldest first."""
        now = self.clock.now()
        since = now - BOUNCED_SINCE
        return await self.store.survey(lambda tx: tx.outbox.waiting(now, late=LATE, bounced_since=since))

    async def newest(self, kind: MailKind, *, before: str = "") -> Sequence[Mail]:
        """Fifty-one of a kind, the newest first, before the one of this key: the last says that there are more."""

        def work(tx: ReadTransaction) -> Sequence[Mail]:
            mark = tx.outbox.get(before) if before else None
            return tx.searches.emails(kind, before=mark, limit=PAGE + 1)

        return await self.store.survey(work)

    async def to_address(self, mailbox: EmailAddress) -> Sequence[Mail]:
        """Every email to an address, newest first."""
        found = await self.store.survey(lambda tx: tx.outbox.to_address(mailbox))
        return list(reversed(found))

    async def one(self, key: str) -> EmailHistory | None:
        """The email of that key."""
        return await self.store.survey(lambda tx: _history(tx, key))


def _history(tx: ReadTransaction, key: str) -> EmailHistory | None:
    mail = tx.outbox.get(key)
    if mail is None:
        return None
    others: list[Mail] = []
    named = outbox_keys.cause(key)
    while (other := tx.outbox.get(named)) is not None:
        if other.key != key:
            others.append(other)
        named = outbox_keys.anew(named)
    return EmailHistory(
        mail=mail,
        customer=None if mail.kind is MailKind.NOTICE else tx.users.by_address(mail.to),
        others=others,
        lines=tx.audit.about([key, *(other.key for other in others)]),
    )
