"""What can be exported as a table: the kinds, their columns, and the values of a row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from domain.audit import AuditLine
from domain.customer_list import CustomerRow
from domain.frozen import frozen
from domain.mail import Mail
from domain.outbox_keys import sale_of
from domain.purchase import order_number
from domain.records import Download
from domain.redacting import redacted
from domain.sale_list import SaleFilter, SaleRow
from domain.tax_rate import tax_rate
from domain.values import EmailAddress, Money, decimal_text

Value = str | int | datetime | Money | None
"""Of one cell. How it is written is up to the format."""
ROWS_AT_ONCE: Final = 500
"""A page is encoded in the event loop: 500 rows take a few milliseconds."""


class ExportKind(Enum):
    """What is exported. The values stand in addresses and on the command line."""

    SALES = "sales"
    CUSTOMERS = "customers"
    DOWNLOADS = "downloads"
    EMAILS = "emails"
    AUDIT = "audit"


COLUMNS: Final[Mapping[ExportKind, tuple[str, ...]]] = {
    ExportKind.SALES: (
        "order", "started_at", "booked_at", "source", "product_id", "product", "contents", "currency", "paid",
        "refunded", "net", "tax", "tax_rate", "tax_country", "tax_number", "invoice", "discount", "state",
        "state_since", "opened_at", "address", "address_at_payment",
        "stripe_session", "stripe_payment", "promotion_code",
    ),
    ExportKind.CUSTOMERS: (
        "customer", "address", "since", "verified_at", "wants_release_emails", "purchases", "spent", "last_seen",
    ),
    ExportKind.DOWNLOADS: ("order", "product_id", "file", "times", "first_at", "last_at"),
    ExportKind.EMAILS: (
        "key", "order", "kind", "template", "language", "to", "subject", "state", "delivery", "attempts", "queued_at",
        "sent_at", "problem",
    ),
    ExportKind.AUDIT: ("at", "line", "who", "action", "object", "result", "times", "reason"),
}  # fmt: skip
"""In the order in which they are written, whichever are chosen."""
ADDRESSES: Final = frozenset({"address", "address_at_payment", "to", "tax_number"})
"""Columns that only an owner exports: they name somebody."""
_BEGUN: Final = frozenset({"started_at", "promotion_code"})


@frozen
class Begun:
    """What only the checkout of a purchase says."""

    started_at: datetime
    promotion: str


@frozen
class Export:
    """What is wanted. `columns` are some of `COLUMNS[kind]`; `sales` narrows the sales down, and nothing else."""

    kind: ExportKind
    columns: tuple[str, ...]
    sales: SaleFilter = SaleFilter()

    @classmethod
    def of(cls, kind: ExportKind, chosen: frozenset[str], *, sales: SaleFilter) -> Export:
        """The chosen columns in their order; without any, all that name nobody by address."""
        columns = tuple(name for name in COLUMNS[kind] if name in (chosen or COLUMNS[kind]))
        if not chosen:
            columns = tuple(name for name in columns if name not in ADDRESSES)
        return cls(kind=kind, columns=columns, sales=sales)

    @property
    def has_addresses(self) -> bool:
        """Whether a chosen column holds email addresses."""
        return not ADDRESSES.isdisjoint(self.columns)

    @property
    def asks_checkouts(self) -> bool:
        """Whether a column needs `Begun`."""
        return not _BEGUN.isdisjoint(self.columns)


def sale_values(row: SaleRow, begun: Begun | None) -> Mapping[str, Value]:
    """One sale."""
    held, purchase = row.held, row.held.purchase
    currency, gone = purchase.paid.currency, held.refunded + held.charged_back
    since = held.standing.since
    return {
        "order": order_number(purchase.checkout),
        "started_at": None if begun is None else begun.started_at,
        "booked_at": purchase.booked_at,
        "source": purchase.source.value,
        "product_id": purchase.product,
        "product": purchase.product_name,
        "contents": " ".join(purchase.contents),
        "currency": currency.upper(),
        "paid": purchase.paid,
        "refunded": Money(held.refunded, currency),
        "net": Money(purchase.paid.amount - gone, currency),
        "tax": Money(purchase.breakdown.tax, currency),
        "tax_rate": tax_rate(purchase.paid, purchase.breakdown),
        "tax_country": purchase.tax_country,
        "tax_number": purchase.tax_number,
        "invoice": purchase.invoice,
        "discount": Money(purchase.breakdown.discount, currency),
        "state": row.state.name.lower().replace("_", "-"),
        "state_since": None if since is None else datetime.fromtimestamp(since, UTC),
        "opened_at": purchase.opened_at,
        "address": _address(purchase.mailbox),
        "address_at_payment": _address(purchase.paid_email),
        "stripe_session": purchase.provider_ref,
        "stripe_payment": purchase.payment,
        "promotion_code": None if begun is None else begun.promotion,
    }


def _address(mailbox: EmailAddress | None) -> str | None:
    return None if mailbox is None else mailbox.canonical


def customer_values(row: CustomerRow, *, livemode: bool) -> Mapping[str, Value]:
    """One customer. What they spent, in each currency: `12.50 USD, 3.00 EUR`. `livemode`: see `CustomerRow.spent`."""
    sums = row.spent(livemode=livemode)
    spent = (f"{decimal_text(total, currency)} {currency.upper()}" for currency, total in sums)
    return {
        "customer": row.user.id,
        "address": row.user.mailbox.canonical,
        "since": row.user.since,
        "verified_at": row.user.proved_at,
        "wants_release_emails": "yes" if row.user.wants_release_emails else "no",
        "purchases": len(row.holdings),
        "spent": ", ".join(spent),
        "last_seen": row.seen_at,
    }


def download_values(download: Download) -> Mapping[str, Value]:
    """One file that one purchase fetched."""
    return {
        "order": order_number(download.checkout),
        "product_id": download.product,
        "file": download.name,
        "times": download.times,
        "first_at": download.first_at,
        "last_at": download.last_at,
    }


def email_values(mail: Mail) -> Mapping[str, Value]:
    """One email, without its text."""
    order = sale_of(mail.key)
    return {
        "key": mail.key,
        "order": None if order is None else order_number(order),
        "kind": mail.kind.value,
        "template": mail.email.template,
        "language": mail.language,
        "to": mail.to.canonical,
        "subject": None if mail.letter is None else mail.letter.subject,
        "state": mail.state.value,
        "delivery": None if mail.delivery is None else mail.delivery.value,
        "attempts": mail.attempts,
        "queued_at": mail.queued_at,
        "sent_at": mail.sent_at,
        "problem": redacted(mail.problem),
    }


def audit_values(line: AuditLine) -> Mapping[str, Value]:
    """One line of the audit log."""
    return {
        "at": line.at,
        "line": line.id,
        "who": line.actor,
        "action": line.action.value,
        "object": line.object_id,
        "result": line.result.value,
        "times": line.times,
        "reason": line.reason,
    }
