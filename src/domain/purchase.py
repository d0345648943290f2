"""Checkouts, the purchases they become, and the state that the facts about one add up to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Final

from domain.fact import GONE, Fact, FactKind, MerchantStatus
from domain.frozen import frozen
from domain.values import (
    ChangeId,
    CheckoutId,
    EmailAddress,
    Money,
    ProductId,
    ProviderRef,
    SessionId,
    UserId,
)
from domain.waiver import Waiver

LONGEST_PAYMENT: Final = timedelta(days=30)
"""After that an open checkout is not paid any more: a page is open for a day, a bank debit takes 14 working days."""

OPEN_AT_MOST: Final = timedelta(hours=25)
"""How long after its beginning a checkout can be paid: Stripe's sessions expire within 24 hours."""


@frozen
class Checkout:
    """One attempt to buy, as it stood when it began. The claim judges by this, never by today's catalogue."""

    id: CheckoutId
    product: ProductId
    product_name: str
    price: Money
    session: SessionId | None
    """The row of the browser that started it; None in a restored shop, where the row was written by a claim."""
    mailbox: EmailAddress | None
    """The mailbox its session had proved when the checkout began."""
    livemode: bool | None
    """The mode of the key it was begun with; None for what never goes to Stripe."""
    started_at: datetime
    provider_ref: ProviderRef | None = None
    """Stripe's id of the session, once it exists."""
    expires_at: datetime | None = None
    contents: tuple[ProductId, ...] = ()
    """What a bundle contained when it was offered."""
    discounts: bool = False
    """Whether the payment page took promotion codes, or began with one."""
    promotion: str = ""
    """The provider's id of the promotion code that the payment page began with; "" for none."""
    on_purpose: bool = False
    """Whether its buyer confirmed it, owning the product or with a payment for it under way."""
    verified: EmailAddress | None = None
    """The mailbox that its session first verified after it began, unless it was booked by then. Not whose it will be:
    the address given at the payment decides that."""
    change: ChangeId | None = None
    """The last change of address that found it open, begun by a guest who verified the address later: paid with the
    address that was left, it belongs to the new one."""
    waiver: Waiver | None = None
    """How its buyer waived the right of withdrawal; None if they did not."""
    opens_at: datetime | None = None  # without a waiver, in a shop that sells so; else at once
    language: str = ""  # that its buyer read the shop in (BCP 47); "" for the shop's only one

    @property
    def products(self) -> tuple[ProductId, ...]:
        """Every product it would open: the one that is bought, and what a bundle contains."""
        return (self.product, *self.contents)


@frozen
class Breakdown:
    """What lies between a price and what was paid for it, in minor units of its currency."""

    discount: int = 0
    tax: int = 0
    tax_on_top: bool = False
    """Whether the tax was added to the price. Otherwise it is in it."""

    def __bool__(self) -> bool:
        """Whether there is anything: a discount, or a tax that the provider told of."""
        return bool(self.discount or self.tax)

    @property
    def added(self) -> int:
        """The tax that was added to the price."""
        return self.tax if self.tax_on_top else 0


PRICE_AS_IT_IS: Final = Breakdown()
"""No discount, and no tax that the provider told of."""


@frozen
class LicenceKey:
    """A key that came with a purchase: of the product itself, or of one in its bundle."""

    product: ProductId
    key: str


class Source(Enum):
    """Where a purchase comes from. The values are stored and exported."""

    SALE = "sale"
    """Paid at the payment provider, or free there by a promotion code."""
    FREE = "free"
    """A free order."""
    GRANT = "grant"
    """Given by the merchant."""
    IMPORT = "import"
    """Sold by another shop, and adopted."""


class BookedBy(Enum):
    """Which caller of the claim was first. The values are stored and exported."""

    RETURN = "return"
    """The buyer's browser, coming back from the payment page."""
    WEBHOOK = "webhook"
    RECONCILER = "reconciler"
    """A timer that asked the payment provider."""


@frozen
class Purchase:
    """A checkout that was paid. It belongs to `mailbox` and keeps the address given at the payment, too."""

    checkout: CheckoutId
    provider_ref: ProviderRef | None
    """Stripe's id of the session; None for what was free and never went there."""
    payment: str | None
    """The payment intent's id; None when nothing had to be paid."""
    user: UserId | None
    mailbox: EmailAddress | None
    """Whose it is. User and mailbox are None once that person was erased (the sale stays), and of a sale whose address
    cannot be emailed until one is named and verified (`domain.address_change.may_name_owner`)."""
    paid_email: EmailAddress | None
    product: ProductId
    product_name: str
    paid: Money
    livemode: bool | None
    """Whether it was paid with real money; None for a free order, a grant or an import, which have no mode."""
    session: SessionId | None
    booked_at: datetime
    source: Source
    contents: tuple[ProductId, ...] = ()
    licences: tuple[LicenceKey, ...] = ()
    breakdown: Breakdown = PRICE_AS_IT_IS
    """What was taken off its price, and the tax."""
    booked_by: BookedBy | None = None
    """None for a free order, a grant or an import, and for sales booked before this was kept."""
    opened_at: datetime | None = None
    """When a browser that holds it first fetched its content or one of its files."""
    tax_country: str = ""
    """Where its buyer is, for the tax (ISO 3166-1 alpha-2); "" if the provider worked out no tax for this sale."""
    invoice: str = ""
    """The provider's id of its invoice; "" if there was none when the sale was booked."""
    tax_number: str = ""
    """What its buyer gave as the tax number of their business. It is theirs, and erased with them."""
    waiver: Waiver | None = None
    opens_at: datetime | None = None  # as `Checkout.opens_at`

    @property
    def price(self) -> Money:
        """What it cost before a discount, and before a tax that came on top."""
        amount = self.paid.amount + self.breakdown.discount - self.breakdown.added
        return Money(amount=amount, currency=self.paid.currency)

    @property
    def products(self) -> tuple[ProductId, ...]:
        """Every product it opens: the one that was bought, and what a bundle contained."""
        return (self.product, *self.contents)


class PurchaseState(Enum):
    """What the facts of a purchase add up to."""

    LIVE = auto()
    SUSPENDED = auto()
    """A dispute is open, or a status is one we do not know: unknown counts against access."""
    REFUNDED = auto()
    """All that was paid is gone, by refunds alone."""
    CHARGED_BACK = auto()
    """All that was paid is gone, and a lost dispute took some of it."""
    REVOKED = auto()
    """The merchant closed it."""


@frozen
class Standing:
    """A purchase's state and the second (Unix time) of the fact that decided it; None when nothing did."""

    state: PurchaseState
    since: int | None


def standing(purchase: Purchase, facts: Iterable[Fact]) -> Standing:
    """The state of a purchase, computed from the set of its facts in any order.

    It is closed when all that was paid is gone: refunds pending or succeeded, and the amounts of lost disputes.
    """
    return standing_of(purchase.paid, facts)


def standing_of(paid: Money, facts: Iterable[Fact]) -> Standing:
    """The same, of a payment of which there may be no purchase yet.

    What money says comes first: closed by refunds or lost disputes, suspended by a dispute, then the merchant's word.
    """
    told = tuple(facts)
    gone = [fact for fact in told if fact.gone]
    if gone and sum(fact.gone for fact in gone) >= paid.amount:
        lost = [fact.as_of for fact in gone if fact.charged_back]
        if lost:
            return Standing(state=PurchaseState.CHARGED_BACK, since=max(lost))
        return Standing(state=PurchaseState.REFUNDED, since=max(fact.as_of for fact in gone))
    suspended = [fact.as_of for fact in told if fact.suspends]
    if suspended:
        return Standing(state=PurchaseState.SUSPENDED, since=max(suspended))
    revoked = [fact.as_of for fact in told if is_revoking(fact, told)]
    if revoked:
        return Standing(state=PurchaseState.REVOKED, since=max(revoked))
    return Standing(state=PurchaseState.LIVE, since=None)


def is_revoking(fact: Fact, told: Iterable[Fact]) -> bool:
    """Whether a fact among those of its purchase is a revocation that counts.

    One that came with refunds counts until all of them are known not to: a refund counts while nobody has answered,
    and while it is pending or succeeded.
    """
    if fact.kind is not FactKind.MERCHANT or fact.status != MerchantStatus.REVOKED:
        return False
    if not fact.request:
        return True
    refunds = [other for other in told if other.kind is FactKind.REFUND]
    answers = ([one for one in refunds if one.request == request] for request in fact.request.split())
    return any(not said or any(one.status in GONE[one.kind] for one in said) for said in answers)


def order_number(checkout: CheckoutId) -> str:
    """What an order is called between people: the first sixteen characters of its checkout's id.

    Twelve of them are the milliseconds of its beginning, which several may share and anyone may guess.
    """
    return checkout[:16]


def began_at(order: str) -> datetime | None:
    """When the checkout of an order number began; None if the number holds no time, as that of an import."""
    try:
        began = int(order[:12], 16) / 1000 if len(order) == 16 else 0
        return datetime.fromtimestamp(began, tz=UTC) if began else None
    except (ValueError, OverflowError, OSError):
        return None
