"""More pictures of a product, beside its cover."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from adapters.files.catalogue import FolderCatalogue
from domain.product import Picture
from domain.values import ProductId
from testkit.catalogues import a_catalogue, load
from testkit.pages_in_memory import Town

BOOK = ProductId("book")
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


def a_book(root: Path, lines: str) -> Path:
    a_catalogue(root, "book")
    toml = root / "book" / "product.toml"
    toml.write_text(toml.read_text() + lines)
    for name in ("cover.svg", "in side.png", "é.svg"):
        (root / "book" / name).write_bytes(SVG if name.endswith("svg") else b"png")
    return root


def town(root: Path, folder: Path) -> tuple[Town, FolderCatalogue]:
    catalogue = load(root)
    catalogue.adopt("shop")
    return Town(
        folder, catalogue.current(), lambda where, page: None, parts={"catalogue": catalogue}
    ), catalogue


WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 "
AVIF = b"\x00\x00\x00\x20ftypavif"


@pytest.mark.parametrize(
    ("name", "content", "fine"),
    [
        ("cover.png", b"\x89PNG\r\n\x1a\n...", True),
        ("cover.PNG", b"\xff\xd8\xff\xe0 a JPEG: browsers look at the bytes", True),
        ("cover.gif", b"GIF89a...", True),
        ("cover.webp", WEBP, True),
        ("cover.avif", AVIF, True),
        ("cover.svg", SVG, True),
        ("cover.svg", b"<?xml version='1.0'?><s:svg xmlns:s='http://www.w3.org/2000/svg'/>", True),
        ("cover.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>".encode("utf-16"), True),
        ("cover.png", b"", False),
        ("cover.png", SVG, False),
        ("cover.svg", WEBP, False),
        ("cover.jpg", b"\n\xff\xd8\xff\xe0", False),
        ("cover.webp", b"RIFF\x24\x00\x00\x00WAVEfmt ", False),
    ],
)
def test_a_damaged_picture_is_warned_of_and_its_product_stays_on_sale(
    tmp_path: Path, name: str, content: bytes, fine: bool
) -> None:
    root = a_catalogue(tmp_path / "catalogue", "book")
    toml = root / "book" / "product.toml"
    toml.write_text(f'{toml.read_text()}cover = "{name}"\n')
    (root / "book" / name).write_bytes(content)
    catalogue = load(root)
    words = f"catalogue/book/{name}: is damaged or no picture, so browsers cannot show it: save it anew"
    assert catalogue.warnings == (() if fine else (words,))
    assert catalogue.problems == ()
    assert BOOK in catalogue.current().products


LISTED = 'cover = "cover.svg"\npictures = ["in side.png", { name = "é.svg", alt = "A <page>" }]\n'


def test_a_page_shows_cover_and_pictures_in_order_and_each_is_served(tmp_path: Path) -> None:
    place, catalogue = town(a_book(tmp_path / "catalogue", LISTED), tmp_path)
    assert catalogue.current().products[BOOK].pictures == (
        Picture(name="in side.png"),
        Picture(name="é.svg", alt="A <page>"),
    )

    async def visit() -> None:
        client = place.client()
        page = await client.get("/products/book")
        found = re.findall(r'<img class="cover" src="(/covers/book/[^?"]*)\?v=\w+" alt="([^"]*)"', page)
        assert found == [
            ("/covers/book/cover.svg", ""), ("/covers/book/in%20side.png", ""), ("/covers/book/%C3%A9.svg", "A &lt;page&gt;"),
        ]  # fmt: skip
        assert re.findall(r'href="#(picture-\d)"', page) == ["picture-1", "picture-2", "picture-3"]
        assert await client.get("/covers/book/in side.png") == "png"
        assert client.headers["content-type"] == "image/png"
        assert await client.get("/covers/book/é.svg") == SVG.decode()
        for name in ("product.toml", "content.md", "other.png", "../shop.toml"):
            await client.get(f"/covers/book/{name}", status=404)

    asyncio.run(visit())


def test_the_pictures_of_a_draft_are_for_people_with_a_preview_link(tmp_path: Path) -> None:
    place, _ = town(a_book(tmp_path / "catalogue", LISTED + 'status = "draft"\n'), tmp_path)
    link = place.container.preview_product().link(BOOK)
    assert link is not None
    path = f"/preview/{link.url.rpartition('/')[2]}"

    async def visit() -> None:
        client = place.client()
        await client.get("/covers/book/in side.png", status=404)
        page = await client.get(path)
        assert re.findall(r'<img class="cover" src="([^"]*)"', page) == [
            f"{path}/cover.svg", f"{path}/in%20side.png", f"{path}/%C3%A9.svg",
        ]  # fmt: skip
        assert await client.get(f"{path}/in side.png") == "png"
        assert client.headers["cache-control"] == "no-store"
        await client.get(f"{path}/product.toml", status=404)
        place.shop.clock.tick(days=8)
        await client.get(f"{path}/in side.png", status=404)

    asyncio.run(visit())


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('pictures = ["none.png"]', "pictures 'none.png' does not lie beside this file"),
        (
            'pictures = ["../shop.toml"]',
            "pictures is '../shop.toml': name a picture that lies beside this file",
        ),
        ('pictures = ["content.md"]', "pictures is 'content.md': name a picture that lies beside this file"),
        (f"pictures = {['cover.svg'] * 9}", "a product has at most 8 pictures beside its cover"),
    ],
)
def test_a_picture_that_cannot_be_shown_is_named_and_the_product_is_sold_all_the_same(
    tmp_path: Path, lines: str, told: str
) -> None:
    root = a_book(tmp_path / "catalogue", LISTED)
    toml = root / "book" / "product.toml"
    toml.write_text(toml.read_text().partition("pictures")[0] + lines + "\n")
    catalogue = load(root)
    [problem] = catalogue.problems
    assert "catalogue/book/product.toml" in problem
    assert told in problem
    book = catalogue.current().products[BOOK]
    assert (book.pictures, book.on_sale, book.cover) == ((), True, "cover.svg")


def test_a_key_that_pictures_do_not_have_is_a_mistake_of_the_file(tmp_path: Path) -> None:
    root = a_book(tmp_path / "catalogue", 'pictures = [{ name = "cover.svg", at = "x" }]\n')
    [problem] = load(root).problems
    assert "catalogue/book/product.toml:3: " in problem
    assert "at" in problem.partition(":3: ")[2]


def test_a_cover_that_is_gone_is_named_and_the_product_is_sold_without_it(tmp_path: Path) -> None:
    root = a_book(tmp_path / "catalogue", LISTED)
    (root / "book" / "cover.svg").unlink()
    place, catalogue = town(root, tmp_path)
    [problem] = catalogue.problems
    assert "product.toml:3: cover 'cover.svg' does not lie beside this file" in problem

    async def visit() -> None:
        client = place.client()
        page = await client.get("/products/book")
        assert "nocover" in page
        assert "/covers/book/cover.svg" not in page
        await client.get("/covers/book/cover.svg", status=404)
        await client.post("/buy/book", status=303, currency="eur")

    asyncio.run(visit())
