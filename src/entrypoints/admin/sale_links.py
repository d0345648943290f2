"""Which actions the page of a sale offers: by role, and by what the sale is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from domain.audit import AuditAction
from domain.purchase import PurchaseState
from domain.rights import Verdict, verdict
from domain.sale_list import SaleState
from domain.staff import Actor
from domain.usecases.show_sale import SaleShown
from entrypoints.http.sentences import N_, _

ACTIONS: Final[Mapping[str, str]] = {
    "resend": N_("Send the access link again"),
    "refund": N_("Refund"),
    "grant": N_("Give a free copy"),
    "revoke": N_("Revoke access"),
    "restore": N_("Restore access"),
    "address": N_("Correct the address"),
    "key": N_("Replace a licence key"),
}
"""The name of an action, and what its link says; in the order in which they are offered."""
_AUDITED: Final = {
    "resend": AuditAction.RESEND,
    "refund": AuditAction.REFUND,
    "grant": AuditAction.GRANT,
    "revoke": AuditAction.REVOKE,
    "restore": AuditAction.RESTORE,
    "address": AuditAction.CORRECT_ADDRESS,
    "key": AuditAction.REPLACE_KEY,
    "note": AuditAction.WRITE_NOTE,
}
_TAKEN_BACK: Final = (PurchaseState.REFUNDED, PurchaseState.CHARGED_BACK)


def actions(sale: SaleShown, actor: Actor, *, livemode: bool) -> list[tuple[str, str]]:
    """The actions that make sense for this sale and that this role may do: the name, and what its link says."""
    return [
        (name, _(label))
        for name, label in ACTIONS.items()
        if may(actor, name) and _fits(name, sale, livemode=livemode)
    ]


def address_of(action: str, sale: SaleShown) -> str:
    """Where the page of an action is."""
    purchase = sale.held.purchase
    if action == "grant":
        to = purchase.mailbox.canonical if purchase.mailbox is not None else ""
        return "/admin/grant?" + urlencode({"product": purchase.product, "address": to})
    return f"/admin/sales/{purchase.checkout}/{action}"


def may(actor: Actor, action: str) -> bool:
    """Whether a role allows an action; a passkey may still have to be used for it."""
    return verdict(actor, _AUDITED[action]) is not Verdict.WRONG_ROLE


def _fits(action: str, sale: SaleShown, *, livemode: bool) -> bool:
    purchase, state = sale.held.purchase, sale.held.standing.state
    live = state is PurchaseState.LIVE and sale.counts
    owned = purchase.mailbox is not None and not sale.erased
    match action:
        case "resend":
            return owned and (live or sale.reason.opens_by is not None)
        case "refund":
            ours = purchase.payment is not None and purchase.livemode in (None, livemode)
            return ours and sale.refundable > 0 and not sale.held.in_dispute and not sale.erased
        case "grant":
            return owned and (state in _TAKEN_BACK or not sale.counts)
        case "revoke":
            return live
        case "restore":
            return sale.reason.state is SaleState.REVOKED
        case "address":
            return owned
        case _:
            return live and bool(purchase.licences)
