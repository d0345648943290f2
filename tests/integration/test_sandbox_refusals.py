"""The stand-in refuses what Stripe documents that it refuses, with Stripe's error body."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import stripe.params.checkout._session_create_params as sdk

from adapters.stripe.offering import create_params
from entrypoints.sandbox.stripe.limits import METHODS, NESTED
from entrypoints.sandbox.stripe.money import SUPPORTED, smallest_charge
from entrypoints.sandbox.stripe.objects import API_VERSION
from testkit.offers import OFFER
from testkit.sales import begin, params, sold
from testkit.servers import Sandbox
from testkit.stripe_currencies import LEAST, LISTED, MOST
from testkit.stripe_schema import ask_raw, form, holds


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    box = Sandbox(tmp_path_factory.mktemp("refusals"), "http://localhost:1")
    box.start()
    yield box
    box.stop()


def refused(box: Sandbox, told: Any, *, status: int = 400, **headers: str) -> dict[str, Any]:
    """The error of a refused session."""
    headers = {"authorization": "Bearer rk_test_abcdefgh", "stripe-version": API_VERSION, **headers}
    answer = httpx.post(f"{box.url}/v1/checkout/sessions", data=form(told), headers=headers, timeout=60)
    assert answer.status_code == status, answer.text
    holds("error", answer.json())
    error: dict[str, Any] = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    if "code" in error:
        assert error["doc_url"] == f"https://stripe.com/docs/error-codes/{error['code'].replace('_', '-')}"
    return error


def units(amount: str, code: str) -> int:
    digits = 0 if code in {"jpy", "krw"} else 2
    return int(float(amount) * 10**digits)


@pytest.mark.parametrize("code", sorted(LEAST))
def test_the_minimum_of_every_currency_is_charged_and_less_is_not(sandbox: Sandbox, code: str) -> None:
    least = units(LEAST[code], code)
    assert begin(sandbox, amount=least, currency=code)["amount_total"] == least
    assert smallest_charge(code) == least
    error = refused(sandbox, params(amount=least - 1, currency=code))
    assert error["code"] == "amount_too_small"
    assert error["message"].startswith("The Checkout Session's total amount due must add up to at least ")
    assert error["message"].endswith(f" {code}")


def test_every_documented_currency_is_charged_and_no_other(sandbox: Sandbox) -> None:
    assert set(SUPPORTED) == LISTED
    error = refused(sandbox, params(currency="xyz"))
    assert error["message"].startswith(
        "Invalid currency: xyz. Stripe currently supports these currencies: usd, aed"
    )
    assert (error["param"], "code" in error) == ("line_items[0][price_data][currency]", False)


@pytest.mark.parametrize(
    ("code", "good", "bad"), [("kwd", 1500, 1505), ("tnd", 10_000, 10_001), ("isk", 50_000, 50_050), ("ugx", 100_000, 100_001)]
)  # fmt: skip
def test_an_amount_has_no_more_digits_than_stripe_charges(
    sandbox: Sandbox, code: str, good: int, bad: int
) -> None:
    assert begin(sandbox, amount=good, currency=code)["amount_total"] == good
    error = refused(sandbox, params(amount=bad, currency=code))
    assert (error["param"], error["code"]) == (
        "line_items[0][price_data][unit_amount]",
        "parameter_invalid_integer",
    )


@pytest.mark.parametrize("code", ["usd", "jpy", *MOST])
def test_the_greatest_amount_has_eight_digits_or_what_is_documented(sandbox: Sandbox, code: str) -> None:
    most = MOST.get(code, 99_999_999)
    assert begin(sandbox, amount=most, currency=code)["amount_total"] == most
    assert refused(sandbox, params(amount=most + 1, currency=code))["code"] == "amount_too_large"


def test_a_rupiah_sale_above_eight_digits_is_paid(sandbox: Sandbox) -> None:
    assert sold(sandbox, amount=150_000_000, currency="idr")["amount_total"] == 150_000_000


LONG = "https://shop.example/" + "a" * 5000


@pytest.mark.parametrize(
    ("more", "param", "code", "message"),
    [
        ({"metadata": {f"k{n}": "v" for n in range(51)}}, "metadata", None, "up to 50 keys"),
        ({"metadata": {"k" * 41: "v"}}, "metadata", None, "Metadata keys can have up to 40 characters, but you passed in a key"),
        ({"metadata": {"k": "v" * 501}}, "metadata", None, "Metadata values can have up to 500 characters, but you passed in"),
        ({"payment_intent_data": {"metadata": {"k": "v" * 501}}}, "payment_intent_data[metadata]", None, "that is 501 characters"),
        ({"client_reference_id": "c" * 201}, "client_reference_id", None, "must be at most 200 characters"),
        ({"success_url": "shop.example/thanks"}, "success_url", "url_invalid", "Not a valid URL"),
        ({"success_url": "ftp://shop.example/"}, "success_url", "url_invalid", "Not a valid URL"),
        ({"success_url": "https://shop .example/"}, "success_url", "url_invalid", "Not a valid URL"),
        ({"cancel_url": "https://[shop"}, "cancel_url", "url_invalid", "Not a valid URL"),
        ({"cancel_url": LONG}, "cancel_url", None, "must be at most 5000 characters"),
        ({"expires_at": int(time.time()) + 600}, "expires_at", None, "between 30 minutes and 24 hours from Checkout Session"),
        ({"expires_at": int(time.time()) + 400_000}, "expires_at", None, "between 30 minutes and 24 hours from Checkout Session"),
        ({"expires_at": "soon"}, "expires_at", "parameter_invalid_integer", "Invalid integer"),
        ({"payment_method_types": ["card"]}, "payment_method_types", "parameter_unknown", "unknown parameter: payment_method_types"),
        ({"unheard_of": "1"}, "unheard_of", "parameter_unknown", "unknown parameter: unheard_of"),
        ({"automatic_tax": {"on": "true"}}, "automatic_tax[on]", "parameter_unknown", "unknown parameter: automatic_tax[on]"),
        ({"price": {"vat": "1"}}, "line_items[0][price_data][vat]", "parameter_unknown", "unknown parameter"),
        ({"allowed_payment_method_types": ["card", "credit-card"]}, "allowed_payment_method_types[1]", None, "must be one of acss_debit, "),
        ({"price": {"product_data": {"name": "x", "tax_code": "txcd_12345678"}}}, "line_items[0][price_data][product_data][tax_code]",
         "resource_missing", "No such tax code: 'txcd_12345678'"),
        ({"price": {"product_data": {"name": "x", "tax_code": "books"}}}, "line_items[0][price_data][product_data][tax_code]",
         "resource_missing", "No such tax code: 'books'"),
    ],
)  # fmt: skip
def test_a_session_that_stripe_refuses_is_refused_in_its_words(
    sandbox: Sandbox, more: dict[str, Any], param: str, code: str | None, message: str
) -> None:
    before = len(sandbox.get("/_sandbox/sessions"))
    error = refused(sandbox, params(**more))
    assert (error.get("param"), error.get("code")) == (param, code)
    assert message in error["message"]
    assert len(sandbox.get("/_sandbox/sessions")) == before


def test_what_is_just_within_the_limits_is_taken(sandbox: Sandbox) -> None:
    most = {
        **{f"k{n}": "v" for n in range(48)},
        "k" * 40: "v",
        "k": "v" * 500,
    }
    now = int(time.time())
    for ends in (now + 1801, now + 86_399):
        made = begin(
            sandbox, metadata=most, client_reference_id="c" * 200, expires_at=ends, cancel_url=LONG[:5000],
            allowed_payment_method_types=["card", "sepa_debit"],
        )  # fmt: skip
        assert made["expires_at"] == ends


def test_a_removed_parameter_is_taken_from_callers_of_an_older_version(sandbox: Sandbox) -> None:
    told = form(params(payment_method_types=["card"]))
    headers = {"authorization": "Bearer sk_test_abcdefgh"}
    for version in ({}, {"stripe-version": "2026-09-30.dahlia"}):
        answer = httpx.post(f"{sandbox.url}/v1/checkout/sessions", data=told, headers=headers | version)
        assert answer.json()["payment_method_types"] == ["card"]


def test_the_methods_and_parameters_are_those_of_the_sdk() -> None:
    hints = sdk.SessionCreateParams.__annotations__
    assert re.findall(r"\w+(?=['\"])", str(hints["allowed_payment_method_types"])) == list(METHODS)
    assert "payment_method_types" not in hints
    for pattern, names in NESTED.items():
        words = re.findall(r"\w+", pattern.replace("line_items", "line_item"))
        name = "".join(word.title() for word in "_".join(words).split("_"))
        assert getattr(sdk, f"SessionCreateParams{name}").__annotations__.keys() == names, pattern


def test_a_restricted_key_may_do_what_it_was_given(sandbox: Sandbox) -> None:
    try:
        sandbox.behave(permissions=["checkout_session_read"])
        error = refused(sandbox, params(), status=403)
        assert error["message"] == (
            "The provided key 'rk_test_***efgh' does not have the required permissions for this endpoint. Having the "
            "'rak_checkout_session_write' permission would allow this request to continue."
        )
        headers = {"authorization": "Bearer rk_test_abcdefgh"}
        for path, status in (
            ("checkout/sessions", 200), ("checkout/sessions?expand[]=data.payment_intent", 403), ("refunds", 403),
            ("disputes", 403), ("webhook_endpoints", 403), ("promotion_codes", 403), ("events", 403),
        ):  # fmt: skip
            assert httpx.get(f"{sandbox.url}/v1/{path}", headers=headers).status_code == status, path
        sandbox.behave(permissions=["checkout_session_write", "payment_intent_read"])
        begin(sandbox)
        path = "checkout/sessions?expand[]=data.payment_intent"
        assert httpx.get(f"{sandbox.url}/v1/{path}", headers=headers).status_code == 200
        wrong = httpx.post(f"{sandbox.url}/_sandbox/behave", json={"permissions": ["everything"]})
        assert (wrong.status_code, wrong.json()["error"]) == (400, "no permissions of a key: everything")
    finally:
        sandbox.behave(permissions=None)
    begin(sandbox)


def test_an_account_that_is_not_set_up_sells_nothing(sandbox: Sandbox) -> None:
    try:
        sandbox.behave(business_name=False)
        assert "you must set an account or business name" in refused(sandbox, params())["message"]
        sandbox.behave(business_name=True, head_office=False)
        begin(sandbox)
        error = refused(sandbox, params(automatic_tax={"enabled": "true"}))
        assert "You must have a valid head office address to enable automatic tax" in error["message"]
    finally:
        sandbox.behave(business_name=True, head_office=True)
    begin(sandbox, automatic_tax={"enabled": "true"})


def test_what_stripe_would_refuse_is_refused(sandbox: Sandbox) -> None:
    params = form(create_params(OFFER))
    for change, param in (
        ({"unheard_of": "1"}, "unheard_of"),
        ({"customer_email": "nobody"}, "customer_email"),
        ({"locale": "xx"}, "locale"),
    ):
        error = ask_raw(sandbox, "POST", "/v1/checkout/sessions", {**params, **change})["error"]
        assert error["param"] == param
    del params["line_items[0][price_data][currency]"]
    assert "currency" in ask_raw(sandbox, "POST", "/v1/checkout/sessions", params)["error"]["param"]
    assert parse_qsl("a[b]=c")  # the stand-in reads the same encoding
