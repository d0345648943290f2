"""Everything the shop stores about a person, for that person (GDPR, articles 15 and 20)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from domain.access import Holding
from domain.frozen import frozen
from domain.mail import Mail
from domain.ports import Clock, Store
from domain.purchase import LONGEST_PAYMENT, Checkout
from domain.records import Download, User
from domain.session import Session, Visitor
from domain.transaction import ReadTransaction
from domain.usecases.identify_viewer import live_session
from domain.usecases.show_receipt import payer_is_owner
from domain.values import EmailAddress
from domain.withdrawal import Withdrawal


@frozen
class OwnData:
    """What is held under one mailbox."""

    mailbox: EmailAddress
    user: User | None
    holdings: Sequence[Holding]
    downloads: Sequence[Download]
    sessions: Sequence[Session]
    mails: Sequence[Mail]
    pending: Sequence[Checkout]
    """Payments that are under way."""
    withdrawals: Sequence[Withdrawal]
    """Those that gave this address."""


@frozen
class ShowOwnData:
    """Reads only. Requires a verified address: the browser that paid may belong to another person by now."""

    store: Store
    clock: Clock

    async def __call__(self, visitor: Visitor) -> OwnData | None:
        """None for a browser that proved no mailbox. Raises StoreUnavailable."""
        now = self.clock.now()

        def work(tx: ReadTransaction) -> OwnData | None:
            session = live_session(tx, visitor, now=now)
            if session is None or session.mailbox is None:
                return None
            return data_of(tx, session.mailbox, now=now)

        return await self.store.read(work)


def data_of(tx: ReadTransaction, mailbox: EmailAddress, *, now: datetime) -> OwnData:
    """What is held under a mailbox, whoever asks."""
    holdings = [_without_the_payer(tx, held) for held in tx.purchases.of_address(mailbox)]
    return OwnData(
        mailbox=mailbox,
        user=tx.users.by_address(mailbox),
        holdings=holdings,
        downloads=[d for held in holdings for d in tx.downloads.of_purchase(held.purchase.checkout)],
        sessions=[session for session in tx.sessions.of_address(mailbox) if session.mailbox == mailbox],
        mails=tx.outbox.to_address(mailbox),
        pending=tx.checkouts.pending_of(mailbox, since=now - LONGEST_PAYMENT),
        withdrawals=tx.withdrawals.of_address(mailbox),
    )


def _without_the_payer(tx: ReadTransaction, held: Holding) -> Holding:
    """Without the address given at the payment, where it may be another person's."""
    if held.purchase.paid_email is None or payer_is_owner(tx, held.purchase):
        return held
    return replace(held, purchase=replace(held.purchase, paid_email=None))
