"""What of a sale needs a decision, each in a sentence or two with the way on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from domain.dispute import needs_answer
from domain.fact import FactKind
from domain.mail import Delivery, MailState
from domain.product import CatalogueEdition
from domain.purchase import PurchaseState, order_number
from domain.refund import RefundState
from domain.usecases.show_sale import SaleShown
from entrypoints.admin.evidence import evidence
from entrypoints.admin.sale_words import dashboard, evidence_due, mail_address
from entrypoints.admin.tasks import problem_of, unconfirmed_waiver
from entrypoints.http.sentences import N_, _

_UNOPENED_FOR: Final = timedelta(hours=48)
_ANSWERS: Final = {
    "needs_response": N_(
        "The customer disputes this payment at their bank. Answer in Stripe, or the money is lost; do not refund it."
    ),
    "warning_needs_response": N_(
        "The customer's bank asks about this payment. Answer in Stripe, or refund it, before it becomes a dispute."
    ),
}


_NOT_ANSWERABLE: Final = N_(
    "The customer's bank takes no evidence about this payment: all you can do is wait for its decision."
)


@dataclass(frozen=True, slots=True)
class Panel:
    """One thing to decide. `at`: where to do something about it, called `way`; "" for nowhere."""

    what: str
    way: str = ""
    at: str = ""
    line: str = ""
    """A command to copy."""
    text: str = ""
    """What to copy into the answer to a bank."""


def panels(sale: SaleShown, edition: CatalogueEdition, at: str) -> list[Panel]:
    """The most pressing first. `at`: the address of the sale."""
    return [
        *_disputes(sale, edition),
        *_refunds(sale),
        *_address(sale, at),
        *_waiver(sale, at),
        *_access(sale, edition, at),
    ]


def _disputes(sale: SaleShown, edition: CatalogueEdition) -> list[Panel]:
    found = []
    for fact in sale.held.facts:
        at = dashboard(fact.object_id, livemode=sale.held.purchase.livemode)
        if needs_answer(fact):
            what = f"{_(_ANSWERS[fact.status])} {evidence_due(fact, edition.shop.zone, now=sale.now)}"
            found.append(Panel(what, _("Answer in Stripe"), at, text=evidence(sale, edition)))
        elif fact.kind is FactKind.DISPUTE and fact.status in _ANSWERS:
            found.append(Panel(_(_NOT_ANSWERABLE), _("See it in Stripe"), at))
    return found


def _refunds(sale: SaleShown) -> list[Panel]:
    found = []
    for request in sale.requests:
        amount = request.amount
        if request.state is RefundState.REQUESTED:
            what = _("A refund of %(amount)s was requested. Stripe has not confirmed it yet.", amount=amount)
        elif request.state is RefundState.REFUSED:
            what = _("Stripe refused a refund of %(amount)s: %(words)s", amount=amount, words=request.problem)
        elif request.state is RefundState.FAILED:
            what = _("A refund of %(amount)s failed: the money came back to your account.", amount=amount)
        else:
            continue
        found.append(Panel(what))
    return found


def _address(sale: SaleShown, at: str) -> list[Panel]:
    purchase, mail = sale.held.purchase, sale.access_mail
    if sale.erased or sale.held.standing.state is not PurchaseState.LIVE:
        return []
    if purchase.mailbox is None:
        what = _(
            "This order has no address: the one given at the payment cannot be emailed. "
            "Ask the customer for another one, and run on the shop's machine:"
        )
        return [Panel(what, line=f"coatcheck send-link {order_number(purchase.checkout)} ADDRESS")]
    if mail is None:
        return []
    if mail.delivery is Delivery.BOUNCED:
        what = _(
            "The access email to %(address)s bounced: the customer has not been reached.", address=mail.to
        )
        return [Panel(what, _("Correct the address"), f"{at}/address")]
    if mail.state is MailState.STUCK:
        what = _("The access email could not be sent: %(problem)s", problem=problem_of(mail))
        return [Panel(what, _("See the email"), mail_address(mail.key))]
    return []


def _waiver(sale: SaleShown, at: str) -> list[Panel]:
    proof, purchase = sale.waiver, sale.held.purchase
    if proof is None or proof.confirmed_at is not None or proof.under_way or purchase.mailbox is None:
        return []
    if sale.held.standing.state is not PurchaseState.LIVE or not sale.counts:
        return []
    return [
        Panel(unconfirmed_waiver(purchase.mailbox.canonical), _("Send the access link again"), f"{at}/resend")
    ]


def _access(sale: SaleShown, edition: CatalogueEdition, at: str) -> list[Panel]:
    purchase, found = sale.held.purchase, []
    live = sale.held.standing.state is PurchaseState.LIVE
    if not sale.counts:
        what = _("A test purchase, from before the shop went live: it opens nothing and is in no figure.")
        found.append(Panel(what))
    missing = [product for product in purchase.products if product not in edition.products]
    if live and missing:
        what = _(
            "The catalogue has no “%(product)s” any more, so its owners cannot open it.", product=missing[0]
        )
        found.append(Panel(what))
    begun = purchase.booked_at if purchase.opens_at is None else purchase.opens_at
    unopened = purchase.opened_at is None and sale.now - begun >= _UNOPENED_FOR
    if live and unopened and purchase.mailbox is not None and not _address(sale, at) and sale.counts:
        found.append(Panel(_("Nobody has opened it yet."), _("Send the access link again"), f"{at}/resend"))
    return found
