"""Promotion codes as Stripe writes them. https://docs.stripe.com/api/promotion_codes/object"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from adapters.stripe.wire import StripeList
from domain.promotion import PromotionCode
from domain.values import Money

COUPON: Final = "data.promotion.coupon"
EXPANDED: Final = (COUPON, f"{COUPON}.applies_to")
"""What a list of codes has to tell of each: its coupon, and which of Stripe's products that is for."""


class _AppliesTo(msgspec.Struct, frozen=True):
    products: list[str] = []


class _Coupon(msgspec.Struct, frozen=True):
    valid: bool = True
    percent_off: Decimal | None = None
    amount_off: int | None = None
    currency: str | None = None
    redeem_by: int | None = None
    applies_to: _AppliesTo | None = None


class _Promotion(msgspec.Struct, frozen=True):
    coupon: _Coupon | str | None = None


class _Restrictions(msgspec.Struct, frozen=True):
    minimum_amount: int | None = None
    minimum_amount_currency: str | None = None
    first_time_transaction: bool = False


class StripeCode(msgspec.Struct, frozen=True):
    """A promotion code, its coupon expanded."""

    id: str
    code: str
    active: bool
    promotion: _Promotion | None = None
    customer: str | None = None
    customer_account: str | None = None
    expires_at: int | None = None
    restrictions: _Restrictions = _Restrictions()

    @property
    def coupon(self) -> _Coupon | None:
        """What it takes off; None if that is over, or not told."""
        found = None if self.promotion is None else self.promotion.coupon
        return found if self.active and isinstance(found, _Coupon) and found.valid else None

    @property
    def takes_all(self) -> bool:
        """Whether it reduces the price to nothing."""
        return self.coupon is not None and (self.coupon.percent_off or 0) >= 100


decode_codes: Final = msgspec.json.Decoder(StripeList[StripeCode]).decode


def promotion_of(code: StripeCode) -> PromotionCode | None:
    """A code as the domain knows it; None for one that is over, or only for one of Stripe's customers."""
    coupon = code.coupon
    if coupon is None or code.customer is not None or code.customer_account is not None:
        return None
    ends = [second for second in (code.expires_at, coupon.redeem_by) if second is not None]
    # A code for first orders is checked against a customer of Stripe's. The shop gives it none before the payment, and
    # the page that is to begin with the code may be refused: https://github.com/stripe/stripe-node/issues/1318
    rules = code.restrictions
    return PromotionCode(
        code=code.code,
        ref=code.id,
        percent_off=coupon.percent_off,
        amount_off=_money(coupon.amount_off, coupon.currency),
        minimum=_money(rules.minimum_amount, rules.minimum_amount_currency),
        expires_at=datetime.fromtimestamp(min(ends), tz=UTC) if ends else None,
        restricted=rules.first_time_transaction
        or (coupon.applies_to is not None and bool(coupon.applies_to.products)),
    )


def _money(amount: int | None, currency: str | None) -> Money | None:
    return None if amount is None or currency is None else Money(amount, currency)
