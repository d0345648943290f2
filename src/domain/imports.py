"""Sales of another shop, row by row: what a record of its CSV file becomes here, or why it becomes nothing.

A row is judged from the file alone; `domain.usecases.import_rows` asks the store.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from domain.amounts import AmountProblem, typed_amount
from domain.csv_rows import Record
from domain.frozen import frozen
from domain.import_plan import PRESETS, REQUIRED, Field, Plan, Preset, folded
from domain.product import CatalogueEdition, Product
from domain.values import CheckoutId, EmailAddress, InvalidEmail, Money, ProductId, is_payment

LONGEST_KEY: Final = 200
"""Characters of a licence key, as in a product's own list."""
_LONGEST_ID: Final = 500
_YES: Final = frozenset({"1", "true", "yes", "y"})
_OLDEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
_AHEAD: Final = timedelta(days=1)
"""How far another shop's clock and time zone may be ahead of ours."""
_GUARDED: Final = re.compile(r"'[=+\-@\t]")
"""What spreadsheets would take for a formula has a ' in front in careful exports, ours among them."""


class Reason(Enum):
    """Why a row is refused. The values are stored."""

    TOO_MANY_CELLS = "too-many-cells"
    """More than the header has: a cell with a separator in it stands without quotation marks."""
    NO_ID = "no-id"
    NO_ADDRESS = "no-address"
    UNKNOWN_PRODUCT = "unknown-product"
    UNKNOWN_CURRENCY = "unknown-currency"
    BAD_AMOUNT = "bad-amount"
    BAD_DATE = "bad-date"
    BAD_KEY = "bad-key"
    NO_PAYMENT = "no-payment"
    """A Stripe payment without a payment intent: it could be a sale of ours, and no refund would reach it."""
    REFUNDED = "refunded"
    CHARGED_BACK = "charged-back"
    REVOKED = "revoked"
    NOT_PAID = "not-paid"
    TEST = "test"
    """Paid in Stripe's test mode."""
    OURS = "ours"
    """A sale of this shop that is not booked: `coatcheck reconcile` does that."""
    ERASED = "erased"
    """Its buyer deleted their account here."""

    @property
    def is_usual(self) -> bool:
        """Whether such a row is rightly left out, so that nobody has to look at it."""
        return self in _USUAL


_USUAL: Final = frozenset(
    {Reason.REFUNDED, Reason.CHARGED_BACK, Reason.REVOKED, Reason.NOT_PAID, Reason.TEST, Reason.ERASED}
)


@frozen
class Layout:
    """A plan applied to a header: where each field stands."""

    plan: Plan
    preset: Preset
    header: tuple[str, ...]
    places: Mapping[Field, tuple[int, ...]]

    @classmethod
    def of(cls, plan: Plan, header: Sequence[str]) -> Layout:
        """Raises MissingColumns."""
        at: dict[str, int] = {}
        for place, name in enumerate(header):
            at.setdefault(folded(name), place)
        places = {
            one: tuple(at[folded(name)] for name in names if folded(name) in at)
            for one, names in plan.columns.items()
        }
        required = (one for one in REQUIRED if one not in plan.fixed)
        missing = [" / ".join(plan.columns.get(one, (one.value,))) for one in required if not places.get(one)]
        if missing:
            raise MissingColumns(tuple(missing))
        return cls(plan=plan, preset=PRESETS[plan.preset], header=tuple(header), places=places)

    def cell(self, record: Record, field: Field) -> str:
        """What a record says of a field; "" if nothing."""
        for place in self.places.get(field, ()):
            text = record.cells[place].strip() if place < len(record.cells) else ""
            if text:
                return text[1:] if _GUARDED.match(text) else text
        return self.plan.fixed.get(field, "")

    def says(self, record: Record, field: Field) -> bool:
        """What a record says of a yes-or-no field."""
        return self.cell(record, field).lower() in _YES

    def is_header(self, record: Record) -> bool:
        """Whether it is the header, which some exports repeat."""
        return tuple(cell.strip() for cell in record.cells) == self.header

    def is_totals(self, record: Record) -> bool:
        """Whether it is no sale at all, but a line of sums."""
        return bool(self.preset.last_line) and record.cells[0].strip() == self.preset.last_line


class MissingColumns(Exception):
    """The header lacks what the plan names: `headings`."""

    def __init__(self, headings: tuple[str, ...]) -> None:
        super().__init__(", ".join(headings))
        self.headings = headings


@frozen
class Row:
    """A sale of another shop, as it would be booked here."""

    line: int
    checkout: CheckoutId
    owner: EmailAddress
    bought_by_owner: bool
    """False for a present: then nothing is kept of who paid."""
    product: Product
    paid: Money
    at: datetime | None
    licence_key: str
    payment: str | None
    wants_recheck: bool
    """Whether the payment provider knows of a refund or dispute that is to be read."""


@frozen
class Refused:
    """A row that becomes nothing."""

    line: int
    reason: Reason
    product: str = ""
    """What the product is called there, if it is not one of ours."""


def checkout_id(*, shop: str, source: str, external_id: str) -> CheckoutId:
    """The id of an imported sale: the same for the same, whatever SESSION_SECRET is.

    It begins with f, which no id of ours does that holds a time: `domain.purchase.began_at` finds none in it.
    """
    named = "".join(f"{len(part)}:{part}" for part in (shop, source, external_id))
    return CheckoutId(f"f{hashlib.sha256(named.encode('utf-8', 'surrogatepass')).hexdigest()[:31]}")


def read_row(record: Record, layout: Layout, *, edition: CatalogueEdition, now: datetime) -> Row | Refused:
    """What a record becomes, or the first reason why it becomes nothing."""
    found = _parsed(record, layout, edition=edition, now=now)
    if isinstance(found, Reason):
        named = layout.cell(record, Field.PRODUCT)[:100] if found is Reason.UNKNOWN_PRODUCT else ""
        return Refused(line=record.line, reason=found, product=named)
    return found


def _parsed(record: Record, layout: Layout, *, edition: CatalogueEdition, now: datetime) -> Row | Reason:
    if any(cell.strip() for cell in record.cells[len(layout.header) :]):
        return Reason.TOO_MANY_CELLS
    refusal = _ended(record, layout, shop=edition.shop.id)
    if refusal is not None:
        return refusal
    named, payment = layout.cell(record, Field.ID), layout.cell(record, Field.PAYMENT)
    if not 0 < len(named) <= _LONGEST_ID:
        return Reason.NO_ID
    if layout.preset.by_payment and not is_payment(payment):
        return Reason.NO_PAYMENT
    giftee = layout.cell(record, Field.GIFTEE)
    try:
        owner = EmailAddress.parse(giftee or layout.cell(record, Field.ADDRESS))
    except InvalidEmail:
        return Reason.NO_ADDRESS
    product = _product(layout.cell(record, Field.PRODUCT), layout.plan, edition)
    if product is None:
        return Reason.UNKNOWN_PRODUCT
    money = _amounts(record, layout, product)
    if isinstance(money, Reason):
        return money
    at = _moment(layout.cell(record, Field.AT), now=now)
    if isinstance(at, Reason):
        return at
    key = layout.cell(record, Field.LICENCE_KEY)
    if len(key) > LONGEST_KEY or not key.isprintable():
        return Reason.BAD_KEY
    paid, refunded = money
    disputed = layout.cell(record, Field.STATUS).lower() == "disputed"
    return Row(
        line=record.line,
        checkout=checkout_id(shop=edition.shop.id, source=layout.plan.source, external_id=named),
        owner=owner,
        bought_by_owner=not giftee,
        product=product,
        paid=paid,
        at=at,
        licence_key=key,
        payment=payment if layout.preset.by_payment else None,
        wants_recheck=layout.preset.refunds_follow and (refunded or disputed),
    )


def _ended(record: Record, layout: Layout, *, shop: str) -> Reason | None:
    """Why a sale gives nobody access, by what its shop says of it."""
    status = layout.cell(record, Field.STATUS).lower()
    if layout.says(record, Field.IS_REFUNDED) or status in layout.preset.refunded_statuses:
        return Reason.REFUNDED
    if layout.says(record, Field.IS_DISPUTED) and not layout.says(record, Field.DISPUTE_WON):
        return Reason.CHARGED_BACK
    if layout.says(record, Field.IS_REVOKED):
        return Reason.REVOKED
    if status and layout.preset.paid_statuses and status not in layout.preset.paid_statuses:
        return Reason.NOT_PAID
    if layout.cell(record, Field.MODE).lower() == "test":
        return Reason.TEST
    return Reason.OURS if layout.cell(record, Field.SHOP) == shop else None


def _product(named: str, plan: Plan, edition: CatalogueEdition) -> Product | None:
    """The product of a name or id there: as the merchant said, else of that id, else of that name."""
    if named in plan.products:
        return edition.products.get(plan.products[named])
    found = edition.products.get(ProductId(named))
    if found is not None or not named:
        return found
    called = folded(named)
    alike = [one for one in edition.products.values() if folded(one.name) == called]
    return alike[0] if len(alike) == 1 else None


def _amounts(record: Record, layout: Layout, product: Product) -> tuple[Money, bool] | Reason:
    """What was paid, and whether some of it was refunded. Without a column, nothing was."""
    currency = layout.cell(record, Field.CURRENCY).lower() or product.price.currency
    if not layout.places.get(Field.PAID):
        return Money(0, product.price.currency), False
    paid = typed_amount(layout.cell(record, Field.PAID), currency=currency, charged=False)
    back = typed_amount(layout.cell(record, Field.REFUNDED) or "0", currency=currency, charged=False)
    if AmountProblem.UNKNOWN_CURRENCY in (paid, back):
        return Reason.UNKNOWN_CURRENCY
    if not isinstance(paid, Money) or not isinstance(back, Money):
        return Reason.BAD_AMOUNT
    if back.amount and back.amount >= paid.amount:
        return Reason.REFUNDED
    left = paid.amount if layout.preset.refunds_follow else paid.amount - back.amount
    return Money(left, currency), back.amount > 0


def _moment(text: str, *, now: datetime) -> datetime | Reason | None:
    """When it was sold: ISO 8601, with a space for the T and `UTC` for the Z if need be. Without a zone it is UTC."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text.removesuffix(" UTC").replace(" +", "+").replace(" -", "-"))
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return Reason.BAD_DATE
    if not _OLDEST <= at <= now + _AHEAD:
        return Reason.BAD_DATE
    return min(at, now)
