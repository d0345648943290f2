"""Everything the shop holds about somebody, for them (GDPR, articles 15 and 20)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.access import Holding
from domain.books import BooksView
from domain.mail import Mail
from domain.ports import Clock, Store
from domain.records import Download, User
from domain.session import Session, Visitor
from domain.usecases.greet import live_session
from domain.usecases.show_receipt import payer_is_owner
from domain.values import EmailAddress


@dataclass(frozen=True, slots=True)
class OwnData:
    """What is held under one mailbox."""

    mailbox: EmailAddress
    user: User | None
    holdings: Sequence[Holding]
    downloads: Sequence[Download]
    sessions: Sequence[Session]
    mails: Sequence[Mail]


@dataclass(frozen=True, slots=True)
class ShowOwnData:
    """Reads; changes nothing. Only for who proved the mailbox: a browser that paid may not know whose it is by now."""

    store: Store
    clock: Clock

    async def __call__(self, visitor: Visitor) -> OwnData | None:
        """None for a browser that proved no mailbox. Raises StoreUnavailable."""
        now = self.clock.now()

        def work(books: BooksView) -> OwnData | None:
            session = live_session(books, visitor, now=now)
            if session is None or session.mailbox is None:
                return None
            mailbox = session.mailbox
            holdings = [_without_the_payer(books, held) for held in books.holdings_of(mailbox)]
            return OwnData(
                mailbox=mailbox,
                user=books.user(mailbox),
                holdings=holdings,
                downloads=[d for held in holdings for d in books.downloads_of(held.purchase.checkout)],
                sessions=[session for session in books.sessions_of(mailbox) if session.mailbox == mailbox],
                mails=books.mails_to(mailbox),
            )

        return await self.store.read(work)


def _without_the_payer(books: BooksView, held: Holding) -> Holding:
    """Without the address given at the payment, where it may be another person's."""
    if held.purchase.paid_email is None or payer_is_owner(books, held.purchase):
        return held
    return replace(held, purchase=replace(held.purchase, paid_email=None))
