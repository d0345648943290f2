"""How many mails a browser, an address and a network may ask for: the same for every mail that proves a mailbox."""

from __future__ import annotations

from datetime import datetime

from domain.books import Books
from domain.keys import Keyring
from domain.limits import LOGIN_BY_KNOWN_BROWSER, LOGIN_BY_STRANGERS, LOGIN_PER_IP, LOGIN_PER_SESSION
from domain.session import Session, Visitor
from domain.usecases.greet import known_as
from domain.values import EmailAddress


def take_network(
    books: Books, visitor: Visitor, *, keyring: Keyring, now: datetime, ref: str
) -> datetime | None:
    """Counted before the address is looked at, so that this limit, which shows, says nothing about it."""
    return books.take(keyring.bucket(LOGIN_PER_IP.kind, visitor.network), LOGIN_PER_IP, now=now, ref=ref)


def within_limits(
    books: Books,
    session: Session,
    visitor: Visitor,
    mailbox: EmailAddress,
    *,
    keyring: Keyring,
    now: datetime,
    ref: str,
) -> bool:
    """Limits of the address never show: a limited request gets the same page, and an older mail still works."""
    bucket, address = keyring.bucket, mailbox.canonical
    per_session = bucket(LOGIN_PER_SESSION.kind, address, session.id)
    if books.take(per_session, LOGIN_PER_SESSION, now=now, ref=ref) is not None:
        return False
    who = known_as(session, visitor, mailbox, keyring=keyring)
    limit = LOGIN_BY_STRANGERS if who is None else LOGIN_BY_KNOWN_BROWSER
    return books.take(bucket(limit.kind, address, who or ""), limit, now=now, ref=ref) is None
