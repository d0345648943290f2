"""Why an account cannot be deleted now: what may still come back, and what is still to come."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, auto

from domain.address_change import AddressChange, ChangeKind
from domain.purchase import LONGEST_PAYMENT
from domain.session import Session
from domain.transaction import ReadTransaction
from domain.values import ChangeId, EmailAddress


class Erased(Enum):
    """The outcome of the request."""

    DONE = auto()
    NOT_SIGNED_IN = auto()
    """Deleting an account requires that its address is verified."""
    PROVE_AGAIN = auto()
    """It was proved too long ago for something that cannot be undone (OWASP ASVS 5.0, 7.5.1)."""
    TOO_SOON = auto()
    """What came to this address by a change, or was moved on from it since, may still be taken back by the old one."""
    PAYMENT_PENDING = auto()
    """A payment is under way: what it pays for would belong to nobody."""


def why_not_erased(
    tx: ReadTransaction, session: Session, mailbox: EmailAddress, *, now: datetime
) -> Erased | None:
    """What keeps the account of a session from being deleted now; None if nothing does."""
    return why_not_yet(tx, mailbox, now=now) if session.verified_lately(now=now) else Erased.PROVE_AGAIN


def why_not_yet(tx: ReadTransaction, mailbox: EmailAddress, *, now: datetime) -> Erased | None:
    """What keeps an address from being erased now, whoever asks; None if nothing does."""
    found = undoable(tx, mailbox, now=now)
    if any(move.kind is ChangeKind.CHANGE or _went_on(tx, move, mailbox) for move in found):
        return Erased.TOO_SOON
    return Erased.PAYMENT_PENDING if tx.checkouts.pending_of(mailbox, since=now - LONGEST_PAYMENT) else None


def undoable(tx: ReadTransaction, mailbox: EmailAddress, *, now: datetime) -> list[AddressChange]:
    """What brought purchases to an address and may still be undone."""
    return [move for move in changes_to(tx, mailbox) if move.can_be_undone(now=now)]


def changes_to(tx: ReadTransaction, mailbox: EmailAddress) -> list[AddressChange]:
    """The changes that stand and brought purchases here, also the earlier ones whose purchases they took further."""
    found: dict[ChangeId, AddressChange] = {}
    reached: list[tuple[EmailAddress, datetime | None]] = [(mailbox, None)]
    for address, left_at in reached:
        for move in tx.address_changes.done_to(address):
            earlier = left_at is None or (move.done_at is not None and move.done_at <= left_at)
            if earlier and move.id not in found:
                found[move.id] = move
                reached.append((move.old, move.done_at))
    return list(found.values())


def _went_on(tx: ReadTransaction, move: AddressChange, mailbox: EmailAddress) -> bool:
    """Whether something that a move brought belongs to another address by now, so that it is not ours to hand back."""
    owners = {None if found is None else found.mailbox for found in map(tx.purchases.get, move.checkouts)}
    return not owners <= {None, mailbox, move.old}
