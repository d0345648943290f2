"""Whose address is the right one: an address mistyped at the payment, and one that changed.

Until the new address is proved everything stays as it was; the old one is told, and can take it back for 72 hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from domain.purchase import Purchase
from domain.session import Session
from domain.values import CheckoutId, EmailAddress, MoveId, SessionId

CORRECTED_WITHIN: Final = timedelta(minutes=30)
UNDONE_WITHIN: Final = timedelta(hours=73)
"""The life of an undo link, and an hour for its mail to leave."""


class MoveKind(Enum):
    """Why something moves to another address."""

    CORRECTION = "correction"
    """One purchase: the address given at the payment was wrong."""
    CHANGE = "change"
    """Everything somebody owns: they have a new address."""


@dataclass(frozen=True, slots=True)
class Move:
    """One wish to move. A link to the new address proves it, one to the old address undoes it."""

    id: MoveId
    kind: MoveKind
    old: EmailAddress
    new: EmailAddress
    asked_by: SessionId
    asked_at: datetime
    checkouts: tuple[CheckoutId, ...]
    """What moves; of a change it is known once it was done."""
    done_at: datetime | None = None
    undone_at: datetime | None = None

    @property
    def stands(self) -> bool:
        """Whether it was done and not taken back."""
        return self.done_at is not None and self.undone_at is None

    def can_be_undone(self, *, now: datetime) -> bool:
        """Whether what it moved may still go back: its undo link is good, or its mail is still to be sent."""
        return self.stands and now < self.asked_at + UNDONE_WITHIN

    @property
    def is_pending(self) -> bool:
        """Whether it waits for its proof."""
        return self.done_at is None and self.undone_at is None


class MayNotCorrect(Enum):
    """Why an address cannot be corrected (any more), in a sentence for whoever paid."""

    NOT_HERE = "Only the browser that paid can correct the address."
    TOO_LATE = "An address can be corrected within half an hour of the payment."
    PROVED = "Somebody has proved already that the address is theirs, so it stays."
    ONCE = "The address was corrected once already. Please write to us if it is still wrong."


def may_correct(
    purchase: Purchase, session: Session | None, *, proved: bool, moved: bool, now: datetime
) -> MayNotCorrect | None:
    """The rule of the rescue; None if the address may be corrected.

    `proved`: whether somebody ever proved the mailbox; `moved`: whether a correction was asked for before.
    """
    if session is None or purchase.session != session.id or purchase.mailbox is None:
        return MayNotCorrect.NOT_HERE
    if moved:
        return MayNotCorrect.ONCE
    if proved:
        return MayNotCorrect.PROVED
    if now - purchase.booked_at >= CORRECTED_WITHIN:
        return MayNotCorrect.TOO_LATE
    return None
