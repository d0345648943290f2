"""The catalogue folder: what is read, what is refused by file and line, and how an edit is picked up."""

from __future__ import annotations

import asyncio
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from adapters.files.catalogue import FolderCatalogue
from adapters.files.reading import CatalogueRefused
from adapters.memory.goods import MemoryGoods
from domain.ports import GoodsUnavailable
from domain.values import Money, ProductId
from testkit.catalogues import look, problems_of
from testkit.servers import BOOK, EXAMPLES, PAPERWORK, Shopper, ShopServer
from testkit.waiting import wait_until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "catalogue"
    (root / "book" / "files").mkdir(parents=True)
    (root / "pages").mkdir()
    (root / "shop.toml").write_text('name = "A shop"\ncurrency = "eur"\nsupport = "help@shop.example"\n')
    (root / "book" / "product.toml").write_text('name = "Book"\nprice = "19.99"\nsummary = "Read it."\n')
    (root / "book" / "content.md").write_text(
        "# Hello\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1))\n"
    )
    (root / "book" / "files" / "a b.txt").write_text("hello")
    (root / "pages" / "terms.md").write_text("# Our terms\n\nBe kind.\n")
    return root


def load(folder: Path) -> FolderCatalogue:
    return FolderCatalogue(folder, complain=lambda _: None, shelve=MemoryGoods().shelve)


def test_a_good_folder_is_read(folder: Path) -> None:
    edition = load(folder).current()
    book = edition.products[ProductId("book")]
    assert (book.name, book.price, [f.name for f in book.files]) == ("Book", Money(1999, "eur"), ["a b.txt"])
    assert (edition.pages["terms"].title, edition.shop.support.canonical) == (
        "Our terms",
        "help@shop.example",
    )


def test_a_price_may_have_as_many_digits_as_stripe_takes_in_its_currency(folder: Path) -> None:
    (folder / "book" / "product.toml").write_text(
        'name = "Book"\nprice = "19.99"\n[prices]\nidr = "1500000"\nkwd = "1.500"\nisk = "500"\nhuf = "175.50"\n'
    )
    prices = load(folder).current().products[ProductId("book")].other_prices
    assert prices == (
        Money(17550, "huf"), Money(150_000_000, "idr"), Money(50000, "isk"), Money(1500, "kwd"),
    )  # fmt: skip


def test_markdown_runs_nothing(folder: Path) -> None:
    html = load(folder).current().products[ProductId("book")].content_html
    assert "<script" not in html
    assert 'href="javascript' not in html


BROKEN = [
    ("shop.toml", 'name = "x"\ncurrency = "euro"\nsupport = "a@x.com"\n', "shop.toml:2: currency"),
    ("shop.toml", 'name = "x"\ncurrency = "eur"\n', "shop.toml: support is missing"),
    ("shop.toml", 'name = "x"\ncurrency = "eur"\nsupport = "nobody"\n', "shop.toml:3: support"),
    (
        "shop.toml",
        'name = "x"\ncurrency = "eur"\nsupport = "a@x.com"\ntagged = 1\n',
        "shop.toml:4: tagged is not a setting",
    ),
    ("book/product.toml", 'name = "x"\nprice = 19.99\n', "product.toml:2: price is written in quotes"),
    ("book/product.toml", 'name = "x"\nprice = "19,99"\n', "product.toml:2: a price is written like 19.99"),
    (
        "book/product.toml",
        'name = "x"\nprice = "0.10"\n',
        "product.toml:2: 0.10 EUR is below Stripe's smallest charge, 0.50 EUR",
    ),
    (
        "book/product.toml",
        'name = "x"\nprice = "1.000"\n',
        "product.toml:2: Stripe charges EUR in steps of 0.01, so '1.000'",
    ),
    (
        "book/product.toml",
        'name = "x"\nprice = "1000000"\n',
        "product.toml:2: 1000000 EUR is above Stripe's greatest charge",
    ),
    *(
        ("book/product.toml", f'name = "x"\nprice = "1"\n[prices]\n{price}\n', f"product.toml:4: {words}")
        for price, words in (
            ('kwd = "1.005"', "Stripe charges KWD in steps of 0.010, so '1.005' cannot be charged"),
            ('isk = "5.50"', "Stripe charges ISK in steps of 1, so '5.50' cannot be charged"),
            ('krw = "49"', "49 KRW is below Stripe's smallest charge, 50 KRW"),
            ('huf = "174"', "174 HUF is below Stripe's smallest charge, 175.00 HUF"),
            ('xyz = "5"', "'xyz' is no currency that Stripe charges: https://docs.stripe.com/currencies"),
        )
    ),
    (
        "shop.toml",
        'name = "x"\ncurrency = "xyz"\nsupport = "a@x.com"\n',
        "shop.toml:2: currency is 'xyz', which Stripe does not",
    ),
    ("book/product.toml", 'name = "x\nprice = "1"\n', "product.toml:1: is not TOML"),
    ("book/product.toml", 'name = "x"\nprice = "1"\ncover = "../up.svg"\n', "product.toml:3: cover"),
    (
        "book/product.toml",
        'name = "x"\nprice = "1"\ncover = "none.svg"\n',
        "product.toml:3: cover 'none.svg' does not lie",
    ),
    (
        "book/product.toml",
        'name = "x"\nprice = "1"\nfiles = ["../../shop.toml"]\n',
        "product.toml:3: files has",
    ),
    (
        "book/product.toml",
        'name = "x"\nprice = "1"\nfiles = ["gone.txt"]\n',
        "product.toml:3: files/gone.txt is not there",
    ),
    (
        "book/product.toml",
        'name = "x"\nprice = "1"\nfiles = [1]\n',
        "files: each value must be str or object, not int",
    ),
    (
        "book/product.toml",
        'name = "x"\nprice = "1"\nprices = { eur = 9.0 }\n',
        "prices: each value must be str",
    ),
    (
        "shop.toml",
        'name = "S"\ncurrency = "usd"\nsupport = "a@b.example"\n[payment]\npromotion_codes = "yes"\n',
        "promotion_codes is true or false, without quotes",
    ),
    (
        "book/product.toml",
        'name = "x"\nprice = "1"\npay_what_you_want = "yes"\n',
        "product.toml:3: pay_what_you_want is true or false, without quotes",
    ),
    (
        "book/product.toml",
        'name = "x"\nprice = "1"\non_sale = false\n',
        'product.toml:3: on_sale is no longer a setting: write status = "retired" to end the sale',
    ),
    (
        "book/product.toml",
        'name = "x"\nprice = "1"\nstatus = "sold"\n',
        'product.toml:3: status is one of "draft", "unlisted", "on_sale", "retired", not \'sold\'',
    ),
    *(
        (
            "book/product.toml",
            f'name = "x"\nprice = "1"\navailable_from = {moment}\n',
            f"product.toml:3: {words}",
        )
        for moment, words in (
            ("2026-12-24T18:00:00", "available_from has no time zone: write 2026-12-24T18:00:00Z for UTC"),
            ("2026-12-24 18:00:00", "available_from has no time zone: write 2026-12-24T18:00:00Z for UTC"),
            ("2026-12-24", "available_from is a day without a time: write 2026-12-24T00:00:00Z"),
            ('"2026-12-24T18:00:00Z"', "available_from is written without quotes: 2026-12-24T18:00:00Z"),
            ("18:00:00", "available_from is a date and time with a time zone, such as 2026-12-24T18:00:00Z"),
            ("2026", "available_from is a date and time with a time zone, such as 2026-12-24T18:00:00Z"),
            ("0001-01-01T00:00:00+01:00", "available_from is outside the years 1 to 9999"),
            ("2026-02-30T00:00:00Z", "is not TOML"),
        )
    ),
    (
        "book/product.toml",
        'name = "x"\nprice = "1"\nstatus = false\n',
        'product.toml:3: status is text in quotes: status = "…"',
    ),
    ("book/content.md", b"fine\n\xff\n", "content.md:2: is not UTF-8"),
    ("book/content.md", None, "content.md: is missing"),
    (
        "book/product.toml",
        'name = "=?utf-8?q?=0ABcc: thief@x.com?="\nprice = "1"\n',
        'book/product.toml:1: name has "=?" in it',
    ),
    (
        "book/product.toml",
        'price = "1"\nname = "A\\nB"\n',
        "book/product.toml:2: name has a control character",
    ),
    (
        "book/product.toml",
        'name = "A\u2028B"\nprice = "1"\n',
        "book/product.toml:1: name has a control character",
    ),
    (
        "book/product.toml",
        'name = "A\\u0085B"\nprice = "1"\n',
        "book/product.toml:1: name has a control character",
    ),
    (
        "book/product.toml",
        'name = "x"\nprice = "1"\nfiles = [{ name = "a b.txt", title = "A\\rB" }]\n',
        "book/product.toml:3: the title of files/a b.txt has a control character",
    ),
    (
        "shop.toml",
        'name = "=?utf-8?q?=0A?="\ncurrency = "eur"\nsupport = "a@x.com"\n',
        'shop.toml:1: name has "=?" in it',
    ),
    (
        "shop.toml",
        'name = "x"\ntagline = "A\\u2029B"\ncurrency = "eur"\nsupport = "a@x.com"\n',
        "shop.toml:2: tagline has a control character",
    ),
    (
        "pages/terms.md",
        "# Our =?utf-8?q?=0A?= terms\n",
        'pages/terms.md:1: the title (its first heading) has "=?"',
    ),
    ("pages/terms.md", "# Our\x0bterms\n", "pages/terms.md:1: the title (its first heading) has a control"),
    ("Bad Name/product.toml", 'name = "x"\nprice = "1"\n', "Bad Name: a product's folder is named"),
]


@pytest.mark.parametrize(("file", "content", "complaint"), BROKEN)
def test_a_broken_file_is_refused_by_name_and_line(
    folder: Path, file: str, content: str | bytes | None, complaint: str
) -> None:
    path = folder / file
    path.parent.mkdir(exist_ok=True)
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    [problem] = problems_of(folder)
    assert complaint in problem


def test_every_problem_is_told_at_once(folder: Path) -> None:
    (folder / "shop.toml").unlink()
    (folder / "book" / "content.md").unlink()
    with pytest.raises(CatalogueRefused) as refused:
        load(folder)
    assert len(refused.value.problems) == 2


def test_a_broken_edit_is_told_once_and_the_last_good_edition_goes_on(folder: Path) -> None:
    told: list[str] = []
    catalogue = FolderCatalogue(folder, complain=told.append, shelve=MemoryGoods().shelve)
    catalogue.adopt("shop-1")
    product = folder / "book" / "product.toml"
    good = product.read_text()
    product.write_text("name = \n")
    look(catalogue, times=3)
    assert len(told) == 1
    assert "product.toml:1" in told[0]
    assert catalogue.current().products[ProductId("book")].name == "Book"
    product.write_text(good.replace("Book", "Better book"))
    asyncio.run(catalogue.refresh())
    assert catalogue.current().products[ProductId("book")].name == "Better book"
    assert catalogue.current().shop.id == "shop-1"


# ------------------------------------------------------------------ goods


class Shelf:
    """Goods that note what is taken in, and fail when they are told to."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.failing: Exception | None = None
        self._goods = MemoryGoods()

    def __call__(self, path: Path) -> tuple[str, int]:
        self.taken.append(path.name)
        if self.failing is not None:
            raise self.failing
        return self._goods.shelve(path)


def files(catalogue: FolderCatalogue) -> list[tuple[str, int, str]]:
    return [(f.name, f.size, f.sha256[:8]) for f in catalogue.current().products[ProductId("book")].files]


def test_every_file_of_an_edition_is_taken_in_before_it_goes_live(folder: Path) -> None:
    shelf = Shelf()
    catalogue = FolderCatalogue(folder, complain=lambda _: None, shelve=shelf)
    assert shelf.taken == ["a b.txt"]
    assert files(catalogue) == [("a b.txt", 5, sha256(b"hello").hexdigest()[:8])]
    (folder / "book" / "files" / "new.txt").write_text("new")
    look(catalogue, times=2)
    assert shelf.taken == ["a b.txt", "a b.txt", "new.txt"]
    assert [name for name, _, _ in files(catalogue)] == ["a b.txt", "new.txt"]


def test_a_file_that_is_being_copied_is_left_alone_until_it_stands_still(folder: Path) -> None:
    shelf = Shelf()
    catalogue = FolderCatalogue(folder, complain=lambda _: None, shelve=shelf)
    shelf.taken.clear()
    growing = folder / "book" / "files" / "large.zip"
    for size in range(1, 6):
        growing.write_bytes(b"x" * size)
        look(catalogue)
    assert shelf.taken == []
    look(catalogue)
    assert files(catalogue)[1][:2] == ("large.zip", 5)


def test_an_edit_of_a_text_does_not_wait(folder: Path) -> None:
    catalogue = load(folder)
    (folder / "pages" / "terms.md").write_text("# Newer terms\n")
    look(catalogue)
    assert catalogue.current().pages["terms"].title == "Newer terms"


@pytest.mark.parametrize(
    ("failing", "words"),
    [
        (OSError(28, "No space left on device"), "cannot be taken in: No space left on device"),
        (PermissionError(13, "Permission denied"), "cannot be taken in: Permission denied"),
        (GoodsUnavailable("the bucket is away"), "cannot be taken in: the bucket is away"),
    ],
)
def test_a_file_that_cannot_be_taken_in_is_named_once_and_tried_again(
    folder: Path, failing: Exception, words: str
) -> None:
    shelf, told = Shelf(), list[str]()
    catalogue = FolderCatalogue(folder, complain=told.append, shelve=shelf)
    before = files(catalogue)
    (folder / "book" / "files" / "a b.txt").write_text("hello again")
    shelf.failing = failing
    look(catalogue, times=200)
    assert told == [f"catalogue/book/files/a b.txt: {words}"]
    assert files(catalogue) == before, "its owners go on with the last good form"
    assert 3 < len(shelf.taken) < 10, "now and then, not at every look"
    shelf.failing = None
    look(catalogue, times=40)
    assert files(catalogue)[0][1] == 11
    shelf.failing = failing
    assert [*FolderCatalogue(folder, complain=told.append, shelve=shelf).problems] == told[:1]


def test_a_storage_that_is_away_is_asked_once_and_complained_of_once_a_product(folder: Path) -> None:
    for name in ("another.txt", "third.txt"):
        (folder / "book" / "files" / name).write_text("x")
    shelf = Shelf()
    shelf.failing = GoodsUnavailable("the bucket is away")
    shutil.copytree(folder / "book", folder / "other")
    catalogue = FolderCatalogue(folder, complain=lambda _: None, shelve=shelf)
    assert [problem.partition(":")[0] for problem in catalogue.problems] == [
        "catalogue/book/files/a b.txt",
        "catalogue/other/files/a b.txt",
    ]
    assert (catalogue.current().products, len(shelf.taken)) == ({}, 1)


def test_of_a_broken_product_nothing_is_taken_in(folder: Path) -> None:
    (folder / "book" / "product.toml").write_text('name = "Book"\n')
    shelf = Shelf()
    assert FolderCatalogue(folder, complain=lambda _: None, shelve=shelf).current().products == {}
    assert shelf.taken == []


def test_a_running_shop_follows_an_edit(own_shop: ShopServer) -> None:
    product = own_shop.catalogue / BOOK / "product.toml"
    product.write_text(product.read_text().replace("The Last Cloakroom", "The First Cloakroom"))
    shopper = Shopper(own_shop)
    wait_until(lambda: "The First Cloakroom" in shopper.get("/").text)
    assert "The First Cloakroom" in shopper.get(f"/products/{BOOK}").text
    shutil.rmtree(own_shop.catalogue / PAPERWORK)
    wait_until(lambda: shopper.get(f"/products/{PAPERWORK}").status_code == 404)
    product.write_text("broken")
    wait_until(lambda: "product.toml:1" in own_shop.log.read_text())
    assert "The First Cloakroom" in shopper.get("/").text


def test_the_examples_that_ship_are_good() -> None:
    edition = load(EXAMPLES).current()
    assert len(edition.products) == 3
    assert set(edition.pages) == {"terms", "privacy", "refunds"}
    for product in edition.products.values():
        assert len(product.content_html) > 500
        assert product.files
        assert product.cover
