"""The entries of a timeline in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final, assert_never

from domain import outbox_keys
from domain.address_change import AddressChange
from domain.audit import AuditAction, AuditLine, AuditResult
from domain.decision import decided_on
from domain.fact import Fact, FactKind, MerchantStatus
from domain.local_time import day_of
from domain.magic_link import LinkPurpose, MagicLink
from domain.mail import Delivery, Mail, MailState
from domain.purchase import Checkout, Purchase, Source
from domain.records import Download
from domain.timeline import Entry, Step, is_about_sale
from domain.values import Money
from entrypoints.admin.sale_words import (
    booked_by,
    day_range,
    mail_address,
    movement_name,
    short_moment,
    status_words,
)
from entrypoints.http.sentences import N_, _, ngettext

_MAILS: Final[Mapping[str, str]] = {
    "access_link": N_("Access email"),
    "sign_in": N_("Sign-in email"),
    "confirm_order": N_("Email to confirm a free order"),
    "confirm_owner": N_("Email to confirm the address of an order"),
    "payment_failed": N_("Email about a failed payment"),
    "refunded": N_("Email about a refund"),
    "access_closed": N_("Email about revoked access"),
    "open_again": N_("Email about access that is open again"),
    "licence_arrived": N_("Email with a licence key"),
    "new_release": N_("Email about a new version"),
    "confirm_address": N_("Email to confirm an address"),
    "address_change_requested": N_("Email about a change of address"),
    "correction_undone": N_("Email about a correction that was undone"),
    "withdrawal_received": N_("Acknowledgement of a withdrawal"),
    "withdrawal_to_prove": N_("Email to confirm a withdrawal"),
    "withdrawal_accepted": N_("Email about an accepted withdrawal"),
    "withdrawal_refused": N_("Email about a refused withdrawal"),
}
_DELIVERIES: Final[Mapping[Delivery, str]] = {
    Delivery.ACCEPTED: N_("sent"),
    Delivery.DELAYED: N_("sent; the mailbox does not take it yet"),
    Delivery.DELIVERED: N_("delivered"),
    Delivery.COMPLAINED: N_("delivered, and reported as spam"),
    Delivery.BOUNCED: N_("bounced"),
}
_STATES: Final[Mapping[MailState, str]] = {
    MailState.QUEUED: N_("not sent yet"),
    MailState.SENT: N_("sent"),
    MailState.STUCK: N_("could not be sent"),
    MailState.DROPPED: N_("not sent on purpose"),
}
_LINKS: Final[Mapping[LinkPurpose, str]] = {
    LinkPurpose.ACCESS: N_("Access link used"),
    LinkPurpose.LOGIN: N_("Signed in with an emailed link or code"),
    LinkPurpose.ORDER: N_("Order confirmed"),
    LinkPurpose.MOVE: N_("New address confirmed"),
    LinkPurpose.UNDO: N_("Change of address undone"),
    LinkPurpose.OWNER: N_("Address of the order confirmed"),
    LinkPurpose.WITHDRAWAL: N_("Withdrawal confirmed by the customer"),
}
_ACTIONS: Final[Mapping[AuditAction, str]] = {
    AuditAction.GRANT: N_("Free copy given"),
    AuditAction.REVOKE: N_("Access closed"),
    AuditAction.RESTORE: N_("Access restored"),
    AuditAction.REFUND: N_("Refund requested"),
    AuditAction.DISMISS_REFUND: N_("Refused refund taken off the list"),
    AuditAction.RESEND: N_("Access link sent again"),
    AuditAction.SEND_LINK: N_("Link sent that gives the order an address"),
    AuditAction.SEND_AGAIN: N_("Email sent again"),
    AuditAction.DISMISS_BOUNCE: N_("Bounce taken off the list"),
    AuditAction.CORRECT_ADDRESS: N_("Correction of the address requested"),
    AuditAction.MERGE_CUSTOMERS: N_("Merge with another customer requested"),
    AuditAction.REPLACE_KEY: N_("Licence key replaced"),
    AuditAction.WRITE_NOTE: N_("Internal note written"),
    AuditAction.SIGN_OUT_CUSTOMER: N_("Customer signed out everywhere"),
    AuditAction.ERASE_CUSTOMER: N_("Customer's data deleted"),
    AuditAction.BOOK_PAYMENT: N_("Payment booked by hand"),
    AuditAction.ACCEPT_WITHDRAWAL: N_("Withdrawal accepted"),
    AuditAction.REFUSE_WITHDRAWAL: N_("Withdrawal refused"),
    AuditAction.HAND_OVER_DATA: N_("File with the customer's data downloaded"),
}
_RESULTS: Final[Mapping[AuditResult, str]] = {
    AuditResult.REFUSED: N_("refused: their role does not allow it"),
    AuditResult.DROPPED: N_("not sent: of no use any more"),
}
_DECISIONS: Final = frozenset({AuditAction.REVOKE, AuditAction.RESTORE, AuditAction.REFUND})
_CLOSE: Final = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a timeline."""

    at: datetime
    when: str
    """`3 May, 14:05`, or `3 to 9 May` of several."""
    what: str
    detail: str = ""
    bad: bool = False
    """It went wrong, or takes something away."""
    at_page: str = ""
    """The page of what it is about, if it has one of its own."""


def lines_of(
    entries: Sequence[Entry],
    *,
    names: Mapping[str, str],
    zone: tzinfo,
    now: datetime,
    sales: Sequence[Purchase] = (),
    currency: str = "",
) -> list[Line]:
    """The lines, in the order of the entries. `names`: of those who act (`AuditLine.actor`).

    `sales`: what they are about; with several, a line says which one. `currency`: where it is about none of these.
    """
    by_hand = [entry.at for entry in entries if _is_decision(entry)]
    return [
        _line(entry, names=names, sales=sales, currency=currency, zone=zone, now=now)
        for entry in entries
        if not (_is_merchants(entry) and any(abs(entry.at - at) <= _CLOSE for at in by_hand))
    ]


def _is_decision(entry: Entry) -> bool:
    line = entry.about
    return isinstance(line, AuditLine) and line.action in _DECISIONS and line.result is AuditResult.DONE


def _is_merchants(entry: Entry) -> bool:
    """Whether it is what the audit log says, too, with who and why."""
    return isinstance(entry.about, Fact) and entry.about.kind is FactKind.MERCHANT


def _line(
    entry: Entry,
    *,
    names: Mapping[str, str],
    sales: Sequence[Purchase],
    currency: str,
    zone: tzinfo,
    now: datetime,
) -> Line:
    sale = next((sale for sale in sales if _is_about(entry, sale)), None)
    currency = (sale or sales[0]).paid.currency if sales else currency
    what, detail, bad = _words(entry, names, currency)
    if len(sales) > 1 and sale is not None:
        detail = f"{sale.product_name}; {detail}" if detail else sale.product_name
    page = mail_address(entry.about.key) if isinstance(entry.about, Mail) and entry.times == 1 else ""
    return Line(entry.at, _when(entry, zone, now), what, detail, bad, page)


def _is_about(entry: Entry, sale: Purchase) -> bool:
    match entry.about:
        case Purchase() as purchase:
            return purchase.checkout == sale.checkout
        case Fact() as fact if fact.kind is FactKind.MERCHANT:
            return decided_on(fact.object_id) == sale.checkout
        case Fact() as fact:
            return fact.payment is not None and fact.payment == sale.payment
        case Mail() as mail:
            return is_about_sale(mail, sale)
        case Download() as download:
            return download.checkout == sale.checkout
        case AuditLine() as line:
            return sale.checkout in (line.object_id, outbox_keys.sale_of(line.object_id))
        case _:
            return False


def _when(entry: Entry, zone: tzinfo, now: datetime) -> str:
    first, last = (None if at is None else day_of(at, zone) for at in (entry.since, entry.at))
    if first is None or first == last:
        return short_moment(entry.at, zone, now=now)
    return day_range(first, last, today=day_of(now, zone))


def _words(entry: Entry, names: Mapping[str, str], currency: str) -> tuple[str, str, bool]:
    match entry.about:
        case Checkout() as begun:
            return _("Checkout started"), f"{begun.product_name}, {begun.price}", False
        case Purchase() as purchase:
            return _purchase(entry, purchase)
        case Fact() as fact:
            return _fact(fact, currency)
        case Mail() as mail:
            return _mail(entry, mail)
        case MagicLink() as link:
            return _several(_(_LINKS[link.purpose]), entry.times), "", False
        case Download() as download:
            fetched = ngettext(
                "%(number)d download of %(file)s", "%(number)d downloads of %(file)s", entry.times, file=download.name
            )  # fmt: skip
            return fetched, "", False
        case AddressChange() as change:
            return _change(entry, change)
        case AuditLine() as line:
            return _by_hand(line, names)
        case _:
            assert_never(entry.about)


def _purchase(entry: Entry, purchase: Purchase) -> tuple[str, str, bool]:
    if entry.step is Step.OPENED:
        return _("Opened for the first time"), "", False
    match purchase.source:
        case Source.SALE:
            return _("Paid %(amount)s", amount=purchase.paid), booked_by(purchase.booked_by), False
        case Source.FREE:
            return _("Ordered for free"), "", False
        case Source.GRANT:
            return _("Free copy given"), "", False
        case Source.IMPORT:
            return _("Imported"), "", False


def _fact(fact: Fact, currency: str) -> tuple[str, str, bool]:
    if fact.kind is FactKind.MERCHANT:
        revoked = fact.status == MerchantStatus.REVOKED
        return _("Access closed") if revoked else _("Access restored"), "", revoked
    bad = fact.charged_back > 0 or fact.suspends or fact.status == "failed"
    name = movement_name(fact, Money(fact.amount, currency))
    return f"{name}: {status_words(fact)}", fact.object_id, bad


def mail_name(mail: Mail) -> str:
    """What kind of email it is."""
    return _(_MAILS[mail.email.template]) if mail.email.template in _MAILS else _("Email")


def mail_went(mail: Mail) -> str:
    """How far it got, in a few words."""
    return _(_DELIVERIES[mail.delivery]) if mail.delivery is not None else _(_STATES[mail.state])


def _mail(entry: Entry, mail: Mail) -> tuple[str, str, bool]:
    known, sent = mail_name(mail), mail_went(mail)
    went_wrong = mail.state is MailState.STUCK or mail.delivery in (Delivery.BOUNCED, Delivery.COMPLAINED)
    detail = _("to %(address)s", address=mail.to)
    return f"{_several(known, entry.times)}: {sent}", detail, went_wrong


def _change(entry: Entry, change: AddressChange) -> tuple[str, str, bool]:
    detail = _("from %(old)s to %(new)s", old=change.old, new=change.new)
    match entry.step:
        case Step.CHANGE_DONE:
            return _("Address changed"), detail, False
        case Step.CHANGE_UNDONE:
            return _("Change of address undone"), detail, False
        case _:
            return _("Change of address requested"), detail, False


def _by_hand(line: AuditLine, names: Mapping[str, str]) -> tuple[str, str, bool]:
    what = _(_ACTIONS[line.action]) if line.action in _ACTIONS else line.action.value
    by = _("by %(name)s", name=names.get(line.actor, line.actor))
    if line.result in _RESULTS:
        what = f"{what}: {_(_RESULTS[line.result])}"
    return what, f"{by}: {line.reason}" if line.reason else by, line.result is not AuditResult.DONE


def _several(what: str, times: int) -> str:
    return what if times == 1 else _("%(what)s, %(number)s times", what=what, number=times)
