"""What comes of pressing Buy; one vocabulary from the rule to the page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.product import BadAmount, Product, Saleability
from domain.values import CheckoutId, EmailProblem


@dataclass(frozen=True, slots=True)
class RedirectToPayment:
    """Send the shopper to `url`; `new_token` is the cookie of a browser that had no session.

    `proof`: the checkout's own cookie. Of two checkouts that a browser without a session begins at once, each begins a
    session, and the browser keeps the cookie of one of them.
    """

    url: str
    new_token: str | None
    checkout: CheckoutId
    proof: str


@dataclass(frozen=True, slots=True)
class NoSuchProduct:
    """The catalogue has no product of that id."""


@dataclass(frozen=True, slots=True)
class NotForSale:
    """The product is there, but not to be bought now."""

    product: Product
    why: Saleability


@dataclass(frozen=True, slots=True)
class AlreadyYours:
    """This browser opens it already, or (`pending`) a payment of it or its account is under way: ask before it buys."""

    product: Product
    pending: bool = False


@dataclass(frozen=True, slots=True)
class NothingToPay:
    """It is free: see `domain.usecases.order_free`."""

    product: Product


@dataclass(frozen=True, slots=True)
class WrongAmount:
    """What was typed as a price cannot be charged."""

    product: Product
    why: BadAmount


@dataclass(frozen=True, slots=True)
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
    | TooManyCheckouts
)


@dataclass(frozen=True, slots=True)
class FreeOrderBooked:
    """Booked: it opens in this browser."""

    product: Product


@dataclass(frozen=True, slots=True)
class AddressNeeded:
    """This browser has proved no mailbox: ask for an address. `problem`: what is wrong with the one that was typed."""

    product: Product
    problem: EmailProblem | None = None


@dataclass(frozen=True, slots=True)
class ConfirmationEmailed:
    """A mail with link and code is on its way; `new_token` is the cookie of a browser that had no session."""

    product: Product
    new_token: str | None


@dataclass(frozen=True, slots=True)
class TooManyOrders:
    """This network ordered too much, or asked for too many mails; a place is free again at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
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
