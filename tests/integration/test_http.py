"""The shop over real HTTP: bad input at its doors and forms, and what every answer carries."""

from __future__ import annotations

import json
import re
import socket
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from testkit.public_pages import PREPARED, PUBLIC, paths
from testkit.servers import BOOK, PHOTOS, Shopper, ShopServer
from testkit.shoppers import address, said
from testkit.waiting import wait_until

pytestmark = pytest.mark.engines
ATOM = "{http://www.w3.org/2005/Atom}"


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

PAGES = (*paths(PUBLIC), "/robots.txt", "/sitemap.xml", "/feed.atom", "/favicon.ico", "/healthz", "/readyz")


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
        # A page that is not there does not "keep happening".
        assert ("If it keeps happening" in answer.text) == (status == 405)


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
    checkout, session = sorted(Shopper(shop).post(f"/buy/{PHOTOS}").headers.get_list("set-cookie"))
    flags = "HttpOnly; SameSite=Lax"
    assert re.fullmatch(rf"session=[0-9a-f]{{64}}; Path=/; Max-Age=2592000; {flags}", session)
    assert re.fullmatch(rf"checkout-[0-9a-f]{{32}}=[0-9a-f]{{64}}; Path=/; Max-Age=90000; {flags}", checkout)


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


def test_public_pages_lead_to_a_feed_of_the_products(shop: ShopServer) -> None:
    guest = Shopper(shop)
    for path in paths(PREPARED):
        link = '<link rel="alternate" type="application/atom+xml" title="Cloakroom Press" href="/feed.atom">'
        assert link in guest.get(path).text.partition("</head>")[0], path
    answer = guest.get("/feed.atom")
    assert answer.headers["content-type"] == "application/atom+xml"
    assert answer.headers["cache-control"] == guest.get("/sitemap.xml").headers["cache-control"]
    feed = ET.fromstring(answer.content)
    entries = feed.findall(f"{ATOM}entry")
    links = {str(entry.find(f"{ATOM}link").get("href")) for entry in entries}  # type: ignore[union-attr]
    assert f"{shop.url}/products/{BOOK}" in links
    for link in links:
        assert guest.get(link).status_code == 200
    [book] = [entry for entry in entries if entry.findtext(f"{ATOM}title") == "The Last Cloakroom"]
    newest = max(
        path.stat().st_mtime
        for path in (shop.catalogue / BOOK).rglob("*")
        if path.is_file() and path.name != "content.md"
    )
    assert (
        book.findtext(f"{ATOM}updated") == f"{datetime.fromtimestamp(int(newest), tz=UTC):%Y-%m-%dT%H:%M:%SZ}"
    )


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
        with socket.create_connection(("127.0.0.1", shop.port), timeout=60) as raw:
            raw.sendall(junk)
            raw.recv(1000)
    assert Shopper(shop).get("/").status_code == 200
