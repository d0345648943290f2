"""Open a purchase: access, the state of its access email, and whether its address can still be corrected."""

from __future__ import annotations

from datetime import datetime

from domain import outbox_keys
from domain.access import Access, NotYours, Opens, Waits, access
from domain.frozen import frozen
from domain.mail import Delivery, Mail, MailState
from domain.ports import Clock, Store
from domain.purchase import Purchase
from domain.session import Session, Visitor
from domain.transaction import ReadTransaction
from domain.usecases.identify_viewer import IdentifyViewer, Viewer
from domain.usecases.note_opened import note_opened
from domain.usecases.payment_address import payment_address
from domain.values import EmailAddress, ProductId


@frozen
class AccessEmailStatus:
    """How far the access email got: `arrived` as far as we know, `returned` if it could not be delivered."""

    arrived: bool
    returned: bool


@frozen
class Opened:
    """What a browser gets when it asks for a product."""

    viewer: Viewer
    access: Access
    access_email: AccessEmailStatus | None
    """None where the mailbox is proved, and where it went to an address that was corrected since: of no use there."""
    correctable: bool
    sent_to: EmailAddress | None = None
    """See `payment_address`."""
    without_owner: bool = False
    """It was paid without an address that can be emailed: this browser may name one."""


@frozen
class OpenPurchase:
    """Changes nothing but when the purchase was first opened, once its content was shown (`note`)."""

    identify_viewer: IdentifyViewer
    store: Store
    clock: Clock

    async def __call__(self, visitor: Visitor, product: ProductId) -> Opened:
        """Raises StoreUnavailable."""
        viewer = await self.identify_viewer(visitor)
        session, now = viewer.session, self.clock.now()
        found = access(session, product=product, holdings=viewer.holdings, now=now)
        if session is None or isinstance(found, NotYours) or session.mailbox is not None:
            return Opened(viewer=viewer, access=found, access_email=None, correctable=False)
        purchase = found.purchase
        if purchase.mailbox is None:
            return Opened(
                viewer=viewer, access=found, access_email=None, correctable=False, without_owner=True
            )
        looked = await self.store.read(lambda tx: _look(tx, session, purchase, now))
        return Opened(
            viewer=viewer,
            access=found,
            access_email=looked.access_email,
            correctable=looked.correctable and isinstance(found, Opens | Waits),
            sent_to=looked.sent_to,
        )

    async def note(self, purchase: Purchase) -> None:
        """Its content is shown to a browser that holds it."""
        await note_opened(self.store, purchase, now=self.clock.now())


@frozen
class _Looked:
    access_email: AccessEmailStatus | None
    correctable: bool
    sent_to: EmailAddress | None


def _look(tx: ReadTransaction, session: Session, purchase: Purchase, now: datetime) -> _Looked:
    correction = tx.address_changes.correction_of(purchase.checkout)
    corrected = correction is not None and correction.stands
    mail = tx.outbox.get(outbox_keys.access(purchase.checkout))
    typed = payment_address(tx, session, purchase, now=now)
    return _Looked(
        access_email=None if mail is None or corrected else access_email_status(mail),
        correctable=typed is not None,
        sent_to=typed,
    )


def access_email_status(mail: Mail) -> AccessEmailStatus:
    """What became of the access email, for its buyer."""
    returned = mail.delivery is Delivery.BOUNCED or (
        mail.state is MailState.STUCK and mail.unknown_since is None
    )
    return AccessEmailStatus(arrived=mail.state is MailState.SENT and not returned, returned=returned)
