"""List the payments of a viewer that are under way, so that nobody pays twice because a bank takes days."""

from __future__ import annotations

from collections.abc import Sequence

from domain.frozen import frozen
from domain.ports import Store
from domain.purchase import Checkout
from domain.session import Session
from domain.transaction import ReadTransaction
from domain.usecases.identify_viewer import Viewer


@frozen
class ListPending:
    """Reads only."""

    store: Store

    async def __call__(self, viewer: Viewer) -> Sequence[Checkout]:
        """The oldest first; none for a viewer without a session. Raises StoreUnavailable."""
        session = viewer.session
        return () if session is None else await self.store.read(lambda tx: pending_for(tx, session))


def pending_for(tx: ReadTransaction, session: Session) -> Sequence[Checkout]:
    """What this browser, or the account that it is signed in to, paid by a debit that its bank has not answered yet."""
    return tx.open_payments.pending_in(session.id, session.mailbox)
