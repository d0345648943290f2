"""What the pages of actions on a customer say, and those of a free copy and of a quarantined payment."""

from __future__ import annotations

from typing import Final

from domain.audit import AuditAction
from domain.limits import GRANTS_BY_SUPPORT
from domain.product import CatalogueEdition, Status
from domain.usecases.book_payment import Bookable
from domain.usecases.look_at_sale import CustomerSeen
from entrypoints.admin.desk import Entry, Sheet
from entrypoints.http.sentences import _, ngettext

GRANT: Final = "/admin/grant"
_GIVEN: Final = (Status.ON_SALE, Status.UNLISTED)


def at_customer(seen: CustomerSeen) -> str:
    """The address of the page of a customer."""
    return f"/admin/customers/{seen.user.id}"


def oldest(seen: CustomerSeen) -> str:
    """What audit lines about a customer name."""
    return min(held.purchase.checkout for held in seen.holdings)


def address_sheet(seen: CustomerSeen) -> Sheet:
    """Everything that they own."""
    old = seen.user.mailbox
    return Sheet(
        action=AuditAction.CORRECT_ADDRESS, object_id=oldest(seen), title=_("Correct the address of %(old)s", old=old),
        effects=[
            _owns(seen),
            _("All of it moves to the new address once that confirms it within a day. Nothing changes until then."),
            _(
                "The new address is emailed a link that confirms it; %(old)s is emailed one that undoes it for "
                "72 hours.",
                old=old,
            ),
        ],
        button=_("Ask for confirmation"), back=at_customer(seen), seen=seen.digest,
        fields=[Entry("email", _("The right address"), kind="email")],
    )  # fmt: skip


def merge_sheet(seen: CustomerSeen) -> Sheet:
    """Two customers who are one person."""
    old = seen.user.mailbox
    return Sheet(
        action=AuditAction.MERGE_CUSTOMERS, object_id=oldest(seen),
        title=_("Merge %(old)s into another customer", old=old),
        effects=[
            _owns(seen),
            _("All of it moves to the other customer once they confirm it within a day. Nothing changes until then."),
            _(
                "The other address is emailed a link that confirms it; %(old)s is emailed one that undoes it for 72 "
                "hours.",
                old=old,
            ),
        ],
        button=_("Ask for confirmation"), back=at_customer(seen), seen=seen.digest, danger=True,
        fields=[Entry("email", _("The address that keeps everything"), kind="email")],
    )  # fmt: skip


def sign_out_sheet(seen: CustomerSeen) -> Sheet:
    """On every device."""
    return Sheet(
        action=AuditAction.SIGN_OUT_CUSTOMER, object_id=oldest(seen),
        title=_("Sign %(address)s out everywhere", address=seen.user.mailbox),
        effects=[
            _(
                "Every browser is signed out, also one that opens a purchase because it paid for it. Nothing is lost: "
                "a link by email signs them in again."
            ),
            _("Changes of their address that wait to be confirmed are withdrawn. Nobody is emailed."),
        ],
        button=_("Sign out everywhere"), back=at_customer(seen), seen=seen.digest, reason=False,
    )  # fmt: skip


def erase_sheet(seen: CustomerSeen) -> Sheet:
    """It cannot be undone."""
    address = seen.user.mailbox
    return Sheet(
        action=AuditAction.ERASE_CUSTOMER, object_id=oldest(seen),
        title=_("Delete the data of %(address)s", address=address),
        effects=[
            _owns(seen),
            _(
                "Everything that names them is deleted, and what they bought opens no more. It cannot be undone. The "
                "sales stay in the books, without them."
            ),
            _("%(address)s is sent a last email. The reason is deleted with the rest.", address=address),
        ],
        button=_("Delete it"), back=at_customer(seen), seen=seen.digest, danger=True,
    )  # fmt: skip


def grant_sheet(
    edition: CatalogueEdition, *, product: str, address: str, counted: bool, again: bool = False
) -> Sheet:
    """To any address, of any product that is not a draft or retired.

    `counted`: whether it is one of so many a day. `again`: with the box that gives it to somebody who has it.
    """
    products = [
        (one.id, one.name) for one in edition.products.values() if one.present and one.status in _GIVEN
    ]
    return Sheet(
        action=AuditAction.GRANT, object_id=product, title=_("Give a free copy"),
        effects=[
            _("They get the product without a payment, with its licence keys. It is no sale in the figures."),
            _("The address is emailed what they were given, and a link that opens it."),
            *_allowance(counted),
        ],
        button=_("Give it"), back="/admin/sales",
        fields=[
            Entry("product", _("Product"), kind="choice", value=product, options=products),
            Entry("email", _("To which address"), kind="email", value=address),
            *([again_box()] if again else []),
        ],
        cannot="" if products else _("The catalogue has no product that could be given."),
    )  # fmt: skip


def again_box() -> Entry:
    """Gives a free copy to somebody who has the product."""
    return Entry("again", _("Give it although they have it already"), kind="check")


def book_sheet(found: Bookable, *, counted: bool) -> Sheet:
    """What was asked, beside what was paid. `counted`: as in `grant_sheet`."""
    sale = found.sale
    whose = (
        _("nobody: the address that was given cannot be emailed") if sale.owner is None else str(sale.owner)
    )
    return Sheet(
        action=AuditAction.BOOK_PAYMENT, object_id=found.ref, title=_("Book this payment"),
        effects=[
            _("%(name)s, for %(whose)s.", name=found.checkout.product_name, whose=whose),
            _("Asked: %(asked)s. Paid: %(paid)s.", asked=found.asked, paid=sale.paid),
            _("It becomes a sale of what was paid, and the customer is emailed the access link."),
            *_allowance(counted),
        ],
        button=_("Book it"), back="/admin/stripe", seen=f"{sale.paid.amount}{sale.paid.currency}",
    )  # fmt: skip


def _allowance(counted: bool) -> list[str]:
    """What support is told, whose free copies and bookings are limited together."""
    limit = GRANTS_BY_SUPPORT.most
    return (
        [_("Free copies and payments booked by hand: you may do %(limit)d a day.", limit=limit)]
        if counted
        else []
    )


def _owns(seen: CustomerSeen) -> str:
    number = len(seen.holdings)
    return ngettext(
        "%(address)s has %(number)d purchase.", "%(address)s has %(number)d purchases.", number,
        address=seen.user.mailbox,
    )  # fmt: skip
