"""Edits while somebody downloads, and goods that vanish under the shop: never a mixture, and back by itself."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from testkit.goods import (
    DATA,
    SAMPLER,
    a_shop_with_goods,
    an_owner,
    replace_file,
    whole,
)
from testkit.servers import BOOK, Shopper, ShopServer
from testkit.waiting import wait_until

pytestmark = pytest.mark.long

PATH = f"/files/{SAMPLER}/data.bin"
SIZE = len(DATA)


@pytest.fixture
def own_selling(tmp_path: Path) -> Iterator[ShopServer]:
    with a_shop_with_goods(tmp_path) as shop:
        yield shop


# ------------------------------------------------------------------ edits


def test_a_resumed_download_after_an_edit_is_the_whole_new_file_and_never_a_mixture(
    own_selling: ShopServer,
) -> None:
    anna, newer = an_owner(own_selling), random.Random(12).randbytes(SIZE)
    begun = anna.get(PATH, headers={"range": "bytes=0-99999"})
    replace_file(anna, own_selling.catalogue / SAMPLER / "files", "data.bin", newer)
    resume = {"range": "bytes=100000-"}
    assert whole(anna.get(PATH, headers={**resume, "if-range": begun.headers["etag"]})) == newer
    assert anna.get(PATH, headers={**resume, "if-match": begun.headers["etag"]}).status_code == 412
    assert whole(anna.get(PATH, headers={"if-none-match": begun.headers["etag"]})) == newer
    assert anna.get(PATH, headers=resume).content == newer[100_000:]


def test_a_download_that_is_under_way_goes_on_with_the_version_it_began(own_selling: ShopServer) -> None:
    folder = own_selling.catalogue / SAMPLER / "files"
    anna, old = an_owner(own_selling), random.Random(13).randbytes(60_000_000)
    replace_file(anna, folder, "data.bin", old)
    digest = hashlib.sha256()
    with anna.http.stream("GET", PATH) as answer:
        for number, chunk in enumerate(answer.iter_raw()):
            digest.update(chunk)
            if number == 0:
                replace_file(the_same_browser(anna), folder, "data.bin", b"new" * 20_000_000)
    assert digest.hexdigest() == hashlib.sha256(old).hexdigest()


def the_same_browser(shopper: Shopper) -> Shopper:
    """The same browser on another connection."""
    other = Shopper(shopper.shop)
    other.http.cookies = shopper.http.cookies
    return other


def test_a_file_that_was_deleted_from_the_catalogue_still_downloads(own_selling: ShopServer) -> None:
    anna = an_owner(own_selling)
    (own_selling.catalogue / SAMPLER / "files" / "data.bin").unlink()
    wait_until(lambda: any("data.bin is not there" in str(line["message"]) for line in own_selling.log_lines))
    assert whole(anna.get(PATH)) == DATA
    assert anna.get(PATH, headers={"range": "bytes=-10"}).content == DATA[-10:]


# ------------------------------------------------------------------ goods that vanish


def test_a_goods_folder_that_was_removed_comes_back_by_itself(own_selling: ShopServer) -> None:
    anna, goods = an_owner(own_selling), own_selling.folder / "data" / "goods"
    shutil.rmtree(goods)
    assert anna.get(f"/view/{SAMPLER}").status_code == 200
    assert whole(anna.get(PATH)) == DATA
    assert anna.get(PATH, headers={"range": "bytes=5-9"}).content == DATA[5:10]


def test_goods_that_cannot_be_read_are_a_clear_503_and_nothing_else_breaks(own_selling: ShopServer) -> None:
    """A broken mount: where the folder was there is something else."""
    anna, goods = an_owner(own_selling), own_selling.folder / "data" / "goods"
    goods.rename(goods.with_name("elsewhere"))
    goods.write_text("no folder")
    answer = anna.get(PATH)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert "cannot be reached" in answer.text
    assert "etag" not in answer.headers
    for path in ("/", f"/view/{SAMPLER}", f"/products/{BOOK}", "/readyz"):
        assert anna.get(path).status_code == 200
    goods.unlink()
    goods.with_name("elsewhere").rename(goods)
    assert whole(anna.get(PATH)) == DATA


def test_bytes_that_are_gone_for_good_are_a_clear_404_and_told_to_the_merchant(
    own_selling: ShopServer,
) -> None:
    anna, goods = an_owner(own_selling), own_selling.folder / "data" / "goods"
    source = own_selling.catalogue / SAMPLER / "files" / "data.bin"
    source.rename(own_selling.folder / "aside")
    shutil.rmtree(goods)
    answer = anna.get(PATH)
    assert answer.status_code == 404
    assert "not here right now" in answer.text
    [line] = [
        line for line in own_selling.log_lines if line["message"] == "a file that is for sale is not there"
    ]
    assert (line["product"], line["file"]) == (SAMPLER, "data.bin")
    assert anna.http.head(PATH).status_code == 200, "HEAD tells what is known of the file"
    (own_selling.folder / "aside").rename(source)
    assert whole(anna.get(PATH)) == DATA


def test_a_file_that_is_cut_short_under_the_server_ends_the_connection(own_selling: ShopServer) -> None:
    """A content-length that was promised is never quietly broken: the client sees that something is missing."""
    folder = own_selling.catalogue / SAMPLER / "files"
    anna, long = an_owner(own_selling), random.Random(14).randbytes(60_000_000)
    replace_file(anna, folder, "data.bin", long)
    sha256 = hashlib.sha256(long).hexdigest()
    blob = own_selling.folder / "data" / "goods" / sha256[:2] / sha256
    got = bytearray()

    def read_on() -> None:
        with anna.http.stream("GET", PATH) as answer:
            for chunk in answer.iter_raw():
                if not got:
                    blob.chmod(0o600)
                    os.truncate(blob, 30_000_000)
                got.extend(chunk)

    with pytest.raises(httpx.RemoteProtocolError):
        read_on()
    assert len(got) <= 30_000_000
    assert got == long[: len(got)]
    [line] = [line for line in own_selling.log_lines if line["message"] == "a download was cut short"]
    assert line["error"] == "a content ends at byte 30000000, not 60000000"
    assert whole(anna.get(PATH)) == long, "and it is taken in again for the next one"
