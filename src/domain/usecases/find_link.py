"""Find the link of a token or of a code, and say why it does not open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from domain.access import names_here
from domain.keys import Keyring, LinkToken, same_code
from domain.magic_link import (
    MOST_CODE_TRIES,
    LinkPurpose,
    LinkState,
    MagicLink,
    code_is_dead,
    link_state,
    same_submit,
)
from domain.session import Visitor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.identify_viewer import live_session
from domain.usecases.link_outcomes import (
    ERROR_OF_STATE,
    LinkError,
    LinkRejected,
    SignedInAlready,
    StillUnowned,
)
from domain.usecases.use_link import LinkSubmit


def find_by_token(
    tx: ReadTransaction, token: LinkToken, *, keyring: Keyring, now: datetime
) -> MagicLink | LinkRejected:
    """The usable link of a token."""
    link = tx.links.get(token.id)
    key = None if link is None else keyring.named(link.key)
    if link is None or key is None or not token.is_from(key):
        return LinkRejected(error=LinkError.FORGED)
    state = link_state(link, now=now)
    if state is not LinkState.USABLE:
        return LinkRejected(error=ERROR_OF_STATE[state], renewable=link.renewable)
    return link


def find_by_code(tx: ReadTransaction, visitor: Visitor, *, now: datetime) -> list[MagicLink] | LinkRejected:
    """The usable links whose codes this browser asked for, newest first; at least one."""
    session = live_session(tx, visitor, now=now)
    links = [] if session is None else tx.links.with_code(session.id)
    if not links:
        return LinkRejected(error=LinkError.NO_CODE_HERE)
    usable = [link for link in links if link_state(link, now=now) is LinkState.USABLE]
    if not usable:
        error = ERROR_OF_STATE[link_state(links[0], now=now)]
        return turned(tx, visitor, links[0], LinkRejected(error=error), now=now)
    return [link for link in usable if not code_is_dead(link)] or LinkRejected(error=LinkError.CODE_DEAD)


def of_code(links: Iterable[MagicLink], code: str, *, keyring: Keyring) -> MagicLink | None:
    """The link with this code. All are compared, so that the time does not say which."""
    keys = [(link, keyring.named(link.key)) for link in links]
    found = [link for link, key in keys if key is not None and same_code(code, key.code_of(link.id))]
    return found[0] if found else None


def signed_in_already(
    tx: ReadTransaction, visitor: Visitor, token: LinkToken, found: LinkRejected, *, now: datetime
) -> SignedInAlready | LinkRejected:
    """Whether a link that opens nothing more belongs to the account that this browser is signed in to.

    Then there is nothing to prove: it goes on to where the link led. Else the refusal.
    """
    link = tx.links.get(token.id) if found.error in ERROR_OF_STATE.values() else None
    if link is None or not (found.error is LinkError.USED or link.renewable):
        return turned(tx, visitor, link, found, now=now)
    session = live_session(tx, visitor, now=now)
    if session is None or session.mailbox != link.mailbox:
        return found
    return SignedInAlready(product=link.product)


def turned(
    tx: ReadTransaction, visitor: Visitor, link: MagicLink | None, found: LinkRejected, *, now: datetime
) -> LinkRejected:
    """A refusal with what is left to do, if the link was to give a purchase an address and it has none yet."""
    if link is None or link.purpose is not LinkPurpose.OWNER or link.checkout is None:
        return found
    purchase = tx.purchases.get(link.checkout)
    if purchase is None or purchase.mailbox is not None or tx.erasures.is_erased(link.checkout):
        return found
    session = live_session(tx, visitor, now=now)
    here = session is not None and names_here(session, purchase, session.mailbox, now=now)
    return replace(found, unowned=StillUnowned(order=link.checkout, here=here))


def find_repeated(tx: Transaction, submit: LinkSubmit, code: str) -> MagicLink | None:
    """The link of a code that the same browser used a moment ago, whichever answer's cookie it kept."""
    held = submit.visitor.token_hash
    if held is None:
        return None
    session = live_session(tx, submit.visitor, now=submit.now)
    link = tx.links.used_with(held)
    if link is None and session is not None:
        # A browser that had verified another mailbox has a new row by now; the code belongs to the former one.
        asked = (tx.links.with_code(row) for row in (session.id, session.former) if row is not None)
        link = next((one for links in asked for one in links if submit.token_hash_of(one) == held), None)
    key = None if link is None else submit.keyring.named(link.key)
    if link is None or key is None or not same_submit(link, link.used_with, now=submit.now):
        return None
    # The right code may have been the fifth try; sent again, it must not be refused for that.
    if not tx.links.count_code_attempt([link.id], most=2 * MOST_CODE_TRIES):
        return None
    return link if same_code(code, key.code_of(link.id)) else None
