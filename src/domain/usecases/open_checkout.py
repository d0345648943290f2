"""Write our own row of a checkout, before the provider is called."""

from __future__ import annotations

from dataclasses import replace

from domain.keys import Keyring
from domain.magic_link import REPEATED_WITHIN
from domain.product import Product
from domain.purchase import Checkout
from domain.session import NewSession, Session, Visitor
from domain.transaction import Transaction
from domain.usecases.admit_checkout import admit, why_not
from domain.usecases.checkout_outcomes import AlreadyYours, NotForSale, TooManyCheckouts, WaiverNeeded
from domain.usecases.identify_viewer import begin_session, recognise
from domain.waiver import WaiverMissing


def _repeated(tx: Transaction, session: Session, draft: Checkout) -> Checkout | None:
    """The checkout that the same form began a moment ago: submitted twice, it leads to the same payment page."""
    since = draft.started_at - REPEATED_WITHIN
    begun = tx.checkouts.begun_lately(session.id, draft.product, since=since)
    if begun is None or (begun.expires_at is not None and begun.expires_at <= draft.started_at):
        return None
    again = replace(
        draft, id=begun.id, session=session.id, mailbox=session.mailbox, started_at=begun.started_at
    )
    if begun.waiver is not None and draft.waiver is not None:
        again = replace(again, waiver=replace(draft.waiver, given_at=begun.waiver.given_at))
    again = replace(again, provider_ref=begun.provider_ref, expires_at=begun.expires_at, change=begun.change)
    return begun if again == begun else None


def open_checkout(
    tx: Transaction,
    visitor: Visitor,
    product: Product,
    draft: Checkout,
    fresh: NewSession,
    *,
    keyring: Keyring,
    again: bool,
    missing: WaiverMissing | None = None,
) -> Checkout | NotForSale | AlreadyYours | TooManyCheckouts | WaiverNeeded:
    """Write the row of a checkout, in the session of this browser, unless something keeps it from beginning.

    `again`: although it owns the product, or a payment for it is under way. `missing`: what the form lacks.
    """
    viewer = recognise(tx, visitor, now=draft.started_at)
    refused = why_not(tx, product, viewer)
    if refused is not None and not (again and isinstance(refused, AlreadyYours)):
        return refused
    if missing is not None:
        return WaiverNeeded(product, missing, again=refused if isinstance(refused, AlreadyYours) else None)
    draft = replace(draft, on_purpose=refused is not None)
    repeated = None if viewer.session is None else _repeated(tx, viewer.session, draft)
    if repeated is not None:
        return repeated
    until = admit(tx, viewer, visitor, draft, keyring=keyring)
    if until is not None:
        tx.limits.release(draft.id)
        return TooManyCheckouts(until=until)
    session = viewer.session or begin_session(tx, fresh, visitor, now=draft.started_at)
    checkout = replace(draft, session=session.id, mailbox=session.mailbox)
    tx.checkouts.add(checkout)
    return checkout
