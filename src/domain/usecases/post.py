"""Put a letter into the outbox, in the transaction that caused it."""

from __future__ import annotations

from datetime import datetime

from domain.books import Books
from domain.letters import notice_letter
from domain.mail import Letter, Mail, MailKind, Urgency, urgency_of
from domain.product import ShopInfo
from domain.values import EmailAddress, LinkId


def post(
    books: Books,
    letter: Letter,
    *,
    key: str,
    kind: MailKind,
    to: EmailAddress,
    now: datetime,
    link: LinkId | None = None,
    key_name: str | None = None,
    urgency: Urgency | None = None,
) -> bool:
    """Queue a letter under a key that makes it go out once; whether it was not there yet.

    `key_name`: which secret fills its slots; None for a letter without any. `urgency`: None for that of its kind.
    """
    return books.queue(
        Mail(
            key=key,
            kind=kind,
            to=to,
            letter=letter,
            link=link,
            key_name=key_name,
            queued_at=now,
            due_at=now,
            urgency=urgency_of(kind) if urgency is None else urgency,
        )
    )


def tell_merchant(books: Books, subject: str, *lines: str, key: str, shop: ShopInfo, now: datetime) -> bool:
    """A word to the shop's support address, once a key."""
    letter = notice_letter(subject=subject, lines=lines, shop=shop)
    return post(books, letter, key=f"notice:{key}", kind=MailKind.NOTICE, to=shop.support, now=now)
