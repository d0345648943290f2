"""Put an email into the outbox, in the transaction that caused it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from domain import outbox_keys
from domain.access import Holding
from domain.letters import notice_letter, open_again_letter, refunded_letter
from domain.magic_link import LinkPurpose, MagicLink
from domain.mail import Letter, Mail, MailKind, Urgency, urgency_of
from domain.product import ShopInfo
from domain.purchase import Fact, PurchaseState
from domain.transaction import Transaction
from domain.values import EmailAddress, Money

_KIND_OF: Final = {
    LinkPurpose.TICKET: MailKind.TICKET,
    LinkPurpose.LOGIN: MailKind.LOGIN,
    LinkPurpose.ORDER: MailKind.ORDER,
    LinkPurpose.MOVE: MailKind.ADDRESS,
    LinkPurpose.UNDO: MailKind.ADDRESS,
}


def send_email(
    tx: Transaction,
    letter: Letter,
    *,
    key: str,
    kind: MailKind,
    to: EmailAddress,
    now: datetime,
    key_name: str | None = None,
) -> bool:
    """Queue an email without a link under a key of `domain.outbox_keys`; whether it was not there yet.

    `key_name`: which secret fills its slots; None for a letter without any.
    """
    return tx.outbox.queue(
        Mail(
            key=key,
            kind=kind,
            to=to,
            letter=letter,
            link=None,
            key_name=key_name,
            queued_at=now,
            due_at=now,
            urgency=urgency_of(kind),
        )
    )


def send_link(
    tx: Transaction, link: MagicLink, letter: Letter, *, urgency: Urgency, key: str | None = None
) -> None:
    """Write a link, and queue the email that carries it to the address it verifies.

    `key`: None for an email that was asked for, whose link is another each time.
    """
    tx.links.add(link)
    tx.outbox.queue(
        Mail(
            key=key or outbox_keys.of_link(link),
            kind=_KIND_OF[link.purpose],
            to=link.mailbox,
            letter=letter,
            link=link.id,
            key_name=link.key,
            queued_at=link.made_at,
            due_at=link.made_at,
            urgency=urgency,
        )
    )


def notify_merchant(
    tx: Transaction, subject: str, *lines: str, key: str, shop: ShopInfo, now: datetime
) -> None:
    """A few sentences to the shop's support address, once for each key."""
    letter = notice_letter(subject=subject, lines=lines, shop=shop)
    send_email(tx, letter, key=key, kind=MailKind.NOTICE, to=shop.support, now=now)


def notify_buyer(
    tx: Transaction,
    before: Holding,
    after: Holding,
    *,
    of: Fact,
    shop: ShopInfo,
    base_url: str,
    now: datetime,
) -> None:
    """Money that went back, or access that came back: once for each refund or dispute, in whatever order they come."""
    purchase = after.purchase
    if purchase.mailbox is None:
        return
    if after.refunded > before.refunded:
        currency = purchase.paid.currency
        letter = refunded_letter(
            purchase,
            refunded=Money(after.refunded - before.refunded, currency),
            in_all=Money(after.refunded, currency),
            closed=after.standing.state is PurchaseState.REFUNDED,
            shop=shop,
        )
        key = outbox_keys.refunded(purchase.checkout, of.object_id)
        send_email(tx, letter, key=key, kind=MailKind.UPDATE, to=purchase.mailbox, now=now)
    if before.standing.state is not PurchaseState.LIVE and after.standing.state is PurchaseState.LIVE:
        letter = open_again_letter(purchase, base_url=base_url, shop=shop)
        key = outbox_keys.open_again(purchase.checkout, of.object_id)
        send_email(tx, letter, key=key, kind=MailKind.UPDATE, to=purchase.mailbox, now=now)
