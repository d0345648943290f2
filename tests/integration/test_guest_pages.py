"""What is the same for everybody: rendered once, ready in every coding, and not sent again to those who have it."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import brotli
import pytest

from testkit.pages_in_memory import Town
from testkit.public_pages import PREPARED, PUBLIC, paths
from testkit.servers import BOOK, PHOTOS, Shopper, ShopServer
from testkit.shop_of_every_kind import the_edition
from testkit.waiting import wait_until

CODINGS = {
    "br": brotli.decompress,
    "gzip": gzip.decompress,
}
PAGES = paths(PREPARED)
FILES = ("/static/shop.css", "/static/settle.js", "/static/favicon.svg", f"/covers/{BOOK}/cover.svg")
EVERYTHING = (*PAGES, *FILES, "/robots.txt", "/sitemap.xml", "/feed.atom", "/favicon.ico")


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def ask(shop: ShopServer, path: str, *, method: str = "GET", **headers: str) -> Answer:
    """One request, as it is: no coding asked for or undone behind our back."""
    connection = http.client.HTTPConnection("localhost", shop.port, timeout=60)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        fields: dict[str, str] = {}
        for name, value in answer.getheaders():
            fields[name.lower()] = f"{fields[name.lower()]}, {value}" if name.lower() in fields else value
        return Answer(answer.status, fields, answer.read())
    finally:
        connection.close()


def edit(shop: ShopServer, change: Callable[[str], str]) -> None:
    """Edit the book, and wait until the shop shows the new edition: every address of a cover names it."""
    before = ask(shop, "/").headers["etag"]
    toml = shop.catalogue / BOOK / "product.toml"
    toml.write_text(change(toml.read_text()))
    wait_until(lambda: ask(shop, "/").headers["etag"] != before)


def test_a_file_of_the_frame_is_kept_for_ever_under_its_own_version_alone(shop: ShopServer) -> None:
    """A node of another release would leave its own style sheet under the URL of the next one."""
    page = ask(shop, "/").body.decode()
    for name in ("shop.css", "favicon.svg"):
        found = re.search(rf"/static/{name}\?v=[0-9a-f]{{10}}", page)
        assert found is not None
        assert ask(shop, found[0]).headers["cache-control"] == "public, max-age=31536000, immutable"
        for other in (f"/static/{name}", f"/static/{name}?v=0123456789"):
            assert ask(shop, other).headers["cache-control"] == "public, max-age=0, must-revalidate"
    assert "immutable" not in ask(shop, "/favicon.ico").headers["cache-control"]


@pytest.mark.parametrize("path", EVERYTHING)
def test_each_coding_is_the_same_page_with_a_tag_of_its_own(shop: ShopServer, path: str) -> None:
    plain = ask(shop, path)
    assert "content-encoding" not in plain.headers
    tags = {plain.headers["etag"]}
    for coding, decode in CODINGS.items():
        coded = ask(shop, path, accept_encoding=coding)
        assert coded.status == 200
        assert coded.headers["content-encoding"] == coding
        assert decode(coded.body) == plain.body
        assert int(coded.headers["content-length"]) == len(coded.body) < len(plain.body)
        assert coded.headers["content-type"] == plain.headers["content-type"]
        tags.add(coded.headers["etag"])
        for name in ("vary", "cache-control", "content-security-policy"):
            assert coded.headers[name] == plain.headers[name]
    assert len(tags) == 1 + len(CODINGS), "a strong tag names bytes, not pages"
    assert all(re.fullmatch(r'"[0-9a-f]{24}"', tag) for tag in tags)
    assert "Accept-Encoding" in plain.headers["vary"], "also where it was not compressed"
    assert ("Cookie" in plain.headers["vary"]) == (path in PAGES)


@pytest.mark.parametrize("path", EVERYTHING)
def test_who_has_it_is_told_so_and_nothing_else(shop: ShopServer, path: str) -> None:
    for accept in ("identity", *CODINGS):
        first = ask(shop, path, accept_encoding=accept)
        tag = first.headers["etag"]
        for field in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = ask(shop, path, accept_encoding=accept, if_none_match=field)
            assert (again.status, again.body) == (304, b"")
            for name in ("etag", "vary", "cache-control"):
                assert again.headers[name] == first.headers[name]
            for name in ("content-type", "content-encoding", "content-length", "transfer-encoding"):
                assert name not in again.headers, "a 304 says nothing of a body (RFC 9110 §15.4.5)"
        assert ask(shop, path, accept_encoding=accept, if_none_match='"other"').body == first.body


def test_the_tag_of_another_coding_is_another_tag(shop: ShopServer) -> None:
    tag = ask(shop, "/", accept_encoding="br").headers["etag"]
    answer = ask(shop, "/", accept_encoding="gzip", if_none_match=tag)
    assert (answer.status, answer.headers["content-encoding"]) == (200, "gzip")


@pytest.mark.parametrize("path", EVERYTHING)
@pytest.mark.parametrize("accept", ["identity", *CODINGS])
def test_head_says_what_get_says(shop: ShopServer, path: str, accept: str) -> None:
    get = ask(shop, path, accept_encoding=accept)
    head = ask(shop, path, method="HEAD", accept_encoding=accept)
    changing = ("x-request-id", "date")
    kept = {name: value for name, value in get.headers.items() if name not in changing}
    assert head.body == b""
    assert {name: value for name, value in head.headers.items() if name not in changing} == kept
    assert (
        ask(shop, path, method="HEAD", accept_encoding=accept, if_none_match=get.headers["etag"]).status
        == 304
    )


def test_a_page_is_the_same_bytes_every_time(shop: ShopServer) -> None:
    for path in PAGES:
        assert ask(shop, path).body == ask(shop, path).body


def test_many_who_ask_at_once_for_what_is_not_made_yet_all_get_it(own_shop: ShopServer) -> None:
    path = f"/products/{PHOTOS}"
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: ask(own_shop, path, accept_encoding="br"), range(32)))
    assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}
    assert brotli.decompress(answers[0].body) == ask(own_shop, path).body


def test_an_edit_makes_new_tags(own_shop: ShopServer) -> None:
    """Nobody goes on with the old page because a tag still fits."""
    before = {path: ask(own_shop, path, accept_encoding="br").headers["etag"] for path in PAGES[:2]}
    edit(own_shop, lambda text: text.replace("The Last Cloakroom", "The First Cloakroom"))
    for path, tag in before.items():
        answer = ask(own_shop, path, accept_encoding="br", if_none_match=tag)
        assert answer.status == 200
        assert b"The First Cloakroom" in brotli.decompress(answer.body)


def test_what_sold_out_is_another_page(own_shop: ShopServer) -> None:
    """Stock is no part of the catalogue's version; its pages are prepared for guests all the same."""
    edit(own_shop, lambda text: text + "\nstock = 1\n")
    before = {path: ask(own_shop, path, accept_encoding="gzip") for path in PAGES[:2]}
    assert all(b"Sold out" not in gzip.decompress(page.body) for page in before.values())
    Shopper(own_shop).buy_and_pay("first@example.com")
    for path, page in before.items():
        after = ask(own_shop, path, accept_encoding="gzip", if_none_match=page.headers["etag"])
        assert after.status == 200
        assert b"Sold out" in gzip.decompress(after.body)
        assert after.headers["cache-control"] == "public, max-age=0, must-revalidate"


def test_prices_in_another_currency_are_another_page(bazaar: ShopServer) -> None:
    dollars = ask(bazaar, "/products/abroad", accept_encoding="gzip")
    euros = ask(bazaar, "/products/abroad", accept_encoding="gzip", cookie="currency=eur")
    assert b"$9.00" in gzip.decompress(dollars.body)
    assert "€8.50".encode() in gzip.decompress(euros.body)
    tag = dollars.headers["etag"]
    assert ask(bazaar, "/products/abroad", accept_encoding="gzip", if_none_match=tag).status == 304
    answer = ask(bazaar, "/products/abroad", accept_encoding="gzip", if_none_match=tag, cookie="currency=eur")
    assert (answer.status, answer.body) == (200, euros.body)


def test_a_page_that_knows_who_asks_is_neither_compressed_nor_kept(shop: ShopServer) -> None:
    """BREACH: what is secret in a page could be guessed from its length, beside what an attacker had put in."""
    owner = Shopper(shop)
    owner.buy_and_pay("breach@example.com")
    cookie = f"session={owner.http.cookies['session']}"
    guest = {path: ask(shop, path, accept_encoding="br").headers["etag"] for path in PAGES}
    for path in (*PAGES, f"/view/{BOOK}", "/library", "/sessions"):
        for tag in (*guest.values(), "*"):
            answer = ask(shop, path, accept_encoding="br, zstd, gzip", if_none_match=tag, cookie=cookie)
            assert answer.status == 200, path
            assert "content-encoding" not in answer.headers
            assert "etag" not in answer.headers
            assert answer.headers["cache-control"] == "no-store"
            assert answer.body.startswith(b"<!doctype html>")


def test_a_purchase_is_shown_to_its_buyer_alone_and_crawlers_are_told_not_to_index_it(
    shop: ShopServer,
) -> None:
    """The robots file must let a crawler fetch the page, or it never sees `noindex`."""
    buyer, address = Shopper(shop), f"/view/{BOOK}"
    session = buyer.buy_and_pay("owner-of-a-page@example.com")
    bought = buyer.get(address)
    assert (bought.status_code, "noindex" in bought.text) == (200, False)
    assert '<meta name="description" content="' in bought.text
    assert bought.headers["cache-control"] == "no-store"
    assert "speculation-rules" not in bought.headers
    for path, status in ((address, 403), (f"{address}?session_id={session}", 200)):
        guest = Shopper(shop).get(path)
        assert (guest.status_code, '<meta name="robots" content="noindex">' in guest.text) == (status, True)
        assert guest.headers["cache-control"] == "no-store"
        assert "Ottilie" in bought.text
        assert "Ottilie" not in guest.text
        assert "owner-of-a-page@" not in guest.text
    assert "Disallow: /view/" not in buyer.get("/robots.txt").text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/request-login", 200), ("GET", "/login/x", 404), ("PUT", "/", 405)],
)
def test_nor_is_a_page_that_says_what_was_asked(
    shop: ShopServer, method: str, path: str, status: int
) -> None:
    answer = ask(shop, path, method=method, accept_encoding="br, gzip", if_none_match="*")
    assert answer.status == status
    assert "content-encoding" not in answer.headers


def test_the_list_of_public_pages_is_whole(tmp_path: Path) -> None:
    town = Town(tmp_path, the_edition(), lambda where, html: None)

    async def main() -> set[str]:
        client, found = town.client(), set()
        for route in town.routes("GET"):
            path = route.replace("{pid}", "book").replace("{slug}", "terms")
            await client.get(path, status=0)
            if client.status == 200 and client.headers["content-type"].startswith("text/html"):
                found.add(route)
        return found

    assert asyncio.run(main()) == {*PUBLIC, "/withdraw"}, (
        "the form of withdrawal is on unless the catalogue says otherwise"
    )
