"""Ask for the confirmation of a free order, by an email to the address that was typed."""

from __future__ import annotations

from datetime import datetime

from domain.emails import ConfirmOrder
from domain.magic_link import REPEATED_WITHIN, LinkPurpose, MagicLink
from domain.product import Product
from domain.purchase import Checkout
from domain.session import NewSession, Session
from domain.transaction import Transaction
from domain.usecases.checkout_outcomes import AddressNeeded, ConfirmationEmailed, TooManyOrders
from domain.usecases.identify_viewer import begin_session
from domain.usecases.request_limits import RequestLimits
from domain.usecases.send_email import send_link
from domain.values import EmailAddress, InvalidEmail, LinkId


def email_confirmation(
    tx: Transaction,
    product: Product,
    draft: Checkout,
    held: Session | None,
    fresh: NewSession,
    limits: RequestLimits,
    *,
    typed: str | None,
) -> AddressNeeded | TooManyOrders | ConfirmationEmailed:
    """Email the address that was typed, if any was. The order is booked when the link is used."""
    if typed is None:
        return AddressNeeded(product=product)
    try:
        mailbox = EmailAddress.parse(typed)
    except InvalidEmail as error:
        return AddressNeeded(product=product, problem=error.problem)
    if held is not None and _was_just_sent(tx, held, product, mailbox, now=limits.now):
        return ConfirmationEmailed(product=product, new_token=None)
    until = limits.take_network(tx)
    if until is None:
        until = limits.take_shop(tx, held, mailbox)
    if until is not None:
        return TooManyOrders(until=until)
    session = held or begin_session(tx, fresh, limits.visitor, now=limits.now)
    if limits.take_address(tx, session, mailbox):
        tx.checkouts.add(draft)
        link = MagicLink(
            id=LinkId(limits.ref),
            key=limits.keyring.signing.name,
            purpose=LinkPurpose.ORDER,
            mailbox=mailbox,
            asked_by=session.id,
            product=product.id,
            made_at=limits.now,
            checkout=draft.id,
        )
        email = ConfirmOrder(product_name=product.name)
        send_link(tx, link, email, urgency=limits.urgency(session, mailbox), language=draft.language)
    return ConfirmationEmailed(product=product, new_token=None if held else fresh.token)


def _was_just_sent(
    tx: Transaction, session: Session, product: Product, mailbox: EmailAddress, *, now: datetime
) -> bool:
    """Whether this browser submitted the same form a moment ago, and the email is on its way."""
    sent = [link for link in tx.links.with_code(session.id) if link.purpose is LinkPurpose.ORDER]
    same = [link for link in sent if link.product == product.id and link.mailbox == mailbox]
    return any(now - link.made_at < REPEATED_WITHIN and link.used_at is None for link in same)
