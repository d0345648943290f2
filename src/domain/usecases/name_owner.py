"""Give a purchase that was paid without a usable address its owner: the browser that paid names an address.

Naming gives nothing: the address gets a link, and the purchase gets the address when that link is used, by the same
browser. The merchant can send such a link, too (`domain.usecases.send_owner_link`); it works in any browser.
"""

from __future__ import annotations

from domain.access import names_here
from domain.address_change import MayNotCorrect, may_name_owner, works_here
from domain.emails import ConfirmOwner as ConfirmOwnerEmail
from domain.fact import FactKind
from domain.limits import OWNER_NAMED_TWICE, OWNERS_NAMED
from domain.magic_link import LinkPurpose, MagicLink
from domain.mail import Urgency
from domain.purchase import Purchase, order_number
from domain.session import Session
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.book_sale import Booking
from domain.usecases.change_outcomes import Asked, ConfirmOwner
from domain.usecases.link_outcomes import LinkError
from domain.usecases.request_limits import RequestLimits
from domain.usecases.request_login import TooManyRequests
from domain.usecases.send_email import send_link
from domain.values import CheckoutId, EmailAddress, LinkId


def name_owner(
    tx: Transaction,
    session: Session | None,
    order: CheckoutId,
    mailbox: EmailAddress,
    *,
    limits: RequestLimits,
) -> Asked:
    """Email a link to the address that this browser names, within the limits; it works in this browser only."""
    held = tx.purchases.with_facts(order)
    if session is None or held is None:
        return MayNotCorrect.NOT_HERE
    here = names_here(session, held.purchase, mailbox, now=limits.now)
    why = may_name_owner(held.purchase, held.standing.state, here=here)
    if why is not None:
        signed_in = names_here(session, held.purchase, session.mailbox, now=limits.now) and not here
        return MayNotCorrect.ANOTHER_SIGNED_IN if signed_in and held.purchase.mailbox is None else why
    keyring, now, ref = limits.keyring, limits.now, limits.ref
    twice = keyring.bucket(OWNER_NAMED_TWICE.kind, order, mailbox.canonical)
    if tx.limits.acquire(twice, OWNER_NAMED_TWICE, now=now, ref=ref) is not None:
        return ConfirmOwner()
    until = limits.take_network(tx)
    if until is None:
        until = limits.take_shop(tx, session, mailbox)
    if until is not None:
        tx.limits.release(ref)
        return TooManyRequests(until=until)
    if (
        tx.limits.acquire(keyring.bucket(OWNERS_NAMED.kind, order), OWNERS_NAMED, now=now, ref=ref)
        is not None
    ):
        tx.limits.release(ref)
        return MayNotCorrect.ENOUGH
    if limits.take_address(tx, session, mailbox):
        send_owner_email(tx, held.purchase, mailbox, asked_by=session, limits=limits)
    return ConfirmOwner()


def send_owner_email(
    tx: Transaction,
    purchase: Purchase,
    mailbox: EmailAddress,
    *,
    asked_by: Session | None,
    limits: RequestLimits,
) -> None:
    """Email the link that gives an address a purchase. `asked_by`: None if the merchant sends it."""
    link = MagicLink(
        id=LinkId(limits.ref),
        key=limits.keyring.signing.name,
        purpose=LinkPurpose.OWNER,
        mailbox=mailbox,
        asked_by=None if asked_by is None else asked_by.id,
        product=purchase.product,
        made_at=limits.now,
        checkout=purchase.checkout,
    )
    email = ConfirmOwnerEmail(
        product_name=purchase.product_name,
        order=order_number(purchase.checkout),
        here_only=asked_by is not None,
    )
    # Each was paid for, so nobody can cause any number of them.
    send_link(tx, link, email, urgency=Urgency.KNOWN)


def why_no_owner(tx: ReadTransaction, link: MagicLink, session: Session | None) -> LinkError | None:
    """Why a link gives its address nothing, here and now; then nothing is used up."""
    purchase = None if link.checkout is None else tx.purchases.get(link.checkout)
    if purchase is None or (purchase.mailbox is None and tx.erasures.is_erased(purchase.checkout)):
        return LinkError.HAS_OWNER
    if purchase.mailbox is not None and purchase.mailbox != link.mailbox:
        return LinkError.HAS_OWNER
    return None if works_here(link, session) else LinkError.ELSEWHERE


def give_owner(tx: Transaction, link: MagicLink, *, booking: Booking) -> bool:
    """The link was used: the purchase belongs to its address from now on, and its one access email is queued."""
    purchase = None if link.checkout is None else tx.purchases.get(link.checkout)
    if purchase is None or purchase.mailbox is not None:
        return purchase is not None and purchase.mailbox == link.mailbox
    checkout = tx.checkouts.get(purchase.checkout)
    language = "" if checkout is None else checkout.language
    user = tx.users.get_or_add(link.mailbox, new_id=booking.user, now=booking.now, language=language)
    tx.purchases.transfer([purchase.checkout], old=None, mailbox=link.mailbox, user=user)
    held = tx.purchases.with_facts(purchase.checkout)
    if held is None or held.purchase.mailbox != link.mailbox:
        # The transaction is serializable, and `why_no_owner` was asked in it.
        raise AssertionError(f"purchase {purchase.checkout} did not get its owner")
    booking.send_access_link(tx, held.purchase, link.mailbox, held.usable_keys(booking.now))
    booking.catch_up(tx, held.purchase, [fact for fact in held.facts if fact.kind is not FactKind.SESSION])
    return True
