"""A signed-in user chooses a language; emails to them are written in it."""

from __future__ import annotations

from domain.frozen import frozen
from domain.ports import Clock, Store
from domain.session import Visitor
from domain.transaction import Transaction
from domain.usecases.identify_viewer import live_session
from domain.usecases.send_email import language_of
from domain.values import EmailAddress


@frozen
class ChooseLanguage:
    """A visitor without a purchase is no user yet: nothing is written for them."""

    store: Store
    clock: Clock

    async def __call__(self, visitor: Visitor, language: str) -> None:
        """`language`: one of the shop's. Raises StoreUnavailable."""
        now = self.clock.now()

        def work(tx: Transaction) -> None:
            session = live_session(tx, visitor, now=now)
            if session is not None and session.mailbox is not None:
                tx.users.set_language(session.mailbox, language)

        await self.store.transact(work)

    async def of(self, mailbox: EmailAddress) -> str:
        """The language of a user's emails; "" for the shop's first one. Raises StoreUnavailable."""
        return await self.store.read(lambda tx: language_of(tx, mailbox))
