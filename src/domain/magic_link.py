"""Magic links: a single-use, expiring proof of a mailbox, and the code that a login mail carries beside it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from domain.frozen import frozen, maker
from domain.values import ChangeId, CheckoutId, Digest, EmailAddress, LinkId, ProductId, SessionId

ACCESS_LIFETIME: Final = timedelta(hours=24)
LOGIN_LIFETIME: Final = timedelta(minutes=15)
UNDO_LIFETIME: Final = timedelta(hours=72)
PROOF_LIFETIME: Final = timedelta(days=14)
UNSENT_LIFETIME: Final = timedelta(days=7)
"""A link whose mail never left dies too: longer than any mail is tried."""
MOST_CODE_TRIES: Final = 5
REPEATED_WITHIN: Final = timedelta(seconds=60)
"""A double click, or a browser that sends a form again because the first answer was lost."""


class LinkPurpose(Enum):
    """Why a link was made, and so what it does beside proving the mailbox."""

    ACCESS = "access"
    LOGIN = "login"
    """A requested sign-in."""
    ORDER = "order"
    """Something free was ordered: it is booked with the proof."""
    MOVE = "move"
    """This is to be the right address (`domain.address_change.Move`)."""
    UNDO = "undo"
    """Takes a move back."""
    OWNER = "owner"
    """Gives this address a purchase that was paid without one that can be emailed."""
    WITHDRAWAL = "withdrawal"
    """Confirms that a withdrawal from a purchase is its owner's (`domain.withdrawal`)."""

    @property
    def lifetime(self) -> timedelta:
        """How long it opens, from when its mail was handed over."""
        match self:
            case LinkPurpose.ACCESS:
                return ACCESS_LIFETIME
            case LinkPurpose.UNDO:
                return UNDO_LIFETIME
            case LinkPurpose.WITHDRAWAL:
                return PROOF_LIFETIME
            case _:
                return LOGIN_LIFETIME


@frozen
class MagicLink:
    """One link. Its id is no secret: token and code come from the id and the key named `key`."""

    id: LinkId
    key: str
    purpose: LinkPurpose
    mailbox: EmailAddress
    asked_by: SessionId | None
    """The browser in which its code works; None for a link that nobody asked for in a browser: it has no code."""
    product: ProductId | None
    """What it is about: where to go after signing in."""
    made_at: datetime
    sent_at: datetime | None = None
    """When its mail was first handed over; time runs from then."""
    used_at: datetime | None = None
    superseded: bool = False
    """Another sign-in link that the same browser asked for, for the same address, was used."""
    code_tries: int = 0
    checkout: CheckoutId | None = None
    """The free order that it completes, the purchase that it gives an owner, or the one that is withdrawn from."""
    move: ChangeId | None = None
    """The move that it proves or undoes."""
    used_with: Digest | None = None
    """The hash of the cookie that came with the submit that used it; see `same_submit`."""

    def expires_at(self) -> datetime:
        """The moment from which it no longer opens anything."""
        if self.sent_at is None:
            return self.made_at + UNSENT_LIFETIME
        if self.purpose in (LinkPurpose.OWNER, LinkPurpose.MOVE) and self.asked_by is None:
            return self.sent_at + ACCESS_LIFETIME  # the merchant sent it: nobody is waiting for it
        return self.sent_at + self.purpose.lifetime

    @property
    def renewable(self) -> bool:
        """Whether a sign-in email to the same address does what this link did, so that it can take its place."""
        return self.purpose in (LinkPurpose.ACCESS, LinkPurpose.LOGIN)


_make = maker(MagicLink)


def access_link(
    product: ProductId, mailbox: EmailAddress, *, link: LinkId, key: str, now: datetime
) -> MagicLink:
    """The link of an access email: it opens what was bought, and signs its owner in. It has no code."""
    return _make(
        id=link,
        key=key,
        purpose=LinkPurpose.ACCESS,
        mailbox=mailbox,
        asked_by=None,
        product=product,
        made_at=now,
    )


class LinkState(Enum):
    """Whether a link can still be used, and if not, why."""

    USABLE = auto()
    USED = auto()
    SUPERSEDED = auto()
    EXPIRED = auto()


def link_state(link: MagicLink, *, now: datetime) -> LinkState:
    """The rule of single use and expiry. USED outranks the rest: the owner must learn of a use."""
    if link.used_at is not None:
        return LinkState.USED
    if link.superseded:
        return LinkState.SUPERSEDED
    if now >= link.expires_at():
        return LinkState.EXPIRED
    return LinkState.USABLE


def same_submit(link: MagicLink, cookie: Digest | None, *, now: datetime) -> bool:
    """Whether a submit is the one that used the link, sent again: the same cookie, within a minute.

    Then it gets the same answer. Without that cookie, with another, or later, the link is used.
    """
    if link.used_at is None or link.used_with is None or cookie != link.used_with:
        return False
    return now - link.used_at < REPEATED_WITHIN


def tries_so_far(links: Iterable[MagicLink], *, now: datetime) -> int:
    """How often a browser has tried the codes that it can still use: they share their five tries.

    Where none is left, the next one begins anew: how many a browser can ask for is limited.
    """
    alive = [
        link for link in links if link_state(link, now=now) is LinkState.USABLE and not code_is_dead(link)
    ]
    return max((link.code_tries for link in alive), default=0)


def code_is_dead(link: MagicLink) -> bool:
    """Five wrong tries end the code; the link in the mail goes on working."""
    return link.code_tries >= MOST_CODE_TRIES
