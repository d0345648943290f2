"""The Stripe adapter on the wire: checkouts, events, what the shop asks for, and every way in which Stripe breaks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import jsonschema
import msgspec
import pytest
import stripe

from adapters.stripe.account import StripeAccount
from adapters.stripe.details import details_of
from adapters.stripe.offering import LOCALES, create_params
from adapters.stripe.payments import StripePayments, within_time
from adapters.stripe.signature import objection
from adapters.stripe.wire import OF_DOCTOR, StripeDispute, fact_of, news_of
from domain.fact import FactKind
from domain.payment_account import CheckoutTrial
from domain.ports import (
    CheckoutEvent,
    FactEvent,
    IgnoredEvent,
    InvalidWebhook,
    PaymentChangedEvent,
    PaymentDetails,
    PaymentsRefused,
    PaymentsUnreachable,
    PromotionRefused,
    TaxLine,
)
from domain.product import PaymentTerms, Tax
from domain.promotion import PromotionCode
from domain.values import Money, ProductId, ProviderRef
from entrypoints.sandbox.stripe.sessions import LOCALES as STAND_IN_LOCALES
from testkit.leaping import LeapingLoop
from testkit.offers import OFFER, an_offer
from testkit.servers import WEBHOOK_SECRET, Sandbox, free_port
from testkit.stripe_schema import ask_raw, document, form, strict


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    box = Sandbox(tmp_path_factory.mktemp("stripe"), "http://localhost:1")
    box.start()
    yield box
    box.stop()


def payments(base: str) -> StripePayments:
    return StripePayments(key="sk_test_abcdefgh", webhook_secrets=(WEBHOOK_SECRET,), api_base=base)


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
        made = ask_raw(sandbox, "POST", "/v1/checkout/sessions", form(create_params(an_offer(number))))
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


def test_an_open_session_is_expired_and_one_that_is_paid_or_being_paid_is_not(sandbox: Sandbox) -> None:
    pages = [ask(sandbox.url, lambda p, n=n: p.create_checkout(an_offer(n))) for n in range(3)]
    sandbox.pay(pages[1].ref, email="anna@example.com", copies=0)
    sandbox.pay(pages[2].ref, email="anna@example.com", delayed=True, copies=0)
    for page, status in zip(pages, ("expired", "paid", "unpaid"), strict=True):
        for _ in range(2):
            reading = ask(sandbox.url, lambda p, page=page: p.expire_checkout(page.ref))
            assert (reading.ref, reading.status) == (page.ref, status)
        assert ask(sandbox.url, lambda p, page=page: p.retrieve_checkout(page.ref)).status == status
    assert ask(sandbox.url, lambda p: p.expire_checkout(ProviderRef("cs_test_nothing"))) is None
    with pytest.raises(PaymentsUnreachable):
        ask(f"http://127.0.0.1:{free_port()}", lambda p: p.expire_checkout(pages[0].ref))


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


CONFLICTS = {
    "the same request is under way": stripe.APIError("a conflict", http_status=409),
    "the key was used with other words": stripe.IdempotencyError("other parameters", http_status=400),
    "both": stripe.IdempotencyError("in use", http_status=409),
}


@pytest.mark.parametrize("conflict", CONFLICTS)
def test_a_repeated_request_that_meets_the_first_one_is_unreachable_and_no_refusal(conflict: str) -> None:
    async def call() -> None:
        raise CONFLICTS[conflict]

    with pytest.raises(PaymentsUnreachable):
        asyncio.run(within_time(call()))


@pytest.mark.parametrize(
    ("message", "param", "status", "raised"),
    [
        ("No such promotion code: 'promo_1'", "discounts[0][promotion_code]", 400, PromotionRefused),
        ("No such promotion code: 'promo_1'", "discounts[0][promotion_code]", 404, PromotionRefused),
        ("It is over.", "discounts", 400, PromotionRefused),
        ("This promotion code cannot be redeemed because the associated customer has prior transactions.",
         None, 400, PromotionRefused),
        ("Coupon expired: SPRING", "coupon", 400, PromotionRefused),
        ("You may only specify one of these parameters: allow_promotion_codes, discounts.",
         "allow_promotion_codes", 400, PaymentsRefused),
        ("Invalid currency: xyz", "line_items[0][price_data][currency]", 400, PaymentsRefused),
    ],
)  # fmt: skip
def test_a_code_that_stripe_refuses_is_told_from_a_checkout_that_it_refuses(
    message: str, param: str | None, status: int, raised: type[Exception]
) -> None:
    async def call() -> None:
        raise stripe.InvalidRequestError(message, param, http_status=status)

    with pytest.raises(PaymentsRefused) as refused:
        asyncio.run(within_time(call()))
    assert type(refused.value) is raised


def test_a_key_that_may_not_read_codes_is_no_refusal_of_a_code() -> None:
    async def call() -> None:
        words = "This key may not do that. It needs the permission to read a promotion code."
        raise stripe.PermissionError(words, http_status=403)

    with pytest.raises(PaymentsRefused) as refused:
        asyncio.run(within_time(call()))
    assert type(refused.value) is PaymentsRefused


def test_buy_again_within_a_minute_after_an_edit_of_the_product_is_no_refusal(sandbox: Sandbox) -> None:
    offer = an_offer(21)
    page = ask(sandbox.url, lambda p: p.create_checkout(offer))
    for edited in (replace(offer, summary="Read on."), replace(offer, terms=PaymentTerms(invoices=True))):
        with pytest.raises(PaymentsUnreachable):
            ask(sandbox.url, lambda p, edited=edited: p.create_checkout(edited))
    assert ask(sandbox.url, lambda p: p.create_checkout(offer)) == page


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
    opened = sandbox.post(f"/_sandbox/sessions/{page.ref}/dispute", copies=0)["dispute"]
    dispute = opened["id"]
    reading = ask(sandbox.url, lambda p: p.retrieve_payment(payment))
    assert (reading.checkout.ref, reading.checkout.seal) == (page.ref, "v1.k.abc")
    facts = {f.object_id: (f.kind, f.status, f.amount, f.payment) for f in reading.facts}
    assert facts == {
        part: (FactKind.REFUND, "succeeded", 100, payment),
        dispute: (FactKind.DISPUTE, "needs_response", 900, payment),
    }
    assert {fact.object_id: fact.answer_by for fact in reading.facts} == {
        part: 0, dispute: opened["evidence_details"]["due_by"],
    }  # fmt: skip
    since = datetime.now(UTC) - timedelta(hours=1)

    async def listed(p: StripePayments) -> set[str]:
        refunds = {fact.object_id async for fact in p.list_refunds(since)}
        return refunds | {fact.object_id async for fact in p.list_disputes(since)}

    assert {part, dispute} <= ask(sandbox.url, listed)
    assert ask(sandbox.url, lambda p: p.retrieve_payment("pi_nothing")) is None


@pytest.mark.parametrize(
    ("details", "answer_by"),
    [({"due_by": 0}, -1), ({"due_by": None}, 0), ({"due_by": 7}, 7), (None, 0)],
)
def test_a_due_date_of_0_says_that_a_dispute_takes_no_evidence(
    details: dict[str, int | None] | None, answer_by: int
) -> None:
    told = {"id": "du_1", "amount": 900, "status": "needs_response", "evidence_details": details}
    assert fact_of(msgspec.convert(told, StripeDispute), as_of=5).answer_by == answer_by


def test_a_fraud_warning_is_heard_and_listed(sandbox: Sandbox) -> None:
    page = ask(sandbox.url, lambda p: p.create_checkout(an_offer(53)))
    sandbox.pay(page.ref)
    payment = ask(sandbox.url, lambda p: p.retrieve_checkout(page.ref)).payment
    told = sandbox.post(f"/_sandbox/sessions/{page.ref}/warn", copies=0)
    [event] = told["events"]
    heard = news_of(event["body"].encode())
    assert isinstance(heard, FactEvent)
    assert (heard.event.type, heard.fact.object_id, heard.fact.kind, heard.fact.payment, heard.fact.status) == (
        "radar.early_fraud_warning.created", told["warning"]["id"], FactKind.WARNING, payment, "actionable",
    )  # fmt: skip
    since = datetime.now(UTC) - timedelta(hours=1)

    async def listed(p: StripePayments) -> dict[str, str]:
        return {fact.object_id: fact.status async for fact in p.list_fraud_warnings(since)}

    assert ask(sandbox.url, listed)[told["warning"]["id"]] == "actionable"


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
            case FactEvent(_, fact):
                assert fact.as_of == json.loads(event["body"])["created"]
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


@pytest.mark.parametrize(
    ("told", "details"),
    [
        ({}, PaymentDetails()),
        ({"payment_intent": "pi_1"}, PaymentDetails()),
        ({"payment_intent": {"latest_charge": "ch_1"}}, PaymentDetails()),
        ({"total_details": {}}, PaymentDetails()),
        ({"total_details": {"breakdown": {"taxes": [{"rate": None}]}}}, PaymentDetails()),
        ({"payment_method_details": {"type": "klarna"}}, PaymentDetails(method="Klarna")),
        ({"payment_method_details": {"type": "card", "card": {"brand": "amex", "last4": "0005"}}},
         PaymentDetails(method="American Express", last_digits="0005")),
        ({"payment_method_details": {"type": "card", "card": None}}, PaymentDetails(method="Card")),
        ({"payment_method_details": {"type": "new_thing", "new_thing": {"last4": "<b>"}}}, PaymentDetails(method="New Thing")),
        ({"payment_method_details": {"type": 3}}, PaymentDetails()),
        ({"total_details": {"breakdown": {"taxes": [
            {"amount": 5, "rate": {"percentage": 8.875, "display_name": None, "country": "US"}},
            {"amount": 0, "rate": {"percentage": 1}}]}}},
         PaymentDetails(taxes=(TaxLine(name="", rate="8.875", country="US"),))),
    ],
)  # fmt: skip
def test_the_details_of_a_payment_are_read_whatever_is_missing(told: Any, details: PaymentDetails) -> None:
    if "payment_method_details" in told:
        told = {"payment_intent": {"latest_charge": told}}
    assert details_of(json.dumps(told)) == details


def test_a_code_of_a_link_is_found_and_the_payment_page_begins_with_it(sandbox: Sandbox) -> None:
    coupon = {"percent_off": "12.5", "redeem_by": str(2**31)}
    made = ask_raw(sandbox, "POST", "/v1/coupons", coupon)["id"]
    rules = {"minimum_amount": 500, "minimum_amount_currency": "usd"}
    told = {"promotion": {"type": "coupon", "coupon": made}, "code": "MAY", "restrictions": rules}
    ref = ask_raw(sandbox, "POST", "/v1/promotion_codes", form(told | {"expires_at": 2**31 - 1}))["id"]
    assert ask(sandbox.url, lambda p: p.find_promotion("may")) == PromotionCode(
        code="MAY", ref=ref, percent_off=Decimal("12.5"), minimum=Money(500, "usd"),
        expires_at=datetime.fromtimestamp(2**31 - 1, tz=UTC),
    )  # fmt: skip
    assert ask(sandbox.url, lambda p: p.find_promotion("FIVER")).amount_off == Money(500, "usd")
    assert ask(sandbox.url, lambda p: p.find_promotion("NONE")) is None
    offer = an_offer(57)
    linked = replace(offer, checkout=replace(offer.checkout, discounts=True, promotion=ref))
    page = ask(sandbox.url, lambda p: p.create_checkout(linked))
    reading = ask(sandbox.url, lambda p: p.retrieve_checkout(page.ref))
    assert (reading.subtotal, reading.discount, reading.total, reading.discounts) == (900, 113, 787, True)
    ask_raw(sandbox, "POST", f"/v1/promotion_codes/{ref}", {"active": "false"})
    assert ask(sandbox.url, lambda p: p.find_promotion("MAY")) is None
    for number, gone in ((58, ref), (59, "promo_none")):
        offer = an_offer(number)
        used_up = replace(offer, checkout=replace(offer.checkout, discounts=True, promotion=gone))
        with pytest.raises(PromotionRefused):
            ask(sandbox.url, lambda p, offer=used_up: p.create_checkout(offer))


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
    address = {"country": "DE", "postal_code": "10115"}
    taxed = ask(sandbox.url, lambda p: p.create_checkout(replace(an_offer(55), terms=TERMS)))
    sandbox.pay(taxed.ref, address=address)
    assert ask(sandbox.url, lambda p: p.payment_details(taxed.ref)) == PaymentDetails(
        method="Visa", last_digits="4242", taxes=(TaxLine(name="VAT", rate="10", country="DE"),)
    )
    plain = ask(sandbox.url, lambda p: p.create_checkout(an_offer(54)))
    assert ask(sandbox.url, lambda p: p.payment_details(plain.ref)) == PaymentDetails()
    assert ask(sandbox.url, lambda p: p.payment_details(ProviderRef("cs_test_none"))) is None
    debit = ask(sandbox.url, lambda p: p.create_checkout(an_offer(56)))
    sandbox.pay(debit.ref, delayed=True)
    assert ask(sandbox.url, lambda p: p.payment_details(debit.ref)) == PaymentDetails(
        method="SEPA Direct Debit", last_digits="3000"
    )
    assert ask(sandbox.url, lambda p: p.invoice_url(plain.ref)) is None


def test_a_trial_of_doctor_opens_a_page_with_every_tax_code_and_closes_it(sandbox: Sandbox) -> None:
    codes = ("txcd_10302000", "", "txcd_10000000")
    trial = CheckoutTrial(price=Money(900, "usd"), name="The book", tax_codes=codes, terms=TERMS)

    async def work(trial: CheckoutTrial) -> None:
        held = payments(sandbox.url)
        try:
            await StripeAccount(held).try_checkout(trial, url="https://shop.example")
        finally:
            await held.close()

    before = {session["id"] for session in sandbox.get("/_sandbox/sessions")}
    asyncio.run(work(trial))
    [made] = [s for s in sandbox.get("/_sandbox/sessions") if s["id"] not in before]
    assert (made["status"], made["metadata"], made["client_reference_id"]) == ("expired", OF_DOCTOR, None)
    assert (made["currency"], made["amount_subtotal"]) == ("usd", 900)
    assert made["payment_method_types"] == list(TERMS.methods)
    with pytest.raises(PaymentsRefused, match="No such tax code: 'txcd_12345678'"):
        asyncio.run(work(replace(trial, tax_codes=("txcd_10302000", "txcd_12345678"))))


@pytest.mark.parametrize(
    ("metadata", "reference", "ignored"),
    [
        (OF_DOCTOR, None, True), (OF_DOCTOR, "0199checkout", False), ({**OF_DOCTOR, "shop": "x"}, None, False),
        ({"coatcheck": "x"}, None, False), ({}, None, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("event", ["checkout.session.expired", "checkout.session.completed"])
def test_only_the_events_of_a_trial_are_ignored_by_name(
    event: str, metadata: dict[str, str], reference: str | None, ignored: bool
) -> None:
    session = {
        "id": "cs_test_1", "object": "checkout.session", "created": 1, "livemode": False, "metadata": metadata,
        "client_reference_id": reference, "status": "expired",
    }  # fmt: skip
    told = {"id": "evt_1", "object": "event", "created": 1, "type": event, "data": {"object": session}}
    assert isinstance(news_of(json.dumps(told).encode()), IgnoredEvent if ignored else CheckoutEvent)


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
    linked = replace(OFFER, checkout=replace(OFFER.checkout, discounts=True, promotion="promo_1"))
    german = replace(OFFER, language="de")
    for offer in (OFFER, everything, linked, german, replace(OFFER, language="xx")):
        params = json.loads(json.dumps(create_params(offer)))
        # Newer than the document: it replaced payment_method_types in 2026-10-28.endive.
        params.pop("allowed_payment_method_types", None)
        assert not [e.message for e in validator.iter_errors(params)]
        assert set(params) <= set(schema["properties"])
    assert schema["properties"]["locale"]["enum"] == list(STAND_IN_LOCALES)
    assert {"auto", *LOCALES} == set(STAND_IN_LOCALES)


def test_the_payment_page_is_in_the_language_of_the_offer_if_stripe_knows_it() -> None:
    known = [create_params(replace(OFFER, language=code)).get("locale") for code in ("de", "en", "xx", "")]
    assert known == ["de", "en", None, None]
