"""The list of products in sections, the foot of every page, and the example shops."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from domain.product import CatalogueEdition, Section, WebLink
from domain.values import ProductId
from testkit.catalogues import a_catalogue, load, look
from testkit.pages_in_memory import Town

EXAMPLES = Path(__file__).resolve().parents[2] / "src" / "entrypoints" / "example_shops"
FRONT = """
order = ["c"]
footer = \"\"\"
Made here.

  <b>Sold</b> there. \"\"\"
[links]
Mastodon = "https://social.example/@shop?a=1&b=2"
Letters = "mailto:letters@shop.example"
[[sections]]
title = "Second & first"
products = ["b", "c", "nothing"]
[[sections]]
title = "Empty"
products = ["b"]
"""


def home_of(edition: CatalogueEdition, folder: Path) -> str:
    pages: list[str] = []

    async def visit() -> None:
        client = Town(folder, edition, look=lambda name, page: pages.append(page)).client()
        await client.get("/")

    asyncio.run(visit())
    return pages[0]


def test_sections_come_first_and_the_rest_is_under_a_title_of_its_own(tmp_path: Path) -> None:
    root, told = a_catalogue(tmp_path / "catalogue", "a", "b", "c", "d"), list[str]()
    (root / "shop.toml").write_text((root / "shop.toml").read_text() + FRONT)
    edition = load(root, told=told).current()
    assert edition.shop.sections == (
        Section(title="Second & first", products=(ProductId("b"), ProductId("c"))),
        Section(title="Empty", products=()),
    )
    assert list(edition.products) == ["b", "c", "a", "d"]
    assert told == ["catalogue/shop.toml:15: products names 'nothing', and there is no such folder"]
    page = home_of(edition, tmp_path)
    found = re.findall(r'<h2[^>]*>(.*?)</h2>|<h3><a href="/products/(\w)"', page)
    assert [title or pid for title, pid in found] == ["Second &amp; first", "b", "c", "More", "a", "d"]
    assert "<h2><a" not in page, "below a section's title, a product's is of the third level"
    foot = page.partition("<footer>")[2]
    assert "Made here.\n&lt;b&gt;Sold&lt;" in foot
    assert '<a href="https://social.example/@shop?a=1&amp;b=2" rel="me noopener">Mastodon</a>' in foot
    assert '<a href="mailto:letters@shop.example" rel="me noopener">Letters</a>' in foot


def test_without_sections_the_list_has_no_titles(tmp_path: Path) -> None:
    edition = load(a_catalogue(tmp_path / "catalogue", "a", "b")).current()
    page = home_of(edition, tmp_path)
    assert re.findall(r'<h2><a href="/products/(\w)"', page) == ["a", "b"]
    assert "More" not in page


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('[links]\nHere = "javascript:alert(1)"',
         "catalogue/shop.toml:5: Here is 'javascript:alert(1)': write an address like \"https://social.example/@shop\""),
        ('[links]\nHere = "https://"', "write an address like"),
        ('[links]\n"a\\nb" = "https://a.example"', "the name of the link 'a\\nb' cannot be shown"),
        ('[[sections]]\ntitle = " "\nproducts = ["a"]',
         "catalogue/shop.toml:5: the title of a section is empty: the section is left out"),
        (f'footer = "{"x" * 1001}"', "catalogue/shop.toml:4: footer is longer than 1000 characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_reported_and_stops_no_sale(tmp_path: Path, more: str, told: str) -> None:
    root, said = a_catalogue(tmp_path / "catalogue", "a"), list[str]()
    (root / "shop.toml").write_text(f"{(root / 'shop.toml').read_text()}{more}\n")
    edition = load(root, told=said).current()
    assert len(said) == 1
    assert told in said[0]
    assert edition.products[ProductId("a")].on_sale
    assert (edition.shop.links, edition.shop.sections, edition.shop.footer) == ((), (), "")


def test_a_link_may_lead_anywhere_on_the_web(tmp_path: Path) -> None:
    root = a_catalogue(tmp_path / "catalogue", "a")
    (root / "shop.toml").write_text(f'{(root / "shop.toml").read_text()}[links]\nX = "http://a.example"\n')
    assert load(root).current().shop.links == (WebLink(title="X", url="http://a.example"),)


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir()))
def test_an_example_shop_has_no_mistakes_and_something_to_sell(tmp_path: Path, name: str) -> None:
    told: list[str] = []
    edition = load(EXAMPLES / name, told=told).current()
    assert told == []
    assert len(edition.products) == 3
    assert all(product.on_sale for product in edition.products.values())
    page = home_of(edition, tmp_path)
    assert len(re.findall(r'class="cover nocover look[0-5]"', page)) == 3


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "Europe", "../../etc/passwd"])
def test_an_unknown_time_zone_is_named_and_the_last_good_one_stays(tmp_path: Path, name: str) -> None:
    root = a_catalogue(tmp_path / "catalogue", "book")
    toml = root / "shop.toml"
    text = toml.read_text()
    toml.write_text(text + 'timezone = "Europe/Berlin"\n')
    catalogue = load(root)
    assert catalogue.current().shop.timezone == "Europe/Berlin"
    toml.write_text(text + f'timezone = "{name}"\n')
    look(catalogue, times=2)
    [problem] = catalogue.problems
    assert f"shop.toml:4: timezone is '{name}', which this machine does not know" in problem
    assert catalogue.current().shop.timezone == "Europe/Berlin"
