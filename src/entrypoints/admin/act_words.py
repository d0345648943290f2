"""Why an action was not done, in the words of the back office; each returns the sentence."""

from __future__ import annotations

from typing import Final

from domain.amounts import AmountProblem, example_amount
from domain.audit import LONGEST_REASON
from domain.note import LONGEST_NOTE
from domain.purchase import PurchaseState, order_number
from domain.usecases.book_payment import NotBooked, WhyNotBooked
from domain.usecases.decision_outcomes import Unchanged, WhyUnchanged
from domain.usecases.erase_customer import NotErased, WhyNotErased
from domain.usecases.grant_outcomes import HasItAlready, NotGranted, WhyNotGranted
from domain.usecases.refund_outcomes import NotAnAmount, NotRefunded, WhyNotRefunded
from domain.usecases.replace_key import NotReplaced, WhyNotReplaced
from domain.usecases.resend_outcomes import NotSent, WhyNotSent
from domain.usecases.staff_change import NotChanged, WhyNotChanged
from domain.usecases.write_note import NotNoted, WhyNoNote
from domain.values import decimal_text
from entrypoints.http.sentences import N_, _

_NO_REASON: Final = N_("Please give a reason, of at most %(longest)s characters.")
_GONE: Final = N_("There is no such order any more.")
_NO_CUSTOMER: Final = N_("There is no such customer any more.")
_ERASED: Final = N_("The customer's data was deleted.")
_REFUND: Final = {
    WhyNotRefunded.NO_REASON: _NO_REASON,
    WhyNotRefunded.NO_SUCH_ORDER: _GONE,
    WhyNotRefunded.NOT_PAID_HERE: N_("Nothing was paid for this order through Stripe."),
    WhyNotRefunded.OTHER_MODE: N_(
        "It was paid in the other mode, test or live, than the key of this shop is of."
    ),
    WhyNotRefunded.ERASED: _ERASED,
    WhyNotRefunded.IN_DISPUTE: N_("The payment is disputed: answer the dispute instead."),
    WhyNotRefunded.NOTHING_LEFT: N_("Nothing is left to refund."),
    WhyNotRefunded.NOTHING_ASKED: N_("The amount is 0; %(left)s can be refunded."),
    WhyNotRefunded.TOO_MUCH: N_("%(left)s can be refunded, and no more."),
}
_AMOUNT: Final = {
    AmountProblem.NOT_A_NUMBER: N_("Please write the amount in digits, for example %(example)s."),
    AmountProblem.AMBIGUOUS: N_(
        "That amount is ambiguous. Please write it without a thousands separator, for example %(example)s."
    ),
    AmountProblem.OTHER_CURRENCY: N_(
        "This order was paid in %(currency)s. Please write the amount in that currency."
    ),
    AmountProblem.TOO_FINE: N_(
        "%(currency)s has no amounts as fine as that. Please write one such as %(example)s."
    ),
    AmountProblem.ABOVE_GREATEST_CHARGE: N_("That is more than Stripe charges at once."),
}
_DECISION: Final = {
    WhyUnchanged.NO_REASON: _NO_REASON,
    WhyUnchanged.NO_SUCH_ORDER: _GONE,
    WhyUnchanged.ALREADY_REVOKED: N_("It was closed by hand before."),
    WhyUnchanged.NOT_REVOKED: N_("It was not closed by hand, so there is nothing to restore."),
}
_GRANT: Final = {
    WhyNotGranted.NO_REASON: _NO_REASON,
    WhyNotGranted.NO_SUCH_PRODUCT: N_("There is no such product in the catalogue."),
    WhyNotGranted.DRAFT: N_("That product is a draft."),
    WhyNotGranted.RETIRED: N_("That product is retired."),
    WhyNotGranted.NO_KEYS: N_("The list of licence keys of %(product)s is used up."),
    WhyNotGranted.ERASED: N_(
        "The person with that address had their data deleted, and has to order themselves."
    ),
}
_SENT: Final = {
    WhyNotSent.NO_SUCH_ORDER: _GONE,
    WhyNotSent.NO_SUCH_CUSTOMER: _NO_CUSTOMER,
    WhyNotSent.WITHOUT_ADDRESS: N_("The order belongs to no address."),
    WhyNotSent.ERASED: _ERASED,
    WhyNotSent.TEST_PURCHASE: N_("It is a test purchase, and the shop has gone live."),
    WhyNotSent.REFUNDED: N_("It was refunded, so there is nothing to open."),
    WhyNotSent.CHARGED_BACK: N_("It was charged back, so there is nothing to open."),
    WhyNotSent.REVOKED: N_("It is closed by hand, so there is nothing to open."),
    WhyNotSent.IN_DISPUTE: N_("The payment is disputed, so there is nothing to open."),
    WhyNotSent.UNKNOWN_STATUS: N_("Stripe reports a status that we do not know, so it is suspended."),
    WhyNotSent.STILL_QUEUED: N_("An access email for this order waits to be sent already."),
    WhyNotSent.ENOUGH: N_("Three were sent to that address within an hour. Please wait."),
}
_CHANGE: Final = {
    WhyNotChanged.NO_REASON: _NO_REASON,
    WhyNotChanged.NO_SUCH_ORDER: _GONE,
    WhyNotChanged.NO_SUCH_CUSTOMER: _NO_CUSTOMER,
    WhyNotChanged.NO_ADDRESS: N_("The order belongs to no address."),
    WhyNotChanged.SAME: N_("It is the address already."),
    WhyNotChanged.ANOTHER_OPEN: N_("Another change of that address waits to be confirmed."),
    WhyNotChanged.WOULD_MERGE: N_("That is another customer's address. An owner can merge the two."),
    WhyNotChanged.NOT_A_CUSTOMER: N_(
        "Nobody bought anything with that address. Correct the address instead."
    ),
}
_KEY: Final = {
    WhyNotReplaced.NO_REASON: _NO_REASON,
    WhyNotReplaced.NO_SUCH_ORDER: _GONE,
    WhyNotReplaced.NO_KEY: N_("The order has no such licence key any more."),
    WhyNotReplaced.WHICH: N_("The order has several licence keys: choose one."),
    WhyNotReplaced.NOT_OPEN: N_("The order is closed or in dispute."),
    WhyNotReplaced.NO_KEYS: N_(
        "The list of licence keys is used up. Add keys to licences.txt of the product."
    ),
}
_NOTE: Final = {
    WhyNoNote.NO_SUCH_ORDER: _GONE,
    WhyNoNote.TOO_LONG: N_("A note has at most %(longest)s characters."),
    WhyNoNote.ERASED: _ERASED,
}
_ERASE: Final = {
    WhyNotErased.NO_REASON: _NO_REASON,
    WhyNotErased.NO_SUCH_CUSTOMER: _NO_CUSTOMER,
    WhyNotErased.TOO_SOON: N_("A change to this address can still be undone. Try again after three days."),
    WhyNotErased.PAYMENT_PENDING: N_(
        "A payment of theirs is under way. Wait until it has arrived or failed."
    ),
}
_BOOK: Final = {
    WhyNotBooked.NO_REASON: _NO_REASON,
    WhyNotBooked.NOT_QUARANTINED: N_("It is not in quarantine any more."),
    WhyNotBooked.NOT_OURS: N_("It is no checkout of this shop, so it can only be dismissed."),
    WhyNotBooked.NOT_PAID: N_("Stripe says that it is not paid."),
    WhyNotBooked.CHANGED: N_("It was booked or closed meanwhile."),
}


def not_refunded(found: NotRefunded | NotAnAmount) -> str:
    """Why nothing is refunded."""
    if isinstance(found, NotRefunded):
        return _(_REFUND[found.why], left=found.left or "", longest=LONGEST_REASON)
    example = example_amount(found.order.paid.currency)
    words = _AMOUNT.get(found.problem, _AMOUNT[AmountProblem.NOT_A_NUMBER])
    text = decimal_text(example.amount, example.currency)
    return _(words, example=text, currency=example.currency.upper())


def not_decided(found: Unchanged) -> str:
    """Why access stays as it is."""
    if found.why is WhyUnchanged.NOT_REVOKED and found.state not in (
        PurchaseState.LIVE,
        PurchaseState.REVOKED,
    ):
        return _("A refund or a dispute closes it, which nobody can lift by hand. Give a free copy instead.")
    return _(_DECISION[found.why], longest=LONGEST_REASON)


def not_granted(found: NotGranted | HasItAlready) -> str:
    """Why nothing is given."""
    if isinstance(found, HasItAlready):
        return _(
            "They have it already, by order %(number)s. Nothing was given. To give them another copy, check the box.",
            number=order_number(found.order.checkout),
        )
    return _(_GRANT[found.why], product=found.product, longest=LONGEST_REASON)


def not_sent(found: NotSent) -> str:
    """Why no link is sent."""
    return _(_SENT[found.why])


def not_changed(found: NotChanged) -> str:
    """Why no address changes."""
    return _(_CHANGE[found.why], longest=LONGEST_REASON)


def not_replaced(found: NotReplaced) -> str:
    """Why the licence key stays."""
    return _(_KEY[found.why], longest=LONGEST_REASON)


def not_noted(found: NotNoted) -> str:
    """Why the note stays as it is."""
    return _(_NOTE[found.why], longest=LONGEST_NOTE)


def not_erased(found: NotErased) -> str:
    """Why nothing is deleted."""
    return _(_ERASE[found.why], longest=LONGEST_REASON)


def not_booked(found: NotBooked) -> str:
    """Why the payment is not booked."""
    return _(_BOOK[found.why], longest=LONGEST_REASON)
