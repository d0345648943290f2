"""Find the link of a token or of a code, and say why it does not open."""

from __future__ import annotations

from datetime import datetime

from domain.keys import Keyring, LinkToken, same_code
from domain.magic_link import MOST_CODE_TRIES, LinkState, MagicLink, code_is_dead, link_state, same_submit
from domain.session import Visitor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.identify_viewer import live_session
from domain.usecases.link_outcomes import ERROR_OF_STATE, LinkError, LinkRejected
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


def find_by_code(tx: ReadTransaction, visitor: Visitor, *, now: datetime) -> MagicLink | LinkRejected:
    """The usable link whose code this browser asked for."""
    session = live_session(tx, visitor, now=now)
    link = None if session is None else tx.links.newest_with_code(session.id)
    if link is None:
        return LinkRejected(error=LinkError.NO_CODE_HERE)
    state = link_state(link, now=now)
    if state is not LinkState.USABLE:
        return LinkRejected(error=ERROR_OF_STATE[state])
    return LinkRejected(error=LinkError.CODE_DEAD) if code_is_dead(link) else link


def find_repeated(tx: Transaction, submit: LinkSubmit, code: str) -> MagicLink | None:
    """The link of a code that the same browser used a moment ago, whichever answer's cookie it kept."""
    held = submit.visitor.token_hash
    if held is None:
        return None
    session = live_session(tx, submit.visitor, now=submit.now)
    link = tx.links.used_with(held)
    if link is None and session is not None:
        # A browser that had verified another mailbox has a new row by now; the code belongs to the former one.
        asked = (tx.links.newest_with_code(row) for row in (session.id, session.former) if row is not None)
        link = next((one for one in asked if one is not None and submit.token_hash_of(one) == held), None)
    key = None if link is None else submit.keyring.named(link.key)
    if link is None or key is None or not same_submit(link, link.used_with, now=submit.now):
        return None
    # The right code may have been the fifth try; sent again, it must not be refused for that.
    if not tx.links.count_code_attempt(link.id, most=2 * MOST_CODE_TRIES):
        return None
    return link if same_code(code, key.code_of(link.id)) else None
