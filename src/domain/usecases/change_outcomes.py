"""What comes of asking for another address; one vocabulary from the rule to the page."""

from __future__ import annotations

from domain.address_change import ChangeKind, MayNotCorrect
from domain.frozen import frozen
from domain.usecases.request_login import NotAnAddress, TooManyRequests


@frozen
class CheckYourNewEmail:
    """A proof went to the new address, unless too many were asked for, or the old address was verified before a
    correction: neither shows."""

    kind: ChangeKind


@frozen
class ConfirmOwner:
    """A link went to the address that was named for a purchase without one, unless that address was sent too many."""


@frozen
class SameAddress:
    """It is the address already."""


@frozen
class NotSignedIn:
    """Changing an address requires that the old one is verified."""


@frozen
class VerifyAgain:
    """The old mailbox was verified too long ago in this browser for something that moves a whole account."""


Asked = (
    CheckYourNewEmail
    | ConfirmOwner
    | SameAddress
    | NotSignedIn
    | VerifyAgain
    | MayNotCorrect
    | NotAnAddress
    | TooManyRequests
)
