"""The stand-in's checkout: promotion codes, tax, invoices, ways to pay, repeated requests; against Stripe's schema."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.stripe.offering import create_params
from testkit.offers import an_offer
from testkit.sales import begin, charge_of, sold
from testkit.servers import Sandbox
from testkit.stripe_schema import ask_raw, form, holds


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    box = Sandbox(tmp_path_factory.mktemp("checkout"), "http://localhost:1")
    box.start()
    yield box
    box.stop()


def totals(session: Any) -> tuple[int, int, int, int]:
    details = session["total_details"]
    return (
        session["amount_subtotal"],
        details["amount_discount"],
        details["amount_tax"],
        session["amount_total"],
    )


def test_codes_are_listed_with_their_coupons(sandbox: Sandbox) -> None:
    listed = ask_raw(sandbox, "GET", "/v1/promotion_codes?active=true&expand[]=data.promotion.coupon")["data"]
    for code in listed:
        holds("promotion_code", code)
        holds("coupon", code["promotion"]["coupon"])
    terms = {c["code"]: c["promotion"]["coupon"] for c in listed}
    assert (terms["TENOFF"]["percent_off"], terms["FIVER"]["amount_off"], terms["GIFT"]["percent_off"]) == (
        10,
        500,
        100,
    )
    [found] = ask_raw(sandbox, "GET", "/v1/promotion_codes?code=tenoff")["data"]
    assert found["promotion"]["coupon"] in {c["id"] for c in ask_raw(sandbox, "GET", "/v1/coupons")["data"]}
    holds("coupon", ask_raw(sandbox, "GET", f"/v1/coupons/{found['promotion']['coupon']}"))


@pytest.mark.parametrize(
    ("code", "currency", "expected"),
    [
        ("TENOFF", "usd", (1000, 100, 0, 900)), ("tenoff", "eur", (1000, 100, 0, 900)),
        ("FIVER", "usd", (1000, 500, 0, 500)), ("FIVER", "eur", None), ("NONE", "usd", None),
    ],
)  # fmt: skip
def test_a_code_changes_what_is_paid_or_is_invalid(
    sandbox: Sandbox, code: str, currency: str, expected: Any
) -> None:
    made = begin(sandbox, amount=1000, currency=currency, allow_promotion_codes=True)
    path = f"{sandbox.url}/_sandbox/sessions/{made['id']}/pay"
    answer = httpx.post(path, json={"promotion_code": code})
    if expected is None:
        assert (answer.status_code, answer.json()["error"]) == (409, "This code is invalid.")
        return
    session = json.loads(answer.json()["body"])["data"]["object"]
    holds("checkout.session", session)
    assert totals(session) == expected
    assert charge_of(sandbox, session)["amount"] == expected[3]


@pytest.mark.parametrize(
    "told", [{"pay": {"promotion_code": "GIFT"}, "allow_promotion_codes": True}, {"amount": 0}]
)
def test_what_costs_nothing_has_no_payment(sandbox: Sandbox, told: dict[str, Any]) -> None:
    session = sold(sandbox, **told)
    assert (session["payment_status"], session["payment_intent"], session["amount_total"]) == (
        "no_payment_required",
        None,
        0,
    )


def test_a_session_without_codes_takes_none(sandbox: Sandbox) -> None:
    made = begin(sandbox)
    answer = httpx.post(
        f"{sandbox.url}/_sandbox/sessions/{made['id']}/pay", json={"promotion_code": "TENOFF"}
    )
    assert answer.status_code == 409
    assert 'name="code"' not in httpx.get(made["url"]).text


def test_the_page_refuses_a_wrong_code_and_keeps_what_was_typed(sandbox: Sandbox) -> None:
    made = begin(sandbox, allow_promotion_codes=True)
    typed = {"email": "anna@example.com", "number": "4242 4242 4242 4242", "expiry": "12 / 40", "cvc": "123"}
    wrong = httpx.post(made["url"], data={**typed, "code": "WRONG", "do": "apply"})
    assert "This code is invalid." in wrong.text
    for value in typed.values():
        assert f'value="{value}"' in html.unescape(wrong.text)
    right = httpx.post(made["url"], data={**typed, "code": "TENOFF"})
    assert right.status_code == 303 or "8.10 USD" in right.text, (
        "Pay with a new code shows the new total first"
    )
    after = ask_raw(sandbox, "GET", f"/v1/checkout/sessions/{made['id']}?expand[]=discounts.promotion_code")
    assert (after["status"], totals(after)) == ("open", (900, 90, 0, 810))
    assert after["discounts"][0]["promotion_code"]["code"] == "TENOFF"
    assert httpx.post(made["url"], data={**typed, "code": ""}).status_code == 303
    assert ask_raw(sandbox, "GET", f"/v1/checkout/sessions/{made['id']}")["payment_status"] == "paid"


@pytest.mark.parametrize(
    ("behavior", "code", "expected"),
    [
        ("exclusive", None, (1000, 0, 100, 1100)), ("inclusive", None, (1000, 0, 91, 1000)),
        ("exclusive", "TENOFF", (1000, 100, 90, 990)), ("inclusive", "TENOFF", (1000, 100, 82, 900)),
    ],
)  # fmt: skip
def test_tax_is_added_or_already_inside(
    sandbox: Sandbox, behavior: str, code: str | None, expected: tuple[int, ...]
) -> None:
    price = {"tax_behavior": behavior, "product_data": {"name": "The book", "tax_code": "txcd_10302000"}}
    session = sold(
        sandbox, amount=1000, price=price, automatic_tax={"enabled": True}, allow_promotion_codes=True,
        pay={"promotion_code": code},
    )  # fmt: skip
    assert totals(session) == expected
    assert session["automatic_tax"]["status"] == "complete"
    assert session["customer_details"]["address"]["country"] == "DE"
    assert charge_of(sandbox, session)["amount"] == expected[3]


def test_a_paid_session_has_an_invoice_to_read(sandbox: Sandbox) -> None:
    data = {"description": "For the shelf", "metadata": {"pid": "book"}}
    price = {"tax_behavior": "inclusive"}
    session = sold(
        sandbox, invoice_creation={"enabled": True, "invoice_data": data}, automatic_tax={"enabled": True},
        price=price, tax_id_collection={"enabled": True}, billing_address_collection="required",
    )  # fmt: skip
    invoice = ask_raw(sandbox, "GET", f"/v1/invoices/{session['invoice']}")
    holds("invoice", invoice)
    assert (invoice["total"], invoice["metadata"], invoice["customer"]) == (
        900,
        {"pid": "book"},
        session["customer"],
    )
    page = httpx.get(invoice["hosted_invoice_url"])
    assert "For the shelf" in page.text
    assert "9.00 USD" in page.text
    paper = httpx.get(invoice["invoice_pdf"])
    assert paper.headers["content-type"] == "application/pdf"
    begins = [int(at) for at in re.findall(rb"(\d{10}) 00000 n", paper.content)]
    assert [paper.content[at:].split(maxsplit=1)[0] for at in begins] == [b"%d" % n for n in range(1, 7)]
    assert begin(sandbox, invoice_creation={"enabled": True})["invoice"] is None
    assert sold(sandbox)["invoice"] is None
    debit = sold(sandbox, invoice_creation={"enabled": True}, pay={"delayed": True})
    assert debit["invoice"] is None
    sandbox.post(f"/_sandbox/sessions/{debit['id']}/bank", copies=0)
    assert ask_raw(sandbox, "GET", f"/v1/checkout/sessions/{debit['id']}")["invoice"]


def test_a_session_takes_only_the_ways_to_pay_that_it_allows(sandbox: Sandbox) -> None:
    made = begin(sandbox, allowed_payment_method_types=["card"])
    assert made["payment_method_types"] == ["card"]
    path = f"{sandbox.url}/_sandbox/sessions/{made['id']}/pay"
    assert httpx.post(path, json={"delayed": True}).status_code == 409
    assert 'value="debit"' not in httpx.get(made["url"]).text
    assert httpx.post(path, json={}).status_code == 200


def test_every_answer_of_the_stand_in_follows_the_schema(sandbox: Sandbox) -> None:
    made = ask_raw(sandbox, "POST", "/v1/checkout/sessions", form(create_params(an_offer(30))))
    holds("checkout.session", made)
    event = json.loads(sandbox.pay(made["id"])["body"])
    holds("event", event)
    holds("checkout.session", event["data"]["object"])
    holds("checkout.session", ask_raw(sandbox, "GET", f"/v1/checkout/sessions/{made['id']}"))
    expanded = ask_raw(sandbox, "GET", f"/v1/checkout/sessions/{made['id']}?expand[]=payment_intent")
    holds("payment_intent", expanded["payment_intent"])
    assert expanded["payment_intent"]["metadata"]["pid"] == "book"
    for session in ask_raw(sandbox, "GET", "/v1/checkout/sessions?limit=3&expand[]=data.payment_intent")[
        "data"
    ]:
        holds("checkout.session", session)
    second = ask_raw(sandbox, "POST", "/v1/checkout/sessions", form(create_params(an_offer(31))))
    expired = ask_raw(sandbox, "POST", f"/v1/checkout/sessions/{second['id']}/expire")
    holds("checkout.session", expired)
    assert expired["status"] == "expired"
    for endpoint in ask_raw(sandbox, "GET", "/v1/webhook_endpoints")["data"]:
        holds("webhook_endpoint", endpoint)
    for name, path, data in (
        ("product", "/v1/products", {"name": "x"}),
        ("price", "/v1/prices", {"currency": "usd", "unit_amount": "500", "product": "prod_1"}),
        ("payment_method", "/v1/payment_methods", {"type": "card"}),
        (
            "payment_method",
            "/v1/payment_methods",
            form({"type": "sepa_debit", "sepa_debit": {"iban": "AT611904"}}),
        ),
        ("customer", "/v1/customers", {"email": "anna@example.com"}),
        ("coupon", "/v1/coupons", {"percent_off": "20"}),
        ("payment_intent", "/v1/payment_intents", {"amount": "500", "currency": "usd"}),
    ):
        holds(name, ask_raw(sandbox, "POST", path, data))
    holds("error", ask_raw(sandbox, "GET", "/v1/checkout/sessions/cs_test_none"))


def test_an_idempotency_key_gives_the_same_answer_and_refuses_another_request(sandbox: Sandbox) -> None:
    params = form(create_params(an_offer(40)))
    one = ask_raw(sandbox, "POST", "/v1/checkout/sessions", params, **{"idempotency-key": "k1"})
    two = ask_raw(sandbox, "POST", "/v1/checkout/sessions", params, **{"idempotency-key": "k1"})
    assert one == two
    other = ask_raw(
        sandbox, "POST", "/v1/checkout/sessions", {**params, "cancel_url": "x"}, **{"idempotency-key": "k1"}
    )
    assert other["error"]["type"] == "idempotency_error"


def test_the_stand_in_listens_on_loopback_only(sandbox: Sandbox) -> None:
    listening = Path("/proc/net/tcp").read_text().splitlines()
    port = f":{sandbox.port:04X} "
    addresses = {
        line.split()[1].partition(":")[0] for line in listening if port in line and line.split()[3] == "0A"
    }
    assert addresses == {"0100007F"}
