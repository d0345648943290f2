"""The rules of the claim: what the provider reports about a checkout session, and whether it is a sale of this shop."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum, auto

from domain.fact import CheckoutStatus, Fact, FactKind
from domain.frozen import frozen, maker
from domain.keys import Keyring, SealedTerms
from domain.product import CatalogueEdition, Product
from domain.purchase import PRICE_AS_IT_IS, Breakdown, Checkout
from domain.values import (
    CheckoutId,
    EmailAddress,
    InvalidEmail,
    Money,
    ProductId,
    ProviderRef,
    is_product_id,
    sortable_id,
)
from domain.waiver import Waiver, read_opening, terms_written

_fact = maker(Fact)


@frozen
class ProviderCheckout:
    """One checkout session as the provider described it at second `as_of` (Unix time); parsed, not yet believed.

    `reference`, `product`, `shop` and `seal` are what we sent along when the session was made; None for a
    session that another program created. Amounts are minor units: total = subtotal - discount, and the tax on top of it
    where prices do not include it.
    """

    ref: ProviderRef
    as_of: int
    livemode: bool
    mode: str
    status: CheckoutStatus
    currency: str
    subtotal: int
    total: int
    discount: int
    tax: int
    email: str | None
    payment: str | None
    reference: str | None
    product: str | None
    shop: str | None
    seal: str | None
    contents: tuple[str, ...] = ()
    """What the bundle contained that was offered; sealed."""
    discounts: bool = False
    """Whether promotion codes were taken; sealed."""
    tax_country: str = ""
    """Of the buyer, where a tax was worked out."""
    tax_number: str = ""
    invoice: str = ""
    waiver: str = ""
    """As it was written; sealed."""

    @property
    def on_top(self) -> int:
        """What was added to the discounted price: the tax, where prices do not include it."""
        return self.total - (self.subtotal - self.discount)

    @property
    def breakdown(self) -> Breakdown:
        """The discount and the tax."""
        if not self.discount and not self.tax:
            return PRICE_AS_IT_IS
        return Breakdown(discount=self.discount, tax=self.tax, tax_on_top=self.on_top > 0)

    def fact(self) -> Fact:
        """The register of this session."""
        return _fact(
            object_id=self.ref,
            kind=FactKind.SESSION,
            payment=None,
            as_of=self.as_of,
            status=self.status._value_,
            amount=self.total,
        )


class RejectReason(Enum):
    """Why a session is not acted on."""

    NO_METADATA = auto()
    """It names no checkout of this shop."""
    ANOTHER_SHOP = auto()
    UNKNOWN_PRODUCT = auto()
    UNKNOWN_CHECKOUT = auto()
    """This shop never started it, and its seal does not match."""
    ANOTHER_SESSION = auto()
    """It names a checkout that has another session."""
    NOT_A_PAYMENT = auto()
    OTHER_MODE = auto()
    """It is from Stripe's other mode, test or live."""
    WRONG_PRODUCT = auto()
    WRONG_CURRENCY = auto()
    WRONG_AMOUNT = auto()
    UNASKED_DISCOUNT = auto()
    """It has a discount, which the checkout did not allow."""
    FOREIGN_PAYMENT = auto()
    """A refund or dispute of a payment that is no sale of this shop."""
    CUSTOMER_ERASED = auto()
    """It was paid after its customer deleted the account."""
    UNREADABLE_PAYMENT = auto()
    """A refund or dispute of a payment that could not be asked about for three days."""

    @property
    def can_be_booked(self) -> bool:
        """Whether it is a session of a checkout of this shop, paid otherwise than it was offered.

        The merchant may accept that by hand.
        """
        return self in (RejectReason.WRONG_AMOUNT, RejectReason.WRONG_CURRENCY, RejectReason.UNASKED_DISCOUNT)

    @property
    def is_foreign(self) -> bool:
        """Whether it is the business of another program on the same account of the provider.

        Nobody has to look at it, so it is noted as closed.
        """
        return self in (RejectReason.NO_METADATA, RejectReason.ANOTHER_SHOP, RejectReason.FOREIGN_PAYMENT)


@frozen
class Rejected:
    """Not a sale of this shop, or one that must not be acted on: it goes to quarantine with the reason."""

    reason: RejectReason


@frozen
class AwaitingPayment:
    """The customer is done and the money is under way (a bank debit): days, not seconds."""


@frozen
class NotPaid:
    """Nothing was paid (yet); `status` is the session's: open, expired or failed."""

    status: CheckoutStatus


@frozen
class Unsettled:
    """A session of this shop that is not paid (yet)."""

    checkout: Checkout


@frozen
class Sale:
    """A paid session of this shop, with everything that a purchase is made from."""

    checkout: Checkout
    owner: EmailAddress | None
    """None if the address given at the payment cannot be emailed, and the browser had verified none."""
    paid_email: EmailAddress | None
    paid: Money
    breakdown: Breakdown = PRICE_AS_IT_IS
    tax_country: str = ""
    tax_number: str = ""
    invoice: str = ""


Verdict = Rejected | Unsettled | Sale
_sale = maker(Sale)


@frozen
class KnownCheckout:
    """All that the store knows about a checkout when a session of it is claimed; read at once."""

    checkout: Checkout | None
    booked: bool
    """Whether it became a purchase."""
    erased: bool
    """Whether its buyer was erased."""
    holds_place: bool
    """Whether a place in a limit (of a product's stock) is taken under its id."""
    quarantined: bool
    """Whether the session stands open in quarantine."""
    has_facts: bool
    """Whether a refund or dispute of the payment came before."""
    has_twins: bool = False
    """Whether the same browser has other payment pages of the same product, open or not."""


def draft_of(
    product: Product,
    price: Money,
    *,
    livemode: bool | None,
    entropy: bytes,
    now: datetime,
    discounts: bool = False,
    promotion: str = "",
    waiver: Waiver | None = None,
    opens_at: datetime | None = None,
    language: str = "",
) -> Checkout:
    """The snapshot by which the claim will judge, of no browser yet.

    `entropy`: ten random bytes; `promotion`: the provider's id of the code that the payment page begins with.
    """
    return Checkout(
        id=CheckoutId(sortable_id(now=now, entropy=entropy)),
        product=product.id,
        product_name=product.name,
        price=price,
        session=None,
        mailbox=None,
        livemode=livemode,
        started_at=now,
        contents=product.contains,
        discounts=discounts or bool(promotion),
        promotion=promotion,
        waiver=waiver,
        opens_at=opens_at,
        language=language,
    )


def restored_checkout(
    reading: ProviderCheckout, *, keyring: Keyring, edition: CatalogueEdition
) -> Checkout | RejectReason:
    """The checkout of a session whose row is not stored: only its seal can prove that it is ours.

    This is a shop brought back from a backup older than the sale. The terms are those that were sealed.
    """
    if reading.reference is None or reading.product is None or reading.seal is None:
        return RejectReason.UNKNOWN_CHECKOUT
    if not is_product_id(reading.product):
        return RejectReason.UNKNOWN_PRODUCT
    product = ProductId(reading.product)
    try:
        price = Money(amount=reading.subtotal, currency=reading.currency)
    except ValueError:
        return RejectReason.WRONG_AMOUNT
    checkout = CheckoutId(reading.reference)
    contents = tuple(ProductId(item) for item in reading.contents)
    terms = SealedTerms(
        shop=edition.shop.id,
        livemode=reading.livemode,
        checkout=checkout,
        product=product,
        price=price,
        contents=contents,
        discounts=reading.discounts,
        waiver=reading.waiver,
    )
    if not keyring.seal_holds(reading.seal, terms):
        known = product in edition.products
        return RejectReason.UNKNOWN_CHECKOUT if known else RejectReason.UNKNOWN_PRODUCT
    sold = edition.products.get(product)
    return Checkout(
        id=checkout,
        product=product,
        product_name=sold.name if sold else product,
        price=price,
        session=None,
        mailbox=None,
        livemode=reading.livemode,
        started_at=datetime.fromtimestamp(reading.as_of, tz=UTC),
        provider_ref=reading.ref,
        expires_at=None,
        contents=contents,
        discounts=reading.discounts,
        waiver=Waiver.read(reading.waiver),
        opens_at=read_opening(reading.waiver),
    )


def judge_session(
    reading: ProviderCheckout,
    known: KnownCheckout,
    *,
    keyring: Keyring,
    edition: CatalogueEdition,
    livemode: bool,
) -> Verdict:
    """Whether a session is a sale of this shop: of the stored checkout, or else of the one that its seal proves."""
    if known.checkout is None and reading.shop != edition.shop.id:
        foreign = RejectReason.NO_METADATA if reading.shop is None else RejectReason.ANOTHER_SHOP
        return Rejected(reason=foreign)
    if reading.mode != "payment":
        return Rejected(reason=RejectReason.NOT_A_PAYMENT)
    if reading.livemode != livemode:
        return Rejected(reason=RejectReason.OTHER_MODE)
    checkout = known.checkout or restored_checkout(reading, keyring=keyring, edition=edition)
    if isinstance(checkout, RejectReason):
        return Rejected(reason=checkout)
    return judge(reading, checkout, keyring=keyring, shop=edition.shop.id, livemode=livemode)


def judge(
    reading: ProviderCheckout,
    checkout: Checkout,
    *,
    keyring: Keyring,
    shop: str,
    livemode: bool,
    accepted: bool = False,
) -> Verdict:
    """Whether a reading is a sale of this checkout. Nothing unknown is fulfilled; the snapshot decides.

    `accepted`: the merchant takes what was paid for what was asked, whatever amount, currency and discount it has.
    """
    reason = _mismatch(reading, checkout, keyring=keyring, shop=shop, livemode=livemode)
    if reason is not None and not (accepted and reason.can_be_booked):
        return Rejected(reason=reason)
    if reading.status != CheckoutStatus.PAID:
        return Unsettled(checkout=checkout)
    try:
        paid = Money(reading.total, reading.currency)
    except ValueError:
        return Rejected(reason=RejectReason.WRONG_AMOUNT)
    paid_email = address_of(reading.email)
    return _sale(
        checkout=checkout,
        owner=checkout.mailbox or paid_email,
        paid_email=paid_email,
        paid=paid,
        breakdown=reading.breakdown if reason is None else PRICE_AS_IT_IS,
        tax_country=reading.tax_country,
        tax_number=reading.tax_number,
        invoice=reading.invoice,
    )


def _mismatch(
    reading: ProviderCheckout, checkout: Checkout, *, keyring: Keyring, shop: str, livemode: bool
) -> RejectReason | None:
    if reading.mode != "payment":
        return RejectReason.NOT_A_PAYMENT
    if reading.livemode != livemode or checkout.livemode != livemode:
        return RejectReason.OTHER_MODE
    if checkout.provider_ref is None:
        # We died between Stripe's answer and our note of it: the seal alone says that this session is that one.
        terms = terms_of(checkout, shop=shop)
        if reading.seal is None or not keyring.seal_holds(reading.seal, terms):
            return RejectReason.ANOTHER_SESSION
    elif checkout.provider_ref != reading.ref:
        return RejectReason.ANOTHER_SESSION
    if reading.product is not None and reading.product != checkout.product:
        return RejectReason.WRONG_PRODUCT
    if reading.currency != checkout.price.currency:
        return RejectReason.WRONG_CURRENCY
    if reading.discount and not checkout.discounts:
        return RejectReason.UNASKED_DISCOUNT
    # A tax that is in the price does not add to the total, one on top of it does.
    if reading.subtotal != checkout.price.amount or reading.on_top not in (0, reading.tax):
        return RejectReason.WRONG_AMOUNT
    return None


def terms_of(checkout: Checkout, *, shop: str) -> SealedTerms:
    """What the seal of a checkout vouches for."""
    return SealedTerms(
        shop=shop,
        livemode=bool(checkout.livemode),
        checkout=checkout.id,
        product=checkout.product,
        price=checkout.price,
        contents=checkout.contents,
        discounts=checkout.discounts,
        waiver=terms_written(checkout.waiver, checkout.opens_at),
    )


def address_of(email: str | None) -> EmailAddress | None:
    """The mailbox of an address given at the payment; None if there is none that can be mailed."""
    try:
        return None if email is None else EmailAddress.parse(email)
    except InvalidEmail:
        return None
