"""What a browser, an address, a network and the whole shop may cause: the same for every form that sends an email."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from domain.frozen import frozen
from domain.keys import Keyring
from domain.limits import (
    ADDRESS_BY_KNOWN_BROWSER,
    ADDRESS_BY_STRANGERS,
    ASKED_BY_STRANGERS,
    LOGIN_PER_NETWORK,
    Limit,
    networks_around,
)
from domain.mail import Urgency
from domain.session import Session, Visitor
from domain.transaction import Transaction
from domain.values import EmailAddress


@frozen
class RequestLimits:
    """The limits of one request. It holds its places under `ref`, and gives them back if it is refused."""

    keyring: Keyring
    visitor: Visitor
    now: datetime
    ref: str

    def known_as(self, session: Session | None, mailbox: EmailAddress) -> str | None:
        """What a browser that proves, or once proved, this very mailbox is counted by; None for a stranger.

        Its tag counts only if the shop issued it: an invented tag must not start a fresh count.
        """
        device = self.visitor.device
        if device is not None and self.keyring.device_holds(device, mailbox=mailbox.canonical):
            return device
        return session.id if session is not None and session.mailbox == mailbox else None

    def urgency(self, session: Session | None, mailbox: EmailAddress) -> Urgency:
        """How urgent an email to that address is, if this browser asks for it."""
        return Urgency.STRANGER if self.known_as(session, mailbox) is None else Urgency.KNOWN

    def take_in_networks(self, tx: Transaction, limit: Limit, *, ref: str | None = None) -> datetime | None:
        """Take a place in the visitor's network and in each wider one around it; when one is free if one is full.

        Then some places may be taken: give them back under `ref`, unless the visitor goes on all the same.
        """
        for network, times in networks_around(self.visitor.network):
            here = replace(limit, most=limit.most * times)
            bucket = self.keyring.bucket(limit.kind, network)
            until = tx.limits.acquire(bucket, here, now=self.now, ref=ref or self.ref)
            if until is not None:
                return until
        return None

    def take_network(self, tx: Transaction) -> datetime | None:
        """Counted before the address is looked at, so that this limit, which shows, says nothing about it."""
        until = self.take_in_networks(tx, LOGIN_PER_NETWORK)
        if until is not None:
            tx.limits.release(self.ref)
        return until

    def take_shop(self, tx: Transaction, session: Session | None, mailbox: EmailAddress) -> datetime | None:
        """Strangers share what the shop sends at their request. This limit shows, too.

        It depends on what this browser has proved, which it knows itself, and not on whether the address is known.
        """
        if self.known_as(session, mailbox) is not None:
            return None
        until = tx.limits.acquire(ASKED_BY_STRANGERS.kind, ASKED_BY_STRANGERS, now=self.now, ref=self.ref)
        if until is not None:
            tx.limits.release(self.ref)
        return until

    def take_address(self, tx: Transaction, session: Session, mailbox: EmailAddress) -> bool:
        """Whether this address may be sent one more email, of whatever form; if not, nothing is counted.

        Limits of the address never show: a limited request gets the same page, and an older mail still works.
        """
        place = f"{self.ref}:address"
        who = self.known_as(session, mailbox)
        for limit in ADDRESS_BY_STRANGERS if who is None else ADDRESS_BY_KNOWN_BROWSER:
            bucket = self.keyring.bucket(limit.kind, mailbox.canonical, who or "")
            if tx.limits.acquire(bucket, limit, now=self.now, ref=place) is not None:
                tx.limits.release(place)
                return False
        return True
