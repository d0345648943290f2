"""Everything the shop holds about somebody, for them (GDPR, articles 15 and 20)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.access import Holding
from domain.books import BooksView
from domain.mail import Mail
from domain.ports import Clock, Store
from domain.records import Download, User
from domain.session import Session, Visitor
from domain.usecases.greet import live_session


@dataclass(frozen=True, slots=True)
class OwnData:
    """What is held under one mailbox, and by one browser."""

    session: Session
    user: User | None
    holdings: Sequence[Holding]
    downloads: Sequence[Download]
    sessions: Sequence[Session]
    mails: Sequence[Mail]


@dataclass(frozen=True, slots=True)
class ShowOwnData:
    """Reads; changes nothing."""

    store: Store
    clock: Clock

    async def __call__(self, visitor: Visitor) -> OwnData | None:
        """None for a browser without a session. Raises StoreUnavailable."""
        now = self.clock.now()

        def work(books: BooksView) -> OwnData | None:
            session = live_session(books, visitor, now=now)
            if session is None:
                return None
            mailbox = session.mailbox
            holdings = books.holdings(session.id, mailbox)
            return OwnData(
                session=session,
                user=None if mailbox is None else books.user(mailbox),
                holdings=holdings,
                downloads=[d for held in holdings for d in books.downloads_of(held.purchase.checkout)],
                sessions=(session,) if mailbox is None else books.sessions_of(mailbox),
                mails=() if mailbox is None else books.mails_to(mailbox),
            )

        return await self.store.read(work)
