"""What comes of pressing Buy; one vocabulary from the rule to the page."""

from __future__ import annotations

from datetime import datetime

from domain.frozen import frozen
from domain.product import BadAmount, Product, Saleability
from domain.values import CheckoutId, EmailProblem
from domain.waiver import WaiverMissing


@frozen
class RedirectToPayment:
    """Send the shopper to `url`; `new_token` is the cookie of a browser that had no session.

    `proof`: the checkout's own cookie. Of two checkouts that a browser without a session begins at once, each begins a
    session, and the browser keeps the cookie of one of them.
    """

    url: str
    new_token: str | None
    checkout: CheckoutId
    proof: str


@frozen
class NoSuchProduct:
    """The catalogue has no product of that id."""


@frozen
class NotForSale:
    """The product is there, but not to be bought now."""

    product: Product
    why: Saleability


@frozen
class AlreadyYours:
    """This browser opens it already, or (`pending`) a payment of it or its account is under way: ask before it buys."""

    product: Product
    pending: bool = False


@frozen
class NothingToPay:
    """It is free: see `domain.usecases.order_free`."""

    product: Product


@frozen
class WrongAmount:
    """What was typed as a price cannot be charged."""

    product: Product
    why: BadAmount


@frozen
class CodeNotTaken:
    """The promotion code is not good for this purchase, or not any more. Nothing was charged."""

    product: Product


@frozen
class WaiverNeeded:
    """It is bought with the two boxes of the waiver, and they are not both ticked. Nothing was charged.

    `again`: the product is this browser's already, or a payment is under way, and it was confirmed to buy it again.
    """

    product: Product
    missing: WaiverMissing
    again: AlreadyYours | None = None


@frozen
class TooManyCheckouts:
    """A limit is reached; a place is free again at `until`."""

    until: datetime


Started = (
    RedirectToPayment
    | NoSuchProduct
    | NotForSale
    | AlreadyYours
    | NothingToPay
    | WrongAmount
    | CodeNotTaken
    | WaiverNeeded
    | TooManyCheckouts
)


@frozen
class FreeOrderBooked:
    """Booked: it opens in this browser."""

    product: Product


@frozen
class AddressNeeded:
    """This browser has proved no mailbox: ask for an address. `problem`: what is wrong with the one that was typed."""

    product: Product
    problem: EmailProblem | None = None


@frozen
class ConfirmationEmailed:
    """A mail with link and code is on its way; `new_token` is the cookie of a browser that had no session."""

    product: Product
    new_token: str | None


@frozen
class TooManyOrders:
    """This network ordered too much, or asked for too many mails; a place is free again at `until`."""

    until: datetime


@frozen
class NotFree:
    """It has a price: it is bought, not taken."""


Free = (
    FreeOrderBooked
    | AddressNeeded
    | ConfirmationEmailed
    | TooManyOrders
    | NoSuchProduct
    | NotForSale
    | AlreadyYours
    | NotFree
)
