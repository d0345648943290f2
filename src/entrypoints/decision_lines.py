"""What `coatcheck revoke` and `coatcheck reopen` say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.audit import LONGEST_REASON
from domain.purchase import Purchase, PurchaseState, order_number
from domain.rights import NotAllowed
from domain.usecases.decision_outcomes import Decided, Unchanged, WhyUnchanged
from domain.values import mask
from entrypoints.cli_words import NOT_ALLOWED
from entrypoints.resend_lines import no_such_order

CLOSED_BECAUSE: Final[Mapping[PurchaseState, str]] = {
    PurchaseState.SUSPENDED: "it is in dispute",
    PurchaseState.REFUNDED: "it was refunded",
    PurchaseState.CHARGED_BACK: "it was charged back",
    PurchaseState.REVOKED: "it was revoked",
}
"""Of every state but `LIVE`."""
_OVERRULED: Final = "; `coatcheck grant` gives its product in another order"


def revoked_lines(found: Decided) -> list[str]:
    """What is closed, and whether its customer is emailed."""
    return [f"{_named(found.order)} is closed.", _told(found)]


def reopened_lines(found: Decided) -> list[str]:
    """What is open again, or what else closes it."""
    if found.state is PurchaseState.LIVE:
        return [f"{_named(found.order)} is open again.", _told(found)]
    why = CLOSED_BECAUSE[found.state]
    return [f"{_named(found.order)} is not revoked any more. It stays closed, because {why}."]


def unchanged_line(found: Unchanged | NotAllowed, wanted: str) -> str:
    """One sentence."""
    if isinstance(found, NotAllowed):
        return NOT_ALLOWED
    order = found.order
    if found.why is WhyUnchanged.NO_SUCH_ORDER or order is None:
        return no_such_order(wanted)
    if found.why is WhyUnchanged.NO_REASON:
        return f"nothing was done: --reason is empty, or longer than {LONGEST_REASON} characters"
    if found.why is WhyUnchanged.ALREADY_REVOKED:
        return f"nothing was done: {_of(order)} is revoked already"
    if found.state is PurchaseState.LIVE:
        return f"nothing was done: {_of(order)} is open"
    instead = "" if found.state is PurchaseState.SUSPENDED else _OVERRULED
    return f"nothing was done: {_of(order)} is closed, because {CLOSED_BECAUSE[found.state]}{instead}"


def _told(found: Decided) -> str:
    mailbox = found.order.mailbox
    if found.told and mailbox is not None:
        return f"The email to {mask(mailbox)} is queued. A running shop sends it within a second."
    return "Nobody is emailed."


def _named(order: Purchase) -> str:
    return f"Order {order_number(order.checkout)} ({order.product_name})"


def _of(order: Purchase) -> str:
    return f"order {order_number(order.checkout)} ({order.product_name})"
