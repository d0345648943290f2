"""What comes of asking for another address; one vocabulary from the rule to the page."""

from __future__ import annotations

from dataclasses import dataclass

from domain.address_change import ChangeKind, MayNotCorrect
from domain.usecases.request_login import NotAnAddress, TooManyRequests


@dataclass(frozen=True, slots=True)
class CheckYourNewEmail:
    """A proof went to the new address, unless too many were asked for, or the old address was verified before a
    correction: neither shows."""

    kind: ChangeKind


@dataclass(frozen=True, slots=True)
class ConfirmOwner:
    """A link went to the address that was named for a purchase without one, unless that address was sent too many."""


@dataclass(frozen=True, slots=True)
class SameAddress:
    """It is the address already."""


@dataclass(frozen=True, slots=True)
class NotSignedIn:
    """Changing an address requires that the old one is verified."""


@dataclass(frozen=True, slots=True)
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
