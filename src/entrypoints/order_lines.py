"""What the command line says of purchases whose address cannot be emailed."""

from __future__ import annotations

from domain.usecases.report_status import Status
from domain.usecases.request_login import NotAnAddress
from domain.usecases.send_owner_link import OwnerLink
from entrypoints.cli_words import minute


def without_owner_lines(status: Status) -> list[str]:
    """Those that are open, and what may be done about them."""
    if not status.without_owner:
        return []
    lines = [
        "",
        f"{_purchases(len(status.without_owner))} yet, because the one given at the payment cannot be emailed.",
        "The browser that paid can add one for a day. After that: coatcheck send-link ORDER ADDRESS",
    ]
    for purchase in (held.purchase for held in status.without_owner):
        since, ref = minute(purchase.booked_at), purchase.provider_ref or "no Stripe session"
        lines.append(f"  {purchase.checkout}  {purchase.product_name}, {purchase.paid}, since {since}: {ref}")
    return lines


def fraud_warning_lines(status: Status) -> list[str]:
    """What can still be refunded before it is disputed."""
    if not status.fraud_warnings:
        return []
    lines = [
        "",
        "The bank that issued the card suspects fraud in these payments. A refund prevents a dispute and its fee:",
        "coatcheck refund ORDER --cause fraudulent --close --reason …",
    ]
    purchases = [held.purchase for held in status.fraud_warnings]
    lines += [
        f"  {one.checkout}  {one.product_name}, {one.paid}, {minute(one.booked_at)}" for one in purchases
    ]
    return lines


def _purchases(number: int) -> str:
    return "1 purchase has no address" if number == 1 else f"{number} purchases have no address"


def owner_link_line(sent: OwnerLink | NotAnAddress, *, order: str) -> str:
    """What became of `coatcheck send-link`."""
    match sent:
        case NotAnAddress(problem):
            return f"that is not an address that can be emailed: {problem.value}"
        case OwnerLink.QUEUED:
            return (
                "The link is on its way. The order belongs to that address once the link is used, within a day; "
                "until then nothing changes."
            )
        case OwnerLink.NO_SUCH_ORDER:
            return f"there is no order {order!r}. `coatcheck status` lists those without an address."
        case OwnerLink.AMBIGUOUS:
            return f"several orders begin with {order!r}: give more of it"
        case OwnerLink.HAS_OWNER:
            return "that order belongs to an address already; its owner signs in with that address"
        case OwnerLink.ERASED:
            return "the customer of that order deleted their account"
