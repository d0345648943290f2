"""Downloads over real HTTP: every kind of range and condition, names, slow clients, and clients that are gone."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
from collections.abc import Iterator
from urllib.parse import quote, unquote, urlsplit

import pytest
from contracts.goods import NAMES

from testkit.goods import (
    DATA,
    SAMPLER,
    a_shop_with_goods,
    an_owner,
    bytes_read,
    links_of,
    put_on_sale,
    resident,
    whole,
)
from testkit.servers import PAPERWORK, Shopper, ShopServer
from testkit.waiting import wait_until, wait_until_still

PATH = f"/files/{SAMPLER}/data.bin"
TAG = f'"{hashlib.sha256(DATA).hexdigest()}"'
SIZE = len(DATA)
STALE = '"of-another-version"'


@pytest.fixture(scope="module")
def selling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopServer]:
    with a_shop_with_goods(tmp_path_factory.mktemp("goods")) as shop:
        yield shop


@pytest.fixture(scope="module")
def anna(selling: ShopServer) -> Shopper:
    return an_owner(selling)


# ------------------------------------------------------------------ the whole, a part, nothing


def test_a_whole_file_says_all_there_is_to_say(anna: Shopper) -> None:
    answer = anna.get(PATH)
    assert whole(answer) == DATA
    assert answer.headers["etag"] == TAG
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-length"] == str(SIZE)
    digest = base64.b64encode(hashlib.sha256(DATA).digest()).decode()
    assert answer.headers["repr-digest"] == f"sha-256=:{digest}:"
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    policies = answer.headers.get_list("content-security-policy")
    assert "default-src 'none'; sandbox" in policies
    assert "content-range" not in answer.headers
    assert "set-cookie" not in answer.headers


PARTS = [
    ("bytes=0-0", 0, 1),
    ("bytes=0-", 0, SIZE),
    ("bytes=0-499999", 0, 500_000),
    ("bytes=500000-", 500_000, SIZE),
    ("bytes=-1", SIZE - 1, SIZE),
    ("bytes=-300000", SIZE - 300_000, SIZE),
    ("bytes=-9999999999", 0, SIZE),
    ("bytes=999999-99999999999999999999", 999_999, SIZE),
    (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
    ("BYTES=262143-262145", 262_143, 262_146),
]


@pytest.mark.parametrize(("asked", "start", "stop"), PARTS)
def test_one_range_is_206_and_exactly_those_bytes(anna: Shopper, asked: str, start: int, stop: int) -> None:
    answer = anna.get(PATH, headers={"range": asked})
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert answer.headers["content-length"] == str(stop - start)
    assert answer.headers["etag"] == TAG
    assert answer.headers["repr-digest"] == anna.http.head(PATH).headers["repr-digest"]
    assert answer.content == DATA[start:stop]


@pytest.mark.parametrize(
    "asked", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", "bytes=-0", "bytes=99999999999999999999-"]
)
def test_past_the_end_is_416_with_the_size(anna: Shopper, asked: str) -> None:
    answer = anna.get(PATH, headers={"range": asked})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{SIZE}")
    assert "no such part" in answer.text
    assert anna.get(f"/files/{SAMPLER}/empty.bin", headers={"range": "bytes=0-"}).status_code == 416


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=", "bytes=x-y", "bytes=5-2", "bytes 0-1", "octets=0-1", "lines=1-2", "bytes=1-2-3", "bytes=--5", "",
        "bytes=0-0,5-9", "bytes=0-,-1", "bytes=" + ",".join(f"{n}-{n}" for n in range(2000)),
    ],
)  # fmt: skip
def test_what_is_no_single_range_of_bytes_is_ignored(anna: Shopper, asked: str) -> None:
    answer = anna.get(PATH, headers={"range": asked})
    assert whole(answer) == DATA
    assert "content-range" not in answer.headers


def test_an_empty_file_downloads(anna: Shopper) -> None:
    answer = anna.get(f"/files/{SAMPLER}/empty.bin")
    assert whole(answer) == b""
    assert answer.headers["content-length"] == "0"


@pytest.mark.parametrize("asked", ["bytes=0-0", "bytes=99999999999-", "nonsense"])
def test_head_is_the_head_of_the_whole(anna: Shopper, asked: str) -> None:
    """RFC 9110 §14.2: only GET knows ranges."""
    head, get = anna.http.head(PATH, headers={"range": asked}), anna.get(PATH)
    assert (head.status_code, head.content) == (200, b"")
    mine = [{k: v for k, v in a.headers.items() if k not in ("date", "x-request-id")} for a in (head, get)]
    assert mine[0] == mine[1]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("held", [TAG, f"W/{TAG}", "*", f"{STALE}, {TAG}"])
def test_who_has_it_already_gets_304_and_no_content(anna: Shopper, method: str, held: str) -> None:
    answer = anna.http.request(method, PATH, headers={"if-none-match": held, "range": "bytes=0-0"})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", TAG)
    assert answer.headers["cache-control"] == "private, no-store"
    assert "content-length" not in answer.headers
    assert "content-type" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if-match": TAG}, 200),
        ({"if-match": "*"}, 200),
        ({"if-match": f"{STALE}, {TAG}", "range": "bytes=0-9"}, 206),
        ({"if-match": STALE}, 412),
        ({"if-match": f"W/{TAG}"}, 412),
        ({"if-match": "nonsense"}, 412),
        ({"if-match": STALE, "range": "bytes=0-9"}, 412),
        ({"if-none-match": STALE}, 200),
        ({"if-none-match": "nonsense"}, 200),
        ({"range": "bytes=0-9", "if-range": TAG}, 206),
        ({"range": "bytes=0-9", "if-range": STALE}, 200),
        ({"range": "bytes=0-9", "if-range": f"W/{TAG}"}, 200),
        ({"range": "bytes=0-9", "if-range": "Wed, 25 Nov 2026 08:14:39 GMT"}, 200),
        ({"range": f"bytes={SIZE}-", "if-range": STALE}, 200),
        ({"if-modified-since": "Wed, 25 Nov 2099 08:14:39 GMT"}, 200),
        ({"if-unmodified-since": "Wed, 25 Nov 1999 08:14:39 GMT"}, 200),
    ],
)
def test_conditions(anna: Shopper, headers: dict[str, str], status: int) -> None:
    answer = anna.get(PATH, headers=headers)
    assert answer.status_code == status
    if status == 200:
        assert answer.content == DATA
    if status == 206:
        assert answer.content == DATA[:10]


@pytest.mark.parametrize("headers", [{}, {"range": "bytes=0-9"}, {"if-none-match": "*"}, {"if-match": STALE}])
def test_entitlement_is_asked_first_and_every_time(selling: ShopServer, headers: dict[str, str]) -> None:
    """No condition tells a stranger anything, and who logs out in between is a stranger."""
    assert Shopper(selling).get(PATH, headers=headers).status_code == 403
    ben = an_owner(selling)
    assert ben.get(PATH, headers={"range": "bytes=0-9"}).status_code == 206
    ben.post("/logout")
    answer = ben.get(PATH, headers=headers)
    assert answer.status_code == 403
    assert "etag" not in answer.headers
    assert Shopper(selling).get(f"/files/{SAMPLER}/nothing", headers=headers).status_code == 404


# ------------------------------------------------------------------ names


def test_every_name_comes_through_to_the_last_character(anna: Shopper) -> None:
    links = links_of(anna, SAMPLER)
    assert len(links) == len(NAMES) + 2
    for link in links:
        answer = anna.get(link)
        told = answer.headers["content-disposition"]
        found = re.fullmatch(
            r"attachment; filename=\"([ -~]+)\"; filename\*=UTF-8''([A-Za-z0-9%._~-]+)", told
        )
        assert found is not None, told
        plain, name = found[1], unquote(found[2], errors="strict")
        assert name == unquote(link.rpartition("/")[2])
        assert not set(plain) & set('"\\/%'), "nothing that an old browser could take for something else"
        if name in NAMES:
            assert whole(answer) == name.encode()


def test_the_page_tells_size_and_checksum_of_each_file(anna: Shopper) -> None:
    page = anna.get(f"/view/{SAMPLER}").text
    assert "1.0\N{NO-BREAK SPACE}MB" in page
    assert page.count(hashlib.sha256(DATA).hexdigest()) == 1
    for name in NAMES:
        assert hashlib.sha256(name.encode()).hexdigest() in page


# ------------------------------------------------------------------ clients that are slow, or gone


@pytest.fixture(scope="module")
def large(selling: ShopServer, anna: Shopper) -> str:
    """The address of a sparse gigabyte that the merchant put there while the shop was open."""
    folder = selling.catalogue / "large" / "files"
    put_on_sale(selling.catalogue, "large", {"hole.bin": b""})
    with (folder / "hole.bin").open("wb") as file:
        file.truncate(1_000_000_000)
    address = "/files/large/hole.bin"
    wait_until(lambda: anna.http.head(address).status_code == 403)
    return address


def raw_download(shopper: Shopper, path: str) -> socket.socket:
    """A connection on which a download was asked for; nothing was read yet."""
    cookies = "; ".join(f"{name}={value}" for name, value in shopper.http.cookies.items())
    raw = socket.create_connection(("127.0.0.1", shopper.shop.port), timeout=60)
    host = urlsplit(shopper.shop.url).netloc
    raw.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\n\r\n".encode())
    return raw


def test_reading_stops_when_the_client_goes_away(selling: ShopServer, large: str) -> None:
    ben = an_owner(selling, "large")
    before = bytes_read(selling)
    raw = raw_download(ben, large)
    raw.recv(100_000)
    wait_until_still(lambda: bytes_read(selling))
    raw.close()
    wait_until_still(lambda: bytes_read(selling))
    assert bytes_read(selling) - before < 50_000_000, "it reads on for nobody"


def test_clients_that_do_not_read_cost_little_memory(selling: ShopServer, large: str) -> None:
    """Twenty gigabytes asked for, and nobody takes any of it."""
    ben = an_owner(selling, "large")
    ben.get(large, headers={"range": "bytes=0-99999999"})
    before = resident(selling)
    raws = [raw_download(ben, large) for _ in range(20)]
    wait_until_still(lambda: bytes_read(selling))
    grown = resident(selling) - before
    for raw in raws:
        raw.close()
    assert grown < 20 * 4_000_000, f"{grown / 1e6:.0f} MB"
    assert ben.get("/").status_code == 200


# ------------------------------------------------------------------ beside a running server


def test_a_command_beside_the_server_takes_nothing_in_again(selling: ShopServer, anna: Shopper) -> None:
    goods = selling.folder / "data" / "goods"

    def state() -> list[tuple[str, int, int]]:
        return sorted(
            (str(p), p.stat().st_ino, p.stat().st_mtime_ns) for p in goods.rglob("*") if p.is_file()
        )

    before = state()
    assert len(before) > len(NAMES)
    assert "Sales" in selling.cli("status", check=False).stdout
    assert state() == before


def test_no_address_leads_into_the_goods(selling: ShopServer, anna: Shopper) -> None:
    sha256 = hashlib.sha256(DATA).hexdigest()
    for path in (
        f"data/goods/{sha256[:2]}/{sha256}",
        f"goods/{sha256[:2]}/{sha256}",
        sha256,
        f"{sha256[:2]}/{sha256}",
    ):
        for prefix in (
            "/",
            f"/files/{SAMPLER}/",
            f"/files/{PAPERWORK}/",
            f"/covers/{SAMPLER}/",
            "/static/",
            "/pages/",
        ):
            for written in (path, quote(path, safe="")):
                assert anna.get(prefix + written).status_code == 404
