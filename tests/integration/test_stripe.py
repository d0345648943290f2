"""The Stripe adapter on the wire, the stand-in against Stripe's own schema, and the official Stripe CLI."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jsonschema
import pytest

from adapters.stripe.payments import StripePayments, _create_params, within_time
from adapters.stripe.signature import objection
from adapters.stripe.wire import news_of
from domain.ports import (
    CheckoutEvent,
    CheckoutOffer,
    FactEvent,
    InvalidWebhook,
    PaymentChangedEvent,
    PaymentsRefused,
    PaymentsUnreachable,
)
from domain.product import PaymentTerms, Tax
from domain.purchase import Checkout, FactKind
from domain.values import CheckoutId, EmailAddress, Money, ProductId, ProviderRef, SessionId
from testkit.leaping import LeapingLoop
from testkit.servers import BOOK, WEBHOOK_SECRET, Sandbox, Shopper, ShopServer, free_port
from testkit.stripe_schema import ask_raw, document, form, holds, strict
from testkit.tools import stripe_cli

OFFER = CheckoutOffer(
    checkout=Checkout(
        id=CheckoutId("0199checkout"), product=ProductId("book"), product_name="The book", price=Money(900, "usd"),
        session=SessionId("s"), mailbox=EmailAddress("anna@example.com"), livemode=False,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
    ),
    shop="shop-1", seal="v1.k.abc", summary="Read it.",
    success_url="https://shop.example/view/book?session_id={CHECKOUT_SESSION_ID}",
    cancel_url="https://shop.example/products/book",
)  # fmt: skip


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    box = Sandbox(tmp_path_factory.mktemp("stripe"), "http://localhost:1")
    box.start()
    yield box
    box.stop()


def payments(base: str) -> StripePayments:
    return StripePayments(key="sk_test_abcdefgh", webhook_secrets=(WEBHOOK_SECRET,), api_base=base)


def an_offer(number: int) -> CheckoutOffer:
    return replace(
        OFFER, checkout=replace(OFFER.checkout, id=CheckoutId(f"0199-{number}-{time.monotonic_ns()}"))
    )


async def _with(base: str, work: Any) -> Any:
    adapter = payments(base)
    try:
        return await work(adapter)
    finally:
        await adapter.close()


def ask(base: str, work: Any) -> Any:
    return asyncio.run(_with(base, work))


# ------------------------------------------------------------------ the adapter


def test_a_checkout_is_made_once_looked_at_and_listed_when_paid(sandbox: Sandbox) -> None:
    offer = an_offer(1)
    page = ask(sandbox.url, lambda p: p.create_checkout(offer))
    assert ask(sandbox.url, lambda p: p.create_checkout(offer)) == page, (
        "the same checkout id gives the same session"
    )
    assert page.url.startswith(sandbox.url)
    open_ = ask(sandbox.url, lambda p: p.retrieve_checkout(page.ref))
    assert (open_.status, open_.reference, open_.product, open_.seal) == (
        "open",
        offer.checkout.id,
        "book",
        "v1.k.abc",
    )
    sandbox.pay(page.ref)
    paid = ask(sandbox.url, lambda p: p.retrieve_checkout(page.ref))
    assert (paid.status, paid.total, paid.currency, paid.email) == ("paid", 900, "usd", "anna@example.com")
    assert abs(paid.as_of - time.time()) < 60
    since = datetime.now(UTC) - timedelta(hours=1)

    async def listed(p: StripePayments) -> list[str]:
        return [r.ref async for r in p.list_completed(since, datetime.now(UTC) + timedelta(hours=1))]

    assert page.ref in ask(sandbox.url, listed)


def test_the_list_is_followed_over_its_pages(sandbox: Sandbox) -> None:
    refs = set()
    for number in range(105):
        made = ask_raw(sandbox, "POST", "/v1/checkout/sessions", form(_create_params(an_offer(number))))
        sandbox.pay(made["id"])
        refs.add(made["id"])

    async def listed(p: StripePayments) -> list[str]:
        return [
            r.ref
            async for r in p.list_completed(
                datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)
            )
        ]

    found = ask(sandbox.url, listed)
    assert refs <= set(found)
    assert len(found) == len(set(found))


def test_a_debit_is_unpaid_then_paid_or_failed(sandbox: Sandbox) -> None:
    for succeeds, status in ((True, "paid"), (False, "failed")):
        page = ask(sandbox.url, lambda p, n=succeeds: p.create_checkout(an_offer(10 + n)))
        sandbox.pay(page.ref, delayed=True)
        assert ask(sandbox.url, lambda p, r=page.ref: p.retrieve_checkout(r)).status == "unpaid"
        sandbox.post(f"/_sandbox/sessions/{page.ref}/bank", succeeds=succeeds, copies=0)
        assert ask(sandbox.url, lambda p, r=page.ref: p.retrieve_checkout(r)).status == status


def test_an_unknown_session_is_none_and_a_bad_key_is_refused(sandbox: Sandbox) -> None:
    assert ask(sandbox.url, lambda p: p.retrieve_checkout(ProviderRef("cs_test_nothing"))) is None

    async def with_bad_key() -> None:
        bad = StripePayments(key="sk_bad", webhook_secrets=(), api_base=sandbox.url)
        try:
            await bad.create_checkout(OFFER)
        finally:
            await bad.close()

    with pytest.raises(PaymentsRefused, match="401"):
        asyncio.run(with_bad_key())


def test_nobody_there_is_unreachable() -> None:
    with pytest.raises(PaymentsUnreachable):
        ask(f"http://127.0.0.1:{free_port()}", lambda p: p.create_checkout(OFFER))


def test_a_call_with_all_its_retries_ends_within_ten_seconds() -> None:
    async def main() -> float:
        began = asyncio.get_running_loop().time()
        with pytest.raises(PaymentsUnreachable, match="did not answer"):
            await within_time(asyncio.Event().wait())
        return asyncio.get_running_loop().time() - began

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        assert runner.run(main()) < 10


def test_a_delivery_is_read_with_either_of_two_secrets(sandbox: Sandbox) -> None:
    page = ask(sandbox.url, lambda p: p.create_checkout(an_offer(20)))
    event = sandbox.pay(page.ref)
    body, header = event["body"].encode(), event["signature"]
    now = datetime.now(UTC)
    rolling = StripePayments(key="sk_test_x", webhook_secrets=("whsec_new", WEBHOOK_SECRET), api_base=None)
    news = rolling.parse_webhook(body, header, now=now)
    assert isinstance(news, CheckoutEvent)
    assert (news.reading.ref, news.reading.status) == (page.ref, "paid")
    assert rolling.page_origin == "https://checkout.stripe.com"
    assert isinstance(StripePayments(key="sk_test_x", webhook_secrets=("whsec_new",), api_base=None).parse_webhook(
        body, header, now=now), InvalidWebhook)  # fmt: skip


@pytest.mark.parametrize("number", [-1, 2**63, 2**64, 10**30])
@pytest.mark.parametrize("field", ["created", "amount_total", "amount_subtotal", "expires_at"])
def test_an_event_with_a_number_that_fits_no_column_is_not_heard(field: str, number: int) -> None:
    """It would fail in the store, and be sent again for three days."""
    session = {"id": "cs_test_a", "created": 1, "livemode": False}
    event: dict[str, Any] = {
        "id": "evt_1",
        "object": "event",
        "type": "checkout.session.completed",
        "created": 1,
    }
    if field == "created":
        event["created"] = number
    else:
        session[field] = number
    body = json.dumps({**event, "data": {"object": session}}).encode()
    assert isinstance(news_of(body), InvalidWebhook)


def test_a_payment_is_read_with_its_checkout_its_refunds_and_its_disputes(sandbox: Sandbox) -> None:
    page = ask(sandbox.url, lambda p: p.create_checkout(an_offer(50)))
    sandbox.pay(page.ref)
    payment = ask(sandbox.url, lambda p: p.retrieve_checkout(page.ref)).payment
    part = sandbox.post(f"/_sandbox/sessions/{page.ref}/refund", amount=100, copies=0)["refund"]["id"]
    dispute = sandbox.post(f"/_sandbox/sessions/{page.ref}/dispute", copies=0)["dispute"]["id"]
    reading = ask(sandbox.url, lambda p: p.retrieve_payment(payment))
    assert (reading.checkout.ref, reading.checkout.seal) == (page.ref, "v1.k.abc")
    facts = {f.object_id: (f.kind, f.status, f.amount, f.payment) for f in reading.facts}
    assert facts == {
        part: (FactKind.REFUND, "succeeded", 100, payment),
        dispute: (FactKind.DISPUTE, "needs_response", 900, payment),
    }
    since = datetime.now(UTC) - timedelta(hours=1)

    async def listed(p: StripePayments) -> set[str]:
        return {fact.object_id async for fact in p.list_facts(since)}

    assert {part, dispute} <= ask(sandbox.url, listed)
    assert ask(sandbox.url, lambda p: p.retrieve_payment("pi_nothing")) is None


def test_every_event_after_a_sale_is_heard_as_what_it_is(sandbox: Sandbox) -> None:
    page = ask(sandbox.url, lambda p: p.create_checkout(an_offer(51)))
    sandbox.pay(page.ref)
    payment = ask(sandbox.url, lambda p: p.retrieve_checkout(page.ref)).payment
    told = sandbox.post(f"/_sandbox/sessions/{page.ref}/refund", status="failed", copies=0)["events"]
    second = ask(sandbox.url, lambda p: p.create_checkout(an_offer(52)))
    sandbox.pay(second.ref)
    opened = sandbox.post(f"/_sandbox/sessions/{second.ref}/dispute", copies=0)
    told += opened["events"]
    told += sandbox.post(f"/_sandbox/disputes/{opened['dispute']['id']}/close", status="won", copies=0)[
        "events"
    ]
    heard = []
    for event in told:
        news = payments(sandbox.url).parse_webhook(
            event["body"].encode(), event["signature"], now=datetime.now(UTC)
        )
        match news:
            case FactEvent(record, fact):
                assert fact.as_of == record.created
                heard.append((event["type"], fact.status))
            case PaymentChangedEvent(_, found):
                assert found == payment
                heard.append((event["type"], "to be read"))
            case _:
                pytest.fail(f"{event['type']} was heard as {news}")
    assert heard == [
        ("refund.created", "pending"), ("charge.refunded", "to be read"), ("refund.updated", "failed"),
        ("refund.failed", "failed"), ("charge.dispute.created", "needs_response"),
        ("charge.dispute.funds_withdrawn", "needs_response"), ("charge.dispute.closed", "won"),
        ("charge.dispute.funds_reinstated", "won"),
    ]  # fmt: skip


TERMS = PaymentTerms(
    promotion_codes=True,
    tax=Tax.EXCLUSIVE,
    invoices=True,
    methods=("card",),
    billing_address=True,
    tax_ids=True,
)


def test_terms_of_the_shop_reach_the_payment_page_and_its_answer_is_a_sale(sandbox: Sandbox) -> None:
    offer = an_offer(53)
    bundle = replace(offer.checkout, contents=(ProductId("a"), ProductId("b")), discounts=True)
    offer = replace(offer, checkout=bundle, terms=TERMS, tax_code="txcd_10302000")
    page = ask(sandbox.url, lambda p: p.create_checkout(offer))
    sandbox.pay(page.ref, promotion_code="TENOFF")
    reading = ask(sandbox.url, lambda p: p.retrieve_checkout(page.ref))
    assert (reading.subtotal, reading.discount, reading.tax, reading.total) == (900, 90, 81, 891)
    assert (reading.contents, reading.discounts) == (("a", "b"), True)
    url = ask(sandbox.url, lambda p: p.invoice_url(page.ref))
    assert url is not None
    assert url.startswith(sandbox.url)
    plain = ask(sandbox.url, lambda p: p.create_checkout(an_offer(54)))
    assert ask(sandbox.url, lambda p: p.invoice_url(plain.ref)) is None


@pytest.mark.parametrize("fault", ["down", "500", "429", "reset", "truncated"])
def test_whatever_way_stripe_breaks_it_is_unreachable(sandbox: Sandbox, fault: str) -> None:
    page = ask(sandbox.url, lambda p: p.create_checkout(an_offer(60)))
    sandbox.behave(stripe=fault)
    try:
        with pytest.raises(PaymentsUnreachable):
            ask(sandbox.url, lambda p: p.retrieve_checkout(page.ref))
    finally:
        sandbox.behave(stripe="")


@pytest.mark.parametrize(
    ("shift", "fine"), [(0, True), (299, True), (-299, True), (302, False), (-302, False), (10**9, False)]
)
def test_the_window_of_a_signature_has_two_sides(sandbox: Sandbox, shift: int, fine: bool) -> None:
    body = b"{}"
    header = sandbox.signature(body)
    at = int(header.partition("t=")[2].partition(",")[0])
    now = datetime.fromtimestamp(at + shift, tz=UTC)
    assert (objection(body, header, secrets=[WEBHOOK_SECRET], now=now) is None) is fine


# ------------------------------------------------------------------ Stripe's published schema


def test_every_answer_of_the_stand_in_follows_the_schema(sandbox: Sandbox) -> None:
    made = ask_raw(sandbox, "POST", "/v1/checkout/sessions", form(_create_params(an_offer(30))))
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
    second = ask_raw(sandbox, "POST", "/v1/checkout/sessions", form(_create_params(an_offer(31))))
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


def test_our_request_follows_the_schema() -> None:
    """Every parameter we send is one that Stripe's document names, at every depth."""
    operation = document()["paths"]["/v1/checkout/sessions"]["post"]
    schema = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    validator = jsonschema.Draft202012Validator(
        {**strict(schema), "components": {"schemas": strict(document()["components"]["schemas"])}}
    )
    everything = replace(
        OFFER, terms=TERMS, tax_code="txcd_1", checkout=replace(OFFER.checkout, discounts=True)
    )
    for offer in (OFFER, everything):
        params = json.loads(json.dumps(_create_params(offer)))
        # Newer than the document: it replaced payment_method_types in 2026-10-28.endive.
        params.pop("allowed_payment_method_types", None)
        assert not [e.message for e in validator.iter_errors(params)]
        assert set(params) <= set(schema["properties"])


def test_an_idempotency_key_gives_the_same_answer_and_refuses_another_request(sandbox: Sandbox) -> None:
    params = form(_create_params(an_offer(40)))
    one = ask_raw(sandbox, "POST", "/v1/checkout/sessions", params, **{"idempotency-key": "k1"})
    two = ask_raw(sandbox, "POST", "/v1/checkout/sessions", params, **{"idempotency-key": "k1"})
    assert one == two
    other = ask_raw(
        sandbox, "POST", "/v1/checkout/sessions", {**params, "cancel_url": "x"}, **{"idempotency-key": "k1"}
    )
    assert other["error"]["type"] == "idempotency_error"


def test_what_stripe_would_refuse_is_refused(sandbox: Sandbox) -> None:
    params = form(_create_params(OFFER))
    for change, param in (
        ({"unheard_of": "1"}, "unheard_of"),
        ({"customer_email": "nobody"}, "customer_email"),
    ):
        error = ask_raw(sandbox, "POST", "/v1/checkout/sessions", {**params, **change})["error"]
        assert error["param"] == param
    del params["line_items[0][price_data][currency]"]
    assert "currency" in ask_raw(sandbox, "POST", "/v1/checkout/sessions", params)["error"]["param"]
    assert parse_qsl("a[b]=c")  # the stand-in reads the same encoding


def test_the_stand_in_listens_on_loopback_only(sandbox: Sandbox) -> None:
    listening = Path("/proc/net/tcp").read_text().splitlines()
    port = f":{sandbox.port:04X} "
    addresses = {
        line.split()[1].partition(":")[0] for line in listening if port in line and line.split()[3] == "0A"
    }
    assert addresses == {"0100007F"}


# ------------------------------------------------------------------ the official Stripe CLI


def trigger(shop: ShopServer, home: Path, event: str) -> None:
    binary = stripe_cli()
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(home), "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
        "STRIPE_API_KEY": "sk_test_" + "a" * 24,
    }  # fmt: skip
    done = subprocess.run(
        [binary, "trigger", event, "--api-base", shop.sandbox.url],
        env=environment, cwd=home, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr + str(shop.sandbox.get("/_sandbox/calls")[-12:])


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        ("checkout.session.completed", True),
        ("checkout.session.async_payment_succeeded", True),
        ("checkout.session.async_payment_failed", True),
        ("checkout.session.expired", True),
    ],
)
def test_the_stripe_cli_drives_the_stand_in_and_the_shop_quarantines_its_sessions(
    shop: ShopServer, tmp_path: Path, event: str, outcome: bool
) -> None:
    before = {s["id"] for s in shop.sandbox.get("/_sandbox/sessions")}
    sold = len(shop.export()["purchase"])
    trigger(shop, tmp_path, event)
    [made] = {s["id"] for s in shop.sandbox.get("/_sandbox/sessions")} - before
    told = [a for a in shop.sandbox.get("/_sandbox/attempts") if a["type"] == event]
    assert told[-1]["status"] == "200"
    exported = shop.export()
    assert (made in {q["id"] for q in exported["quarantine"]}) is outcome
    assert len(exported["purchase"]) == sold


@pytest.mark.parametrize(
    ("event", "kinds"),
    [
        ("charge.refunded", ["refund.created", "charge.refunded"]),
        ("charge.refund.updated", ["refund.created", "charge.refunded", "refund.updated"]),
        ("charge.dispute.created", ["charge.dispute.created"]),
        ("charge.dispute.updated", ["charge.dispute.created", "charge.dispute.updated"]),
        ("charge.dispute.closed", ["charge.dispute.created", "charge.dispute.closed"]),
    ],
)
def test_the_stripe_cli_refunds_and_disputes_what_the_shop_never_sold(
    shop: ShopServer, tmp_path: Path, event: str, kinds: list[str]
) -> None:
    """Payments without a session or metadata: the shop hears of them, and books nothing."""
    before = {a["event"] for a in shop.sandbox.get("/_sandbox/attempts")}
    sold = len(shop.export()["purchase"])
    trigger(shop, tmp_path, event)
    heard = [a for a in shop.sandbox.get("/_sandbox/attempts") if a["event"] not in before]
    about = [a for a in heard if a["type"].startswith(("refund.", "charge.refund", "charge.dispute."))]
    assert [a["type"] for a in about] == kinds
    assert all(a["status"].startswith("2") for a in about), about
    assert len(shop.export()["purchase"]) == sold


def test_buying_needs_nothing_set_up_at_stripe(shop: ShopServer) -> None:
    """price_data, never a stored price: the shop's only calls are to checkout sessions."""
    Shopper(shop).buy(BOOK)
    assert shop.sandbox.get("/_sandbox/calls")[-1] == "POST /v1/checkout/sessions"
