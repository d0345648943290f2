"""What comes of opening a link or typing a code; one vocabulary from the rule to the page."""

from __future__ import annotations

from enum import Enum, auto

from domain.address_change import ChangeKind
from domain.frozen import frozen
from domain.magic_link import LinkPurpose, LinkState
from domain.values import CheckoutId, EmailAddress, ProductId


@frozen
class SignedIn:
    """The mailbox is proved. `token` is the session's new cookie, `device` the tag of a browser that proved it."""

    token: str
    device: str
    mailbox: EmailAddress
    product: ProductId | None
    purpose: LinkPurpose
    """What else the link did."""


@frozen
class SignedInAlready:
    """The link opens nothing more, but this browser is signed in to its account: go on to the product."""

    product: ProductId | None


class LinkError(Enum):
    """Why a link or a code does not open."""

    TRUNCATED = auto()
    """Not the whole link: mail programs cut long lines."""
    FORGED = auto()
    """This shop did not issue the link, or its secret was removed."""
    USED = auto()
    SUPERSEDED = auto()
    EXPIRED = auto()
    WRONG_CODE = auto()
    CODE_DEAD = auto()
    """Five wrong tries; the link in the same mail still works."""
    NO_CODE_HERE = auto()
    """This browser asked for no code."""
    WITHDRAWN = auto()
    """Its change of address was undone, or the owner of the old address verified it."""
    ELSEWHERE = auto()
    """A change of address, or an address named for a purchase, is confirmed only in the browser that asked for it.
    Nothing was used up."""
    HAS_OWNER = auto()
    """The purchase that it would give to its address belongs to another one. Nothing was used up."""
    SOLD_OUT = auto()
    """The last free copy was taken by another order. Nothing was used up."""
    NO_LONGER_SOLD = auto()
    """The merchant ended the sale before the free order was confirmed. Nothing was used up."""


@frozen
class StillUnowned:
    """The order that a link was to give an address has none yet. `here`: this browser may name one again."""

    order: CheckoutId
    here: bool


@frozen
class LinkRejected:
    """It does not open; `tries_left` for a wrong code; `renewable`: a new mail can be sent without typing."""

    error: LinkError
    tries_left: int = 0
    renewable: bool = False
    unowned: StillUnowned | None = None
    """Then a sign-in email is of no use: the address is nobody's yet."""


@frozen
class LinkValid:
    """The link would open if its button were pressed; `purpose` says what else that would do."""

    purpose: LinkPurpose
    mailbox: EmailAddress
    """Whose account this browser would be signed in to."""
    known_here: bool
    """This browser asked for the link, or is signed in to that account already."""
    moving: ChangePreview | None = None
    naming: OwnerPreview | None = None


@frozen
class ChangePreview:
    """What a link about a change of address would move, for its confirmation page."""

    kind: ChangeKind
    old: EmailAddress
    new: EmailAddress
    names: tuple[str, ...]
    """The products that a correction moves; a change moves everything."""
    merges: bool
    """The new address has purchases already: both would be in one account."""
    works_here: bool
    """The change completes in this browser: it asked, or the merchant did."""
    by_staff: bool
    code: str
    """What completes a change in the browser that asked for it; "" after too many wrong tries."""


@frozen
class OwnerPreview:
    """What a link would give to its address, for its confirmation page."""

    product_name: str
    here: bool
    """Whether it works in this browser."""


ERROR_OF_STATE = {
    LinkState.USED: LinkError.USED,
    LinkState.SUPERSEDED: LinkError.SUPERSEDED,
    LinkState.EXPIRED: LinkError.EXPIRED,
}
