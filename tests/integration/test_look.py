"""The merchant's look: colour, style sheet, order of the shelf and who sells; no mistake in it stops a customer."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from domain.product import PaymentTerms
from domain.values import ProductId
from entrypoints.http.theme import theme_of
from entrypoints.testing import a_product, an_edition
from testkit.catalogues import a_catalogue, load, look
from testkit.pages_in_memory import Town
from testkit.servers import BOOK, PHOTOS, Shopper, ShopServer
from testkit.waiting import wait_until

SHOP = 'name = "A shop"\ncurrency = "eur"\nsupport = "help@shop.example"\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return a_catalogue(tmp_path / "catalogue", "apple", "book", "cup")


def write(root: Path, settings: str) -> None:
    (root / "shop.toml").write_text(SHOP + settings)


def test_the_shelf_has_the_order_that_is_set_and_the_rest_by_name(root: Path) -> None:
    write(root, 'order = ["cup", "apple"]\n')
    assert [product.id for product in load(root).current().present] == ["cup", "apple", "book"]


def test_an_order_with_names_that_are_not_there_is_reported_and_holds_nothing_back(root: Path) -> None:
    write(root, 'order = ["cup", "gone", "../book"]\n')
    told: list[str] = []
    catalogue = load(root, told=told)
    assert [product.id for product in catalogue.current().present] == ["cup", "apple", "book"]
    assert told == ["catalogue/shop.toml:4: order names 'gone', '../book', and there is no such folder"]


@pytest.mark.parametrize("accent", ["green", "#12345", "#fff}*{display:none}"])
def test_an_accent_that_is_no_colour_is_refused_by_line_and_the_last_good_one_stays(
    root: Path, accent: str
) -> None:
    write(root, 'accent = "#1a6"\n')
    catalogue = load(root)
    write(root, f'accent = "{accent}"\n')
    look(catalogue, times=12)
    assert catalogue.problems[0].startswith(
        f"catalogue/shop.toml:4: accent is {accent!r}: write a colour as "
    )
    assert catalogue.current().shop.accent == "#1a6"
    assert all(product.on_sale for product in catalogue.current().present)


def test_a_style_sheet_that_cannot_be_read_is_reported_and_the_last_good_one_stays(root: Path) -> None:
    (root / "theme.css").write_text(".brand { letter-spacing: .1em }")
    catalogue = load(root)
    (root / "theme.css").write_bytes(b"\xff\xfe")
    look(catalogue, times=12)
    assert catalogue.problems == ("catalogue/theme.css:1: is not UTF-8 text: save it as UTF-8",)
    assert catalogue.current().shop.theme == ".brand { letter-spacing: .1em }"
    assert all(product.on_sale for product in catalogue.current().present)
    (root / "theme.css").unlink()
    look(catalogue, times=12)
    assert catalogue.current().shop.theme == ""


@pytest.mark.parametrize(
    ("setting", "size", "said"),
    [
        ('logo = "gone.svg"', 1, "catalogue/shop.toml:4: logo 'gone.svg' does not lie beside this file"),
        (
            'logo = "../logo.svg"',
            1,
            "catalogue/shop.toml:4: logo is '../logo.svg': name a picture that lies beside",
        ),
        ('logo = "logo.svg"', 200_001, "catalogue/logo.svg: is over 200 kB: make it smaller"),
    ],
)
def test_a_logo_that_cannot_be_used_is_reported_and_the_last_good_one_stays(
    root: Path, tmp_path: Path, setting: str, size: int, said: str
) -> None:
    (root / "logo.svg").write_text("<svg/>")
    write(root, 'logo = "logo.svg"\n')
    assert load(root, kept=tmp_path / "kept").logo() == (b"<svg/>", "image/svg+xml")
    (root / "logo.svg").write_bytes(b"x" * size)
    write(root, f"{setting}\n")
    restarted = load(root, kept=tmp_path / "kept")
    assert restarted.problems[0].startswith(said)
    assert restarted.logo() == (b"<svg/>", "image/svg+xml")
    assert all(product.on_sale for product in restarted.current().present)
    write(root, "")
    look(restarted, times=12)
    assert restarted.logo() is None


@pytest.mark.parametrize(
    ("seller", "said"),
    [("x" * 501, "is longer than 500 characters"), ("a\\u0007b", ""), ("a\\u2028b", ""), ("=?b", "")],
)
def test_a_seller_that_no_receipt_can_show_is_refused_by_line(root: Path, seller: str, said: str) -> None:
    write(root, "")
    catalogue = load(root)
    write(root, f'seller = "{seller}"\n')
    look(catalogue, times=12)
    assert catalogue.problems[0].startswith(f"catalogue/shop.toml:4: seller {said}")
    assert all(product.on_sale for product in catalogue.current().present)


def test_a_tagline_that_cannot_be_shown_is_refused_by_line_and_the_last_good_one_stays(root: Path) -> None:
    write(root, 'tagline = "Books"\n')
    catalogue = load(root)
    write(root, 'tagline = "a\\u0007b"\n')
    look(catalogue, times=12)
    assert catalogue.problems[0].startswith("catalogue/shop.toml:4: tagline ")
    assert catalogue.current().shop.tagline == "Books"
    assert all(product.on_sale for product in catalogue.current().present)


def test_a_seller_is_its_lines_without_empty_ones(root: Path) -> None:
    write(root, 'seller = """\n\n Coat Ltd \r\n\n1 Lane\n"""\n')
    assert load(root).current().shop.seller == "Coat Ltd\n1 Lane"


def test_a_theme_begins_with_the_accent_and_ends_with_the_merchants_own_rules(root: Path) -> None:
    write(root, 'accent = "#ffd400"\n')
    (root / "theme.css").write_text("h1 { color: inherit }")
    sheet = theme_of(load(root).current().shop).decode()
    assert sheet.startswith(":root { --act: #ffd400; --on-act: #000000;")
    assert "@media (prefers-color-scheme: dark) { :root { --act: #ffd400;" in sheet
    assert sheet.endswith("h1 { color: inherit }")


def test_a_shop_with_a_look_serves_it_and_its_receipts_name_the_seller(own_shop: ShopServer) -> None:
    assert "/theme.css" not in httpx.get(own_shop.url).text
    (own_shop.catalogue / "theme.css").write_text(".brand { text-transform: uppercase }")
    toml = own_shop.catalogue / "shop.toml"
    seller = 'seller = """\nCoat & Hook Ltd\n1 <Peg> Lane\nVAT 123"""\n'
    toml.write_text(f'accent = "#b00020"\n{seller}{toml.read_text()}')
    wait_until(lambda: "/theme.css" in httpx.get(own_shop.url).text)
    found = re.search(
        r'<link rel="stylesheet" href="(/theme\.css\?v=[0-9a-f]{10})">', httpx.get(own_shop.url).text
    )
    assert found is not None
    answer = httpx.get(own_shop.url + found[1])
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.text.startswith(":root { --act: #b00020; --on-act: #ffffff;")
    assert "immutable" in answer.headers["cache-control"]
    assert "must-revalidate" in httpx.get(f"{own_shop.url}/theme.css?v=0123456789").headers["cache-control"]
    assert answer.text.endswith(".brand { text-transform: uppercase }")
    assert httpx.get(f"{own_shop.url}/logo").status_code == 404
    (own_shop.catalogue / "logo.svg").write_text("<svg onload='alert(1)'/>")
    toml.write_text(f'logo = "logo.svg"\n{toml.read_text()}')
    wait_until(lambda: '<img src="/logo?v=' in httpx.get(own_shop.url).text)
    logo = httpx.get(f"{own_shop.url}/logo")
    assert (logo.headers["content-type"], logo.text) == ("image/svg+xml", "<svg onload='alert(1)'/>")
    assert "must-revalidate" in logo.headers["cache-control"]
    for picture in re.findall(r'src="(/(?:logo|covers/)[^"]*)"', httpx.get(own_shop.url).text):
        assert "immutable" in httpx.get(own_shop.url + picture).headers["cache-control"]
        plain = httpx.get(own_shop.url + picture.partition("?")[0])
        assert "must-revalidate" in plain.headers["cache-control"], (
            "another node may not have read the edit yet"
        )
    assert logo.headers["content-security-policy"].startswith("default-src 'none'; sandbox, ")
    anna = Shopper(own_shop)
    anna.buy_and_pay("anna@example.com", BOOK)
    receipt = anna.get(re.search(r'href="(/orders/[^"]+)"', anna.get("/library").text)[1]).text  # type: ignore[index]
    assert "Coat &amp; Hook Ltd\n1 &lt;Peg&gt; Lane\nVAT 123\nhelp@" in receipt


def test_a_product_page_says_what_one_gets_before_paying(shop: ShopServer) -> None:
    page = httpx.get(f"{shop.url}/products/{BOOK}").text
    said = re.search(r'<ul class="assured">(.*?)</ul>', page, re.DOTALL)
    assert said is not None
    lines = [re.sub(r"<[^>]+>", "", line).strip() for line in said[1].splitlines() if line.strip()]
    assert lines[0].startswith("EPUB, TXT, ")
    assert lines[1:] == ["Visa, Mastercard, American Express", "Secure payment with Stripe", "Refunds"]
    assert '<a href="/pages/refunds">Refunds</a>' in said[1]
    assert page.count('<button form="buy">Buy · $9.00</button>') == 1
    assert page.count('<form id="buy"') == 1


def test_a_library_shows_covers_and_what_can_be_downloaded(shop: ShopServer) -> None:
    anna = Shopper(shop)
    for product in (BOOK, PHOTOS):
        anna.buy_and_pay("look@example.com", product)
    library = anna.get("/library").text
    assert re.search(
        rf'<a class="thumb" href="/view/{BOOK}"[^>]*>\s*<img class="cover" src="/covers/{BOOK}/', library
    )
    downloads = re.findall(r'href="(/files/[^"]+)" download>(.*?)</a>', library)
    assert [(path, re.sub(r"<[^>]+>", "", label).rpartition(" · ")[0]) for path, label in downloads] == [
        (f"/files/{BOOK}/the-last-cloakroom.epub", "Download EPUB of The Last Cloakroom"),
        (f"/files/{BOOK}/the-last-cloakroom.txt", "Download TXT of The Last Cloakroom"),
    ]
    assert f'href="/view/{PHOTOS}#files"' in library, "five pictures are on a page of their own"


def test_a_library_lists_what_is_in_a_bundle(bazaar: ShopServer) -> None:
    anna = Shopper(bazaar)
    anna.buy_and_pay("bundle@example.com", "the-lot")
    library = anna.get("/library").text
    inner = re.search(r'<ul class="inner">(.*?)</ul>', library, re.DOTALL)
    assert inner is not None
    assert re.findall(r'href="(/view/[^"]+)"', inner[1]) == ["/view/keyed", "/view/a-gift"]


def test_a_sample_is_downloaded_before_buying_and_nothing_else(own_shop: ShopServer) -> None:
    toml = own_shop.catalogue / BOOK / "product.toml"
    toml.write_text('sample = "the-last-cloakroom.txt"\n' + toml.read_text())
    address = f"{own_shop.url}/products/{BOOK}"
    wait_until(lambda: "Free sample" in httpx.get(address).text)
    link = re.search(
        r'href="(/files/[^"]+)" download><span>Free sample: Plain text · 4.1\N{NO-BREAK SPACE}kB<',
        httpx.get(address).text,
    )
    assert link is not None
    answer = httpx.get(own_shop.url + link[1], headers={"range": "bytes=0-99"})
    assert (answer.status_code, len(answer.content)) == (206, 100)
    assert httpx.get(f"{own_shop.url}/files/{BOOK}/the-last-cloakroom.epub").status_code == 403
    toml.write_text(toml.read_text().replace('sample = "the-last-cloakroom.txt"', 'sample = "gone.txt"'))
    wait_until(lambda: "sample is 'gone.txt': name one of the product's files" in own_shop.log.read_text())
    page = httpx.get(address).text
    assert "Free sample" in page, "the last good form"
    assert "Not for sale at the moment" in page


def test_a_library_lists_what_was_bought_and_not_what_the_bundle_has_today(tmp_path: Path) -> None:
    parts = [a_product(ProductId(name)) for name in ("apple", "book", "cup")]
    bundle = replace(a_product(ProductId("lot"), price=2000), contains=(parts[0].id, parts[1].id))
    town = Town(tmp_path, an_edition(bundle, *parts), lambda where, html: None)

    async def visit() -> None:
        client = town.client()
        await town.bought(client, "anna@mail.test", "lot")
        await client.get(f"/view/lot?session_id={next(iter(town.shop.payments.sessions))}", status=303)
        changed = replace(bundle, contains=(parts[1].id, parts[2].id))
        town.shop.catalogue.edition = replace(an_edition(changed, *parts), version="2")
        library = await client.get("/library")
        assert re.findall(r'<li><a href="/view/(\w+)"', library) == ["apple", "book"]

    asyncio.run(visit())


@pytest.mark.parametrize(
    ("methods", "named"), [((), True), (("card", "sepa_debit"), True), (("sepa_debit",), False)]
)
def test_cards_are_named_only_where_cards_are_taken(
    tmp_path: Path, methods: tuple[str, ...], named: bool
) -> None:
    edition = an_edition()
    shop = replace(edition.shop, payment=PaymentTerms(methods=methods))
    town = Town(tmp_path, replace(edition, shop=shop), lambda where, html: None)
    page = asyncio.run(town.client().get("/products/book"))
    assert ("Visa, Mastercard, American Express" in page) is named
