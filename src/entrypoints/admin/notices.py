"""What a page says after an action, by a word: nobody can make it say anything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.purchase import PurchaseState
from domain.usecases.book_payment import PaymentBooked
from domain.usecases.decision_outcomes import Decided
from domain.usecases.refund_outcomes import RefundAsked
from domain.usecases.replace_key import KeyReplaced
from domain.usecases.send_refused import Resent
from entrypoints.http.sentences import N_

NOTICES: Final[Mapping[str, str]] = {
    "not-yours": N_("Your role does not allow that."),
    "refund": N_(
        "The refund was requested. It appears here once Stripe confirms it, and the customer is emailed then."
    ),
    "refund-quietly": N_(
        "The refund was requested. It appears here once Stripe confirms it. The customer is not emailed."
    ),
    "revoked": N_("Access is revoked."),
    "withdrawal-accepted": N_("The withdrawal is accepted, and the customer is emailed."),
    "withdrawal-refused": N_("The withdrawal is refused, and the customer is emailed your reason."),
    "restored": N_("Access is restored."),
    "not-by-hand": N_("The revocation is lifted. A refund or a dispute still keeps it closed."),
    "granted": N_("The free copy is theirs, and they are emailed a link."),
    "resent": N_("The access link is on its way."),
    "address": N_("Both addresses are emailed. Nothing moves until the new one confirms it."),
    "key": N_("The licence key is replaced, and the new one is emailed."),
    "key-quietly": N_("The licence key is replaced. The order belongs to no address, so nobody is emailed."),
    "note": N_("The note is saved."),
    "signed-out": N_("They are signed out everywhere."),
    "erased": N_("Their data is deleted. They are sent a last email."),
    "booked": N_("The payment is booked, and the customer is emailed the access link."),
    "announced": N_("The new version is announced: the emails are on their way."),
    "announcing": N_(
        "The new version is being announced, which goes on by itself. If the shop stops before it is done, announce it "
        "again: nobody is emailed twice."
    ),
    "tried": N_("A test is on its way to you."),
    "booked-quietly": N_("The payment is booked. It belongs to no address yet, so nobody is emailed."),
    "sent-again": N_("It is queued again, and leaves within a second."),
    "none-sent": N_("No email was sent again: none is refused, or none of them is of use any more."),
    "dismissed": N_("It is off the list."),
    "gone": N_("It was not on the list any more."),
    "reconciled": N_("The shop was compared with Stripe."),
    "reconciling": N_("Stripe is being asked. What it has that the shop lacks is booked as it comes."),
}
"""Their sentences; `?done=` of an address and a cookie have the key."""


def after_refund(asked: RefundAsked) -> str:
    """Of a refund that was asked for, now or when its form came first."""
    return "refund" if asked.request.tells else "refund-quietly"


def after_restoring(decided: Decided) -> str:
    """Of a revocation that was lifted: what money says still counts."""
    return "restored" if decided.state is PurchaseState.LIVE else "not-by-hand"


def after_replacing(replaced: KeyReplaced) -> str:
    """Of a licence key."""
    return "key" if replaced.told else "key-quietly"


def after_booking(booked: PaymentBooked) -> str:
    """Of a quarantined payment."""
    return "booked" if booked.order.mailbox is not None else "booked-quietly"


def after_resending(resent: Resent) -> str:
    """Of all emails that were refused."""
    return "sent-again" if resent.queued else "none-sent"
