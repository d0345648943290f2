"""Promotion codes that a link to a product may carry, and what a product costs with one."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from domain.amounts import least_charge
from domain.currencies import CURRENCIES
from domain.frozen import frozen
from domain.product import Product
from domain.values import Money


@frozen
class PromotionCode:
    """An active promotion code, as the payment provider described it; either a share or an amount is taken off.

    `ref`: its id there. `percent_off`: of the price, above 0 and up to 100. `minimum`: the least price it is good for.
    `restricted`: it is good only for some products or customers of the provider's, which this shop does not know.
    """

    code: str
    ref: str
    percent_off: Decimal | None = None
    amount_off: Money | None = None
    minimum: Money | None = None
    expires_at: datetime | None = None
    restricted: bool = False


def reduced_price(code: PromotionCode, product: Product, price: Money, *, now: datetime) -> Money | None:
    """What a product costs with a code instead of `price`; None if the code is not good for it.

    A code applies neither to a price that the buyer names nor to a free product. The result is zero, or an amount that
    the payment provider can charge.
    """
    over = code.expires_at is not None and code.expires_at <= now
    if over or code.restricted or product.pay_what_you_want or not price.amount:
        return None
    if code.minimum is not None and (code.minimum.currency != price.currency or price < code.minimum):
        return None
    off = _taken_off(code, price)
    left = price.amount - min(off, price.amount)
    if not off or 0 < left < least_charge(price.currency).amount:
        return None
    return Money(left, price.currency)


def _taken_off(code: PromotionCode, price: Money) -> int:
    """Minor units, in whole steps of the currency; 0 for an amount in another one."""
    if code.percent_off is not None:
        step = CURRENCIES[price.currency].step
        steps = Decimal(price.amount) * code.percent_off / 100 / step
        return int(steps.quantize(Decimal(1), rounding=ROUND_HALF_UP)) * step
    return code.amount_off.amount if code.amount_off and code.amount_off.currency == price.currency else 0
