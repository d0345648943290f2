"""Email a new access link, to the address that the purchase belongs to."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, auto

from domain import outbox_keys
from domain.access import Holding, holds
from domain.frozen import frozen
from domain.keys import Keyring
from domain.limits import ACCESS_LINKS_AGAIN
from domain.magic_link import access_link
from domain.mail import Urgency
from domain.ports import Catalogue, Clock, Randomness, Store
from domain.product import CatalogueEdition
from domain.purchase import PurchaseState
from domain.session import Visitor
from domain.transaction import Transaction
from domain.usecases.identify_viewer import live_session
from domain.usecases.send_email import access_email, send_link
from domain.values import CheckoutId, EmailAddress, LinkId


class Resent(Enum):
    """What became of the wish."""

    QUEUED = auto()
    NOT_YOURS = auto()
    """This browser may not know of that purchase; or it is closed, so there is nothing to open."""
    ENOUGH = auto()
    """It was sent several times just now: look in the mail first."""


@frozen
class ResendAccessLink:
    """Any browser that may see a purchase may ask for its access link; the email goes to the owner's address only."""

    store: Store
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def __call__(self, visitor: Visitor, order: CheckoutId) -> Resent:
        """Raises StoreUnavailable."""
        now = self.clock.now()
        edition = self.catalogue.current()
        link = LinkId(self.randomness.token(16).hex())

        def work(tx: Transaction) -> Resent:
            session = live_session(tx, visitor, now=now)
            held = tx.purchases.with_facts(order)
            if session is None or held is None or not holds(session, held.purchase, now=now):
                return Resent.NOT_YOURS
            purchase = held.purchase
            if purchase.mailbox is None or held.standing.state is not PurchaseState.LIVE:
                return Resent.NOT_YOURS
            # The owner has an allowance apart from that of the browser that started the checkout.
            whose = "owner" if session.signed_in else "checkout"
            bucket = self.keyring.bucket(ACCESS_LINKS_AGAIN.kind, order, whose)
            if tx.limits.acquire(bucket, ACCESS_LINKS_AGAIN, now=now, ref=link) is not None:
                return Resent.ENOUGH
            key = self.keyring.signing.name
            send_access_again(tx, held, purchase.mailbox, link=link, edition=edition, key=key, now=now)
            return Resent.QUEUED

        return await self.store.transact(work)


def send_access_again(
    tx: Transaction,
    held: Holding,
    mailbox: EmailAddress,
    *,
    link: LinkId,
    edition: CatalogueEdition,
    key: str,
    now: datetime,
) -> None:
    """Queue the access email of a purchase under a new key and with a new link. `key`: the name of the one that signs.

    `mailbox` is the one that the purchase belongs to.
    """
    purchase = held.purchase
    send_link(
        tx,
        access_link(purchase.product, mailbox, link=link, key=key, now=now),
        access_email(purchase, held.usable_keys(now), edition=edition, now=now),
        urgency=Urgency.KNOWN,
        key=outbox_keys.access_again(purchase.checkout, link),
    )
