"""What is for sale, and what a price may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from domain.values import EmailAddress, Money, ProductId

# Stripe's smallest charge is about 0.50 USD; the exact figure depends on the currency of the payout account
# (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts), so only clear mistakes are refused here.
SMALLEST_PRICE: Mapping[str, int] = {
    "usd": 50, "cad": 50, "aud": 50, "nzd": 50, "eur": 50, "chf": 50, "sgd": 50, "brl": 50, "inr": 50,
    "gbp": 30, "dkk": 250, "nok": 300, "sek": 300, "czk": 1500, "pln": 200, "huf": 17500, "ron": 200,
    "aed": 200, "hkd": 400, "mxn": 1000, "jpy": 50, "myr": 200, "thb": 1000,
}  # fmt: skip


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
class Product:
    """Something for sale. HTML fields are sanitised by the catalogue that made them."""

    id: ProductId
    name: str
    summary: str
    price: Money
    description_html: str
    content_html: str
    on_sale: bool
    stock: int | None
    """How many copies may be sold in all; None for no limit. Counted at the start of a checkout, so copies in
    open checkouts can oversell it by a few: whoever paid is never refused."""
    cover: str | None
    cover_alt: str
    files: tuple[GoodsFile, ...]

    def file(self, name: str) -> GoodsFile | None:
        """The file of that name, or None: names are compared, never joined to a path."""
        return next((file for file in self.files if file.name == name), None)


@dataclass(frozen=True, slots=True)
class ShopInfo:
    """Who sells. `id` tells this shop's checkouts from another's in the same Stripe account."""

    id: str
    name: str
    tagline: str
    support: EmailAddress
    currency: str


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


def price_problem(price: Money) -> str | None:
    """Why this price cannot be charged, in a sentence for the merchant; None if it can."""
    if price.amount == 0:
        return "price 0 is not possible yet: a free product needs a proved mailbox; choose a price"
    smallest = SMALLEST_PRICE.get(price.currency)
    if smallest is not None and price.amount < smallest:
        return f"{price} is below Stripe's smallest charge, {Money(amount=smallest, currency=price.currency)}"
    return None
