"""A sale over real HTTP: the way through, URLs in wrong hands, and the webhook."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from testkit.servers import BOOK, PAPERWORK, PHOTOS, Shopper, ShopServer
from testkit.shoppers import address, said

pytestmark = pytest.mark.engines

CONTENT = "Ottilie"
"""A word that only buyers of the book read."""


# ------------------------------------------------------------------ the way through


def test_from_the_click_to_the_access_email_and_back_on_another_device(shop: ShopServer) -> None:
    anna, email = Shopper(shop), address()
    cs = anna.buy_and_pay(email)
    page = anna.get(f"/view/{BOOK}")
    assert page.status_code == 200
    assert CONTENT in page.text
    assert "It opens in this browser for a day" in page.text
    assert f"<b>{email}</b>" in page.text, "for the browser that typed it"
    assert anna.get(f"/view/{BOOK}", params={"session_id": cs}).headers["location"] == f"/view/{BOOK}"
    phone = Shopper(shop)
    link = shop_link = anna.link_from(email)
    assert CONTENT not in phone.get(link).text
    came = phone.post(shop_link)
    assert (came.status_code, came.headers["location"]) == (303, f"/view/{BOOK}")
    assert CONTENT in phone.get(f"/view/{BOOK}").text
    assert email in phone.get("/library").text
    assert "Open" in phone.get("/").text
    used = Shopper(shop).post(link)
    assert used.status_code == 410
    assert "used already" in used.text
    assert 'name="renew"' in used.text
    assert phone.post("/logout").headers["location"] == "/"
    assert phone.get("/library").headers["location"] == "/request-login"


def test_a_login_is_asked_for_and_its_code_is_typed(shop: ShopServer) -> None:
    email = address()
    Shopper(shop).buy_and_pay(email)
    phone = Shopper(shop)
    asked = phone.post("/request-login", {"email": email})
    assert asked.status_code == 200
    assert "Check your email" in asked.text
    text = shop.sandbox.wait_for_mail(email, number=2)["text"]
    code = re.search(r"(?m)^\s+([0-9A-Z]{4}-[0-9A-Z]{4})\s*$", text)
    assert code is not None
    wrong = phone.post("/login", {"code": "AAAA-AAAA"})
    assert (wrong.status_code, "4 tries left" in wrong.text) == (400, True)
    assert phone.post("/login", {"code": code[1].lower()}).status_code == 303
    assert email in phone.get("/library").text
    assert "this one" in phone.get("/sessions").text
    assert phone.post("/sessions", {"end": "all"}).headers["location"] == "/"
    assert phone.get("/sessions").headers["location"] == "/request-login"


def test_a_file_is_an_attachment_for_its_owner_and_for_nobody_else(shop: ShopServer) -> None:
    anna = Shopper(shop)
    anna.buy_and_pay(address(), PAPERWORK)
    file = anna.get(f"/files/{PAPERWORK}/invoice.html")
    assert file.status_code == 200
    assert file.headers["content-disposition"].startswith('attachment; filename="invoice.html"')
    assert file.headers["x-content-type-options"] == "nosniff"
    assert file.headers["cache-control"] == "private, no-store"
    assert int(file.headers["content-length"]) == len(file.content) > 500
    assert Shopper(shop).get(f"/files/{PAPERWORK}/invoice.html").status_code == 403
    assert anna.get(f"/files/{BOOK}/the-last-cloakroom.epub").status_code == 403
    for name in ("nothing.txt", "..%2fproduct.toml", "%2e%2e", "..%2F..%2Fshop.toml", "a%00b", "x" * 300):
        assert anna.get(f"/files/{PAPERWORK}/{name}").status_code == 404, name


def test_an_owner_is_asked_before_buying_twice(shop: ShopServer) -> None:
    anna = Shopper(shop)
    anna.buy_and_pay(address())
    asked = anna.post(f"/buy/{BOOK}")
    assert asked.status_code == 200
    assert "You own" in asked.text
    assert anna.post(f"/buy/{BOOK}", {"again": "yes"}).status_code == 303


def test_twenty_uses_of_one_link_at_once_give_one_session(shop: ShopServer) -> None:
    email = address()
    buyer = Shopper(shop)
    buyer.buy_and_pay(email)
    link = buyer.link_from(email)
    thieves = [Shopper(shop) for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda thief: thief.post(link), thieves))
    assert sorted(a.status_code for a in answers) == [303] + [410] * 19
    assert sum(thief.get("/library").status_code == 200 for thief in thieves) == 1


def test_get_of_buy_shows_the_product_and_buys_nothing(shop: ShopServer) -> None:
    before = len(shop.sandbox.get("/_sandbox/sessions"))
    page = Shopper(shop).get(f"/buy/{BOOK}")
    assert page.status_code == 200
    assert "The Last Cloakroom" in page.text
    assert len(shop.sandbox.get("/_sandbox/sessions")) == before


# ------------------------------------------------------------------ buying what is not there


@pytest.mark.parametrize("pid", ["nothing", "A", "..%2f", "x" * 300, "%00"])
def test_an_unknown_product_is_404_without_a_call(shop: ShopServer, pid: str) -> None:
    calls = len(shop.sandbox.get("/_sandbox/calls"))
    shopper = Shopper(shop)
    for answer in (shopper.post(f"/buy/{pid}"), shopper.get(f"/products/{pid}"), shopper.get(f"/view/{pid}")):
        assert answer.status_code == 404
        assert "Back to the shop" in answer.text
    assert len(shop.sandbox.get("/_sandbox/calls")) == calls


# ------------------------------------------------------------------ the success URL in wrong hands


def test_a_success_url_that_is_not_yours_shows_nothing_and_asks_nobody(shop: ShopServer) -> None:
    anna, thief, email = Shopper(shop), Shopper(shop), address()
    cs = anna.buy_and_pay(email)
    calls = len(shop.sandbox.get("/_sandbox/calls"))
    for session_id, pid, status in (
        (cs, BOOK, 200),
        (cs, PHOTOS, 404),
        ("cs_test_unknown", BOOK, 404),
        ("cs_live_" + "a" * 50, BOOK, 404),
        ("..", BOOK, 404),
        ("", BOOK, 404),
        ("cs_test_" + "é" * 5, BOOK, 404),
        ("x" * 3000, BOOK, 404),
    ):
        answer = thief.get(f"/view/{pid}", params={"session_id": session_id})
        assert answer.status_code == status, session_id
        assert CONTENT not in answer.text
        assert email not in answer.text
        assert email.partition("@")[0][:4] not in answer.text
        assert "set-cookie" not in answer.headers
    assert len(shop.sandbox.get("/_sandbox/calls")) == calls
    assert thief.get(f"/view/{BOOK}").status_code == 403


def test_an_unpaid_checkout_says_so(shop: ShopServer) -> None:
    anna = Shopper(shop)
    cs = anna.buy()
    answer = anna.get(f"/view/{BOOK}", params={"session_id": cs})
    assert (answer.status_code, "not paid yet" in answer.text) == (200, True)
    again = anna.get(f"/view/{BOOK}", params={"session_id": cs})
    assert "being confirmed" in again.text, "Stripe is asked at most once in five seconds"


def test_a_bank_debit_waits_for_its_bank(shop: ShopServer) -> None:
    anna, email = Shopper(shop), address()
    cs = anna.buy()
    shop.sandbox.pay(cs, email=email, delayed=True, copies=1)
    page = anna.get(f"/view/{BOOK}", params={"session_id": cs})
    assert "Awaiting your bank" in page.text
    assert "settle.js" not in page.text
    assert anna.get(f"/view/{BOOK}").status_code == 403
    shop.sandbox.post(f"/_sandbox/sessions/{cs}/bank", succeeds=True)
    assert anna.get(f"/view/{BOOK}", params={"session_id": cs}).status_code == 303
    assert len(shop.sandbox.wait_for_mail(email)) > 0


def test_head_claims_nothing_and_consumes_nothing(shop: ShopServer) -> None:
    anna, email = Shopper(shop), address()
    cs = anna.buy()
    shop.sandbox.pay(cs, email=email)
    head = anna.http.head(f"/view/{BOOK}", params={"session_id": cs})
    assert (head.status_code, head.content) == (200, b"")
    assert cs not in [p["checkout_session"] for p in shop.export()["purchase"]]
    assert anna.get(f"/view/{BOOK}", params={"session_id": cs}).status_code == 303
    shop.sandbox.wait_for_mail(email)
    link = anna.link_from(email)
    assert anna.http.head(link).status_code == 200
    for _ in range(3):
        assert "Sign in as" in Shopper(shop).get(link).text
    assert Shopper(shop).post(link).status_code == 303


# ------------------------------------------------------------------ the webhook


def deliver(shop: ShopServer, body: bytes, signature: str | bytes | None) -> httpx.Response:
    headers = {} if signature is None else {"stripe-signature": signature}
    return httpx.post(f"{shop.url}/webhook", content=body, headers=headers)  # type: ignore[arg-type]


def test_a_webhook_that_cannot_be_believed_or_understood_is_4xx_with_one_line_and_nothing_written(
    shop: ShopServer,
) -> None:
    now = int(time.time())
    thin = json.dumps(
        {"id": "evt_1", "object": "v2.core.event", "type": "v1.x", "created": "2026-01-01T00:00:00Z"}
    ).encode()
    sign = shop.sandbox.signature
    deep = b"[" * 50_000
    event = b'{"id":"evt_x","object":"event","type":"checkout.session.completed","created":1,"data":{"object":{}}}'
    cases: list[tuple[bytes, str | bytes | None]] = [
        (event, None), (event, ""), (event, "t=1,v1=00"), (event, sign(event, at=now - 400)), (event, sign(event, at=now + 400)),
        (event, "t=é,v1=é".encode()), (event, f"t={now},v1=é".encode("latin-1")), (event, "x" * 5000),
        (b"\xff\xfe", sign(b"\xff\xfe")), (b"[]", sign(b"[]")), (b"null", sign(b"null")), (b"{}", sign(b"{}")), (b"", sign(b"")),
        (deep, sign(deep)), (thin, sign(thin)), (event, sign(event)), (event, sign(b"another body")),
    ]  # fmt: skip
    before = shop.export()
    lines = len(said(shop, "webhook refused"))
    for body, signature in cases:
        answer = deliver(shop, body, signature)
        assert 400 <= answer.status_code < 500, (body[:50], signature, answer.status_code)
    assert len(said(shop, "webhook refused")) == lines + len(cases)
    assert deliver(shop, thin, sign(thin)).text.startswith("this is a thin event")
    assert deliver(shop, b"x" * 2_000_000, "t=1,v1=0").status_code == 413
    assert shop.export() == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"metadata": {"pid": "nothing", "shop": "x", "seal": "v1"}}, "wrong_product"),
        ({"client_reference_id": None, "metadata": {}}, "no_metadata"),
        ({"amount_subtotal": 1, "amount_total": 1}, "wrong_amount"),
        ({"currency": "eur"}, "wrong_currency"),
        ({"livemode": True}, "other_mode"),
        ({"mode": "subscription"}, "not_a_payment"),
        ({"client_reference_id": "of another app", "metadata": {"pid": BOOK}}, "no_metadata"),
    ],
)
def test_a_signed_webhook_that_is_not_our_sale_is_2xx_and_quarantined_with_its_reason(
    shop: ShopServer, change: dict[str, Any], reason: str
) -> None:
    cs = Shopper(shop).buy()
    sold = len(shop.export()["purchase"])
    event = shop.sandbox.pay(cs, email=address(), change=change)
    answer = deliver(shop, event["body"].encode(), event["signature"])
    assert answer.status_code == 200
    exported = shop.export()
    assert [q["reason"] for q in exported["quarantine"] if q["id"] == cs] == [reason]
    assert len(exported["purchase"]) == sold


def test_status_names_what_is_quarantined(shop: ShopServer) -> None:
    cs = Shopper(shop).buy()
    event = shop.sandbox.pay(cs, email=address(), change={"livemode": True})
    assert deliver(shop, event["body"].encode(), event["signature"]).status_code == 200
    status = shop.cli("status", check=False)
    assert (status.returncode, cs in status.stdout) == (1, True)


def test_an_event_of_another_kind_is_2xx_and_logged(shop: ShopServer) -> None:
    body = json.dumps({"id": "evt_other", "object": "event", "type": "customer.created", "created": 1,
                       "data": {"object": {"id": "cus_1"}}}).encode()  # fmt: skip
    assert deliver(shop, body, shop.sandbox.signature(body)).text == "not followed"
