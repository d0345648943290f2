"""How a CSV file of another shop is read: presets, and what the merchant says of its columns. Presets are data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import Enum
from typing import Final

from domain.frozen import frozen
from domain.values import ProductId

_SOURCE: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


class Field(Enum):
    """What a column can be. The values are stored, and written on the command line."""

    ID = "external_id"
    """What the other shop calls the sale: one purchase comes of it, however often it is imported."""
    ADDRESS = "address"
    PRODUCT = "product"
    CURRENCY = "currency"
    PAID = "paid"
    """In major units."""
    AT = "at"
    LICENCE_KEY = "licence_key"
    GIFTEE = "giftee"
    """Whose it is if it was a present."""
    PAYMENT = "payment"
    """Stripe's payment intent."""
    STATUS = "status"
    REFUNDED = "refunded"
    """How much of it, in major units."""
    IS_REFUNDED = "is_refunded"
    """Whether all of it was; this and the following are yes or no."""
    IS_DISPUTED = "is_disputed"
    DISPUTE_WON = "dispute_won"
    IS_REVOKED = "is_revoked"
    MODE = "mode"
    SHOP = "shop"
    """The shop in Stripe's metadata, which ours are marked with."""


ASKED: Final = (
    Field.ID, Field.ADDRESS, Field.PRODUCT, Field.CURRENCY, Field.PAID, Field.AT, Field.LICENCE_KEY,
)  # fmt: skip
"""What a mapping may say; the others come with a preset."""
REQUIRED: Final = (Field.ID, Field.ADDRESS, Field.PRODUCT)
FIXABLE: Final = (Field.PRODUCT, Field.CURRENCY)
"""What may be the same for all rows, without a column."""

Columns = Mapping[Field, Sequence[str]]
"""For each field the headings to try: of several columns, the first that is not empty."""


@frozen
class Preset:
    """What is known of another shop's export."""

    name: str
    columns: Columns
    fixed: Mapping[Field, str] = field(default_factory=dict)
    paid_statuses: frozenset[str] = frozenset()
    """Of the column STATUS, in lower case; empty if it is not asked."""
    refunded_statuses: frozenset[str] = frozenset()
    last_line: str = ""
    """The first cell of a line of totals."""
    by_payment: bool = False
    """Whether every row must name its payment intent."""
    refunds_follow: bool = False
    """Whether the payment provider can be asked about refunds. If not, the price is what was not refunded."""


# The headings are those of Gumroad's own export (PurchaseExportService in its published source) and of the payments
# that Stripe's dashboard exports (https://docs.stripe.com/reports/options).
PRESETS: Final[Mapping[str, Preset]] = {
    preset.name: preset
    for preset in (
        Preset(
            "gumroad",
            {
                Field.ID: ("Purchase ID",),
                Field.ADDRESS: ("Purchase Email", "Buyer Email"),
                Field.PRODUCT: ("Item Name",),
                Field.PAID: ("Sale Price ($)",),
                Field.AT: ("Purchase Time (UTC timezone)", "Purchase Date"),
                Field.LICENCE_KEY: ("License Key",),
                Field.GIFTEE: ("Giftee Email",),
                Field.REFUNDED: ("Partial Refund ($)",),
                Field.IS_REFUNDED: ("Fully Refunded?",),
                Field.IS_DISPUTED: ("Disputed?",),
                Field.DISPUTE_WON: ("Dispute Won?",),
                Field.IS_REVOKED: ("Access Revoked?",),
            },
            fixed={Field.CURRENCY: "usd"},
            last_line="Totals",
        ),
        Preset(
            "stripe",
            {
                Field.ID: ("PaymentIntent ID", "id"),
                Field.PAYMENT: ("PaymentIntent ID", "id"),
                Field.ADDRESS: ("Customer Email", "Receipt Email"),
                Field.PRODUCT: ("Description",),
                Field.CURRENCY: ("Currency",),
                Field.PAID: ("Amount",),
                Field.AT: ("Created date (UTC)", "Created (UTC)"),
                Field.STATUS: ("Status",),
                Field.REFUNDED: ("Amount Refunded",),
                Field.MODE: ("Mode",),
                Field.SHOP: ("shop (metadata)",),
            },
            paid_statuses=frozenset({"paid", "succeeded", "partially refunded", "partial refund", "disputed"}),
            refunded_statuses=frozenset({"refunded"}),
            by_payment=True,
            refunds_follow=True,
        ),
        Preset("own", {field: (field.value,) for field in ASKED}),
    )
}  # fmt: skip


@frozen
class Plan:
    """What the merchant decided about a file."""

    preset: str
    source: str
    """What the other shop is called: a part of every purchase's id."""
    columns: Columns
    fixed: Mapping[Field, str]
    products: Mapping[str, ProductId]
    """Ids here of what is called otherwise there."""
    email: bool = False
    """Whether each new owner gets an access email."""

    @property
    def missing(self) -> tuple[Field, ...]:
        """What is required, and neither a column nor fixed."""
        return tuple(one for one in REQUIRED if not self.columns.get(one) and not self.fixed.get(one))


def is_source(text: str) -> bool:
    """Whether a shop can be called that here: up to 40 lower-case letters, digits and inner hyphens."""
    return _SOURCE.fullmatch(text) is not None


def plan_of(
    preset: Preset,
    *,
    source: str = "",
    columns: Columns | None = None,
    fixed: Mapping[Field, str] | None = None,
    products: Mapping[str, ProductId] | None = None,
    email: bool = False,
) -> Plan:
    """A preset with what the merchant says otherwise. No headings for a field take its column away."""
    chosen, always = columns or {}, {one: text for one, text in (fixed or {}).items() if text}
    kept = {one: tuple(names) for one, names in {**preset.columns, **chosen}.items() if names}
    return Plan(
        preset=preset.name,
        source=source or preset.name,
        columns={one: names for one, names in kept.items() if one not in always},
        fixed={**{one: text for one, text in preset.fixed.items() if one not in chosen}, **always},
        products=products or {},
        email=email,
    )


def guess(header: Sequence[str]) -> str | None:
    """The preset whose required columns a header has; None if it is of none."""
    there = set(map(folded, header))
    for preset in PRESETS.values():
        needed = [preset.columns[one] for one in (*REQUIRED, Field.PAID)]
        if all(any(folded(name) in there for name in names) for names in needed):
            return preset.name
    return None


def folded(text: str) -> str:
    """How headings and names of products are compared."""
    return " ".join(text.split()).casefold()
