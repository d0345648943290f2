"""Whose address is the right one: an address mistyped at the payment, and one that changed.

Until the new address is verified nothing changes; the old one is notified, and can undo the change for 72 hours.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from domain.frozen import frozen
from domain.magic_link import MagicLink
from domain.purchase import Purchase, PurchaseState
from domain.session import Session
from domain.values import ChangeId, CheckoutId, EmailAddress, SessionId

CORRECTED_WITHIN: Final = timedelta(minutes=30)
UNDONE_WITHIN: Final = timedelta(hours=73)
"""The life of an undo link, and an hour for its mail to leave."""

BY_STAFF: Final = SessionId("")
"""Who asked, if it was no browser of the customer's: the merchant, by hand."""
_WAITS_FOR: Final = timedelta(hours=1)
_WAITS_FOR_BY_STAFF: Final = timedelta(hours=25)


class ChangeKind(Enum):
    """Why something moves to another address."""

    CORRECTION = "correction"
    """One purchase: the address given at the payment was wrong."""
    CHANGE = "change"
    """The whole account: its owner has a new address."""


@frozen
class Before:
    """How both users stood when a change of address was done."""

    since: datetime | None
    """Since when the old address was a customer's; None if it was not."""
    old_wanted_news: bool
    new_wanted_news: bool


@frozen
class AddressChange:
    """One wish to move. A link to the new address proves it, one to the old address undoes it."""

    id: ChangeId
    kind: ChangeKind
    old: EmailAddress
    new: EmailAddress
    asked_by: SessionId
    """The customer's session, or `BY_STAFF`."""
    asked_at: datetime
    checkouts: tuple[CheckoutId, ...]
    """What moves; of a change it is known once it was done."""
    done_at: datetime | None = None
    undone_at: datetime | None = None
    before: Before | None = None
    """What an undo has to bring back beside the purchases; of a change, once it was done."""

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

    @property
    def by_staff(self) -> bool:
        """Whether the merchant asked for it. Then its link works in every browser: nobody waits in one."""
        return self.asked_by == BY_STAFF

    def is_open(self, *, now: datetime) -> bool:
        """Whether it waits for its proof and may still get it: its link is good, or was sent late."""
        lasts = _WAITS_FOR_BY_STAFF if self.by_staff else _WAITS_FOR
        return self.is_pending and now < self.asked_at + lasts


def asks_here(move: AddressChange, session: Session) -> bool:
    """Whether this is the browser that asked for a change, still signed in to the account that moves."""
    return session.id == move.asked_by and session.mailbox == move.old


class MayNotCorrect(Enum):
    """Why an address cannot be corrected (any more)."""

    NOT_HERE = auto()
    """Only the browser that started the checkout can, until an address is verified in it."""
    ANOTHER_SIGNED_IN = auto()
    """The browser is signed in with an address: only that one can be added to a purchase that has none."""
    TOO_LATE = auto()
    """It is more than half an hour after the payment."""
    ONCE = auto()
    """It was corrected before."""
    CLOSED = auto()
    """The purchase is closed or in dispute: there is nothing to open, so it needs no address."""
    ENOUGH = auto()
    """Three addresses were named for it."""


def may_correct(purchase: Purchase, *, here: bool, moved: bool, now: datetime) -> MayNotCorrect | None:
    """The rule of the rescue; None if a correction may be asked for.

    `here`: whether the browser that asks holds the purchase by its checkout; `moved`: whether a correction was asked
    for before. Whether the address was ever verified does not show here: the payer must not learn it. A correction of
    a verified address is answered like any other, and nothing is sent.
    """
    if not here or purchase.mailbox is None:
        return MayNotCorrect.NOT_HERE
    if moved:
        return MayNotCorrect.ONCE
    if now - purchase.booked_at >= CORRECTED_WITHIN:
        return MayNotCorrect.TOO_LATE
    return None


def may_name_owner(purchase: Purchase, state: PurchaseState, *, here: bool) -> MayNotCorrect | None:
    """Whether an address may be named for a purchase that was paid without a usable one; None if it may.

    `here`: see `domain.access.names_here`. The purchase gets the address when the link sent there is used (see
    `works_here`).
    """
    if not here or purchase.mailbox is not None:
        return MayNotCorrect.NOT_HERE
    return None if state is PurchaseState.LIVE else MayNotCorrect.CLOSED


def works_here(link: MagicLink, session: Session | None) -> bool:
    """Whether a link that gives a purchase its owner works in this browser.

    If the browser that paid named the address, in that one alone, and no longer once it verified another address. The
    merchant's link works in every browser.
    """
    if link.asked_by is None:
        return True
    return session is not None and session.id == link.asked_by and session.mailbox in (None, link.mailbox)
