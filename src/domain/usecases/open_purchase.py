"""Open a purchase: access, the state of its access email, and whether its address can still be corrected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain import outbox_keys
from domain.access import Access, NotYours, Opens, access, holds_by_checkout
from domain.address_change import may_correct
from domain.mail import Delivery, Mail, MailState
from domain.ports import Clock, Store
from domain.purchase import Purchase
from domain.session import Session, Visitor
from domain.transaction import ReadTransaction
from domain.usecases.identify_viewer import IdentifyViewer, Viewer
from domain.values import ProductId


@dataclass(frozen=True, slots=True)
class AccessEmailStatus:
    """How far the access email got: `arrived` as far as we know, `returned` if it could not be delivered."""

    arrived: bool
    returned: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """What a browser gets when it asks for a product."""

    viewer: Viewer
    access: Access
    access_email: AccessEmailStatus | None
    """None where the mailbox is proved: then there is no need of it."""
    correctable: bool


@dataclass(frozen=True, slots=True)
class OpenPurchase:
    """Changes nothing."""

    identify_viewer: IdentifyViewer
    store: Store
    clock: Clock

    async def __call__(self, visitor: Visitor, product: ProductId) -> Opened:
        """Raises StoreUnavailable."""
        viewer = await self.identify_viewer(visitor)
        session, now = viewer.session, self.clock.now()
        found = access(session, product=product, holdings=viewer.holdings, now=now)
        if session is None or isinstance(found, NotYours) or session.mailbox == found.purchase.mailbox:
            return Opened(viewer=viewer, access=found, access_email=None, correctable=False)
        purchase = found.purchase
        access_email, correctable = await self.store.read(lambda tx: _look(tx, session, purchase, now))
        return Opened(
            viewer=viewer,
            access=found,
            access_email=access_email,
            correctable=correctable and isinstance(found, Opens),
        )


def _look(
    tx: ReadTransaction, session: Session, purchase: Purchase, now: datetime
) -> tuple[AccessEmailStatus | None, bool]:
    moved = tx.address_changes.was_corrected(purchase.checkout)
    mail = tx.outbox.get(outbox_keys.access(purchase.checkout))
    here = holds_by_checkout(session, purchase, now=now)
    why = may_correct(purchase, here=here, moved=moved, now=now)
    return (None if mail is None else access_email_status(mail)), why is None


def access_email_status(mail: Mail) -> AccessEmailStatus:
    """What became of the access email, for its buyer."""
    returned = mail.delivery is Delivery.BOUNCED or (
        mail.state is MailState.STUCK and mail.unknown_since is None
    )
    return AccessEmailStatus(arrived=mail.state is MailState.SENT and not returned, returned=returned)
