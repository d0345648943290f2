"""What is for sale, and what a price may be."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime, tzinfo
from enum import Enum, StrEnum, auto

from domain.amounts import AmountProblem, example_amount, greatest_charge, least_charge, typed_amount
from domain.frozen import frozen
from domain.law import LawTerms
from domain.local_time import zone_named
from domain.translated_texts import PageText, ProductTexts
from domain.values import EmailAddress, Money, ProductId


@frozen
class GoodsFile:
    """One file a buyer may download; `name` comes from the catalogue, composed (NFC), and nowhere else.

    `size` in bytes; `sha256` of its content, in lower-case hex, by which the goods are kept.
    """

    name: str
    title: str
    size: int
    sha256: str


@frozen
class Picture:
    """One picture of a product beside its cover; `alt` says what it shows, to people who do not see it."""

    name: str
    alt: str = ""


@frozen
class Licences:
    """Every purchase of the product comes with a licence key: from the merchant's list, or generated (None)."""

    listed: tuple[str, ...] | None


class SaleNotices(StrEnum):
    """When the merchant gets an email about sales. The values are those of shop.toml."""

    OFF = "off"
    EACH = "each"
    DAILY = "daily"
    WEEKLY = "weekly"


class Status(Enum):
    """What the merchant wants of a product: who sees it, and whether it is sold. Owners open it in any case."""

    DRAFT = "draft"
    """Seen by its owners only, and by people with a preview link."""
    UNLISTED = "unlisted"
    """Sold, but neither in the shop's list nor for search engines: people with its address find it."""
    ON_SALE = "on_sale"
    RETIRED = "retired"
    """Not sold any more; its page says so."""


@frozen
class Product:
    """Something for sale. HTML fields are sanitised by the catalogue that made them."""

    id: ProductId
    name: str
    summary: str
    price: Money
    """In the shop's currency; where the buyer names the price, the least that is taken. 0 is free."""
    description_html: str
    content_html: str
    stock: int | None
    """How many copies may be sold in all; None for no limit. Counted at the start of a checkout, so copies in
    open checkouts can oversell it by a few: a paid checkout is never refused."""
    cover: str | None
    cover_alt: str
    files: tuple[GoodsFile, ...]
    pictures: tuple[Picture, ...] = ()
    """What its page shows beside the cover."""
    other_prices: tuple[Money, ...] = ()
    """The same in other currencies, one each."""
    pay_what_you_want: bool = False
    suggested: Money | None = None
    """What the field of a price that the buyer names is filled with, in the shop's currency."""
    contains: tuple[ProductId, ...] = ()
    """The other products that a purchase of this bundle opens, too."""
    licences: Licences | None = None
    status: Status = Status.ON_SALE
    available_from: datetime | None = None
    """When its sale begins; None for a sale that has begun. In UTC."""
    held_back: bool = False
    """Whether a mistake keeps it from being sold: this is its last good form."""
    present: bool = True
    """Whether the catalogue has it. One that is gone is opened by its owners, and seen by nobody else."""
    tax_code: str = ""
    """https://docs.stripe.com/tax/tax-codes; "" for the account's default."""
    sample: str = ""
    """The name of the file that anybody may download; "" for none."""
    media: tuple[GoodsFile, ...] = ()
    """The pictures, sounds and videos that `content_html` shows; owners alone get them."""
    sale_notice: bool = True
    """Whether the merchant wants to hear of its sales (`ShopInfo.sale_notices`)."""
    changed: datetime | None = None
    """When what its public page shows last changed, in UTC and whole seconds; None if that is not known."""
    texts: tuple[ProductTexts, ...] = ()

    @property
    def on_sale(self) -> bool:
        """Whether the merchant sells it, and no mistake keeps it from being sold."""
        return self.status in (Status.ON_SALE, Status.UNLISTED) and not self.held_back

    def waits(self, *, now: datetime) -> bool:
        """Whether its sale is still to begin."""
        return self.available_from is not None and now < self.available_from and self.on_sale

    @property
    def public(self) -> bool:
        """Whether everybody with its address sees its page. Of what is not public, only owners do."""
        return self.present and self.status is not Status.DRAFT

    @property
    def on_shelf(self) -> bool:
        """Whether it is in the shop's list and in the sitemap."""
        return self.present and self.status is Status.ON_SALE

    @property
    def prices(self) -> tuple[Money, ...]:
        """What it costs, in every currency it is sold in; the shop's own first."""
        return (self.price, *self.other_prices)

    def price_in(self, currency: str) -> Money:
        """The price in a currency; in the shop's own where it has none in that."""
        return next((price for price in self.other_prices if price.currency == currency), self.price)

    def shows(self, name: str) -> bool:
        """Whether a picture of that name is on its page."""
        return name == self.cover or any(picture.name == name for picture in self.pictures)

    def file(self, name: str) -> GoodsFile | None:
        """The file of that name, or None: names are compared, never joined to a path.

        Composed and decomposed accents are the same: an address may have passed through a program that changes them.
        """
        return _named(name, self.files)

    def medium(self, name: str) -> GoodsFile | None:
        """The same of what its content shows."""
        return _named(name, self.media)


def _named(name: str, files: tuple[GoodsFile, ...]) -> GoodsFile | None:
    wanted = (name, unicodedata.normalize("NFC", name))
    return next((file for file in files if file.name in wanted), None)


class Tax(Enum):
    """Whether the payment provider works out taxes, and how prices stand to them."""

    OFF = "off"
    INCLUSIVE = "inclusive"
    """Prices have the tax in them."""
    EXCLUSIVE = "exclusive"
    """The tax comes on top of the price."""


@frozen
class PaymentTerms:
    """What the payment page offers and asks for; https://docs.stripe.com/api/checkout/sessions/create"""

    promotion_codes: bool = False
    """Whether buyers may enter promotion codes."""
    code_links: tuple[str, ...] = ()
    """The promotion codes that links to products may carry."""
    tax: Tax = Tax.OFF
    invoices: bool = False
    methods: tuple[str, ...] = ()
    """The only payment methods to be offered; none named: those that are switched on in the account."""
    billing_address: bool = False
    """Whether the billing address is always asked for; otherwise only where the payment needs it."""
    tax_ids: bool = False
    """Whether businesses may give their tax number."""


@frozen
class Section:
    """A part of the shop's list, under a title of its own."""

    title: str
    products: tuple[ProductId, ...]


@frozen
class WebLink:
    """Another place on the web where the shop is to be found."""

    title: str
    url: str


@frozen
class FraudTerms:
    """What the shop does about early fraud warnings (`domain.fraud`), beside reporting them."""

    refund_up_to: Money | None = None
    """Payments of at most so much, in this currency, are refunded by the shop itself; None: none are."""

    def refunds(self, paid: Money) -> bool:
        """Whether the shop refunds such a payment by itself."""
        most = self.refund_up_to
        return most is not None and paid.currency == most.currency and paid.amount <= most.amount


@frozen
class ShopInfo:
    """The shop. `id` distinguishes its checkouts from those of other shops in the same Stripe account."""

    id: str
    name: str
    tagline: str
    support: EmailAddress
    currency: str
    payment: PaymentTerms = field(default_factory=PaymentTerms)
    accent: str = ""
    """The shop's colour (`#11aa66`); "" for the one it comes with."""
    theme: str = ""
    """The merchant's own style sheet."""
    order: tuple[ProductId, ...] = ()
    """The products that come first, in this order; all others follow by id."""
    sections: tuple[Section, ...] = ()
    """The parts of the list, which come before all products that are in none."""
    footer: str = ""
    """What the merchant says at the foot of every page; several lines."""
    links: tuple[WebLink, ...] = ()
    seller: str = ""
    """Who sells, for receipts: name, postal address, tax number; several lines."""
    logo: str = ""
    """The name of its file; "" for none."""
    sale_notices: SaleNotices = SaleNotices.OFF
    fraud: FraudTerms = field(default_factory=FraudTerms)
    law: LawTerms = field(default_factory=LawTerms)
    timezone: str = "UTC"
    """Whose days and times the shop goes by: a name of the IANA time zone database, as `Europe/Berlin`."""
    changed: datetime | None = None
    """When shop.toml last changed, as for a product."""
    support_refunds: tuple[Money, ...] = ()
    """The most that support refunds of one purchase, one for each currency; in others they refund nothing."""
    emails: tuple[tuple[str, str], ...] = ()
    """The merchant's own email templates: names and sources."""
    languages: tuple[str, ...] = ("en",)
    """What its pages and emails can be in (BCP 47); the first is the one that is used where nothing else is known."""
    taglines: tuple[tuple[str, str], ...] = ()

    @property
    def language(self) -> str:
        """The first of its languages."""
        return self.languages[0]

    @property
    def zone(self) -> tzinfo:
        """Its time zone; UTC on a machine that does not know that zone."""
        return zone_named(self.timezone) or UTC


@frozen
class Page:
    """One of the merchant's own pages (terms, privacy, refunds)."""

    slug: str
    title: str
    html: str
    changed: datetime | None = None
    """When its file last changed, as for a product."""
    texts: tuple[PageText, ...] = ()


@frozen
class CatalogueEdition:
    """One consistent reading of the catalogue. `version` changes whenever anything in it does.

    A product that is broken or gone is in it in its last good form, and not for sale.
    """

    version: str
    shop: ShopInfo
    products: Mapping[ProductId, Product]
    pages: Mapping[str, Page]

    @property
    def present(self) -> tuple[Product, ...]:
        """The products that the catalogue has, on sale or not."""
        return tuple(product for product in self.products.values() if product.present)

    def shown(self, product: ProductId) -> Product | None:
        """The product of that id, unless nobody but its owners may learn of it: a draft, or one that is gone."""
        found = self.products.get(product)
        return found if found is not None and found.public else None

    def waiting(self, *, now: datetime) -> frozenset[ProductId]:
        """The products whose sale is still to begin."""
        return frozenset(product.id for product in self.products.values() if product.waits(now=now))

    def next_opening(self, *, now: datetime) -> datetime | None:
        """When the next sale begins; None if none is to begin."""
        found = (product.available_from for product in self.products.values() if product.waits(now=now))
        return min((opens for opens in found if opens is not None), default=None)

    def name_of(self, product: ProductId) -> str:
        """What a product is called; its id once it is not in the catalogue any more."""
        found = self.products.get(product)
        return product if found is None else found.name

    @property
    def currencies(self) -> tuple[str, ...]:
        """Every currency something is sold in, or was until a mistake; the shop's own first."""
        sold = (Status.ON_SALE, Status.UNLISTED)
        found = (product for product in self.present if product.status in sold)
        others = {price.currency for product in found for price in product.other_prices}
        return (self.shop.currency, *sorted(others - {self.shop.currency}))

    @property
    def contents(self) -> frozenset[str]:
        """The SHA-256 of every file that owners get."""
        found = (file for product in self.products.values() for file in (*product.files, *product.media))
        return frozenset(file.sha256 for file in found)


class Saleability(Enum):
    """Whether a product can be bought right now."""

    ON_SALE = auto()
    NOT_ON_SALE = auto()
    RETIRED = auto()
    NOT_YET = auto()
    """Its sale is still to begin."""
    SOLD_OUT = auto()


def offered(product: Product, *, now: datetime) -> Saleability:
    """Whether it is sold at a moment, however many copies are left."""
    if product.status is Status.RETIRED:
        return Saleability.RETIRED
    if not product.on_sale:
        return Saleability.NOT_ON_SALE
    return Saleability.NOT_YET if product.waits(now=now) else Saleability.ON_SALE


def is_sold_out(product: Product, *, sold: int) -> bool:
    """Whether no copy is left, `sold` copies having been paid for."""
    return product.stock is not None and sold >= product.stock


@frozen
class BadAmount:
    """What was asked for cannot be charged."""

    problem: AmountProblem
    least: Money
    """The least that is taken: the price, or the payment provider's smallest charge."""
    most: Money
    example: Money
    """An amount that would be taken, to show how one is written."""
    currency: str
    """The currency that was asked for."""


def asked_price(product: Product, *, currency: str, amount: str) -> Money | BadAmount:
    """What a buyer is to pay: the product's price in a currency, or what they name where they may.

    `currency` is the one in which the page showed the price, "" for the shop's own. A price in another currency is
    never charged instead. `amount` is what was typed; "" for the price as it stands.
    """
    wanted = currency.lower() or product.price.currency
    price = next((price for price in product.prices if price.currency == wanted), None)
    if price is None:
        return _bad(AmountProblem.NOT_OFFERED, product.price, currency=currency)
    if not product.pay_what_you_want or not amount.strip():
        return price
    named = typed_amount(amount, currency=price.currency)
    if isinstance(named, AmountProblem):
        return _bad(named, price, currency=currency)
    return (
        named if named.amount >= price.amount else _bad(AmountProblem.BELOW_PRICE, price, currency=currency)
    )


def _bad(problem: AmountProblem, price: Money, *, currency: str) -> BadAmount:
    if problem is AmountProblem.BELOW_SMALLEST_CHARGE and price.amount:
        problem = AmountProblem.BELOW_PRICE
    least = max(price, least_charge(price.currency))
    example = max(price, example_amount(price.currency))
    return BadAmount(
        problem, least=least, most=greatest_charge(price.currency), example=example, currency=currency
    )
