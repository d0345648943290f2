"""Two checkouts that a browser began at once: recognise it by the cookie of each, whichever session it kept."""

from __future__ import annotations

from datetime import datetime

from domain.keys import Keyring
from domain.ports import Store
from domain.session import Session, Visitor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.identify_viewer import live_session
from domain.values import CheckoutId, ProviderRef


async def recognise_browser(
    store: Store, visitor: Visitor, ref: ProviderRef, *, keyring: Keyring, now: datetime
) -> None:
    """A browser returns from a payment page that it opened in a session whose cookie it lost to another one.

    The checkout goes on in the session that it kept. Writes nothing in any other case.
    """

    def began_elsewhere(tx: ReadTransaction) -> CheckoutId | None:
        checkout, session = tx.checkouts.by_provider_ref(ref), live_session(tx, visitor, now=now)
        differs = checkout is not None and session is not None and checkout.session != session.id
        return checkout.id if checkout is not None and differs else None

    checkout = await store.read(began_elsewhere)
    if checkout is not None and any(one == checkout for one, _ in visitor.checkouts):
        await store.transact(lambda tx: pass_on_checkout(tx, visitor, checkout, keyring=keyring, now=now))


def pass_on_checkout(
    tx: Transaction, visitor: Visitor, checkout: CheckoutId, *, keyring: Keyring, now: datetime
) -> bool:
    """Have this browser's session hold a checkout that the same browser began in another one; whether it did.

    Only while neither session has verified an address: after that the address decides, not the browser.
    """
    session = live_session(tx, visitor, now=now)
    other = other_session(tx, visitor, checkout, keyring=keyring, now=now)
    if session is None or session.signed_in or other is None or other.id == session.id:
        return False
    return tx.checkouts.pass_on(checkout, old=other.id, session=session.id)


def other_session(
    tx: ReadTransaction, visitor: Visitor, checkout: CheckoutId, *, keyring: Keyring, now: datetime
) -> Session | None:
    """The guest's session in which this browser began a checkout, if it has the cookie of that checkout."""
    if not any(one == checkout and keyring.began_checkout(one, cookie) for one, cookie in visitor.checkouts):
        return None
    begun = tx.checkouts.get(checkout)
    other = None if begun is None or begun.session is None else tx.sessions.get(begun.session)
    return other if other is not None and other.is_live(now=now) and not other.signed_in else None


def end_other_sessions(tx: Transaction, visitor: Visitor, *, keyring: Keyring, now: datetime) -> None:
    """End every guest session of this browser that a checkout cookie proves, so that signing out ends all access."""
    for checkout, _ in visitor.checkouts:
        other = other_session(tx, visitor, checkout, keyring=keyring, now=now)
        if other is not None:
            tx.sessions.end(other.id)
