"""What `coatcheck resend` says: what is on its way to whom, or why nothing was sent."""

from __future__ import annotations

from typing import Final

from domain.purchase import Purchase, order_number
from domain.usecases.resend_outcomes import AccessQueued, NotSent, WhyNotSent
from domain.values import mask

_WHY: Final = {
    WhyNotSent.NO_SUCH_CUSTOMER: "no order belongs to that address",
    WhyNotSent.WITHOUT_ADDRESS: "{order} has no address yet; `coatcheck send-link {number} ADDRESS` gives it one",
    WhyNotSent.ERASED: "the customer of {order} deleted their account",
    WhyNotSent.TEST_PURCHASE: "{order} is a test purchase, which opens nothing since the shop has gone live",
    WhyNotSent.REFUNDED: "{order} was refunded, so there is nothing to open",
    WhyNotSent.CHARGED_BACK: "{order} was charged back, so there is nothing to open",
    WhyNotSent.REVOKED: "{order} is closed; `coatcheck reopen {number}` opens it again",
    WhyNotSent.IN_DISPUTE: "{order} is closed while it is in dispute",
    WhyNotSent.UNKNOWN_STATUS: "{order} is closed, because Stripe reports a status that is not known",
    WhyNotSent.STILL_QUEUED: "an access email for {order} is already queued and will be sent automatically",
    WhyNotSent.ENOUGH: "the limit of three resent access emails an hour to that address is reached",
}


def queued_lines(sent: AccessQueued) -> list[str]:
    """Without the link: only its reader may have it."""
    lines = [
        f"The access email for {_named(sent.order)} is queued for {mask(sent.mailbox)}.",
        "A running shop sends it within a second.",
    ]
    if sent.others:
        lines += ["Its link signs the customer in, so it also opens:", *_listed(sent.others)]
    if sent.bounced:
        lines.append("The last access email to that address bounced, so this one may bounce, too.")
    return lines


def not_sent_line(found: NotSent, wanted: str) -> str:
    """One sentence."""
    if found.why is WhyNotSent.NO_SUCH_ORDER:
        return no_such_order(wanted)
    order = found.order
    of_order = {} if order is None else {"order": _named(order), "number": order_number(order.checkout)}
    return f"nothing was sent: {_WHY[found.why].format(**of_order)}"


def no_such_order(wanted: str) -> str:
    """One sentence, for every command that takes the beginning of an order number."""
    return (
        f"no order matches {wanted!r}: give the order number, or at least its first 4 characters (`coatcheck customer "
        "ADDRESS` lists them)"
    )


def _listed(orders: tuple[Purchase, ...]) -> list[str]:
    return [f"  {_named(order)}" for order in orders]


def _named(order: Purchase) -> str:
    return f"order {order_number(order.checkout)} ({order.product_name})"
