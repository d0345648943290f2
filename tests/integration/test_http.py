"""The shop over real HTTP: every page, every kind of bad input, and what each answer carries."""

from __future__ import annotations

import json
import re
import socket
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from testkit.servers import BOOK, PAPERWORK, PHOTOS, Shopper, ShopServer
from testkit.waiting import wait_until

pytestmark = pytest.mark.engines

CONTENT = "Ottilie"
"""A word that only buyers of the book read."""


def address() -> str:
    return f"{uuid.uuid4().hex[:10]}@example.com"


def said(shop: ShopServer, what: str) -> list[dict[str, Any]]:
    return [line for line in shop.log_lines if line["message"] == what]


# ------------------------------------------------------------------ the way through


def test_from_the_click_to_the_access_email_and_back_on_another_device(shop: ShopServer) -> None:
    anna, email = Shopper(shop), address()
    cs = anna.buy_and_pay(email)
    page = anna.get(f"/view/{BOOK}")
    assert page.status_code == 200
    assert CONTENT in page.text
    assert "because this browser started the checkout" in page.text
    assert email not in page.text
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
        ({"customer_details": None}, "no_email"),
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


# ------------------------------------------------------------------ doors and forms


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ("Bob@X.com", 200), ("bob＠x.com", 200), ("\u212aate@x.com", 200), ('"bob"@x.com', 400), ("a@x.com,b@x.com", 400),
        ("bob@x.com\r\nBcc: eve@x.com", 400), ("a@b@x.com", 400), ("b" * 300, 400), ("", 400), ("<script>@x.com", 400),
    ],
)  # fmt: skip
def test_an_address_is_canonical_or_clearly_refused(shop: ShopServer, typed: str, status: int) -> None:
    answer = Shopper(shop).post("/request-login", {"email": typed})
    assert answer.status_code == status
    assert "<script>@" not in answer.text
    if status == 400:
        assert 'role="alert"' in answer.text


def test_known_and_unknown_addresses_get_the_same_bytes(shop: ShopServer) -> None:
    known = address()
    Shopper(shop).buy_and_pay(known)
    one = Shopper(shop).post("/request-login", {"email": known})
    two = Shopper(shop).post("/request-login", {"email": address()})
    assert (one.status_code, one.content) == (two.status_code, two.content)
    names = [sorted(k for k in a.headers if k not in ("x-request-id", "date")) for a in (one, two)]
    assert names[0] == names[1]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "same-origin", "origin": "https://evil.example"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({}, 200),
    ],
)
def test_forms_are_taken_from_our_own_pages_only(
    shop: ShopServer, headers: dict[str, str], status: int
) -> None:
    answer = Shopper(shop).post("/request-login", {"email": address()}, headers=headers)
    assert answer.status_code == status


def test_our_own_origin_is_taken_and_another_port_is_not(shop: ShopServer) -> None:
    for origin, status in ((shop.url, 200), (f"{shop.url}1", 403)):
        answer = Shopper(shop).post("/request-login", {"email": address()}, headers={"origin": origin})
        assert answer.status_code == status


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost", "localhost:1", "localhost:80@evil.example", ""]
)
def test_a_foreign_host_header_is_refused_and_links_keep_the_base_url(shop: ShopServer, host: str) -> None:
    answer = httpx.post(f"{shop.url}/request-login", data={"email": address()}, headers={"host": host})
    assert answer.status_code == 400
    assert httpx.get(f"{shop.url}/healthz", headers={"host": host or "x"}).status_code == 200


@pytest.mark.parametrize(
    "cookie", ["session=forged", "session=" + "a" * 64, "session=é", "__Host-session=x; session=", "a" * 4000]
)
def test_a_forged_cookie_is_a_stranger(shop: ShopServer, cookie: str) -> None:
    answer = httpx.get(f"{shop.url}/library", headers={"cookie": cookie.encode("latin-1")})  # type: ignore[dict-item]
    assert (answer.status_code, answer.headers["location"]) == (303, "/request-login")
    assert httpx.get(f"{shop.url}/", headers={"cookie": cookie.encode("latin-1")}).status_code == 200  # type: ignore[dict-item]


def test_a_session_is_never_adopted_from_the_client(shop: ShopServer) -> None:
    planted = "ab" * 32
    shopper = Shopper(shop)
    shopper.http.cookies.set("session", planted)
    answer = shopper.post(f"/buy/{BOOK}")
    assert answer.status_code == 303
    assert "session=" in answer.headers["set-cookie"]
    assert planted not in answer.headers["set-cookie"]


def test_next_is_ignored(shop: ShopServer) -> None:
    email = address()
    Shopper(shop).buy_and_pay(email)
    phone = Shopper(shop)
    link = phone.link_from(email)
    came = phone.post(f"{link}?next=//evil.example", {"next": "//evil.example"})
    assert came.headers["location"] == f"/view/{BOOK}"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/login/short", 404, "not complete"),
        ("/login/" + "A" * 64, 404, "not one of our links"),
        ("/login/" + "é" * 20, 404, "not complete"),
    ],
)
def test_a_link_that_is_none_says_which_and_offers_the_next_step(
    shop: ShopServer, path: str, status: int, words: str
) -> None:
    for answer in (Shopper(shop).get(path), Shopper(shop).post(path)):
        assert answer.status_code == status
        assert words in answer.text
        assert "/request-login" in answer.text


# ------------------------------------------------------------------ what every answer carries

PAGES = ["/", f"/products/{BOOK}", f"/buy/{BOOK}", "/request-login", "/login", "/pages/terms", "/robots.txt", "/sitemap.xml",
         "/favicon.ico", "/healthz", "/readyz"]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_every_get_page_answers_head_with_the_same_head(shop: ShopServer, path: str) -> None:
    shopper = Shopper(shop)
    get, head = shopper.get(path), shopper.http.head(path)
    assert (get.status_code, head.status_code, head.content) == (200, 200, b"")
    assert get.headers["content-type"] == head.headers["content-type"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200), ("GET", "/nothing", 404), ("DELETE", "/", 405), ("POST", "/library", 405), ("GET", "/webhook", 405),
        ("GET", "/library", 303), ("GET", f"/view/{BOOK}", 403), ("POST", "/webhook", 400), ("GET", "/static/shop.css", 200),
        ("GET", "/static/..%2fapp.py", 404), ("GET", "/static/a%00b", 404), ("GET", "/static/" + "x" * 300, 404),
        ("GET", "/schema", 404), ("GET", f"/covers/{BOOK}/cover.svg", 200), ("GET", f"/covers/{BOOK}/other.svg", 404),
    ],
)  # fmt: skip
def test_security_headers_are_on_every_answer(shop: ShopServer, method: str, path: str, status: int) -> None:
    answer = Shopper(shop).http.request(method, path)
    assert answer.status_code == status
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert f"form-action 'self' {shop.sandbox.url}" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["x-request-id"]
    assert "strict-transport-security" not in answer.headers, "not on plain http"
    if status in (404, 405):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-request-id"] in answer.text


@pytest.mark.parametrize("path", ["/webhook", "/mail-events"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_a_webhook_takes_posts_only(shop: ShopServer, method: str, path: str) -> None:
    answer = Shopper(shop).http.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert (answer.content == b"") == (method == "HEAD")


def test_personal_pages_are_not_stored_and_public_ones_never_shared_with_a_session(shop: ShopServer) -> None:
    anna = Shopper(shop)
    anna.buy_and_pay(address())
    for path in (f"/view/{BOOK}", "/library", "/sessions", "/", f"/products/{BOOK}"):
        assert anna.get(path).headers["cache-control"] == "no-store", path
    public = Shopper(shop).get("/")
    assert public.headers["vary"] == "Cookie, Accept-Encoding"


def test_cookies_are_http_only_lax_and_for_this_host(shop: ShopServer) -> None:
    cookie = Shopper(shop).post(f"/buy/{PHOTOS}").headers["set-cookie"]
    assert re.fullmatch(r"session=[0-9a-f]{64}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax", cookie)


def test_a_form_that_is_too_big_or_of_another_kind_is_refused(shop: ShopServer) -> None:
    shopper = Shopper(shop)
    assert shopper.http.post("/request-login", json={"email": "a@x.com"}).status_code == 400
    assert shopper.post("/request-login", {"email": "a" * 20_000}).status_code == 413
    assert shopper.http.post("/request-login", content=b"x" * 2_000_000).status_code == 413
    assert shopper.http.post("/request-login", content=b"email=%ff", headers={
        "content-type": "application/x-www-form-urlencoded"}).status_code == 400  # fmt: skip


def test_the_log_names_routes_and_neither_tokens_nor_addresses(shop: ShopServer) -> None:
    email = address()
    anna = Shopper(shop)
    cs = anna.buy_and_pay(email)
    phone = Shopper(shop)
    link = phone.link_from(email)

    def sign_ins() -> int:
        return sum(line["route"] == "/login/{token}" for line in said(shop, "request"))

    before = sign_ins()
    phone.post(link)
    wait_until(lambda: sign_ins() > before)
    log = shop.log.read_text()
    for secret in (
        email,
        cs,
        link.rpartition("/")[2],
        anna.http.cookies["session"],
        phone.http.cookies["session"],
    ):
        assert secret not in log
    routes = {line["route"] for line in said(shop, "request")}
    assert {"/login/{token}", "/view/{pid}", "/buy/{pid}", "/webhook"} <= routes


def test_structured_data_and_open_graph_describe_the_product(shop: ShopServer) -> None:
    page = Shopper(shop).get(f"/products/{BOOK}").text
    data = re.search(r'<script type="application/ld\+json">(.*?)</script>', page)
    assert data is not None
    product = json.loads(data[1])
    assert (product["@type"], product["offers"]["price"], product["offers"]["priceCurrency"]) == (
        "Product",
        "9.00",
        "USD",
    )
    assert 'property="og:title" content="The Last Cloakroom"' in page
    assert f"<loc>{shop.url}/products/{BOOK}</loc>" in Shopper(shop).get("/sitemap.xml").text


def test_pages_load_nothing_from_anywhere_else(shop: ShopServer) -> None:
    anna = Shopper(shop)
    anna.buy_and_pay(address(), PHOTOS)
    for path in ("/", f"/products/{PHOTOS}", f"/view/{PHOTOS}", "/library", "/request-login"):
        loaded = re.findall(r'(?:src|<link[^>]*href)="([^"]+)"', anna.get(path).text)
        for url in loaded:
            assert url.startswith(("/", shop.url)), (path, url)


def test_x_forwarded_for_of_a_stranger_is_not_believed(shop: ShopServer) -> None:
    """The right-most hop that is no proxy of ours counts; what is left of it is the stranger's own word."""
    import ipaddress

    from entrypoints.run.peer_address import peer_of
    from entrypoints.settings import Network  # noqa: F401

    trusted = (ipaddress.ip_network("127.0.0.1/32"),)

    def peer(client: str, *hops: str) -> str:
        scope: Any = {"client": (client, 1), "headers": [(b"x-forwarded-for", h.encode()) for h in hops]}
        return peer_of(scope, trusted)

    assert peer("203.0.113.9", "10.0.0.1") == "203.0.113.9"
    assert peer("127.0.0.1", "1.1.1.1, 203.0.113.9") == "203.0.113.9"
    assert peer("127.0.0.1", "1.1.1.1", "203.0.113.9, 127.0.0.1") == "203.0.113.9"
    assert peer("127.0.0.1", "nonsense") == "nonsense"


def test_a_request_line_with_a_full_url_or_junk_does_not_break_the_server(shop: ShopServer) -> None:
    for junk in (
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"\x00\x01\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", shop.port), timeout=5) as raw:
            raw.sendall(junk)
            raw.recv(1000)
    assert Shopper(shop).get("/").status_code == 200
