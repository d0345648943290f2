"""End sessions: this one, another of the same account, or all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.access import CHECKOUT_GRANT
from domain.address_change import ChangeKind
from domain.frozen import frozen
from domain.keys import Keyring
from domain.ports import Clock, Store
from domain.session import Session, Visitor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.finish_address_change import carried_on
from domain.usecases.identify_viewer import live_session
from domain.usecases.same_browser import end_other_sessions
from domain.values import EmailAddress, SessionId


@frozen
class OwnSessions:
    """The sessions of an account, newest first; `current` is the browser that asks."""

    current: Session
    all: Sequence[Session]
    """Sessions that verified the address, and those that a change of address carried away from it."""
    holders: Sequence[Session] = ()
    """Browsers that verified nothing: each opens a purchase of this account because it started the checkout."""


@frozen
class SignOut:
    """Signing out ends the row on the server; a stolen cookie is worth nothing after it."""

    store: Store
    keyring: Keyring
    clock: Clock

    async def here(self, visitor: Visitor) -> None:
        """End this browser's session. Raises StoreUnavailable."""
        now = self.clock.now()

        def work(tx: Transaction) -> None:
            if (session := live_session(tx, visitor, now=now)) is not None:
                tx.sessions.end(session.id)
            end_other_sessions(tx, visitor, keyring=self.keyring, now=now)

        await self.store.transact(work)

    async def everywhere(self, visitor: Visitor) -> None:
        """End every session of this one's mailbox, whatever else opens its purchases, and this one.

        Changes of address that any of those browsers requested and that are not confirmed yet are withdrawn.
        Raises StoreUnavailable.
        """
        now = self.clock.now()

        def work(tx: Transaction) -> None:
            session = live_session(tx, visitor, now=now)
            if session is not None and session.mailbox is not None:
                end_all_of(tx, session.mailbox, now)
            if session is not None:
                tx.sessions.end(session.id)
            end_other_sessions(tx, visitor, keyring=self.keyring, now=now)

        await self.store.transact(work)

    async def one(self, visitor: Visitor, session: SessionId) -> bool:
        """End a session of this account; of another's, only what it holds of this one. Raises StoreUnavailable."""
        now = self.clock.now()

        def work(tx: Transaction) -> bool:
            if (own := _own(tx, visitor, now)) is None:
                return False
            if any(s.id == session for s in own.all):
                return tx.sessions.end(session)
            mailbox = own.current.mailbox
            if mailbox is None or all(s.id != session for s in own.holders):
                return False
            return tx.purchases.detach_sessions(mailbox, session=session) > 0

        return await self.store.transact(work)

    async def list(self, visitor: Visitor) -> OwnSessions | None:
        """The sessions of this account; None for a browser without a session. Raises StoreUnavailable."""
        now = self.clock.now()
        return await self.store.read(lambda tx: _own(tx, visitor, now))


def end_all_of(tx: Transaction, mailbox: EmailAddress, now: datetime) -> None:
    """End every session of a mailbox, and withdraw the changes of address that wait to be confirmed."""
    for own in _sessions(tx, mailbox, now):
        tx.sessions.end(own.id)
    for change in tx.address_changes.done_from(mailbox):
        if change.kind is ChangeKind.CHANGE and change.can_be_undone(now=now):
            for onward in carried_on(tx, change):
                tx.sessions.end_of_change(onward.id)
    tx.sessions.end_of_address(mailbox)
    tx.purchases.detach_sessions(mailbox)
    tx.address_changes.cancel_pending(mailbox, at=now)


def _own(tx: ReadTransaction, visitor: Visitor, now: datetime) -> OwnSessions | None:
    current = live_session(tx, visitor, now=now)
    if current is None:
        return None
    if current.mailbox is None:
        return OwnSessions(current=current, all=(current,))
    live = [s for s in _sessions(tx, current.mailbox, now) if s.is_live(now=now)]
    found = tx.sessions.holders_of(current.mailbox, since=now - CHECKOUT_GRANT)
    return OwnSessions(current=current, all=live, holders=[s for s in found if s.is_live(now=now)])


def _sessions(tx: ReadTransaction, mailbox: EmailAddress, now: datetime) -> list[Session]:
    """Those of a mailbox, and those that a change carried away from it, as long as it can be undone.

    After that the address may belong to another person, who must not see the sessions of its former owner.
    """

    def may_come_back(session: Session) -> bool:
        change = None if session.change is None else tx.address_changes.get(session.change)
        return change is not None and change.can_be_undone(now=now)

    return [s for s in tx.sessions.of_address(mailbox) if s.mailbox == mailbox or may_come_back(s)]
