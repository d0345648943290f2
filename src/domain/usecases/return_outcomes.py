"""What comes of returning from the payment page; one vocabulary from the rule to the page."""

from __future__ import annotations

from domain.claim import AwaitingPayment, NotPaid, Rejected
from domain.frozen import frozen
from domain.values import CheckoutId, EmailAddress


@frozen
class Claimed:
    """Paid and booked. `here`: it opens in this browser, which goes on to the product's own page.

    In any other browser the access link opens it. `sent_to` is where that was emailed, if this browser began the
    checkout signed in and then signed in to another account, and the address was typed at the payment; else None,
    since a browser that only has the URL of this page must not learn any part of the address. Not `emailed`: its
    address cannot be, or its buyer was erased. `unowned`: the order, if it has no address and this
    browser may name one.
    """

    here: bool
    sent_to: EmailAddress | None = None
    emailed: bool = True
    unowned: CheckoutId | None = None


@frozen
class Confirming:
    """Not known yet: look again in a moment."""


@frozen
class UnknownCheckout:
    """No checkout of this shop, or of another product: not asked about, nothing shown."""


Returned = Claimed | AwaitingPayment | NotPaid | Rejected | Confirming | UnknownCheckout
