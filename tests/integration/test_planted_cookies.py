"""A sibling host (evil.shop.test) plants cookies in a customer's browser: it gets nothing, and she keeps her shop."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from testkit.browsing import ARGUMENTS, pay
from testkit.servers import BOOK, ShopServer, a_certificate, a_shop
from testkit.tools import chromium
from testkit.waiting import LONG_ENOUGH

HOST = "www.shop.test"
_NETWORKS = count(1)


@pytest.fixture(scope="module")
def tls_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopServer]:
    with a_shop(tmp_path_factory.mktemp("tls"), tls_host=HOST) as running:
        yield running


@contextmanager
def a_client(shop: ShopServer) -> Iterator[httpx.Client]:
    """Asks for the shop by its name, which no resolver knows."""
    there, host = f"https://localhost:{shop.port}", f"{HOST}:{shop.port}"
    with httpx.Client(base_url=there, headers={"host": host}, verify=False, trust_env=False) as client:
        yield client


def a_new_session(client: httpx.Client) -> bytes:
    """The token of a session that has begun a checkout."""
    client.cookies.clear()
    number = next(_NETWORKS)
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-forwarded-for": f"10.{number}.0.1",  # one network may start only so many checkouts a second
    }
    given = client.post(f"/buy/{BOOK}", headers=headers)
    cookies = [cookie.partition("=") for cookie in given.headers.get_list("set-cookie")]
    [value] = [value for name, _, value in cookies if name == "__Host-session"]
    return str(value).partition(";")[0].encode()


def the_session_page(client: httpx.Client, cookie: bytes) -> httpx.Response:
    return client.get("/sessions", headers=[(b"cookie", cookie)])  # type: ignore[arg-type]  # bytes are fine


@pytest.mark.parametrize(
    "odd", [b"\xa0__Host-session", b"\x85__Host-session", b"__HOST-session", b"__Host-session"]
)
def test_a_planted_name_is_no_session_ends_the_real_one_and_is_expired(
    tls_shop: ShopServer, odd: bytes
) -> None:
    with a_client(tls_shop) as client:
        hers, his = a_new_session(client), a_new_session(client)
        client.cookies.clear()
        alone = the_session_page(client, b"__Host-session=" + hers)
        assert (alone.status_code, alone.headers.get_list("set-cookie")) == (200, [])
        for pairs in ([(odd, his), (b"__Host-session", hers)], [(b"__Host-session", hers), (odd, his)]):
            client.cookies.clear()
            answer = the_session_page(client, b"; ".join(name + b"=" + value for name, value in pairs))
            assert (answer.status_code, answer.headers["location"]) == (303, "/request-login")
            expired = {value for name, value in answer.headers.raw if name.lower() == b"set-cookie"}
            for name in {odd, b"__Host-session"}:
                for at in (
                    b"/",
                    b"/; Domain=shop.test",
                    b"/; Domain=www.shop.test",
                    b"/sessions; Domain=shop.test",
                ):
                    assert name + b"=; Path=" + at + b"; Max-Age=0; HttpOnly; SameSite=Lax; Secure" in expired


def test_a_page_for_guests_that_expires_a_cookie_is_stored_by_nobody(tls_shop: ShopServer) -> None:
    with a_client(tls_shop) as client:
        assert client.get("/").headers["cache-control"] == "public, max-age=0, must-revalidate"
        answer = client.get("/", headers=[(b"cookie", b"\xa0__Host-session=x")])  # type: ignore[arg-type]  # as above
        assert answer.headers.get_list("cache-control") == ["no-store"]
        assert answer.headers.get_list("set-cookie")


@dataclass
class Sibling:
    """Another host of the same site: answers everything with one cookie, and keeps the cookies it was sent."""

    port: int = 0
    plant: bytes = b""
    sent: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def sibling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sibling]:
    found = Sibling()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/favicon.ico":
                found.sent.append(self.headers.get("cookie", ""))
            self.send_response(200)
            self.send_header("content-length", "2")
            self.send_header("content-type", "text/html")
            self.send_header("set-cookie", found.plant.decode("latin-1"))
            self.end_headers()
            self.wfile.write(b"hi")

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*a_certificate(tmp_path_factory.mktemp("sibling"), "evil.shop.test"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def site_browser() -> Iterator[Browser]:
    """Knows the hosts of shop.test, and takes their certificates as they are."""
    rules = ["--host-resolver-rules=MAP *.shop.test 127.0.0.1", "--ignore-certificate-errors"]
    path = chromium()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *rules])
        yield running
        running.close()


def plant(page: Page, sibling: Sibling, cookie: bytes, *, path: str) -> None:
    """Visit the sibling; the browser keeps what it plants, and sends it."""
    sibling.plant = cookie + f"; Domain=shop.test; Path={path}; Secure".encode()
    for _ in range(2):
        page.goto(f"https://evil.shop.test:{sibling.port}{path}")
    assert cookie.decode("latin-1") in sibling.sent[-1], "this browser does not keep it"


@pytest.mark.browser
@pytest.mark.parametrize("byte", [b"\xa0", b"\x85"])
@pytest.mark.parametrize("path", ["/", f"/buy/{BOOK}"])
def test_what_is_bought_with_a_planted_cookie_opens_for_its_buyer_alone(
    tls_shop: ShopServer, sibling: Sibling, site_browser: Browser, byte: bytes, path: str
) -> None:
    with a_client(tls_shop) as attacker:
        token = a_new_session(attacker)
        page = site_browser.new_page()
        page.set_default_timeout(LONG_ENOUGH * 1000)
        plant(page, sibling, byte + b"__Host-session=" + token, path=path)
        page.goto(f"{tls_shop.url}/products/{BOOK}")
        page.click("button:has-text('Buy')")
        pay(page, email="victim@example.com")
        page.wait_for_url(f"{tls_shop.url}/view/{BOOK}")
        expect(page.locator("article")).to_contain_text("Ottilie")
        his = attacker.get(f"/view/{BOOK}", headers={"cookie": f"__Host-session={token.decode()}"})
        assert (his.status_code, "Ottilie" in his.text) == (403, False)
        left = {cookie["name"].partition("-0")[0] for cookie in page.context.cookies(f"{tls_shop.url}{path}")}
        assert left == {"__Host-session", "__Host-checkout"}, "the planted one is gone, and hers are there"
        page.context.close()
