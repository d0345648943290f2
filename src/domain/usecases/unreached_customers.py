"""Which access emails bounced without their customer having been reached since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from domain import outbox_keys
from domain.mail import Delivery, Mail
from domain.transaction import ReadTransaction


def each_unreached(tx: ReadTransaction, waiting: Sequence[Mail]) -> Iterator[Mail]:
    """Those of the waiting emails that bounced and need the merchant, one by one: each takes several questions."""
    for mail in waiting:
        if mail.delivery is Delivery.BOUNCED and not _reached_since(tx, mail):
            yield mail


def _reached_since(tx: ReadTransaction, mail: Mail) -> bool:
    """Whether nothing is left to do: sent again, verified since, moved to another address, or another email arrived."""
    owner = tx.users.by_address(mail.to)
    if owner is None or (owner.proved_at is not None and owner.proved_at >= mail.queued_at):
        return True
    if tx.outbox.get(outbox_keys.anew(mail.key)) is not None:
        return True
    checkout = outbox_keys.access_checkout(mail.key)
    purchase = None if checkout is None else tx.purchases.get(checkout)
    if purchase is not None and purchase.mailbox != mail.to:
        return True
    later = (other for other in tx.outbox.to_address(mail.to) if other.queued_at > mail.queued_at)
    return any(other.delivery is Delivery.DELIVERED for other in later)
