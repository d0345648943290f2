"""What `coatcheck grant` says: what was given to whom, or why nothing was."""

from __future__ import annotations

from typing import Final

from domain.audit import LONGEST_REASON
from domain.purchase import Purchase, order_number
from domain.rights import NotAllowed
from domain.usecases.grant_outcomes import Granted, HasItAlready, NotGranted, WhyNotGranted
from domain.values import EmailAddress, mask
from entrypoints.cli_words import NO_SUCH_PRODUCT, NOT_ALLOWED, minute

_WHY: Final = {
    WhyNotGranted.NO_REASON: f"--reason is empty, or longer than {LONGEST_REASON} characters",
    WhyNotGranted.NO_SUCH_PRODUCT: NO_SUCH_PRODUCT,
    WhyNotGranted.DRAFT: '{product} is a draft; give it the status "unlisted" or "on_sale" first',
    WhyNotGranted.RETIRED: '{product} is retired; give it the status "unlisted" first',
    WhyNotGranted.NO_KEYS: "the list of licence keys of {product} is used up; add keys to {product}/licences.txt",
    WhyNotGranted.ERASED: "the person with that address deleted their account, and has to order themselves",
}


def granted_lines(found: Granted) -> list[str]:
    """Without the whole address, the link and the licence keys: only the reader of the email may have those."""
    order = found.order
    return [
        f"Order {order_number(order.checkout)}: {order.product_name} was given to {_owner(order.mailbox)}.",
        "The access email is queued. A running shop sends it within a second.",
    ]


def not_granted_line(found: NotGranted | HasItAlready | NotAllowed) -> str:
    """One sentence."""
    match found:
        case NotAllowed():
            return NOT_ALLOWED
        case HasItAlready(order):
            had = f"{_owner(order.mailbox)} has it already, {_by(order)}"
            return f"nothing was given: {had}; --again gives it once more"
        case NotGranted(why, product):
            return f"nothing was given: {_WHY[why].format(product=product)}"


def _owner(mailbox: EmailAddress | None) -> str:
    return "its owner" if mailbox is None else mask(mailbox)


def _by(order: Purchase) -> str:
    return f"by order {order_number(order.checkout)} ({order.product_name}) of {minute(order.booked_at)}"
