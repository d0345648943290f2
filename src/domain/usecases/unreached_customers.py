"""Which access emails bounced without their customer having been reached since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from domain import outbox_keys
from domain.mail import Delivery, Mail
from domain.transaction import ReadTransaction

_AT_ONCE: Final = 64
"""Emails that are looked at together, so that a list of fifty takes four questions and not two hundred."""


def each_unreached(tx: ReadTransaction, waiting: Sequence[Mail]) -> Iterator[Mail]:
    """Those of the waiting emails that bounced and need the merchant, read only as far as they are asked for."""
    bounced = (mail for mail in waiting if mail.delivery is Delivery.BOUNCED)
    while lot := list(islice(bounced, _AT_ONCE)):
        yield from _unreached(tx, lot)


def _unreached(tx: ReadTransaction, lot: Sequence[Mail]) -> Iterator[Mail]:
    """Without those of which nothing is left to do: sent again, verified since, moved to another address, reached."""
    owners = {user.mailbox: user for user in tx.searches.users({mail.to for mail in lot})}
    sent_again = tx.searches.email_keys([outbox_keys.anew(mail.key) for mail in lot])
    arrived = tx.searches.newest_delivered(owners.keys())
    sales = [sale for mail in lot if (sale := outbox_keys.access_checkout(mail.key)) is not None]
    boxes = {purchase.checkout: purchase.mailbox for purchase in tx.searches.booked(sales)}
    for mail in lot:
        owner, sale = owners.get(mail.to), outbox_keys.access_checkout(mail.key)
        if owner is None or (owner.proved_at is not None and owner.proved_at >= mail.queued_at):
            continue
        moved = sale is not None and boxes.get(sale, mail.to) != mail.to
        reached = mail.to in arrived and arrived[mail.to] > mail.queued_at
        if not (moved or reached or outbox_keys.anew(mail.key) in sent_again):
            yield mail
