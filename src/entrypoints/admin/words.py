"""What the back office calls actions, reasons and news."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.audit import AuditAction, AuditLine, AuditResult
from domain.claim import RejectReason
from domain.fact import Fact
from domain.outbox_keys import sale_of
from domain.records import Quarantined
from domain.usecases.list_news import News
from domain.values import money_text
from entrypoints.admin.sale_words import movement_name, status_words
from entrypoints.http.sentences import N_, _

ACTIONS: Final[Mapping[AuditAction, str]] = {
    AuditAction.GRANT: N_("gave a free copy"),
    AuditAction.REVOKE: N_("revoked access to a purchase"),
    AuditAction.RESTORE: N_("restored access to a purchase"),
    AuditAction.REFUND: N_("asked for a refund"),
    AuditAction.DISMISS_REFUND: N_("dismissed a refund"),
    AuditAction.RESEND: N_("sent an access link again"),
    AuditAction.SEND_LINK: N_("sent a link to an address that was named for an order"),
    AuditAction.SEND_AGAIN: N_("sent an email again"),
    AuditAction.DISMISS_PAYMENT: N_("dismissed a quarantined payment"),
    AuditAction.DISMISS_BOUNCE: N_("dismissed a bounced email"),
    AuditAction.RECONCILE: N_("compared the shop with Stripe"),
    AuditAction.READ_AGAIN: N_("had a payment read again at Stripe"),
    AuditAction.INVITE_STAFF: N_("invited a member of staff"),
    AuditAction.LINK_STAFF: N_("made a sign-in link for a member of staff"),
    AuditAction.CHANGE_ROLE: N_("changed the role of a member of staff"),
    AuditAction.DISABLE_STAFF: N_("disabled a member of staff"),
    AuditAction.ENABLE_STAFF: N_("enabled a member of staff"),
    AuditAction.JOIN: N_("used an invitation"),
    AuditAction.SIGN_IN: N_("signed in"),
    AuditAction.ENTER_BY_LINK: N_("signed in with a link"),
    AuditAction.ADD_PASSKEY: N_("added a passkey"),
    AuditAction.REMOVE_PASSKEY: N_("removed a passkey"),
    AuditAction.END_STAFF_SESSIONS: N_("ended sessions"),
    AuditAction.IMPORT: N_("imported a file"),
    AuditAction.ANNOUNCE: N_("announced a new version"),
    AuditAction.TRY_ANNOUNCEMENT: N_("had the email about a new version sent to themselves"),
    AuditAction.MOVE: N_("moved the shop to another database"),
    AuditAction.CONFIRM_ADDRESS: N_("confirmed the shop's address"),
    AuditAction.ERASE_AGAIN: N_("applied deletions again"),
    AuditAction.EXPORT: N_("exported a list"),
    AuditAction.EXPORT_WITH_ADDRESSES: N_("exported a list with addresses"),
    AuditAction.CORRECT_ADDRESS: N_("corrected an address"),
    AuditAction.MERGE_CUSTOMERS: N_("merged two customers"),
    AuditAction.REPLACE_KEY: N_("replaced a licence key"),
    AuditAction.WRITE_NOTE: N_("wrote a note"),
    AuditAction.SIGN_OUT_CUSTOMER: N_("signed a customer out"),
    AuditAction.ERASE_CUSTOMER: N_("deleted a customer's data"),
    AuditAction.HAND_OVER_DATA: N_("made a file of a customer's data"),
    AuditAction.BOOK_PAYMENT: N_("booked a quarantined payment"),
    AuditAction.ACCEPT_WITHDRAWAL: N_("accepted a withdrawal"),
    AuditAction.REFUSE_WITHDRAWAL: N_("refused a withdrawal"),
    AuditAction.UNKNOWN: N_("did something that this shop has no name for"),
}
"""Each goes on a sentence that begins with who did it."""
RESULTS: Final[Mapping[AuditResult, str]] = {
    AuditResult.DONE: N_("done"),
    AuditResult.REFUSED: N_("refused"),
    AuditResult.ENDED: N_("passkey removed: it seems to have been copied"),
    AuditResult.DROPPED: N_("not sent: of no use any more"),
    AuditResult.UNKNOWN: N_("has no name here: the entry was changed"),
}
_ABOUT_SALES: Final = frozenset(
    {
        AuditAction.GRANT, AuditAction.REVOKE, AuditAction.RESTORE, AuditAction.REFUND, AuditAction.RESEND,
        AuditAction.SEND_LINK, AuditAction.CORRECT_ADDRESS, AuditAction.MERGE_CUSTOMERS, AuditAction.REPLACE_KEY,
        AuditAction.WRITE_NOTE, AuditAction.SIGN_OUT_CUSTOMER, AuditAction.ERASE_CUSTOMER, AuditAction.HAND_OVER_DATA,
        AuditAction.BOOK_PAYMENT, AuditAction.ACCEPT_WITHDRAWAL, AuditAction.REFUSE_WITHDRAWAL,
    }
)  # fmt: skip
"""Their object is an order: of an action on a customer, their oldest one."""
REASONS: Final[Mapping[RejectReason, str]] = {
    RejectReason.NO_METADATA: N_(
        "It carries no checkout of ours: another program on the same Stripe account made it."
    ),
    RejectReason.ANOTHER_SHOP: N_("It was made for another shop."),
    RejectReason.UNKNOWN_PRODUCT: N_("It names a product that this shop does not have."),
    RejectReason.UNKNOWN_CHECKOUT: N_(
        "It names a checkout that this shop never started, and its seal does not hold."
    ),
    RejectReason.ANOTHER_SESSION: N_("It names a checkout of ours, but that checkout has another session."),
    RejectReason.NOT_A_PAYMENT: N_("It is not a one-time payment."),
    RejectReason.OTHER_MODE: N_("It is from Stripe's other mode (test or live) than this shop's key."),
    RejectReason.WRONG_PRODUCT: N_("It names another product than the checkout it belongs to."),
    RejectReason.WRONG_CURRENCY: N_("Its currency is not the one that was asked."),
    RejectReason.WRONG_AMOUNT: N_("Its amount is not the price that was asked."),
    RejectReason.UNASKED_DISCOUNT: N_("It has a discount, which this checkout did not allow."),
    RejectReason.FOREIGN_PAYMENT: N_("A refund or dispute of a payment that is no sale of this shop."),
    RejectReason.CUSTOMER_ERASED: N_(
        "Paid after its customer deleted the account: nothing was delivered, and nobody emailed. Refund it in Stripe."
    ),
    RejectReason.UNREADABLE_PAYMENT: N_(
        "A refund or dispute of a payment that Stripe could not be asked about for three days."
    ),
}


def action_words(action: AuditAction) -> str:
    """What somebody did, as in "gave a free copy"."""
    # One that is new and has no words here yet must not take a page away.
    return _(ACTIONS[action]) if action in ACTIONS else action.value


def news(one: News, names: Mapping[str, str]) -> str:
    """A sentence. `names`: of members of staff, by the actor's name in the audit log."""
    match one.about:
        case Fact():
            return _fact(one.about, "" if one.held is None else one.held.purchase.paid.currency)
        case AuditLine():
            who = names.get(one.about.actor, one.about.actor)
            return f"{who} {_action(one.about)}"
        case Quarantined():
            return _("A payment was quarantined: %(why)s", why=_(REASONS[one.about.reason]))


def _fact(fact: Fact, currency: str) -> str:
    amount = money_text(fact.amount, currency) if currency else _("an unknown sale")
    return f"{movement_name(fact, amount)}: {status_words(fact)}"


def sale_of_line(line: AuditLine) -> str:
    """The order that an action was about; "" for none, and for an attempt, which may name anything."""
    if line.result is not AuditResult.DONE:
        return ""
    return line.object_id if line.action in _ABOUT_SALES else sale_of(line.object_id) or ""


def _action(line: AuditLine) -> str:
    what = action_words(line.action)
    return (
        _("tried, and was refused: %(action)s", action=what) if line.result is AuditResult.REFUSED else what
    )
