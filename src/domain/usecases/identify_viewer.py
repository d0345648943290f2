"""Recognise a browser: its session if it has one, and everything that session may know of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.access import Holding, holds, owned, without_owner
from domain.address_change import ChangeKind
from domain.frozen import frozen
from domain.ports import Clock, Randomness, Store
from domain.session import NewSession, Session, Visitor
from domain.transaction import ReadTransaction, Transaction
from domain.values import EmailAddress, ProductId, SessionId, sortable_id


@frozen
class Viewer:
    """The viewer of a page: anonymous (no session), or a session and the purchases it opens now."""

    session: Session | None
    holdings: Sequence[Holding]
    without_owner: Sequence[Holding] = ()
    """Purchases without an address for which it may name one, whether they open or not."""

    @property
    def signed_in(self) -> bool:
        """Whether this browser proved a mailbox."""
        return self.session is not None and self.session.signed_in

    @property
    def holds(self) -> bool:
        """Whether this browser has any purchase, open or still without an address: signing out ends that."""
        return bool(self.holdings or self.without_owner)

    @property
    def owned(self) -> frozenset[ProductId]:
        """The products that open for this browser."""
        return owned(self.holdings)


ANONYMOUS = Viewer(session=None, holdings=())


@frozen
class IdentifyViewer:
    """Look a browser up; note at most once a day that it was seen."""

    store: Store
    clock: Clock

    async def __call__(self, visitor: Visitor) -> Viewer:
        """Raises StoreUnavailable."""
        if visitor.token_hash is None:
            return ANONYMOUS
        now = self.clock.now()
        viewer = await self.store.read(lambda tx: recognise(tx, visitor, now=now))
        session = viewer.session
        if session is not None and session.wants_seen(now=now):
            await self.store.transact(lambda tx: tx.sessions.touch(session.id, at=now))
        return viewer


def recognise(tx: ReadTransaction, visitor: Visitor, *, now: datetime) -> Viewer:
    """The viewer, and the purchases that this browser opens now."""
    session = live_session(tx, visitor, now=now)
    if session is None:
        return ANONYMOUS
    found = tx.purchases.held_by(session.id, session.mailbox)
    opened = [held for held in found if holds(session, held.purchase, now=now)]
    return Viewer(session=session, holdings=opened, without_owner=without_owner(session, found, now=now))


def live_session(tx: ReadTransaction, visitor: Visitor, *, now: datetime) -> Session | None:
    """The visitor's session, if its cookie still counts."""
    if visitor.token_hash is None:
        return None
    session = tx.sessions.by_token(visitor.token_hash)
    return session if session is not None and session.is_live(now=now) else None


def new_session(randomness: Randomness, *, now: datetime) -> NewSession:
    """What a session is made from: an id, which is no secret, and a 256-bit token in hex."""
    row = SessionId(sortable_id(now=now, entropy=randomness.token(10)))
    return NewSession(id=row, token=randomness.token(32).hex())


def begin_session(tx: Transaction, fresh: NewSession, visitor: Visitor, *, now: datetime) -> Session:
    """Write a new session that has proved nothing yet."""
    session = fresh.begin(visitor, now=now)
    tx.sessions.add(session)
    return session


def verify_mailbox(
    tx: Transaction, mailbox: EmailAddress, fresh: NewSession, visitor: Visitor, *, now: datetime
) -> None:
    """Sign a browser in as the owner of a mailbox, under a new token.

    The same row goes on, with the checkouts it made, unless it had proved another mailbox: then that row ends
    and a new one begins, which inherits nothing. Corrections away from this mailbox that still wait are taken back:
    its owner is here.
    """
    tx.users.mark_verified(mailbox, at=now)
    tx.address_changes.cancel_pending(mailbox, at=now, kind=ChangeKind.CORRECTION)
    session = live_session(tx, visitor, now=now)
    if session is not None:
        if tx.sessions.verify(session.id, mailbox=mailbox, token_hash=fresh.token_hash, at=now):
            return
        tx.sessions.end(session.id)
    former = None if session is None else session.id
    tx.sessions.add(fresh.begin(visitor, now=now, mailbox=mailbox, former=former))
