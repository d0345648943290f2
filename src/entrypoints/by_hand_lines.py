"""What the command line says of addresses, licence keys, notes, deletions and payments that the merchant handles."""

from __future__ import annotations

from typing import Final

from domain.address_change import ChangeKind
from domain.audit import LONGEST_REASON
from domain.note import LONGEST_NOTE
from domain.purchase import order_number
from domain.usecases.book_payment import NotBooked, PaymentBooked, WhyNotBooked
from domain.usecases.erase_customer import NotErased, WhyNotErased
from domain.usecases.replace_key import KeyReplaced, NotReplaced, WhyNotReplaced
from domain.usecases.staff_change import ChangeAsked, NotChanged, WhyNotChanged
from domain.usecases.write_note import Noted, NotNoted, WhyNoNote
from domain.values import mask

_NO_REASON: Final = f"--reason is empty, or longer than {LONGEST_REASON} characters"
_NOT_CHANGED: Final = {
    WhyNotChanged.NO_REASON: _NO_REASON,
    WhyNotChanged.NO_SUCH_ORDER: "there is no such order",
    WhyNotChanged.NO_SUCH_CUSTOMER: "there is no customer with that address",
    WhyNotChanged.NO_ADDRESS: "the order belongs to no address; `coatcheck send-link` gives it one",
    WhyNotChanged.SAME: "it is the address already",
    WhyNotChanged.ANOTHER_OPEN: "another change of that address waits to be confirmed",
    WhyNotChanged.WOULD_MERGE: "the new address is another customer's; `coatcheck merge` puts both together",
    WhyNotChanged.NOT_A_CUSTOMER: "nobody bought anything as that; `coatcheck correct` changes an address",
}
_NOT_REPLACED: Final = {
    WhyNotReplaced.NO_REASON: _NO_REASON,
    WhyNotReplaced.NO_SUCH_ORDER: "there is no such order",
    WhyNotReplaced.NO_KEY: "the order has no such licence key",
    WhyNotReplaced.WHICH: "the order has keys of several products; name one with --product",
    WhyNotReplaced.NOT_OPEN: "the order is closed or in dispute",
    WhyNotReplaced.NO_KEYS: "the list of licence keys is used up",
}
_NOT_NOTED: Final = {
    WhyNoNote.NO_SUCH_ORDER: "there is no such order",
    WhyNoNote.TOO_LONG: f"a note has at most {LONGEST_NOTE} characters",
    WhyNoNote.ERASED: "the customer of that order deleted their account",
}
_NOT_ERASED: Final = {
    WhyNotErased.NO_REASON: _NO_REASON,
    WhyNotErased.NO_SUCH_CUSTOMER: "there is no customer with that address",
    WhyNotErased.TOO_SOON: "a change to that address can still be undone; try again after 73 hours",
    WhyNotErased.PAYMENT_PENDING: "a payment of theirs is under way",
}
_NOT_BOOKED: Final = {
    WhyNotBooked.NO_REASON: _NO_REASON,
    WhyNotBooked.NOT_QUARANTINED: "it is not in quarantine",
    WhyNotBooked.NOT_OURS: "it is no checkout of this shop; `coatcheck status --dismiss ID --reason TEXT` closes it",
    WhyNotBooked.NOT_PAID: "Stripe says that it is not paid",
    WhyNotBooked.CHANGED: "it was booked or closed meanwhile",
}


def change_lines(found: ChangeAsked) -> list[str]:
    """What waits to be confirmed, and who is emailed."""
    change = found.change
    # Without the addresses: the merchant has just typed them, and masked, two of one domain look alike.
    what = "The order" if change.kind is ChangeKind.CORRECTION else "Everything that the old address bought"
    return [
        f"The new address is emailed a link. {what} moves once it is used, within a day; until then nothing changes.",
        "The old address is emailed a link that undoes it for 72 hours.",
    ]


def not_changed_line(found: NotChanged) -> str:
    """One sentence."""
    return f"nothing was changed: {_NOT_CHANGED[found.why]}"


def replaced_line(found: KeyReplaced) -> str:
    """One sentence, without the key."""
    order, told = found.order, "" if found.told else " Nobody is emailed."
    mailbox = f" It is emailed to {mask(order.mailbox)}." if found.told and order.mailbox else told
    return f"Order {order_number(order.checkout)} has a new licence key.{mailbox}"


def not_replaced_line(found: NotReplaced) -> str:
    """One sentence."""
    return f"nothing was replaced: {_NOT_REPLACED[found.why]}"


def noted_line(found: Noted) -> str:
    """One sentence."""
    done = "has no note any more" if found.note is None else "has this note now"
    return f"Order {order_number(found.order.checkout)} {done}."


def not_noted_line(found: NotNoted) -> str:
    """One sentence."""
    return f"nothing was noted: {_NOT_NOTED[found.why]}"


def not_erased_line(found: NotErased) -> str:
    """One sentence."""
    return f"nothing was deleted: {_NOT_ERASED[found.why]}"


def booked_line(found: PaymentBooked) -> str:
    """One sentence."""
    order = found.order
    to = "" if order.mailbox is None else f" The access email to {mask(order.mailbox)} is queued."
    return f"Order {order_number(order.checkout)}: {order.product_name} was booked for {order.paid}.{to}"


def not_booked_line(found: NotBooked) -> str:
    """One sentence."""
    return f"nothing was booked: {_NOT_BOOKED[found.why]}"
