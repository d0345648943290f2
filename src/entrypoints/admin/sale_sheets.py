"""What the pages of actions on a sale say: what will happen, to whom, and what is emailed."""

from __future__ import annotations

from datetime import tzinfo
from typing import Final

from domain.audit import AuditAction
from domain.limits import KEYS_BY_SUPPORT
from domain.purchase import Purchase, PurchaseState, order_number
from domain.usecases.look_at_decision import DecisionSeen
from domain.usecases.look_at_sale import SaleSeen, changed_since
from domain.usecases.refund_outcomes import WhyNotRefunded
from domain.values import decimal_text
from entrypoints.admin.desk import Entry, Sheet
from entrypoints.http.page import closing_reason
from entrypoints.http.sentences import N_, _

_CHANGES: Final = {
    "facts": N_("Its refunds, its disputes or its access changed."),
    "refunds": N_("A refund was requested, or answered."),
    "address": N_("It belongs to another address."),
    "licences": N_("It has another licence key."),
    "note": N_("Somebody changed the note."),
}
_NOT_REFUNDED: Final = {
    WhyNotRefunded.NOT_PAID_HERE: N_("Nothing was paid for this order through Stripe."),
    WhyNotRefunded.OTHER_MODE: N_(
        "It was paid in the other mode, test or live, than the key of this shop is of."
    ),
    WhyNotRefunded.ERASED: N_("Its customer's data was deleted. Refund it in Stripe's dashboard."),
    WhyNotRefunded.IN_DISPUTE: N_(
        "The payment is disputed. Answer the dispute instead: a refund would cost the money twice."
    ),
}
STATES: Final = {
    PurchaseState.LIVE: N_("It is open."),
    PurchaseState.SUSPENDED: N_(
        "It is suspended, because the payment is disputed or of a status we do not know."
    ),
    PurchaseState.REFUNDED: N_("It is closed, because it was refunded."),
    PurchaseState.CHARGED_BACK: N_("It is closed, because it was charged back."),
    PurchaseState.REVOKED: N_("It is closed by hand."),
}


def not_refunded_words(why: WhyNotRefunded) -> str:
    """Why nothing of a purchase can be refunded here; "" for what is wrong with a request alone."""
    return _(_NOT_REFUNDED[why]) if why in _NOT_REFUNDED else ""


def at_sale(purchase: Purchase) -> str:
    """The address of the page of a sale."""
    return f"/admin/sales/{purchase.checkout}"


def at_stripe(purchase: Purchase) -> str:
    """The payment of a sale in Stripe's dashboard."""
    test = "test/" if purchase.livemode is False else ""
    return f"https://dashboard.stripe.com/{test}payments/{purchase.payment}"


def changes(seen: str, sale: SaleSeen) -> list[str]:
    """What has changed since a form was made, in sentences; nothing for a form that was submitted before."""
    return [] if sale.done else [_(_CHANGES[part]) for part in changed_since(seen, sale.digest)]


def refund_sheet(sale: SaleSeen, *, may_refund: bool, fraudulent: bool = False) -> Sheet:
    """Asks for the amount, and whether access ends with it. `fraudulent`: as after a fraud warning.

    What a low balance means: https://docs.stripe.com/refunds
    """
    purchase, left = sale.held.purchase, sale.left
    stripe = (at_stripe(purchase), _("Open it at Stripe")) if purchase.payment else ("", "")
    cannot = _(_NOT_REFUNDED[sale.why_not_refunded]) if sale.why_not_refunded else ""
    if not cannot and not left.amount:
        cannot = _("Nothing is left to refund: all of it was refunded, lost, or is being refunded.")
    if not cannot and not may_refund:
        cannot = _(
            "The key of this shop may not refund: it needs Charges and Refunds write. Refund it at Stripe."
        )
    return Sheet(
        action=AuditAction.REFUND,
        object_id=purchase.checkout,
        title=_("Refund %(name)s", name=purchase.product_name),
        effects=[
            about(purchase),
            _("%(left)s of %(paid)s can be refunded.", left=left, paid=purchase.paid),
            _("Stripe is asked for it at once, and once only. A full refund ends access; a partial one does not."),
            _("If your Stripe balance is too low, refunds of card payments wait at Stripe until it is funded; "
              "refunds of other payment methods fail."),
        ],
        button=_("Refund"),
        back=at_sale(purchase),
        fields=[
            Entry("amount", _("Amount in %(currency)s", currency=left.currency.upper()),
                  value=decimal_text(left.amount, left.currency)),
            Entry("close", _("Also revoke access, whatever the amount"), kind="check", on=fraudulent),
            Entry("fraudulent", _("It was fraud: Stripe then blocks the card and the address"), kind="check",
                  on=fraudulent),
            Entry("tell", _("Email the customer once Stripe confirms it"), kind="check", on=True),
        ],
        seen=sale.digest,
        danger=True,
        cannot=cannot,
        elsewhere=stripe,
    )  # fmt: skip


def revoke_sheet(sale: SaleSeen, after: DecisionSeen, zone: tzinfo) -> Sheet:
    """Closes it, whatever money says. `after`: what the decision comes to."""
    purchase = sale.held.purchase
    effects = [
        about(purchase),
        state(sale),
        _("It opens nothing any more until it is restored. No money moves."),
        _("The customer's page will say: “%(words)s”", words=closing_reason(after.standing, zone)),
    ]
    if after.to is None:
        effects.append(_("Nobody is emailed: it is closed already, or belongs to no address."))
    return Sheet(
        action=AuditAction.REVOKE, object_id=purchase.checkout,
        title=_("Revoke access to %(name)s", name=purchase.product_name), effects=effects,
        button=_("Revoke access"), back=at_sale(purchase), seen=sale.digest, danger=True,
        fields=_tell_box(after, _("Email the customer that their access ended")),
        template="decide.html", more={"to": after.to or "", "letter": after.letter},
    )  # fmt: skip


def restore_sheet(sale: SaleSeen, after: DecisionSeen, zone: tzinfo) -> Sheet:
    """Lifts a revocation by hand, and nothing else. `after`: what the decision comes to."""
    purchase = sale.held.purchase
    effects = [
        about(purchase),
        state(sale),
        _(
            "What was closed by hand is open again. "
            "If a refund or a dispute closes it, too, it stays closed: give a free copy instead."
        ),
    ]
    if after.standing.state is not PurchaseState.LIVE:
        says = closing_reason(after.standing, zone)
        effects.append(_("It stays closed. The customer's page will say: “%(words)s”", words=says))
    if after.to is None:
        effects.append(
            _("Nobody is emailed: this does not open the purchase, or the purchase has no address.")
        )
    return Sheet(
        action=AuditAction.RESTORE, object_id=purchase.checkout,
        title=_("Restore access to %(name)s", name=purchase.product_name), effects=effects,
        button=_("Restore access"), back=at_sale(purchase), seen=sale.digest,
        fields=_tell_box(after, _("Email the customer that they have access again")),
        template="decide.html", more={"to": after.to or "", "letter": after.letter},
    )  # fmt: skip


def _tell_box(after: DecisionSeen, label: str) -> list[Entry]:
    return [] if after.to is None else [Entry("tell", label, kind="check", on=True)]


def resend_sheet(sale: SaleSeen) -> Sheet:
    """To the address on file, and to no other."""
    purchase = sale.held.purchase
    to = purchase.mailbox
    return Sheet(
        action=AuditAction.RESEND, object_id=purchase.checkout, title=_("Send the access link again"),
        effects=[
            about(purchase),
            _("A new link is emailed to %(address)s. It signs its reader in.", address=to or ""),
            _("At most three an hour to one address."),
        ],
        button=_("Send it"), back=at_sale(purchase), seen=sale.digest, reason=False,
        cannot="" if to else _("The order belongs to no address."),
    )  # fmt: skip


def address_sheet(sale: SaleSeen) -> Sheet:
    """Of one order; the rest of the customer stays where it is."""
    purchase = sale.held.purchase
    old = purchase.mailbox
    return Sheet(
        action=AuditAction.CORRECT_ADDRESS, object_id=purchase.checkout, title=_("Correct the address of this order"),
        effects=[
            about(purchase),
            _("This order alone moves, once the new address confirms it within a day. Nothing changes until then."),
            _(
                "The new address is emailed a link that confirms it; %(old)s is emailed one that undoes it for "
                "72 hours.",
                old=old or "",
            ),
        ],
        button=_("Ask for confirmation"), back=at_sale(purchase), seen=sale.digest,
        fields=[Entry("email", _("The right address"), kind="email")],
        cannot="" if old else _("The order belongs to no address."),
    )  # fmt: skip


def key_sheet(sale: SaleSeen) -> Sheet:
    """One of its keys, by another."""
    purchase = sale.held.purchase
    products = [(item.product, f"{item.product}: {item.key[:4]}…") for item in purchase.licences]
    cannot = "" if products else _("This order has no licence key.")
    if not cannot and sale.held.standing.state is not PurchaseState.LIVE:
        cannot = _("This order is closed or in dispute, so its keys are not shown to its customer either.")
    return Sheet(
        action=AuditAction.REPLACE_KEY, object_id=purchase.checkout, title=_("Replace a licence key"),
        effects=[
            about(purchase),
            _(
                "The order gets the next key of the list, or a new one where keys are generated. The old one is not "
                "valid any more."
            ),
            _("The new key is emailed to %(address)s.", address=purchase.mailbox or ""),
            _("The support role may replace %(limit)d licence keys a day.", limit=KEYS_BY_SUPPORT.most),
        ],
        button=_("Replace the key"), back=at_sale(purchase), seen=sale.digest, danger=True,
        fields=[Entry("product", _("Which key"), kind="choice", options=products)], cannot=cannot,
    )  # fmt: skip


def note_sheet(sale: SaleSeen) -> Sheet:
    """For staff alone."""
    purchase = sale.held.purchase
    return Sheet(
        action=AuditAction.WRITE_NOTE, object_id=purchase.checkout, title=_("Internal note"),
        effects=[
            about(purchase),
            _("Staff read it, the customer never does. It is deleted with the customer's data. Nobody is emailed."),
        ],
        button=_("Save the note"), back=at_sale(purchase), seen=sale.digest, reason=False,
        fields=[Entry("text", _("Note"), kind="area", value=sale.note.text if sale.note else "")],
        cannot=_("The customer's data was deleted, so nothing about them is noted again.") if sale.erased else "",
    )  # fmt: skip


def about(purchase: Purchase) -> str:
    """Which order it is, and whose."""
    number, name = order_number(purchase.checkout), purchase.product_name
    if purchase.mailbox is None:
        return _("Order %(number)s: %(name)s, of nobody.", number=number, name=name)
    return _(
        "Order %(number)s: %(name)s, of %(address)s.", number=number, name=name, address=purchase.mailbox
    )


def state(sale: SaleSeen) -> str:
    """What the order is now, in a sentence."""
    return _(STATES[sale.held.standing.state])
