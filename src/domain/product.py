"""What is for sale, and what a price may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from domain.values import EmailAddress, Money, ProductId

# Stripe's smallest charge is about 0.50 USD; the exact figure depends on the currency of the payout account
# (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts), so only clear mistakes are refused here.
SMALLEST_PRICE: Mapping[str, int] = {
    "usd": 50, "cad": 50, "aud": 50, "nzd": 50, "eur": 50, "chf": 50, "sgd": 50, "brl": 50, "inr": 50,
    "gbp": 30, "dkk": 250, "nok": 300, "sek": 300, "czk": 1500, "pln": 200, "huf": 17500, "ron": 200,
    "aed": 200, "hkd": 400, "mxn": 1000, "jpy": 50, "myr": 200, "thb": 1000,
}  # fmt: skip


_AMOUNT: Final = re.compile(r"[^0-9-]*([0-9][0-9.,]*)[^0-9]*")
"""An amount as people write it, with a currency before or after it."""


@dataclass(frozen=True, slots=True)
class GoodsFile:
    """One file a buyer may download; `name` comes from the catalogue and nowhere else.

    `size` in bytes; `sha256` of its content, in lower-case hex, by which the goods are kept.
    """

    name: str
    title: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Licences:
    """Every purchase of the product comes with a licence key: from the merchant's list, or generated (None)."""

    listed: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Product:
    """Something for sale. HTML fields are sanitised by the catalogue that made them."""

    id: ProductId
    name: str
    summary: str
    price: Money
    """In the shop's currency; where the buyer names the price, the least that is taken. 0 is free."""
    description_html: str
    content_html: str
    on_sale: bool
    stock: int | None
    """How many copies may be sold in all; None for no limit. Counted at the start of a checkout, so copies in
    open checkouts can oversell it by a few: a paid checkout is never refused."""
    cover: str | None
    cover_alt: str
    files: tuple[GoodsFile, ...]
    other_prices: tuple[Money, ...] = ()
    """The same in other currencies, one each."""
    pay_what_you_want: bool = False
    suggested: Money | None = None
    """What the field of a price that the buyer names is filled with, in the shop's currency."""
    contains: tuple[ProductId, ...] = ()
    """The other products that a purchase of this bundle opens, too."""
    licences: Licences | None = None
    tax_code: str = ""
    """https://docs.stripe.com/tax/tax-codes; "" for the account's default."""

    @property
    def prices(self) -> tuple[Money, ...]:
        """What it costs, in every currency it is sold in; the shop's own first."""
        return (self.price, *self.other_prices)

    def price_in(self, currency: str) -> Money:
        """The price in a currency; in the shop's own where it has none in that."""
        return next((price for price in self.other_prices if price.currency == currency), self.price)

    def file(self, name: str) -> GoodsFile | None:
        """The file of that name, or None: names are compared, never joined to a path."""
        return next((file for file in self.files if file.name == name), None)


class Tax(Enum):
    """Whether the payment provider works out taxes, and how prices stand to them."""

    OFF = "off"
    INCLUSIVE = "inclusive"
    """Prices have the tax in them."""
    EXCLUSIVE = "exclusive"
    """The tax comes on top of the price."""


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """What the payment page offers and asks for; https://docs.stripe.com/api/checkout/sessions/create"""

    promotion_codes: bool = False
    tax: Tax = Tax.OFF
    invoices: bool = False
    methods: tuple[str, ...] = ()
    """The only payment methods to be offered; none named: those that are switched on in the account."""
    billing_address: bool = False
    """Whether the billing address is always asked for; otherwise only where the payment needs it."""
    tax_ids: bool = False
    """Whether businesses may give their tax number."""


@dataclass(frozen=True, slots=True)
class ShopInfo:
    """The shop. `id` distinguishes its checkouts from those of other shops in the same Stripe account."""

    id: str
    name: str
    tagline: str
    support: EmailAddress
    currency: str
    payment: PaymentTerms = field(default_factory=PaymentTerms)


@dataclass(frozen=True, slots=True)
class Page:
    """One of the merchant's own pages (terms, privacy, refunds)."""

    slug: str
    title: str
    html: str


@dataclass(frozen=True, slots=True)
class CatalogueEdition:
    """One consistent reading of the catalogue. `version` changes whenever anything in it does."""

    version: str
    shop: ShopInfo
    products: Mapping[ProductId, Product]
    pages: Mapping[str, Page]

    def name_of(self, product: ProductId) -> str:
        """What a product is called; its id once it is not in the catalogue any more."""
        found = self.products.get(product)
        return product if found is None else found.name

    @property
    def currencies(self) -> tuple[str, ...]:
        """Every currency something is sold in; the shop's own first."""
        others = {price.currency for product in self.products.values() for price in product.other_prices}
        return (self.shop.currency, *sorted(others - {self.shop.currency}))

    @property
    def contents(self) -> frozenset[str]:
        """The SHA-256 of every file that is for sale."""
        return frozenset(file.sha256 for product in self.products.values() for file in product.files)


class Saleability(Enum):
    """Whether a product can be bought right now."""

    ON_SALE = auto()
    NOT_ON_SALE = auto()
    SOLD_OUT = auto()


def saleability(product: Product, *, sold: int) -> Saleability:
    """Whether another copy may be offered, `sold` copies having been paid for."""
    if not product.on_sale:
        return Saleability.NOT_ON_SALE
    if product.stock is not None and sold >= product.stock:
        return Saleability.SOLD_OUT
    return Saleability.ON_SALE


class AmountProblem(Enum):
    """Why what was typed as a price cannot be charged."""

    NOT_A_NUMBER = auto()
    BELOW_PRICE = auto()
    """Less than the merchant takes."""
    BELOW_SMALLEST_CHARGE = auto()
    """Less than the payment provider charges, and not nothing."""


@dataclass(frozen=True, slots=True)
class BadAmount:
    """What was typed as a price cannot be charged; `least` is what can."""

    problem: AmountProblem
    least: Money


def asked_price(product: Product, *, currency: str, amount: str) -> Money | BadAmount:
    """What a buyer is to pay: the product's price in a currency, or what they name where they may.

    `amount` is what was typed: `12`, `12.50` or `12,50`; "" for the price as it stands.
    """
    least = product.price_in(currency)
    if not product.pay_what_you_want or not amount.strip():
        return least
    try:
        named = Money.parse(_plain_number(amount), currency=least.currency)
    except ValueError:
        return BadAmount(AmountProblem.NOT_A_NUMBER, least=least)
    if named.amount < least.amount:
        return BadAmount(AmountProblem.BELOW_PRICE, least=least)
    smallest = below_smallest_charge(named)
    return named if smallest is None else BadAmount(AmountProblem.BELOW_SMALLEST_CHARGE, least=smallest)


def _plain_number(typed: str) -> str:
    """`€ 1,50` and `1.50 USD` as `1.50`; one comma alone is a decimal comma."""
    found = _AMOUNT.fullmatch(typed)
    number = typed if found is None else found[1]
    return number.replace(",", ".") if number.count(",") == 1 and "." not in number else number


def below_smallest_charge(price: Money) -> Money | None:
    """The payment provider's smallest charge, if this price is below it; None if it can be charged, or is 0."""
    smallest = SMALLEST_PRICE.get(price.currency)
    if price.amount and smallest is not None and price.amount < smallest:
        return Money(amount=smallest, currency=price.currency)
    return None
