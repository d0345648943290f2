"""Show the merchant who a customer is and what happened: orders, emails, downloads, sessions, address changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime

from domain.access import Holding
from domain.address_change import AddressChange
from domain.frozen import frozen
from domain.going_live import STARTED_LIVE
from domain.mail import Mail, MailKind
from domain.ports import Clock, Store
from domain.purchase import LONGEST_PAYMENT, Checkout
from domain.records import Download, User
from domain.refund import RefundRequest
from domain.session import Session
from domain.transaction import ReadTransaction
from domain.usecases.find_order import SeveralOrders, find_order
from domain.usecases.request_login import NotAnAddress
from domain.usecases.waiver_proofs import proof_of
from domain.values import CheckoutId, EmailAddress, InvalidEmail
from domain.waiver_proof import WaiverProof


@frozen
class Customer:
    """What is known about one address, as of `now`; or about one order that belongs to none."""

    now: datetime
    gone_live: bool
    """Then test purchases open nothing."""
    mailbox: EmailAddress | None
    """None for an order without an address, and for one whose customer was erased."""
    erased_at: datetime | None
    """When the customer of its one order was erased."""
    user: User | None
    """None if nothing was bought under the address, or nothing is left of it there."""
    holdings: Sequence[Holding]
    downloads: Sequence[Download]
    refunds: Sequence[RefundRequest] = ()
    """What was asked for by hand, for any of the orders."""
    pending: Sequence[Checkout] = ()
    """Payments that are under way."""
    mails: Sequence[Mail] = ()
    """Without those that the shop sent to its merchant."""
    sessions: Sequence[Session] = ()
    """Browsers that verified the address, live or expired, until they are pruned."""
    changes: Sequence[AddressChange] = ()
    waivers: Mapping[CheckoutId, WaiverProof] = field(default_factory=dict)
    """Of the orders with which the right of withdrawal was waived."""


@frozen
class ShowCustomer:
    """`coatcheck customer`. Reads only."""

    store: Store
    clock: Clock

    async def __call__(self, wanted: str) -> Customer | SeveralOrders | NotAnAddress | None:
        """`wanted`: an address, or an order (`find_order`). None if nothing is known of it. Raises StoreUnavailable."""
        now = self.clock.now()
        if "@" not in wanted:
            return await self.store.read(lambda tx: _by_order(tx, wanted, now))
        try:
            mailbox = EmailAddress.parse(wanted)
        except InvalidEmail as error:
            return NotAnAddress(error.problem)
        return await self.store.read(lambda tx: show_address(tx, mailbox, now))


def _by_order(tx: ReadTransaction, order: str, now: datetime) -> Customer | SeveralOrders | None:
    held = find_order(tx, order)
    if held is None or isinstance(held, SeveralOrders):
        return held
    if held.purchase.mailbox is not None:
        return show_address(tx, held.purchase.mailbox, now)
    return Customer(
        now=now,
        gone_live=tx.shop.cursor(STARTED_LIVE) is not None,
        mailbox=None,
        erased_at=tx.erasures.erased_at([held.purchase.checkout]).get(held.purchase.checkout),
        user=None,
        holdings=[held],
        downloads=tx.downloads.of_purchase(held.purchase.checkout),
        refunds=tx.refund_requests.of_purchase(held.purchase.checkout),
        waivers=_waivers(tx, [held]),
    )


def show_address(tx: ReadTransaction, mailbox: EmailAddress, now: datetime) -> Customer | None:
    """What is known about an address; None if nothing is."""
    holdings = tx.purchases.of_address(mailbox)
    found = Customer(
        now=now,
        gone_live=tx.shop.cursor(STARTED_LIVE) is not None,
        mailbox=mailbox,
        erased_at=None,
        user=tx.users.by_address(mailbox),
        holdings=holdings,
        downloads=[d for held in holdings for d in tx.downloads.of_purchase(held.purchase.checkout)],
        refunds=[r for held in holdings for r in tx.refund_requests.of_purchase(held.purchase.checkout)],
        pending=tx.checkouts.pending_of(mailbox, since=now - LONGEST_PAYMENT),
        mails=[mail for mail in tx.outbox.to_address(mailbox) if mail.kind is not MailKind.NOTICE],
        sessions=[one for one in tx.sessions.of_address(mailbox) if one.mailbox == mailbox],
        changes=tx.address_changes.of_address(mailbox),
        waivers=_waivers(tx, holdings),
    )
    known = found.user, found.pending, found.mails, found.sessions, found.changes
    return found if any(known) else None


def _waivers(tx: ReadTransaction, holdings: Sequence[Holding]) -> dict[CheckoutId, WaiverProof]:
    found = {held.purchase.checkout: proof_of(tx, held.purchase) for held in holdings}
    return {checkout: proof for checkout, proof in found.items() if proof is not None}
