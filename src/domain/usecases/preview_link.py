"""What the page behind a link says before its button is pressed."""

from __future__ import annotations

from datetime import datetime

from domain.address_change import asks_here, works_here
from domain.keys import Keyring
from domain.magic_link import LinkPurpose, MagicLink, code_is_dead
from domain.session import Session, Visitor
from domain.transaction import ReadTransaction
from domain.usecases.identify_viewer import live_session
from domain.usecases.link_outcomes import ChangePreview, LinkValid, OwnerPreview


def preview(
    tx: ReadTransaction, visitor: Visitor, link: MagicLink, *, keyring: Keyring, now: datetime
) -> LinkValid:
    """What a usable link would do, and in whose account. Reads only."""
    session = live_session(tx, visitor, now=now)
    asked_here = session is not None and session.id == link.asked_by
    signed_in = session is not None and session.mailbox == link.mailbox
    move = None if link.move is None else tx.address_changes.get(link.move)
    key = keyring.named(link.key)
    return LinkValid(
        purpose=link.purpose,
        mailbox=link.mailbox,
        known_here=asked_here or signed_in,
        moving=None
        if move is None or key is None
        else ChangePreview(
            kind=move.kind,
            old=move.old,
            new=move.new,
            names=tuple(
                found.product_name for found in map(tx.purchases.get, move.checkouts) if found is not None
            ),
            merges=tx.users.exists(move.new),
            works_here=move.by_staff or (session is not None and asks_here(move, session)),
            by_staff=move.by_staff,
            code="" if code_is_dead(link) else key.code_of(link.id),
        ),
        naming=_naming(tx, link, session),
    )


def _naming(tx: ReadTransaction, link: MagicLink, session: Session | None) -> OwnerPreview | None:
    if link.purpose is not LinkPurpose.OWNER or link.checkout is None:
        return None
    purchase = tx.purchases.get(link.checkout)
    name = "" if purchase is None else purchase.product_name
    return OwnerPreview(product_name=name, here=works_here(link, session))
