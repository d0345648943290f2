"""Which payment method of shop.toml Stripe refuses, as its answers tell."""

from __future__ import annotations

import pytest
import stripe

from adapters.stripe.offering import naming_methods
from domain.ports import PaymentsRefused
from domain.product import PaymentTerms

TERMS = PaymentTerms(methods=("card", "klarna", "giropay"))
UNAVAILABLE = (
    "The payment method type provided: klarna is invalid. Please ensure the provided type is activated"
)
ALL = "All types provided in payment_method_types are invalid. Please ensure the provided types are activated"


def refuse(said: str, param: str | None, terms: PaymentTerms) -> None:
    with naming_methods(terms):
        cause = stripe.InvalidRequestError(said, param)
        raise PaymentsRefused(f"Stripe said no (400): {said}") from cause


def said_of(said: str, param: str | None, terms: PaymentTerms = TERMS) -> str:
    with pytest.raises(PaymentsRefused) as refused:
        refuse(said, param, terms)
    return str(refused.value)


@pytest.mark.parametrize(
    ("said", "param", "named"),
    [
        ("Invalid method", "allowed_payment_method_types[2]", "“giropay”"),
        ("Invalid method", "payment_method_types[0]", "“card”"),
        (UNAVAILABLE, "payment_method_types", "“klarna”"),
        (ALL, "allowed_payment_method_types", "“card”, “klarna”, “giropay”"),
    ],
)
def test_the_method_and_its_setting_are_named_once_before_stripes_words(
    said: str, param: str, named: str
) -> None:
    words = f"Stripe said no (400): it refuses {named} in `methods` under [payment] of shop.toml: {said}"
    assert said_of(said, param) == words


@pytest.mark.parametrize("param", [None, "line_items[0]", "allowed_payment_method_types[3]"])
def test_what_is_no_method_of_ours_stays_in_stripes_words(param: str | None) -> None:
    assert said_of(UNAVAILABLE, param) == f"Stripe said no (400): {UNAVAILABLE}"


def test_a_shop_that_names_no_methods_is_not_led_to_the_setting() -> None:
    assert said_of(ALL, "payment_method_types", PaymentTerms()) == f"Stripe said no (400): {ALL}"
