"""A shop whose goods are in S3-compatible storage, over real HTTP: the browser is sent there, and never to nowhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from contracts.goods import NAMES

from testkit.goods import DATA, SAMPLER, a_catalogue, an_owner, links_of, put_on_sale
from testkit.s3 import KEY, SECRET, a_bucket, an_s3_server
from testkit.servers import Shopper, ShopServer, a_shop, free_port
from testkit.waiting import wait_until

pytestmark = pytest.mark.long

PATH = f"/files/{SAMPLER}/data.bin"
TAG = f'"{hashlib.sha256(DATA).hexdigest()}"'


def settings(endpoint: str, bucket: Any) -> dict[str, str]:
    return {
        "GOODS_URL": f"s3://{bucket.name}/of/the-shop", "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET,
    }  # fmt: skip


@pytest.fixture
def bucket(s3: str) -> Any:
    return a_bucket(s3)


@pytest.fixture
def selling(tmp_path: Path, s3: str, bucket: Any) -> Iterator[ShopServer]:
    files = {"data.bin": DATA, "page.html": b"<script>alert(1)</script>", **{n: n.encode() for n in NAMES}}
    put_on_sale(a_catalogue(tmp_path), SAMPLER, files)
    with a_shop(tmp_path, **settings(s3, bucket)) as shop:
        yield shop


def followed(shopper: Shopper, path: str, **headers: str) -> httpx.Response:
    """What the browser gets in the end: cookies stay with the shop, the other headers go along."""
    sent = shopper.get(path, headers=headers)
    assert (sent.status_code, sent.headers["cache-control"]) == (302, "private, no-store")
    assert "etag" not in sent.headers
    return httpx.get(sent.headers["location"], headers=headers)


def test_the_whole_way(selling: ShopServer, s3: str) -> None:
    anna = an_owner(selling)
    assert Shopper(selling).get(PATH).status_code == 403
    sent = anna.get(PATH).headers["location"]
    assert sent.startswith(s3)
    assert followed(anna, PATH).content == DATA
    part = followed(anna, PATH, range="bytes=500000-")
    assert (part.status_code, part.content) == (206, DATA[500_000:])
    for link in links_of(anna, SAMPLER):
        name = unquote(link.rpartition("/")[2])
        answer = followed(anna, link)
        told = answer.headers["content-disposition"]
        assert told.startswith("attachment;")
        assert unquote(told.partition("filename*=UTF-8''")[2]) == name
        if name in NAMES:
            assert answer.content == name.encode()
    assert followed(anna, f"/files/{SAMPLER}/page.html").headers["content-type"] == "application/octet-stream"


def test_head_and_conditions_are_answered_by_the_shop_itself(selling: ShopServer) -> None:
    anna = an_owner(selling)
    head = anna.http.head(PATH)
    assert (head.status_code, head.headers["etag"], head.headers["content-length"]) == (
        200,
        TAG,
        str(len(DATA)),
    )
    assert head.headers["repr-digest"].startswith("sha-256=:")
    assert anna.get(PATH, headers={"if-none-match": TAG}).status_code == 304
    assert anna.get(PATH, headers={"if-match": '"x"'}).status_code == 412
    past = anna.get(PATH, headers={"range": f"bytes={len(DATA)}-"})
    assert (past.status_code, past.headers["content-range"]) == (416, f"bytes */{len(DATA)}")


def test_an_edit_is_stored_before_it_is_offered(selling: ShopServer, bucket: Any) -> None:
    anna = an_owner(selling)
    (selling.catalogue / SAMPLER / "files" / "data.bin").write_bytes(b"newer")
    wait_until(lambda: anna.http.head(PATH).headers["etag"] != TAG)
    assert followed(anna, PATH).content == b"newer"
    stored = [
        found.key for found in bucket.objects.filter(Prefix="of/the-shop/") if found.key.endswith("/data.bin")
    ]
    assert len(stored) == 2, "the old one stays"


def test_a_missing_object_is_a_page_of_ours_and_comes_back(selling: ShopServer, bucket: Any) -> None:
    anna = an_owner(selling)
    bucket.objects.all().delete()
    answer = anna.get(PATH)
    assert answer.status_code == 503
    assert "cannot be reached" in answer.text
    wait_until(lambda: anna.get(PATH).status_code == 302)
    assert followed(anna, PATH).content == DATA
    bucket.objects.all().delete()
    other = f"/files/{SAMPLER}/page.html"
    (selling.catalogue / SAMPLER / "files" / "page.html").unlink()
    wait_until(lambda: anna.get(other).status_code == 404)
    assert "not here right now" in anna.get(other).text


def test_a_storage_that_is_away_breaks_nothing_else_and_a_start_needs_none(tmp_path: Path) -> None:
    """What was stored is known: the shop starts without asking, and sells."""
    put_on_sale(a_catalogue(tmp_path), SAMPLER, {"data.bin": DATA})
    port = free_port()
    with an_s3_server(port=port) as endpoint:
        bucket = a_bucket(endpoint)
        with a_shop(tmp_path, **settings(endpoint, bucket)) as shop:
            anna = an_owner(shop)
            assert followed(anna, PATH).content == DATA
            shop.process.stop()
            bucket_is_here = len(list(bucket.objects.all()))
            assert bucket_is_here > 1
    with a_shop(tmp_path, port=shop.port, **settings(endpoint, bucket)) as shop:
        anna = an_owner(shop)
        answer = anna.get(PATH)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        assert anna.http.head(PATH).status_code == 200
        for path in ("/", f"/view/{SAMPLER}", "/readyz"):
            assert anna.get(path).status_code == 200
        (shop.catalogue / SAMPLER / "files" / "data.bin").write_bytes(b"newer")
        wait_until(lambda: any("cannot be taken in" in str(line["message"]) for line in shop.log_lines))
        assert anna.http.head(PATH).headers["etag"] == TAG, "the last good edition goes on"


def test_no_key_and_no_signed_address_is_in_the_log(selling: ShopServer) -> None:
    anna = an_owner(selling)
    assert followed(anna, PATH).status_code == 200
    text = selling.log.read_text() + "".join(str(line) for line in selling.log_lines)
    for secret in (SECRET, KEY, "X-Amz-Signature"):
        assert secret not in text


def test_a_bucket_that_is_not_there_is_named_at_the_start(tmp_path: Path, s3: str, bucket: Any) -> None:
    bucket.delete()
    with a_shop(tmp_path, **settings(s3, bucket)) as shop:
        words = "cannot be taken in: there is no such bucket"
        assert any(words in str(line["message"]) for line in shop.log_lines)
        report = shop.cli("doctor", check=False)
        assert (report.returncode, words in report.stdout) == (1, True)
