"""What a checkout session is made of: the price in it, what was sealed, and the merchant's terms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

import stripe

from domain.ports import CheckoutOffer, PaymentsRefused
from domain.product import PaymentTerms, Tax
from domain.values import Money
from domain.waiver import terms_written

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams

_SUMMARY: Final = 500
_METHODS: Final = re.compile(r"(?:allowed_)?payment_method_types(?:\[(\d{1,4})\])?")


_LOCALES: Final = """
    bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl sv
    th tr vi zh zh-HK zh-TW
"""
LOCALES: Final = frozenset(_LOCALES.split())
"""The languages of Stripe's page: https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-locale"""


def create_params(offer: CheckoutOffer) -> SessionCreateParams:
    """The request for a checkout session."""
    checkout = offer.checkout
    # Session metadata does not reach payment intents, nor from there refunds and disputes: both get it.
    metadata = _metadata(offer)
    params: SessionCreateParams = {
        "mode": "payment",
        "client_reference_id": checkout.id,
        "line_items": [{"quantity": 1, "price_data": _price_of(offer)}],
        "metadata": {**metadata},
        "payment_intent_data": {"metadata": {**metadata}},
        "success_url": offer.success_url,
        "cancel_url": offer.cancel_url,
    }
    if checkout.mailbox is not None:
        params["customer_email"] = checkout.mailbox.canonical
    if checkout.promotion:
        params["discounts"] = [{"promotion_code": checkout.promotion}]
    elif checkout.discounts:
        params["allow_promotion_codes"] = True
    if offer.language in LOCALES:
        params["locale"] = offer.language
    add_terms(params, offer.terms)
    return params


def _metadata(offer: CheckoutOffer) -> dict[str, str]:
    checkout = offer.checkout
    metadata = {"pid": str(checkout.product), "shop": offer.shop, "seal": offer.seal}
    if checkout.contents:
        metadata["contents"] = " ".join(checkout.contents)
    if checkout.discounts:
        metadata["discounts"] = "yes"
    terms = terms_written(checkout.waiver, checkout.opens_at)
    if terms:
        metadata["waiver"] = terms
    return metadata


def _price_of(offer: CheckoutOffer) -> Any:
    checkout = offer.checkout
    data = price_data(checkout.price, name=checkout.product_name, tax_code=offer.tax_code, terms=offer.terms)
    if offer.summary:
        data["product_data"]["description"] = offer.summary[:_SUMMARY]
    return data


def price_data(price: Money, *, name: str, tax_code: str, terms: PaymentTerms) -> Any:
    """A line's price, by which nothing has to be set up in Stripe's dashboard."""
    product: dict[str, Any] = {"name": name}
    data: dict[str, Any] = {
        "currency": price.currency,
        "unit_amount": price.amount,
        "product_data": product,
    }
    if terms.tax is not Tax.OFF:
        data["tax_behavior"] = terms.tax.value
        if tax_code:
            product["tax_code"] = tax_code
    return data


def add_terms(params: SessionCreateParams, terms: PaymentTerms) -> None:
    """What the shop asks of the payment page."""
    if terms.tax is not Tax.OFF:
        params["automatic_tax"] = {"enabled": True}
    if terms.invoices:
        params["invoice_creation"] = {"enabled": True}
    if terms.methods:
        params["allowed_payment_method_types"] = cast("Any", list(terms.methods))
    if terms.billing_address:
        params["billing_address_collection"] = "required"
    if terms.tax_ids:
        params["tax_id_collection"] = {"enabled": True}


@contextmanager
def naming_methods(terms: PaymentTerms) -> Iterator[None]:
    """Where Stripe refuses a payment method, name the method, the setting and its file.

    It gives the place in the list of one that does not exist, and only the list's name where the account cannot take
    them. https://docs.stripe.com/api/errors#errors-param
    """
    try:
        yield
    except PaymentsRefused as error:
        cause = error.__cause__
        found = (
            _METHODS.fullmatch(str(cause.param)) if isinstance(cause, stripe.InvalidRequestError) else None
        )
        no, _, said = str(error).partition(": ")
        refused = _refused_of(terms.methods, found[1], said) if found else ()
        if not refused:
            raise
        named = ", ".join(f"“{method}”" for method in refused)
        words = f"{no}: it refuses {named} in `methods` under [payment] of shop.toml: {said}"
        raise PaymentsRefused(words) from cause


def _refused_of(methods: Sequence[str], place: str | None, said: str) -> Sequence[str]:
    """Those that Stripe refuses: the one in that place, else those that it mentions, else all."""
    if place is not None:
        return methods[int(place) : int(place) + 1]
    words = set(re.findall(r"\w+", said))
    return [method for method in methods if method in words] or methods
