"""What pressing Buy asks for: the product, its price, and the promotion code that the page showed the price with."""

from __future__ import annotations

from datetime import datetime

from domain.frozen import frozen
from domain.product import BadAmount, CatalogueEdition, Product, Saleability, asked_price, offered
from domain.promotion import PromotionCode
from domain.usecases.checkout_outcomes import (
    CodeNotTaken,
    NoSuchProduct,
    NotForSale,
    NothingToPay,
    WrongAmount,
)
from domain.usecases.code_links import CodeLinks
from domain.values import Money, ProductId


@frozen
class PricedOrder:
    """It can be bought: `price` is what it costs without the promotion code."""

    product: Product
    price: Money
    promotion: PromotionCode | None


def price_order(
    edition: CatalogueEdition,
    pid: ProductId,
    code_links: CodeLinks,
    *,
    currency: str,
    amount: str,
    code: str,
    now: datetime,
) -> PricedOrder | NoSuchProduct | NotForSale | WrongAmount | NothingToPay | CodeNotTaken:
    """By what the form says; see `StartCheckout` for its fields."""
    product = edition.shown(pid)
    if product is None:
        return NoSuchProduct()
    if (why := offered(product, now=now)) is not Saleability.ON_SALE:
        return NotForSale(product=product, why=why)
    price = asked_price(product, currency=currency, amount=amount)
    if isinstance(price, BadAmount):
        return WrongAmount(product=product, why=price)
    if price.amount == 0:
        return NothingToPay(product=product)
    carried = code_links.reduced(code, product, price) if code else None
    if code and carried is None:
        return CodeNotTaken(product=product)
    return PricedOrder(product=product, price=price, promotion=None if carried is None else carried[0])
