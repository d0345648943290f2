"""The stand-in after a sale: refunds, disputes, lists, webhooks; against Stripe's schema."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import stripe

from entrypoints.sandbox.stripe.objects import Call
from entrypoints.sandbox.stripe.sessions import ROUTES
from entrypoints.sandbox.world import World
from testkit.receiver import a_receiver
from testkit.sales import charge_of, params, sold
from testkit.servers import WEBHOOK_SECRET, Sandbox
from testkit.stripe_schema import ask_raw, form, holds

HOUR = 3600


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    box = Sandbox(tmp_path_factory.mktemp("sandbox"), "http://localhost:1")
    box.start()
    box.behave(copies=0)
    yield box
    box.stop()


def told(answer: Any, name: str, **objects: str) -> list[str]:
    """The types of the events of an answer; each is an event, of an object that holds."""
    holds(name, answer[name])
    for signed in answer["events"]:
        event = json.loads(signed["body"])
        holds("event", event)
        holds(event["data"]["object"]["object"], event["data"]["object"])
        assert (event["id"], event["type"]) == (signed["event"], signed["type"])
        stripe.WebhookSignature.verify_header(signed["body"], signed["signature"], WEBHOOK_SECRET, 300)
    return [signed["type"] for signed in answer["events"]]


def error_of(box: Sandbox, path: str, **data: Any) -> Any:
    answer = ask_raw(box, "POST", path, form(data))
    holds("error", answer)
    return answer["error"]


# ------------------------------------------------------------------ refunds


def test_a_refund_never_pays_back_more_than_is_left(sandbox: Sandbox) -> None:
    session = sold(sandbox)
    intent = session["payment_intent"]
    one = ask_raw(
        sandbox, "POST", "/v1/refunds", {"payment_intent": intent, "amount": "400", "reason": "duplicate"}
    )
    holds("refund", one)
    assert (one["amount"], one["status"], one["payment_intent"]) == (400, "succeeded", intent)
    too_much = error_of(sandbox, "/v1/refunds", payment_intent=intent, amount=501)
    assert (too_much["code"], too_much["param"]) == ("amount_too_large", "amount")
    assert "greater than unrefunded amount" in too_much["message"]
    charge = charge_of(sandbox, session)
    assert (charge["amount_refunded"], charge["refunded"]) == (400, False)
    rest = ask_raw(sandbox, "POST", "/v1/refunds", {"charge": charge["id"]})
    assert rest["amount"] == 500
    assert charge_of(sandbox, session)["refunded"] is True
    assert error_of(sandbox, "/v1/refunds", payment_intent=intent)["code"] == "charge_already_refunded"
    assert error_of(sandbox, "/v1/refunds", payment_intent=intent, amount=0)["param"] == "amount"
    assert error_of(sandbox, "/v1/refunds", payment_intent="pi_none")["code"] == "resource_missing"
    assert (
        error_of(sandbox, "/v1/refunds", payment_intent=intent, speed="fast")["code"] == "parameter_unknown"
    )
    listed = ask_raw(sandbox, "GET", f"/v1/refunds?payment_intent={intent}")["data"]
    assert [r["id"] for r in listed] == [rest["id"], one["id"]], "newest first"
    after = ask_raw(sandbox, "GET", f"/v1/refunds?charge={charge['id']}&limit=1&starting_after={rest['id']}")
    assert ([r["id"] for r in after["data"]], after["has_more"]) == ([one["id"]], False)
    later = int(time.time()) + HOUR
    assert ask_raw(sandbox, "GET", f"/v1/refunds?created[gte]={later}")["data"] == []


def test_a_refund_asked_for_twice_under_one_key_pays_back_once(sandbox: Sandbox) -> None:
    session = sold(sandbox)
    data = {"payment_intent": session["payment_intent"], "amount": "300"}
    one = ask_raw(sandbox, "POST", "/v1/refunds", data, **{"idempotency-key": "refund-1"})
    assert ask_raw(sandbox, "POST", "/v1/refunds", data, **{"idempotency-key": "refund-1"}) == one
    assert charge_of(sandbox, session)["amount_refunded"] == 300


def test_the_events_of_a_refund_and_of_one_that_fails(sandbox: Sandbox) -> None:
    session = sold(sandbox)
    path = f"/_sandbox/sessions/{session['id']}/refund"
    part = sandbox.post(path, amount=200, copies=0, created=1_700_000_000)
    assert told(part, "refund") == ["refund.created", "charge.refunded"]
    refund, charge = (json.loads(e["body"]) for e in part["events"])
    assert refund["created"] == charge["created"] == 1_700_000_000
    assert (charge["data"]["object"]["object"], charge["data"]["object"]["amount_refunded"]) == (
        "charge",
        200,
    )
    assert "refunds" not in charge["data"]["object"]
    assert refund["data"]["object"]["payment_intent"] == session["payment_intent"]
    pending = sandbox.post(path, status="pending", copies=0)
    assert (pending["refund"]["amount"], pending["refund"]["status"]) == (700, "pending")
    assert charge_of(sandbox, session)["refunded"] is True
    settle = f"/_sandbox/refunds/{pending['refund']['id']}/settle"
    failed = sandbox.post(settle, status="failed", copies=0)
    assert told(failed, "refund") == ["refund.updated", "refund.failed"]
    assert failed["refund"]["failure_reason"]
    assert (charge_of(sandbox, session)["amount_refunded"], charge_of(sandbox, session)["refunded"]) == (
        200,
        False,
    )
    assert httpx.post(f"{sandbox.url}{settle}", json={"status": "succeeded"}).status_code == 409, (
        "failed is final"
    )
    at_once = sandbox.post(path, status="failed", copies=0)
    assert told(at_once, "refund") == ["refund.created", "charge.refunded", "refund.updated", "refund.failed"]
    assert [json.loads(e["body"])["data"]["object"].get("status") for e in at_once["events"]][::3] == [
        "pending",
        "failed",
    ]
    canceled = sandbox.post(path, status="pending", copies=0)["refund"]["id"]
    assert told(
        sandbox.post(f"/_sandbox/refunds/{canceled}/settle", status="canceled", copies=0), "refund"
    ) == ["refund.updated"]
    assert charge_of(sandbox, session)["amount_refunded"] == 200


def test_a_debit_is_refunded_only_after_its_bank_paid(sandbox: Sandbox) -> None:
    session = sold(sandbox, pay={"delayed": True})
    assert charge_of(sandbox, session)["status"] == "pending"
    assert (
        error_of(sandbox, "/v1/refunds", payment_intent=session["payment_intent"])["param"]
        == "payment_intent"
    )
    assert error_of(sandbox, "/v1/refunds", charge=charge_of(sandbox, session)["id"])["param"] == "charge"
    said = sandbox.post(f"/_sandbox/sessions/{session['id']}/bank", copies=0, created=1_700_000_000)
    assert json.loads(said["body"])["created"] == 1_700_000_000
    assert charge_of(sandbox, session)["paid"] is True
    assert sandbox.post(f"/_sandbox/sessions/{session['id']}/refund", copies=0)["refund"]["amount"] == 900


# ------------------------------------------------------------------ disputes


def test_a_chargeback_takes_the_money_and_gives_it_back_when_won(sandbox: Sandbox) -> None:
    session = sold(sandbox)
    opened = sandbox.post(f"/_sandbox/sessions/{session['id']}/dispute", copies=0)
    assert told(opened, "dispute") == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    dispute = opened["dispute"]
    assert (dispute["amount"], dispute["status"], dispute["is_charge_refundable"]) == (
        900,
        "needs_response",
        False,
    )
    assert charge_of(sandbox, session)["disputed"] is True
    assert (
        error_of(sandbox, "/v1/refunds", payment_intent=session["payment_intent"])["code"]
        == "charge_disputed"
    )
    [listed] = ask_raw(sandbox, "GET", f"/v1/disputes?payment_intent={session['payment_intent']}")["data"]
    holds("dispute", listed)
    assert listed["id"] == dispute["id"]
    reviewed = sandbox.post(f"/_sandbox/disputes/{dispute['id']}/update", status="under_review", copies=0)
    assert told(reviewed, "dispute") == ["charge.dispute.updated"]
    won = sandbox.post(f"/_sandbox/disputes/{dispute['id']}/close", status="won", copies=0)
    assert told(won, "dispute") == ["charge.dispute.closed", "charge.dispute.funds_reinstated"]
    assert [t["amount"] for t in won["dispute"]["balance_transactions"]] == [-900, 900]
    again = httpx.post(f"{sandbox.url}/_sandbox/disputes/{dispute['id']}/close", json={"status": "lost"})
    assert again.status_code == 409


def test_an_inquiry_takes_nothing_unless_it_grows(sandbox: Sandbox) -> None:
    session = sold(sandbox)
    path = f"/_sandbox/sessions/{session['id']}/dispute"
    asked = sandbox.post(path, status="warning_needs_response", amount=500, copies=0)
    assert told(asked, "dispute") == ["charge.dispute.created"]
    assert asked["dispute"]["balance_transactions"] == []
    closed = ask_raw(sandbox, "POST", f"/v1/disputes/{asked['dispute']['id']}/close")
    holds("dispute", closed)
    assert closed["status"] == "warning_closed"
    second = sandbox.post(path, status="warning_needs_response", copies=0)["dispute"]["id"]
    grown = sandbox.post(f"/_sandbox/disputes/{second}/update", status="needs_response", copies=0)
    assert told(grown, "dispute") == ["charge.dispute.updated", "charge.dispute.funds_withdrawn"]
    evidence = {"evidence[uncategorized_text]": "losing_evidence"}
    lost = ask_raw(sandbox, "POST", f"/v1/disputes/{second}", evidence)
    holds("dispute", lost)
    assert lost["status"] == "lost"
    kinds = [e["type"] for e in ask_raw(sandbox, "GET", "/v1/events?type=charge.dispute.*&limit=2")["data"]]
    assert kinds == ["charge.dispute.closed", "charge.dispute.updated"]


# ------------------------------------------------------------------ lists


def test_sessions_are_found_by_payment_and_time_and_expanded(sandbox: Sandbox) -> None:
    session = sold(sandbox, invoice_creation={"enabled": True})
    sold(sandbox)
    path = f"/v1/checkout/sessions?payment_intent={session['payment_intent']}"
    [found] = ask_raw(sandbox, "GET", f"{path}&expand[]=data.payment_intent&expand[]=data.invoice")["data"]
    assert found["id"] == session["id"]
    holds("checkout.session", found)
    holds("payment_intent", found["payment_intent"])
    holds("invoice", found["invoice"])
    deep = ask_raw(
        sandbox, "GET", f"/v1/checkout/sessions/{session['id']}?expand[]=payment_intent.latest_charge"
    )
    assert deep["payment_intent"]["latest_charge"]["payment_intent"] == session["payment_intent"]
    assert ask_raw(sandbox, "GET", "/v1/checkout/sessions?payment_intent=pi_none")["data"] == []
    before = int(time.time()) - HOUR
    assert ask_raw(sandbox, "GET", f"/v1/checkout/sessions?created[lte]={before}")["data"] == []
    assert (
        "expand" in ask_raw(sandbox, "GET", "/v1/checkout/sessions?expand[]=data.nothing")["error"]["param"]
    )
    assert ask_raw(sandbox, "GET", "/v1/checkout/sessions?colour=red")["error"]["code"] == "parameter_unknown"


def test_events_are_listed_by_type_and_followed(sandbox: Sandbox) -> None:
    session = sold(sandbox)
    ids = [e["event"] for e in sandbox.post(f"/_sandbox/sessions/{session['id']}/refund", copies=0)["events"]]
    first = ask_raw(sandbox, "GET", "/v1/events?types[]=refund.created&types[]=charge.refunded&limit=1")
    assert ([e["id"] for e in first["data"]], first["has_more"]) == ([ids[1]], True)
    then = ask_raw(sandbox, "GET", f"/v1/events?type=refund.created&limit=1&starting_after={ids[1]}")
    assert [e["id"] for e in then["data"]] == [ids[0]], "the cursor need not be of the type that is asked for"
    holds("event", ask_raw(sandbox, "GET", f"/v1/events/{ids[0]}"))


@pytest.mark.long
def test_twenty_thousand_sessions_are_followed_page_by_page() -> None:
    world = World(own_url="http://x", webhook_url="", webhook_secret="", shop_url="")
    for _ in range(20_000):
        ROUTES["POST", "checkout/sessions"](Call(world, params()))
    seen: set[str] = set()
    call: dict[str, Any] = {"limit": "100", "status": "open"}
    while True:
        listed, _ = ROUTES["GET", "checkout/sessions"](Call(world, call))
        seen |= {session["id"] for session in listed["data"]}
        if not listed["has_more"]:
            break
        call["starting_after"] = listed["data"][-1]["id"]
    assert seen == set(world.sessions)


# ------------------------------------------------------------------ who is told


def test_an_endpoint_made_over_the_api_is_told_under_its_own_secret(sandbox: Sandbox) -> None:
    with a_receiver() as shop:
        data = form(
            {"url": f"{shop.url}/webhook", "enabled_events": ["refund.created"], "metadata": {"a": "b"}}
        )
        made = ask_raw(sandbox, "POST", "/v1/webhook_endpoints", data)
        holds("webhook_endpoint", made)
        one = ask_raw(sandbox, "GET", f"/v1/webhook_endpoints/{made['id']}")
        assert one == {name: value for name, value in made.items() if name != "secret"}
        shop.answers = [500]
        session = sold(sandbox)
        sandbox.post(f"/_sandbox/sessions/{session['id']}/refund", copies=1)
        for headers, body in shop.wait(2):
            assert json.loads(body)["type"] == "refund.created", "it asked for nothing else"
            stripe.WebhookSignature.verify_header(
                body.decode(), headers["stripe-signature"], made["secret"], 300
            )
        assert shop.heard[0][1] == shop.heard[1][1], "the same event again, since the first answer was no 2xx"
        listed = {e["id"] for e in ask_raw(sandbox, "GET", "/v1/webhook_endpoints")["data"]}
        assert listed == {made["id"], "we_sandbox"}
        off = ask_raw(sandbox, "POST", f"/v1/webhook_endpoints/{made['id']}", {"disabled": "true"})
        assert off["status"] == "disabled"
        gone = ask_raw(sandbox, "DELETE", f"/v1/webhook_endpoints/{made['id']}")
        holds("deleted_webhook_endpoint", gone)
        assert "error" in ask_raw(sandbox, "GET", f"/v1/webhook_endpoints/{made['id']}")
        assert "error" in ask_raw(sandbox, "DELETE", "/v1/webhook_endpoints/we_sandbox"), (
            "the shop's own stays"
        )


def test_a_call_made_again_while_the_first_is_answered_does_nothing_more(sandbox: Sandbox) -> None:
    """An SDK that loses patience asks again, under the same key."""
    session = sold(sandbox)
    data, key = {"payment_intent": session["payment_intent"], "amount": "100"}, {"idempotency-key": "slow-1"}
    with a_receiver() as shop, ThreadPoolExecutor(2) as pool:
        shop.pause = 1.0
        listens = form({"url": shop.url, "enabled_events": ["charge.refunded"]})
        made = ask_raw(sandbox, "POST", "/v1/webhook_endpoints", listens)["id"]
        sandbox.behave(copies=1)
        try:
            one = pool.submit(lambda: ask_raw(sandbox, "POST", "/v1/refunds", data, **key))
            shop.wait(1)
            two = ask_raw(sandbox, "POST", "/v1/refunds", data, **key)
        finally:
            sandbox.behave(copies=0)
        assert two == one.result()
        ask_raw(sandbox, "DELETE", f"/v1/webhook_endpoints/{made}")
    assert charge_of(sandbox, session)["amount_refunded"] == 100


# ------------------------------------------------------------------ by clicking


def test_the_buttons_of_the_home_page_do_what_they_say(sandbox: Sandbox) -> None:
    session = sold(sandbox)

    def press(path: str, wish: str) -> str:
        httpx.post(f"{sandbox.url}{path}", data={"wish": wish}, timeout=60)
        return (
            httpx.get(f"{sandbox.url}/")
            .text.partition(f'<article class="card" id="{session["id"]}"')[2]
            .partition("</article>")[0]
        )

    mine = f"/sessions/{session['id']}"
    assert "Refund of 4.50 USD: <b>succeeded</b>" in press(mine, "refund-half")
    assert "Refund of 4.50 USD: <b>pending</b>" in (page := press(mine, "refund-fails"))
    assert "Refund all" not in page, "nothing is left"
    [pending] = [
        r for r in ask_raw(sandbox, "GET", "/v1/refunds?limit=2")["data"] if r["status"] == "pending"
    ]
    assert "Refund all" in press(f"/refunds/{pending['id']}", "failed")
    assert "Dispute of 9.00 USD: <b>needs response</b>" in press(mine, "dispute")
    dispute = ask_raw(sandbox, "GET", "/v1/disputes?limit=1")["data"][0]["id"]
    assert "Dispute of 9.00 USD: <b>won</b>" in press(f"/disputes/{dispute}", "won")
    assert charge_of(sandbox, session)["amount_refunded"] == 450
