"""Markdown of the catalogue: a title is shown once, and what customers will not see as it was meant is warned of."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.files.markdown import SHORT, render
from domain.values import ProductId
from testkit.catalogues import a_catalogue, load
from testkit.servers import BOOK, Shopper, ShopServer
from testkit.waiting import wait_until


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return a_catalogue(tmp_path / "catalogue", "book")


# ------------------------------------------------------------------ the title

TITLED = (
    "# The book",
    "# the  Book #",
    "The book\n========",
    "#   The *book*",
    "\n\n# The book",
    "\ufeff# The book",
)


@pytest.mark.parametrize("titled", TITLED)
@pytest.mark.parametrize("file", ["content.md", "about.md"])
def test_a_leading_heading_that_repeats_the_name_of_the_product_is_shown_once(
    root: Path, file: str, titled: str
) -> None:
    (root / "book" / file).write_text(f"{titled}\n\nIt begins.\n\n# The book\n")
    book = load(root).current().products[ProductId("book")]
    html = book.content_html if file == "content.md" else book.description_html
    assert html == "<p>It begins.</p>\n<h1>The book</h1>\n"


@pytest.mark.parametrize("other", ["# Another title", "## The book", "The book", "> # The book"])
def test_any_other_beginning_stays(root: Path, other: str) -> None:
    (root / "book" / "content.md").write_text(f"{other}\n\nIt begins.\n")
    html = load(root).current().products[ProductId("book")].content_html
    assert html == render(f"{other}\n\nIt begins.\n").html
    assert "Another title" in html or "The book" in html


@pytest.mark.parametrize("titled", ["# Our terms", "# Our terms #", "Our terms\n=========", "# Our *terms*"])
def test_the_title_of_a_page_is_its_first_heading_however_it_is_written(root: Path, titled: str) -> None:
    (root / "pages" / "terms.md").write_text(f"{titled}\n\nBe kind.\n")
    page = load(root).current().pages["terms"]
    assert (page.title, page.html) == ("Our terms", "<p>Be kind.</p>\n")


# ------------------------------------------------------------------ images and HTML

UNSHOWN = (
    "https://elsewhere.example/a.png", "http://elsewhere.example/a.png", "//elsewhere.example/a.png",
    "files/a.png", "../a.png", "ftp://elsewhere.example/a.png",
)  # fmt: skip
SHOWN = ("/files/book/a.png", "/covers/book/cover.svg", "data:image/png;base64,AAAA")


@pytest.mark.parametrize("address", UNSHOWN)
@pytest.mark.parametrize("written", ["![A]({})", "![A][a]\n\n[a]: {}", "- in a list\n  ![A]({})"])
def test_an_image_that_no_page_loads_is_warned_of_with_its_line(
    root: Path, written: str, address: str
) -> None:
    (root / "book" / "content.md").write_text("Above.\n\n" + written.format(address) + "\n")
    catalogue = load(root)
    [words] = catalogue.warnings
    assert words.startswith(f"catalogue/book/content.md:3: the image {address} is not shown")
    assert catalogue.problems == ()


@pytest.mark.parametrize("address", SHOWN)
def test_an_image_from_the_shop_itself_is_not_warned_of(root: Path, address: str) -> None:
    (root / "book" / "content.md").write_text(f"![A]({address})\n")
    assert load(root).warnings == ()


@pytest.mark.parametrize(
    "html", ["a <b>bold</b> word", "<div>\nx\n</div>", "<!-- a comment -->", '<img src="a.png">', "a<br/>b"]
)
@pytest.mark.parametrize("file", ["book/content.md", "book/about.md", "pages/terms.md"])
def test_raw_html_is_shown_as_text_and_warned_of_with_its_line(root: Path, file: str, html: str) -> None:
    (root / file).write_text(f"# Title\n\n{html}\n")
    catalogue = load(root)
    [words] = catalogue.warnings
    assert words.startswith(f"catalogue/{file}:3: HTML is not run")
    assert catalogue.problems == ()


@pytest.mark.parametrize(
    "text", ["`<b>`", "1 < 2 and 3 > 2", "<https://shop.example>", "    <b>code</b>", "\\<b>", "a<3"]
)
def test_what_is_no_html_is_not_warned_of(root: Path, text: str) -> None:
    (root / "book" / "content.md").write_text(f"{text}\n")
    assert load(root).warnings == ()


def test_a_long_text_is_warned_of_like_a_short_one_and_its_warnings_are_few(root: Path) -> None:
    text = "# The book\n\n" + "![A](b/a.png) <b>x</b>\n\n" * 2_000
    assert len(text) > SHORT
    (root / "book" / "content.md").write_text(text)
    catalogue = load(root)
    book = catalogue.current().products[ProductId("book")]
    assert book.content_html.startswith('<p><img src="b/a.png" alt="A"')
    assert len(catalogue.warnings) == 20
    assert catalogue.warnings[0].startswith("catalogue/book/content.md:3: ")


# ------------------------------------------------------------------ over HTTP


@pytest.mark.long
def test_warnings_are_in_the_log_and_of_doctor_and_hold_nothing_back(own_shop: ShopServer) -> None:
    folder = own_shop.catalogue / BOOK
    (folder / "about.md").write_text(
        "# The Last Cloakroom\n\n![A](https://elsewhere.example/a.png)\n\n<b>x</b>\n"
    )
    (folder / "files" / "extra").mkdir()
    (folder / "product.toml").write_text('name = "The Last Cloakroom"\nprice = "9.00"\n')
    guest = Shopper(own_shop)
    wait_until(lambda: "elsewhere.example" in own_shop.log.read_text())
    page = guest.get(f"/products/{BOOK}").text
    assert (page.count("<h1>"), page.count("The Last Cloakroom</h1>")) == (1, 1)
    assert guest.post(f"/buy/{BOOK}").status_code == 303
    doctor = own_shop.cli("doctor").stdout
    for words in (
        "about.md:3: the image https://elsewhere",
        "about.md:5: HTML is not run",
        "files/extra: is a folder",
    ):
        assert f"  !  catalogue: catalogue/{BOOK}/{words}" in doctor
    warned = [line for line in own_shop.log_lines if "elsewhere.example" in str(line["message"])]
    assert [line["level"] for line in warned] == ["warning"]
    assert "Nothing is waiting for you." in own_shop.cli("status").stdout
