"""A shop with goods of every kind, and what tests ask of its process and its pages."""

from __future__ import annotations

import contextlib
import html
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
from contracts.goods import NAMES

from testkit.servers import Shopper, ShopServer, a_shop, copy_examples
from testkit.waiting import wait_until

SAMPLER = "sampler"
DATA = random.Random(11).randbytes(1_000_003)


def a_catalogue(folder: Path) -> Path:
    """The examples; a shop that is started in this folder takes it as it is."""
    catalogue = folder / "catalogue"
    copy_examples(catalogue)
    return catalogue


def put_on_sale(catalogue: Path, pid: str, files: dict[str, bytes]) -> Path:
    """A product with these files, all of them listed; the folder that they are in."""
    folder = catalogue / pid / "files"
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    listed = ", ".join(json.dumps(name, ensure_ascii=False) for name in files)
    about = f'name = "The {pid}"\nprice = "5.00"\nfiles = [{listed}]\n'
    (catalogue / pid / "product.toml").write_text(about, encoding="utf-8")
    (catalogue / pid / "content.md").write_text("# Thank you\n")
    return folder


@contextlib.contextmanager
def a_shop_with_goods(folder: Path) -> Iterator[ShopServer]:
    """It sells the sampler: `DATA`, an empty file, and one file of every odd name, which holds its name."""
    files = {"data.bin": DATA, "empty.bin": b"", **{name: name.encode() for name in NAMES}}
    put_on_sale(a_catalogue(folder), SAMPLER, files)
    with a_shop(folder) as shop:
        yield shop


def an_owner(shop: ShopServer, product: str = SAMPLER) -> Shopper:
    anna = Shopper(shop)
    anna.buy_and_pay(f"{random.randbytes(6).hex()}@example.com", product)
    return anna


def links_of(shopper: Shopper, product: str) -> list[str]:
    """The addresses of the files on the page of what was bought."""
    page = shopper.get(f"/view/{product}").text
    return [html.unescape(link) for link in re.findall(r'<a href="(/files/[^"]+)" download', page)]


def replace_file(shopper: Shopper, folder: Path, name: str, content: bytes) -> None:
    """As a merchant does it while the shop is open; returns when the shop has followed."""
    address = f"/files/{folder.parent.name}/{name}"
    before = shopper.http.head(address).headers["etag"]
    (folder / name).write_bytes(content)
    wait_until(lambda: shopper.http.head(address).headers["etag"] != before)


def resident(shop: ShopServer) -> int:
    """Bytes of memory that the shop's process holds."""
    return _number(shop, "status", "VmRSS") * 1024


def bytes_read(shop: ShopServer) -> int:
    """What the shop's process has read so far, from files and sockets."""
    return _number(shop, "io", "rchar")


def _number(shop: ShopServer, table: str, key: str) -> int:
    assert shop.process.child is not None
    text = Path(f"/proc/{shop.process.child.pid}/{table}").read_text()
    found = re.search(rf"^{key}:\s+(\d+)", text, re.MULTILINE)
    assert found is not None
    return int(found[1])


def whole(answer: httpx.Response) -> bytes:
    assert answer.status_code == 200, answer.text
    return answer.content
