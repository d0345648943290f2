"""What a browser, an address, a network and the whole shop may cause: the same for every form that sends an email."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from domain.books import Books
from domain.keys import Keyring
from domain.limits import (
    ADDRESS_BY_KNOWN_BROWSER,
    ADDRESS_BY_STRANGERS,
    ASKED_BY_STRANGERS,
    LOGIN_PER_NETWORK,
    Limit,
    networks_around,
)
from domain.session import Session, Visitor
from domain.usecases.greet import known_as
from domain.values import EmailAddress


def take_in_networks(
    books: Books, limit: Limit, visitor: Visitor, *, keyring: Keyring, now: datetime, ref: str
) -> datetime | None:
    """Take a place in the visitor's network and in each wider one around it; when one is free if one of them is full.

    Then some places may be taken: give them back under `ref`, unless the visitor goes on all the same.
    """
    for network, times in networks_around(visitor.network):
        here = replace(limit, most=limit.most * times)
        until = books.take(keyring.bucket(limit.kind, network), here, now=now, ref=ref)
        if until is not None:
            return until
    return None


def take_network(
    books: Books, visitor: Visitor, *, keyring: Keyring, now: datetime, ref: str
) -> datetime | None:
    """Counted before the address is looked at, so that this limit, which shows, says nothing about it."""
    until = take_in_networks(books, LOGIN_PER_NETWORK, visitor, keyring=keyring, now=now, ref=ref)
    if until is not None:
        books.give_back(ref)
    return until


def take_shop(
    books: Books,
    session: Session | None,
    visitor: Visitor,
    mailbox: EmailAddress,
    *,
    keyring: Keyring,
    now: datetime,
    ref: str,
) -> datetime | None:
    """Strangers share what the shop sends at their request. This limit shows, too.

    It depends on what this browser has proved, which it knows itself, and not on whether the address is known.
    """
    if known_as(session, visitor, mailbox, keyring=keyring) is not None:
        return None
    until = books.take(ASKED_BY_STRANGERS.kind, ASKED_BY_STRANGERS, now=now, ref=ref)
    if until is not None:
        books.give_back(ref)
    return until


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
    """Whether this address may be sent one more email, of whatever form; if not, nothing is counted.

    Limits of the address never show: a limited request gets the same page, and an older mail still works.
    """
    place = f"{ref}:address"
    who = known_as(session, visitor, mailbox, keyring=keyring)
    for limit in ADDRESS_BY_STRANGERS if who is None else ADDRESS_BY_KNOWN_BROWSER:
        bucket = keyring.bucket(limit.kind, mailbox.canonical, who or "")
        if books.take(bucket, limit, now=now, ref=place) is not None:
            books.give_back(place)
            return False
    return True
