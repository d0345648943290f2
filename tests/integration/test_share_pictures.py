"""What social networks show of a product: a PNG, whatever its cover is, and nothing that the cover should not reach."""

from __future__ import annotations

import asyncio
import re
import socket
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from contracts.samples import a_purchase
from litestar.exceptions import ServiceUnavailableException

from adapters.files.pictures import picture_type
from adapters.resvg.drawing import closed_drawing
from adapters.resvg.layout import breadth, shortened, wrapped
from adapters.resvg.painter import ResvgPainter
from domain.ports import ShareCard, SharePicture
from domain.product import Status
from domain.usecases.send_email import access_email
from domain.values import ProductId, is_product_id
from entrypoints.http.share import SharePages
from entrypoints.testing import a_product, an_edition
from testkit.covers import GIF, JPEG, SVG, WEBP, a_bomb, a_png, colours_of, read_png
from testkit.pages_in_memory import Town
from testkit.servers import Shopper, ShopServer, a_shop

RED = '<rect width="80" height="60" fill="#c81e3c"/>'
GOOD = {
    "svg": ("cover.svg", SVG.format(RED + '<text x="4" y="30">Hello</text>').encode()),
    "png": ("cover.png", a_png(8, 6)),
    "jpeg": ("cover.jpg", JPEG),
    "webp": ("cover.webp", WEBP),
    "gif": ("cover.gif", GIF),
}
LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
HOSTILE = {
    "bomb": ("cover.png", a_bomb()),
    "million": ("cover.svg", SVG.format("<a/>" * 1_000_000).encode()),
    "laughs": ("cover.svg", f'<!DOCTYPE svg [<!ENTITY a0 "ha">{LAUGHS}]>{SVG.format("&a9;")}'.encode()),
    "damaged": ("cover.png", a_png(8, 6)[:40]),
    "avif": ("cover.avif", b"\0\0\0\x1cftypavif" + b"\0" * 100),
    "no-svg": ("cover.svg", b"not even XML"),
}
ENDLESS = SVG.format(
    '<filter id="f"><feTurbulence baseFrequency="9" numOctaves="99999999"/></filter>'
    '<rect width="80" height="60" filter="url(#f)"/>'
).encode()


def references(picture: Path, port: int) -> list[str]:
    """Drawings that refer to a picture on the disk, or on a server; each would be red if that were read."""
    image = '<image width="80" height="60" {}="{}"/>'
    nested = SVG.format(image.format("href", picture))
    return [
        *(
            SVG.format(image.format("href", to))
            for to in (picture, picture.as_uri(), f"../../../..{picture}")
        ),
        SVG.format(image.format("xlink:href", picture)),
        SVG.format(image.format("href", "".join(f"&#{ord(char)};" for char in str(picture)))),
        f'<!DOCTYPE svg [<!ENTITY it "{picture}">]>{SVG.format(image.format("href", "&it;"))}',
        f'<!DOCTYPE svg [<!ENTITY it SYSTEM "{picture}">]>{SVG.format("<desc>&it;</desc>")}',
        SVG.format(
            f'<filter id="f"><feImage href="{picture}"/></filter><rect width="80" height="60" filter="url(#f)"/>'
        ),
        SVG.format(image.format("href", f"data:image/svg+xml;base64,{b64encode(nested.encode()).decode()}")),
        SVG.format(image.format("href", f"http://127.0.0.1:{port}/red.png")),
        SVG.format(f'<style>@import url("http://127.0.0.1:{port}/x.css");</style><use href="{picture}#a"/>'),
    ]


@pytest.fixture(scope="module")
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory, listener: socket.socket) -> Iterator[ShopServer]:
    """A product for each cover; all have the same name, so that their pictures can be compared."""
    folder = tmp_path_factory.mktemp("gallery")
    (folder / "red.png").write_bytes(a_png(8, 6))
    to = references(folder / "red.png", listener.getsockname()[1])
    covers = {
        **GOOD,
        **HOSTILE,
        **{f"refers-{number}": ("cover.svg", text.encode()) for number, text in enumerate(to)},
        "blank": ("cover.svg", SVG.format("").encode()),
        "within": ("cover.svg", SVG.format(
            f'<image width="80" height="60" href="data:image/png;base64,{b64encode(a_png(8, 6)).decode()}"/>'
        ).encode()),
        "bare": ("", b""),
    }  # fmt: skip
    for pid, (name, cover) in covers.items():
        product = folder / "catalogue" / pid
        product.mkdir(parents=True)
        (product / "content.md").write_text("Thank you.\n")
        (product / "product.toml").write_text(
            'name = "Størrelse & <more>"\nprice = "9"\n' + (f'cover = "{name}"\n' if name else "")
        )
        if name:
            (product / name).write_bytes(cover)
    (folder / "catalogue" / "shop.toml").write_text(
        'name = "Gallery"\ncurrency = "usd"\nsupport = "help@gallery.example"\naccent = "#a16"\n'
        'tagline = "Pictures of all kinds"\n'
    )
    with a_shop(folder) as running:
        yield running


def described(shop: ShopServer, pid: str) -> dict[str, str]:
    """The tags of a product's page, or of the home page."""
    page = Shopper(shop).get(f"/products/{pid}" if pid else "/")
    assert page.status_code == 200
    return dict(re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', page.text))


def drawn(shop: ShopServer, pid: str) -> bytes:
    """The picture, fetched as a social network does: from the address that the page names."""
    address = urlsplit(described(shop, pid)["og:image"])
    answer = Shopper(shop).get(f"{address.path}?{address.query}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    size, rows = read_png(answer.content)
    assert size == (1200, 630)
    assert len(rows) >= 630 * (1200 * 3 + 1)
    return answer.content


def test_the_page_says_what_networks_ask_for(gallery: ShopServer) -> None:
    found = described(gallery, "svg")
    assert found["og:image"].startswith(f"{gallery.url}/share/svg.png?v=")
    assert (
        found
        | {
            "og:image:type": "image/png",
            "og:image:width": "1200",
            "og:image:height": "630",
            "og:image:alt": "Størrelse &amp; &lt;more&gt;",
            "twitter:card": "summary_large_image",
        }
        == found
    )


def test_the_home_page_says_what_networks_ask_for_and_its_picture_is_none_of_a_product(
    gallery: ShopServer,
) -> None:
    found = described(gallery, "")
    assert found["og:image"].startswith(f"{gallery.url}/share/_shop.png?v=")
    assert (
        found
        | {
            "og:type": "website",
            "og:title": "Gallery",
            "og:description": "Pictures of all kinds",
            "og:image:type": "image/png",
            "og:image:width": "1200",
            "og:image:height": "630",
            "og:image:alt": "Gallery",
            "twitter:card": "summary_large_image",
        }
        == found
    )
    assert drawn(gallery, "") != drawn(gallery, "bare")
    assert not is_product_id("_shop")


@pytest.mark.long
def test_the_shops_picture_changes_with_name_tagline_accent_and_logo() -> None:
    """Decoded: red of the logo is in it once there is one."""
    painter = ResvgPainter(warn=pytest.fail)
    logo = (SVG.format(RED).encode(), "image/svg+xml")
    card = ShareCard(name="Gallery", below="Pictures", accent="#24483e", cover=None)
    changes: list[dict[str, Any]] = [
        {},
        {"name": "Attic"},
        {"below": ""},
        {"accent": "#aa1166"},
        {"cover": logo},
    ]
    pictures = []
    for change in changes:
        found = asyncio.run(painter.paint(replace(card, **change)))
        assert found is not None
        assert (read_png(found.png)[0], found.whole) == ((1200, 630), True)
        pictures.append(found.png)
    assert len(set(pictures)) == len(changes)
    red, ours, other = (0xC8, 0x1E, 0x3C), (0x24, 0x48, 0x3E), (0xAA, 0x11, 0x66)
    seen = [colours_of(png) & {red, ours, other} for png in pictures]
    assert seen == [{ours}, {ours}, {ours}, {other}, {ours, red}]


def test_the_shops_card_has_its_name_tagline_colour_and_logo_and_every_edition_one_of_its_own(
    tmp_path: Path,
) -> None:
    painter, edition = CountingPainter(), an_edition(a_product())
    town = Town(tmp_path, edition, lambda where, html: None, parts={"painter": painter})
    pages = SharePages(frame=town.container.frame(), painter=painter)

    async def visit() -> None:
        for tagline in ("Old", "Old", "New"):
            shop = replace(edition.shop, tagline=tagline, accent="#A16")
            await pages.drawn(replace(edition, version=tagline, shop=shop), None)

    asyncio.run(visit())
    assert painter.asked == [
        ShareCard(name="A Shop", below=tagline, accent="#aa1166", cover=None, of_shop=True)
        for tagline in ("Old", "New")
    ]


@pytest.mark.parametrize(
    ("path", "policy"),
    [("/share/svg.png", "cross-origin"), ("/share/none.png", "cross-origin"), ("/logo", "cross-origin"), ("/covers/svg/cover.svg", "same-origin"),
     ("/", "same-origin"), ("/sharex", "same-origin")],
)  # fmt: skip
def test_emails_and_other_sites_may_show_these_pictures_alone(
    gallery: ShopServer, path: str, policy: str
) -> None:
    """A webmail that loads no pictures by itself shows them from ours, if ours lets it."""
    assert Shopper(gallery).get(path).headers.get_list("cross-origin-resource-policy") == [policy]


@pytest.mark.parametrize("pid", GOOD)
def test_a_cover_of_every_kind_is_in_the_picture(gallery: ShopServer, pid: str) -> None:
    assert drawn(gallery, pid) not in (drawn(gallery, "bare"), drawn(gallery, "blank"))


def test_a_product_without_a_cover_has_a_picture_too(gallery: ShopServer) -> None:
    assert len(drawn(gallery, "bare")) > 5000, "the names are in it"


@pytest.mark.parametrize("pid", HOSTILE)
def test_a_cover_that_cannot_be_drawn_stops_neither_the_page_nor_the_picture(
    gallery: ShopServer, pid: str
) -> None:
    assert drawn(gallery, pid) == drawn(gallery, "bare")
    address = urlsplit(described(gallery, pid)["og:image"])
    answer = Shopper(gallery).get(f"{address.path}?{address.query}")
    assert answer.headers["cache-control"] == "public, max-age=0, must-revalidate", "it may be drawn one day"


def test_the_log_names_each_such_cover(gallery: ShopServer) -> None:
    for pid in HOSTILE:
        drawn(gallery, pid)
    lines = [line["message"] for line in gallery.log_lines if "cannot be drawn" in line["message"]]
    assert len(lines) == len(HOSTILE), lines
    assert all(line.startswith("the cover of 'Størrelse & <more>' cannot be drawn") for line in lines)


@pytest.mark.parametrize(
    ("pid", "why"),
    [
        ("bomb", " (it takes more than 400 MB of memory)"),
        pytest.param("endless", " (it takes more than 5 s of CPU time)", marks=pytest.mark.long),
        ("damaged", ""),
    ],
)
def test_the_merchant_hears_once_of_a_cover_and_why(pid: str, why: str) -> None:
    told: list[str] = []
    painter = ResvgPainter(warn=told.append)
    name, cover = HOSTILE.get(pid, ("cover.svg", ENDLESS))
    card = ShareCard(name="Book", below="Shop", accent="#24483e", cover=(cover, picture_type(name)))
    for _ in range(1 if pid == "endless" else 2):
        found = asyncio.run(painter.paint(card))
        assert found is not None
        assert not found.whole
    [sentence] = told
    # On a busy machine a minute passes before it has had five seconds of a processor.
    sentence = sentence.replace("more than 60 s)", "more than 5 s of CPU time)")
    assert sentence.startswith(
        f"the cover of 'Book' cannot be drawn for social networks{why}, which show the name"
    )


@pytest.mark.parametrize("number", range(len(references(Path("/x"), 1))))
def test_a_cover_reads_nothing_from_disk_or_network(
    gallery: ShopServer, listener: socket.socket, number: int
) -> None:
    assert drawn(gallery, f"refers-{number}") in (drawn(gallery, "blank"), drawn(gallery, "bare"))
    assert drawn(gallery, "within") != drawn(gallery, "blank"), "a picture that is within the cover is shown"
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.mark.parametrize(
    ("reference", "kept"),
    [("data:image/png;base64,AAAA", True), (" data:image/png,x", True), ("#part", False), ("data:x/../../a.png", False),
     ("\xa0data:,x", False), ("a.png", False), ("https://elsewhere.example/a.png", False)],
)  # fmt: skip
def test_of_an_image_no_reference_stays_that_could_name_a_file(reference: str, kept: bool) -> None:
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{reference}"/><use href="#part"/></svg>'
    closed = closed_drawing(drawing.encode())
    assert (reference in closed.partition("<ns0:use")[0].partition("use")[0]) is kept
    assert 'href="#part"' in closed.rpartition("image")[2]


def test_a_folder_beside_the_shop_does_not_stand_in_for_a_module_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "adapters").mkdir()
    (tmp_path / "adapters" / "__init__.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    told: list[str] = []
    card = ShareCard(name="Book", below="Shop", accent="#24483e", cover=None)
    found = asyncio.run(ResvgPainter(warn=told.append).paint(card))
    assert (found is not None and found.whole, told) == (True, [])


def test_it_is_kept_for_ever_under_its_own_version_only(gallery: ShopServer) -> None:
    guest, address = Shopper(gallery), urlsplit(described(gallery, "svg")["og:image"])
    own = guest.get(f"{address.path}?{address.query}")
    assert own.headers["cache-control"] == "public, max-age=31536000, immutable"
    for path in (address.path, f"{address.path}?v=12345678"):
        assert guest.get(path).headers["cache-control"] == "public, max-age=0, must-revalidate"
    again = guest.http.get(address.path, headers={"if-none-match": own.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = guest.http.head(address.path)
    assert (head.headers["content-length"], head.content) == (str(len(own.content)), b"")


@pytest.mark.parametrize(
    "name", ["nothing.png", "svg", "svg.jpg", ".png", "svg.png.png", "..%2fsvg.png", "_shop", "shop.png"]
)
def test_there_are_no_other_pictures(gallery: ShopServer, name: str) -> None:
    assert Shopper(gallery).get(f"/share/{name}").status_code == 404


# ------------------------------------------------------------------ what is drawn, and how often


class CountingPainter:
    """Draws a text, one turn of the event loop later; notes what it was asked for."""

    def __init__(self, *, whole: bool = True) -> None:
        self.asked: list[ShareCard] = []
        self._whole = whole

    async def paint(self, card: ShareCard) -> SharePicture | None:
        self.asked.append(card)
        await asyncio.sleep(0)
        return SharePicture(png=card.name.encode() * 10, whole=self._whole)


def test_a_picture_is_drawn_once_for_all_who_wait_and_the_oldest_make_room(tmp_path: Path) -> None:
    painter = CountingPainter()
    edition = an_edition(*(a_product(ProductId(pid)) for pid in ("aa", "bb", "cc")))
    town = Town(tmp_path, edition, lambda where, html: None, parts={"painter": painter})
    pages = SharePages(frame=town.container.frame(), painter=painter, at_most=140)

    def ask(*pids: str) -> list[str]:
        async def main() -> None:
            products = [edition.products[ProductId(pid)] for pid in pids]
            await asyncio.gather(*(pages.drawn(edition, product) for product in products))

        painter.asked.clear()
        asyncio.run(main())
        return [card.name for card in painter.asked]

    assert ask("aa", "aa", "bb", "aa") == ["The aa", "The bb"]
    assert ask("bb", "aa") == []
    assert ask("cc") == ["The cc"], "of 60 bytes; there is room for two"
    assert ask("aa", "cc") == []
    assert ask("bb") == ["The bb"]


def test_the_picture_has_the_colour_and_the_names_of_the_shop(tmp_path: Path) -> None:
    painter = CountingPainter()
    edition = an_edition(a_product())
    for accent, shown in (("#A16", "#aa1166"), ("", "#24483e")):
        town = Town(tmp_path, replace(edition, shop=replace(edition.shop, accent=accent)), lambda where, html: None,
                    parts={"painter": painter})  # fmt: skip
        asyncio.run(town.client().get("/share/book.png"))
        assert painter.asked[-1] == ShareCard(name="The book", below="A Shop", accent=shown, cover=None)


@pytest.mark.parametrize(
    ("theme", "paper", "ink"),
    [
        (":root { --paper: #0B0D10; --ink: #e8f0ec; --soft: #a3b3ab; }", "#0b0d10", "#e8f0ec"),
        ("@media (prefers-color-scheme: dark) { :root { --paper: #000000; } }", "#f6efe2", "#1f2430"),
        (":root { --paper: black; --ink: white; }", "#f6efe2", "#1f2430"),
        (":root { --paper: #0b0d10; }", "#f6efe2", "#1f2430"),
    ],
)
def test_the_picture_has_the_paper_and_the_ink_of_the_pages_where_they_can_be_read(
    tmp_path: Path, theme: str, paper: str, ink: str
) -> None:
    painter, edition = CountingPainter(), an_edition(a_product())
    edition = replace(edition, shop=replace(edition.shop, theme=theme, accent="#7df9c2"))
    town = Town(tmp_path, edition, lambda where, html: None, parts={"painter": painter})
    asyncio.run(town.client().get("/share/book.png"))
    card = painter.asked[-1]
    assert (card.paper, card.ink) == (paper, ink)


@pytest.mark.parametrize(("again_after", "times"), [(0, 2), (600, 1)])
def test_a_picture_that_lacks_its_cover_is_drawn_again_after_a_while(
    tmp_path: Path, again_after: float, times: int
) -> None:
    painter, edition = CountingPainter(whole=False), an_edition(a_product())
    town = Town(tmp_path, edition, lambda where, html: None, parts={"painter": painter})
    pages = SharePages(frame=town.container.frame(), painter=painter, again_after=again_after)

    async def visit() -> None:
        for _ in range(2):
            await pages.drawn(edition, edition.products[ProductId("book")])
            await asyncio.sleep(0)

    asyncio.run(visit())
    assert len(painter.asked) == times


def test_a_flood_of_requests_is_refused_and_what_is_drawn_already_is_still_there(tmp_path: Path) -> None:
    products = [a_product(ProductId(f"p{number}")) for number in range(34)]
    painter, edition = CountingPainter(), an_edition(*products)
    town = Town(tmp_path, edition, lambda where, html: None, parts={"painter": painter})
    pages = SharePages(frame=town.container.frame(), painter=painter)

    async def visit() -> list[object]:
        kept = await pages.drawn(edition, products[0])
        waiting = [asyncio.create_task(pages.drawn(edition, one)) for one in products[1:]]
        await asyncio.sleep(0)
        assert await pages.drawn(edition, products[0]) == kept
        return await asyncio.gather(*waiting, return_exceptions=True)

    *drawn, last = asyncio.run(visit())
    assert all(isinstance(picture, SharePicture) for picture in drawn)
    assert isinstance(last, ServiceUnavailableException)


class NoPainter:
    async def paint(self, card: ShareCard) -> SharePicture | None:
        return None


def test_where_nothing_can_be_drawn_there_is_no_picture_and_the_page_stays(tmp_path: Path) -> None:
    town = Town(tmp_path, an_edition(a_product()), lambda where, html: None, parts={"painter": NoPainter()})

    async def main() -> None:
        client = town.client()
        await client.get("/share/book.png", status=404)
        assert "og:image" in await client.get("/products/book")

    asyncio.run(main())


@pytest.mark.parametrize("change", [{"present": False}, {"status": Status.DRAFT}], ids=["gone", "draft"])
def test_a_product_that_only_its_owners_see_has_no_picture(tmp_path: Path, change: dict[str, Any]) -> None:
    town = Town(tmp_path, an_edition(replace(a_product(), **change)), lambda where, html: None,
                parts={"painter": CountingPainter()})  # fmt: skip
    asyncio.run(town.client().get("/share/book.png", status=404))


def test_a_long_name_is_wrapped_and_a_longer_one_cut() -> None:
    assert wrapped("The Last Cloakroom", 7) == ["The Last", "Cloakroom"]
    broken = wrapped("W" * 12, 5)
    assert "".join(broken) == "W" * 12
    assert all(breadth(line) <= 5 for line in broken)
    assert shortened("Short", 10) == "Short"
    cut = shortened("A name that is longer than its line", 10)
    assert cut.endswith("…")
    assert breadth(cut) <= 10


@pytest.mark.parametrize(
    ("status", "shown"), [(Status.ON_SALE, "book"), (Status.UNLISTED, "book"), (Status.RETIRED, "book"), (Status.DRAFT, "")]
)  # fmt: skip
def test_an_access_email_shows_a_picture_only_if_its_reader_can_get_it(status: Status, shown: str) -> None:
    edition = an_edition(replace(a_product(ProductId("book")), status=status))
    assert access_email(a_purchase(), (), edition=edition).product == shown
    assert access_email(a_purchase(product="gone"), (), edition=edition).product == ""
