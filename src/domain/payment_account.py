"""The port to what is set up in the merchant's account at the payment provider: for `doctor` and `stripe-setup`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domain.amounts import least_charge
from domain.frozen import frozen
from domain.product import CatalogueEdition, PaymentTerms, Product, Tax
from domain.values import Money, ProductId


@frozen
class Registered:
    """How the provider's webhook endpoint stands now."""

    secret: str
    """Returned only when the endpoint is created; else ""."""
    changed: bool
    problem: str
    """What stays to be done by hand, in a sentence; "" for nothing."""


@frozen
class CheckoutTrial:
    """A checkout that nobody is to pay: whether the provider opens a payment page for what is on sale in a currency."""

    price: Money
    """The lowest that is on sale."""
    name: str
    tax_codes: tuple[str, ...]
    """Every one that is sold under in this currency, "" for the account's default; the first is that of the price."""
    terms: PaymentTerms


def checkout_trials(edition: CatalogueEdition) -> tuple[CheckoutTrial, ...]:
    """One for each currency that something is on sale in."""
    found = (_trial(edition, currency) for currency in edition.currencies)
    return tuple(trial for trial in found if trial is not None)


def shown_to_work(edition: CatalogueEdition, opened: Sequence[CheckoutTrial]) -> frozenset[ProductId]:
    """The products on sale that these trials speak for: a page opened in every currency that each is sold in."""
    currencies = {trial.price.currency for trial in opened}

    def charged(product: Product) -> set[str]:
        return {price.currency for price in product.prices if _least_paid(product, price) is not None}

    return frozenset(
        product.id
        for product in edition.products.values()
        if product.on_sale and (asked := charged(product)) and asked <= currencies
    )


def _trial(edition: CatalogueEdition, currency: str) -> CheckoutTrial | None:
    sold = [
        (charge, product)
        for product in edition.products.values()
        if product.on_sale
        for price in product.prices
        if price.currency == currency and (charge := _least_paid(product, price)) is not None
    ]
    if not sold:
        return None
    charge, lowest = min(sold, key=lambda pair: (pair[0], pair[1].id))
    terms = edition.shop.payment
    others = (
        () if terms.tax is Tax.OFF else sorted({product.tax_code for _, product in sold} - {lowest.tax_code})
    )
    return CheckoutTrial(price=charge, name=lowest.name, tax_codes=(lowest.tax_code, *others), terms=terms)


def _least_paid(product: Product, price: Money) -> Money | None:
    """The least that a buyer pays for it; None for what is only given away."""
    if price.amount:
        return price
    return least_charge(price.currency) if product.pay_what_you_want else None


class PaymentAccount(Protocol):
    """Every method that calls the provider raises PaymentsUnreachable and PaymentsRefused, as `Payments` does."""

    async def try_checkout(self, trial: CheckoutTrial, *, url: str) -> None:
        """Have the provider open a payment page, and close it at once. `url`: where it would return to.

        Its events are no business of the shop: `Payments.parse_webhook` ignores them.
        """

    async def refund_problem(self) -> str | None:
        """What the provider says to a refund if the key may not make any; None if it may. No money moves."""

    @property
    def followed(self) -> Sequence[str]:
        """The events that the shop subscribes to, in order."""

    async def webhook_problem(self, url: str) -> str | None:
        """What is wrong with the webhook endpoint of that address, in a sentence; None if nothing."""

    async def register_webhook(self, url: str) -> Registered:
        """Have the provider report there what a shop follows, and nothing else; never at a second endpoint."""

    async def codes_that_take_all(self) -> Sequence[str]:
        """The promotion codes that take everything off."""
