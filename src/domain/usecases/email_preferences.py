"""Turn emails about new versions on or off: by the link in such an email, or on the account page."""

from __future__ import annotations

from domain.frozen import frozen
from domain.keys import Keyring
from domain.ports import Clock, Store
from domain.session import Visitor
from domain.transaction import Transaction
from domain.usecases.identify_viewer import live_session


@frozen
class EmailPreferences:
    """The token of a mail can say no; saying yes again takes a proved mailbox."""

    store: Store
    keyring: Keyring
    clock: Clock

    def knows(self, token: str) -> bool:
        """Whether this shop issued a token."""
        return self.keyring.opts_out(token) is not None

    async def no_more(self, token: str) -> bool:
        """By the link in an email; False if it is invalid or its user is gone. Raises StoreUnavailable."""
        user = self.keyring.opts_out(token)
        if user is None:
            return False
        return await self.store.transact(lambda tx: tx.users.set_release_emails(user, wanted=False))

    async def here(self, visitor: Visitor, *, wanted: bool) -> bool:
        """At the desk; False if this browser proved no mailbox. Raises StoreUnavailable."""
        now = self.clock.now()

        def work(tx: Transaction) -> bool:
            session = live_session(tx, visitor, now=now)
            user = (
                None if session is None or session.mailbox is None else tx.users.by_address(session.mailbox)
            )
            return user is not None and tx.users.set_release_emails(user.id, wanted=wanted)

        return await self.store.transact(work)
