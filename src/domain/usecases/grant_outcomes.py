"""What may come of giving somebody a product."""

from __future__ import annotations

from enum import Enum, auto

from domain.frozen import frozen
from domain.purchase import Purchase
from domain.rights import NotAllowed
from domain.usecases.request_login import NotAnAddress
from domain.values import ProductId


class WhyNotGranted(Enum):
    """Why nothing was given."""

    NO_REASON = auto()
    """It is empty, or too long."""
    NO_SUCH_PRODUCT = auto()
    DRAFT = auto()
    RETIRED = auto()
    NO_KEYS = auto()
    """A list of licence keys is used up: that of the product, or of one in the bundle."""
    ERASED = auto()
    """The person with that address deleted their account."""


@frozen
class NotGranted:
    """Nothing was given."""

    why: WhyNotGranted
    product: ProductId
    """What was to be given; of a bundle, the product whose list is used up."""


@frozen
class HasItAlready:
    """They have it by this order, so nothing was given. It is, if that is asked for once more."""

    order: Purchase


@frozen
class Granted:
    """Theirs by this order, now or since the same form was submitted before."""

    order: Purchase


Granting = Granted | HasItAlready | NotGranted | NotAllowed | NotAnAddress
