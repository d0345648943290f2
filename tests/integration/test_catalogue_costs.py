"""Small files that would cost gigabytes or minutes: refused by name, within the memory that a shop has."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from adapters.files.catalogue import FolderCatalogue
from adapters.files.markdown import SHORT, SHORT_WITH_REFERENCES, render
from adapters.memory.goods import MemoryGoods
from domain.values import ProductId
from testkit.catalogues import problems_of
from testkit.servers import clean_environment

pytestmark = pytest.mark.long

PRODUCT = 'name = "Book"\nprice = "19.99"\n'
MEMORY = 300 * 1024 * 1024
SECONDS = 5
READ_WITHIN_LIMITS = f"""
import resource, sys
from pathlib import Path
from adapters.files.catalogue import FolderCatalogue
from adapters.memory.goods import MemoryGoods
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, resource.RLIM_INFINITY))
resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS}, resource.RLIM_INFINITY))
try:
    FolderCatalogue(Path(sys.argv[1]), complain=print, shelve=MemoryGoods().shelve)
except CatalogueRefused as error:
    print(error)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "catalogue"
    for product in ("book", "other"):
        (root / product).mkdir(parents=True)
        (root / product / "product.toml").write_text(PRODUCT)
        (root / product / "content.md").write_text("# Hello\n")
    (root / "pages").mkdir()
    (root / "shop.toml").write_text('name = "A shop"\ncurrency = "eur"\nsupport = "help@shop.example"\n')
    return root


def read_within_limits(folder: Path) -> str:
    """What a process that reads the catalogue, with limits on its own time and memory, says of it."""
    done = subprocess.run(
        [sys.executable, "-c", READ_WITHIN_LIMITS, str(folder)],
        env=clean_environment(), capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[-500:]
    return done.stdout.strip()


TOML = {
    "a key of 20,000 dots": (lambda: "summary" + ".a" * 20_000 + " = 1", "4 deep"),
    "20,000 lists": (lambda: "files = " + "[" * 20_000 + "]" * 20_000, "4 deep"),
    "20,000 tables": (lambda: "prices = " + "{a=" * 20_000, "4 deep"),
    "a number of 5,000 digits": (lambda: "stock = " + "9" * 5_000, "cannot be read: Exceeds the limit"),
    "a number that no column holds": (lambda: "stock = 0x" + "f" * 100_000, "stock"),
    "257 kB": (lambda: "#" * 257_000, "is over 256 kB"),
    "50,000 files": (lambda: "files = [" + '"a",' * 50_000 + "]", "at most 1000 files"),
    "20,000 prices": (lambda: "[prices]\n" + "".join(f'a{n} = "x"\n' for n in range(20_000)), "200 prices"),
    "a key without a name on a wide line": (
        lambda: '[prices]\n"" = "1"\n#\n' + " " * 200_000,
        "product.toml:4",
    ),
    "a value as long as the file": (lambda: f'cover = "{"x" * 200_000}"', "product.toml:3: cover"),
    "a price as long as the file": (lambda: f'suggested = "{"9" * 200_000}"', "product.toml:3: "),
}


@pytest.mark.parametrize("name", TOML)
def test_a_toml_file_that_would_cost_much_is_refused_by_name(folder: Path, name: str) -> None:
    made, words = TOML[name]
    (folder / "book" / "product.toml").write_text(PRODUCT + made() + "\n")
    said = read_within_limits(folder)
    assert said.startswith("catalogue/book/product.toml"), said
    assert words in said
    assert len(said) < 500


def repeated(length: int) -> str:
    """One link reference of half the length; the other half uses it. Each character is 12 in the HTML."""
    return f"[a]: /{'😀' * (length // 2)}\n\n" + "[a] " * (length // 8)


MARKDOWN: dict[str, tuple[str, Callable[[], str]]] = {
    "over 1 MB": ("book/about.md", lambda: "a" * 1_000_001),
    "brackets that never close": ("book/content.md", lambda: "[" * 1_000_000),
    "a table of small cells": ("pages/terms.md", lambda: "|a|b|\n|-|-|\n" + "|a|b|\n" * 160_000),
    "emphasis that never ends": ("book/content.md", lambda: "*a_ " * 200_000),
    "a long address that many links repeat": ("book/content.md", lambda: repeated(31_000)),
    "the same in a text of a few lines": ("pages/terms.md", lambda: repeated(4_000)),
    "the same in a text of 1 MB": ("book/about.md", lambda: repeated(900_000)),
}


@pytest.mark.parametrize("name", MARKDOWN)
def test_a_text_that_would_cost_much_is_refused_by_name(folder: Path, name: str) -> None:
    file, made = MARKDOWN[name]
    (folder / file).write_text(made())
    said = read_within_limits(folder)
    assert said.startswith(f"catalogue/{file}: "), said
    assert re.search(
        "is over 1 MB|to render: make it shorter or simpler|more than 4 MB of HTML: make", said
    ), said


@pytest.mark.parametrize("megabytes", [112, 152, 190, 230])
def test_a_renderer_without_memory_even_to_end_in_order_is_too_costly(megabytes: int) -> None:
    """Its last words are then many MemoryErrors, or half of one, and its exit status any."""
    least = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({megabytes} * 2**20,) * 2)"
    code = f"{least}\nfrom adapters.files.markdown import TooCostly, render\ntry: render(input().replace('/', chr(10)))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nexcept TooCostly: print('too costly')"],
        input="|a|b|/|-|-|/" + "|a|b|/" * 160_000,
        env=clean_environment(), capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("too costly\n", "")


def test_a_text_with_references_that_is_rendered_in_the_server_becomes_no_long_page() -> None:
    text = repeated(SHORT_WITH_REFERENCES - 20)
    assert SHORT_WITH_REFERENCES - 20 < len(text) <= SHORT_WITH_REFERENCES
    assert len(render(text).html) < 4_000_000


def test_a_long_list_of_bad_keys_is_told_in_a_few_lines(folder: Path) -> None:
    (folder / "book" / "product.toml").write_text(PRODUCT + 'licence_keys = "list"\n')
    (folder / "book" / "licences.txt").write_text("\x01\n" * 2_000_000)
    said = read_within_limits(folder)
    assert said.count("catalogue/book/licences.txt:") == 20


def test_more_licence_keys_than_any_shop_sells_are_refused(folder: Path) -> None:
    (folder / "book" / "product.toml").write_text(PRODUCT + 'licence_keys = "list"\n')
    (folder / "book" / "licences.txt").write_text("".join(f"{n}\n" for n in range(100_001)))
    assert "has more than 100,000 keys" in read_within_limits(folder)


def test_more_files_in_a_folder_than_a_page_can_show_are_refused(folder: Path) -> None:
    (folder / "book" / "files").mkdir()
    for number in range(1001):
        (folder / "book" / "files" / f"{number}.txt").touch()
    [problem] = problems_of(folder)
    assert "book/product.toml: a product has at most 1000 files" in problem


@pytest.mark.parametrize(
    "text", ["# Title\n\nSome *words* and a [link](https://shop.example).\n\n", "é ✓ `a`\n"]
)
def test_a_long_text_is_rendered_as_a_short_one_is(text: str) -> None:
    long = text * (SHORT // len(text) + 1)
    assert len(long) > SHORT
    plain = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable(["table", "strikethrough"])
    assert render(long).html == plain.render(long)
    assert render(text).html == plain.render(text)


BOMB = PRODUCT + "files = " + "[" * 20_000
BOOK, OTHER = ProductId("book"), ProductId("other")


def named(told: list[str]) -> list[str]:
    return [problem.partition(":")[0] for problem in told]


def test_all_products_stay_on_sale_while_an_edit_of_one_costs_too_much(folder: Path) -> None:
    told: list[str] = []
    catalogue = FolderCatalogue(folder, complain=told.append, shelve=MemoryGoods().shelve)
    (folder / "book" / "product.toml").write_text(BOMB)
    (folder / "other" / "product.toml").write_text(PRODUCT.replace("Book", "Other"))
    asyncio.run(catalogue.refresh())
    asyncio.run(catalogue.refresh())
    assert named(told) == ["catalogue/book/product.toml"], "once"
    assert {p.name for p in catalogue.current().products.values()} == {"Book", "Other"}, (
        "other edits are taken"
    )


@pytest.mark.parametrize("file", ["product.toml", "content.md"])
def test_a_start_with_one_product_that_costs_too_much_sells_the_others(folder: Path, file: str) -> None:
    sound = (folder / "book" / file).read_text()
    (folder / "book" / file).write_text(BOMB if file == "product.toml" else "*a_ " * 200_000)
    told: list[str] = []
    catalogue = FolderCatalogue(folder, complain=told.append, shelve=MemoryGoods().shelve)
    assert set(catalogue.current().products) == {OTHER}
    assert named(told) == named(list(catalogue.problems)) == [f"catalogue/book/{file}"]
    (folder / "book" / file).write_text(sound)
    asyncio.run(catalogue.refresh())
    assert set(catalogue.current().products) == {BOOK, OTHER}
    assert catalogue.problems == ()
