"""What a page says after an action, by the word in its address: nobody can make it say anything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from entrypoints.http.sentences import N_

NOTICES: Final[Mapping[str, str]] = {
    "refund": N_(
        "The refund was requested. It appears here once Stripe confirms it, and the customer is emailed then."
    ),
    "revoked": N_("Access is revoked."),
    "restored": N_("Access is restored."),
    "granted": N_("The free copy is theirs, and they are emailed a link."),
    "resent": N_("The access link is on its way."),
    "address": N_("Both addresses are emailed. Nothing moves until the new one confirms it."),
    "key": N_("The licence key is replaced, and the new one is emailed."),
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
    "sent-again": N_("It is queued again, and leaves within a second."),
    "dismissed": N_("It is off the list."),
    "gone": N_("It was not on the list any more."),
    "reconciled": N_("The shop was compared with Stripe."),
    "reconciling": N_("Stripe is being asked. What it has that the shop lacks is booked as it comes."),
}
"""Their sentences; `?done=` of an address has the key."""
