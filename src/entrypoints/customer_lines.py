"""What `coatcheck customer` says: who a customer is, and a timeline of what happened. No link, token, code or key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from types import MappingProxyType
from typing import Final

from domain.access import Holding, waits
from domain.address_change import AddressChange, ChangeKind
from domain.fact import Fact, FactKind
from domain.mail import Delivery, Mail, MailProblem, MailState
from domain.outbox_keys import sale_of
from domain.purchase import LicenceKey, Purchase, PurchaseState, Source, order_number
from domain.session import Session
from domain.usecases.find_order import SeveralOrders
from domain.usecases.show_customer import Customer
from domain.values import mask, money_text
from entrypoints.cli_words import counted, minute
from entrypoints.mail_lines import problem_of
from entrypoints.refund_lines import refund_request_line
from entrypoints.waiver_lines import waiver_line

Event = tuple[datetime, str]

_EMAILS: Final = {
    "access_link": "Access email",
    "sign_in": "Sign-in email",
    "confirm_order": "Email to confirm a free order",
    "confirm_owner": "Email that gives an order its address",
    "payment_failed": "Email about a payment that failed",
    "refunded": "Email about a refund or lost dispute",
    "access_closed": "Email that an order is closed",
    "open_again": "Email that an order is open again",
    "licence_arrived": "Email with a licence key",
    "new_release": "Email about a new version",
    "confirm_address": "Email to confirm an address",
    "address_change_requested": "Notice of an address change",
}
_DELIVERIES: Final = {
    None: "",
    Delivery.ACCEPTED: "",
    Delivery.DELAYED: ", delivery delayed",
    Delivery.DELIVERED: ", delivered",
    Delivery.COMPLAINED: ", reported as spam",
    Delivery.BOUNCED: ", bounced",
}
_DROPPED: Final[dict[str, str]] = {
    MailProblem.NO_CUSTOMER: "not sent, because no customer had this address",
    MailProblem.UNSUBSCRIBED: "not sent, because the customer had unsubscribed",
    MailProblem.QUEUED_AGAIN: "replaced by a newer one",
    MailProblem.ANOTHER_SHOP: "not sent, because this database is a copy of another shop's",
}
_SHOWN_OF_A_KEY: Final = 4
_LONG_KEY: Final = 12
"""Of a shorter key, four characters are too much of it."""


def customer_lines(customer: Customer, names: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """Who it is, and everything that happened, oldest first.

    `names`: of members of staff, by the actor's name in the audit log.
    """
    events = sorted(_events(customer, names), key=itemgetter(0))
    return [*_who(customer), "", *(f"{minute(at)}  {text}" for at, text in events)]


def several_lines(found: SeveralOrders) -> list[str]:
    """The orders that begin alike, a line each."""
    numbers = [order_number(held.purchase.checkout) for held in found.orders]
    lines = []
    for number, purchase in zip(numbers, (held.purchase for held in found.orders), strict=True):
        name = number if numbers.count(number) == 1 else purchase.checkout
        whose = "no address" if purchase.mailbox is None else mask(purchase.mailbox)
        lines.append(f"{name}  {purchase.product_name}, {minute(purchase.booked_at)}, {whose}")
    return [*lines, *(["…"] if found.more else [])]


def _who(customer: Customer) -> list[str]:
    if customer.mailbox is None:
        [order] = (order_number(held.purchase.checkout) for held in customer.holdings)
        if customer.erased_at is not None:
            return [f"The customer of order {order} was erased on {minute(customer.erased_at)}."]
        return [f"Order {order} has no address yet. To give it one: coatcheck send-link {order} ADDRESS"]
    user = customer.user
    if user is None:
        return [customer.mailbox.canonical, "No order belongs to this address."]
    verified = "never verified" if user.proved_at is None else f"verified {minute(user.proved_at)}"
    release = "" if user.wants_release_emails else " No emails about new versions."
    orders = counted(len(customer.holdings), "order")
    return [
        customer.mailbox.canonical,
        f"{orders}, customer since {minute(user.since)}, address {verified}.{release}",
    ]


def _events(customer: Customer, names: Mapping[str, str]) -> Iterator[Event]:
    for held in customer.holdings:
        yield held.purchase.booked_at, _order(held, customer)
        for fact in held.facts:
            if fact.kind is not FactKind.SESSION:
                yield datetime.fromtimestamp(fact.as_of, UTC), _fact(fact, held.purchase)
    for request in customer.refunds:
        yield request.at, refund_request_line(request, names)
    for checkout in customer.pending:
        yield checkout.started_at, f"Payment of {checkout.price} for {checkout.product_name} is pending."
    for mail in customer.mails:
        yield mail.queued_at, _mail(mail)
    for download in customer.downloads:
        times = "once" if download.times == 1 else f"{download.times} times"
        order = order_number(download.checkout)
        yield download.last_at, f"{download.name} of order {order} downloaded ({times} so far)."
    for session in customer.sessions:
        yield session.seen_at, _session(session, customer.now)
    for change in customer.changes:
        yield from _change(change)


def _order(held: Holding, customer: Customer) -> str:
    purchase = held.purchase
    order = f"Order {order_number(purchase.checkout)}: {purchase.product_name}"
    parts = [f"{order}, {_price(purchase)}. {_state(held, customer)}"]
    paid_by = purchase.paid_email
    if paid_by is not None and paid_by != purchase.mailbox:
        parts.append(f"Paid under another address ({mask(paid_by)}).")
    parts += [f"Licence key {_masked(licence)}." for licence in purchase.licences]
    if purchase.checkout in customer.waivers:
        parts.append(waiver_line(customer.waivers[purchase.checkout]))
    return " ".join(parts)


def _price(purchase: Purchase) -> str:
    if purchase.source is Source.GRANT:
        return "granted"
    price = str(purchase.paid) if purchase.paid.amount else "free"
    return f"{price}, imported" if purchase.source is Source.IMPORT else price


def _state(held: Holding, customer: Customer) -> str:
    if held.purchase.livemode is False and customer.gone_live:
        return "Closed: a test purchase."
    test = " Test purchase." if held.purchase.livemode is False else ""
    standing = held.standing
    since = "" if standing.since is None else f" since {minute(datetime.fromtimestamp(standing.since, UTC))}"
    match standing.state:
        case PurchaseState.LIVE:
            opens_at = held.purchase.opens_at
            if opens_at is not None and waits(held.purchase, now=customer.now):
                return f"Opens {minute(opens_at)}{_taken_back(held)}: the right of withdrawal was not waived.{test}"
            return f"Open{_taken_back(held)}.{test}"
        case PurchaseState.SUSPENDED:
            why = "in dispute" if held.in_dispute else "Stripe reports a status that is not known"
            return f"Closed{since}: {why}.{test}"
        case PurchaseState.REFUNDED:
            return f"Closed{since}: refunded in full.{test}"
        case PurchaseState.CHARGED_BACK:
            return f"Closed{since}: charged back.{test}"
        case PurchaseState.REVOKED:
            return f"Closed{since}: revoked.{test}"


def _taken_back(held: Holding) -> str:
    currency = held.purchase.paid.currency
    refunded = f", {money_text(held.refunded, currency)} refunded" if held.refunded else ""
    lost = f", {money_text(held.charged_back, currency)} lost in a dispute" if held.charged_back else ""
    return refunded + lost


def _masked(licence: LicenceKey) -> str:
    end = licence.key[-_SHOWN_OF_A_KEY:] if len(licence.key) >= _LONG_KEY else ""
    return f"•••{end} given"


def _fact(fact: Fact, purchase: Purchase) -> str:
    if fact.kind is FactKind.MERCHANT:
        done = {"revoked": "closed by hand", "restored": "reopened by hand"}.get(fact.status, fact.status)
        return f"Order {order_number(purchase.checkout)} {done}."
    if fact.kind is FactKind.WARNING:
        return f"Fraud warning, order {order_number(purchase.checkout)}: {fact.status}."
    what = "Refund of" if fact.kind is FactKind.REFUND else "Dispute over"
    amount = money_text(fact.amount, purchase.paid.currency)
    return f"{what} {amount}, order {order_number(purchase.checkout)}: {fact.status.replace('_', ' ')}."


def _mail(mail: Mail) -> str:
    order = sale_of(mail.key)
    about = "" if order is None else f", order {order_number(order)}"
    return f"{_EMAILS.get(mail.email.template, 'Email')}{about}: {_mail_state(mail)}."


def _mail_state(mail: Mail) -> str:
    match mail.state:
        case MailState.QUEUED:
            return f"queued, last attempt failed: {problem_of(mail)}" if mail.problem else "queued"
        case MailState.SENT:
            return f"sent{_DELIVERIES[mail.delivery]}"
        case MailState.STUCK:
            may = "may have been sent" if mail.may_have_been_sent else "refused"
            return f"{may}: {problem_of(mail)}"
        case MailState.DROPPED:
            return _DROPPED.get(mail.problem, f"not sent: {problem_of(mail)}")


def _session(session: Session, now: datetime) -> str:
    ended = "" if session.is_live(now=now) else ", expired since"
    return f"{session.label}: last seen (signed in since {minute(session.started_at)}{ended})."


def _change(change: AddressChange) -> Iterator[Event]:
    one = change.kind is ChangeKind.CORRECTION
    what = f"Address of order {_numbers(change)}" if one else "Address"
    way = f"from {change.old} to {change.new}"
    yield change.asked_at, f"{what}: change {way} requested."
    if change.done_at is not None:
        yield change.done_at, f"{what}: changed {way}."
    if change.undone_at is not None:
        undone = "undone" if change.done_at is not None else "cancelled"
        yield change.undone_at, f"{what}: change {way} {undone}."


def _numbers(change: AddressChange) -> str:
    orders: Sequence[str] = [order_number(checkout) for checkout in change.checkouts]
    return ", ".join(orders)
