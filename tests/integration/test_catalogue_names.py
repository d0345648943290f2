"""Names in the catalogue folder: none stops the shop, and each that can be shown is offered as it is."""

from __future__ import annotations

import os
import unicodedata
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import pytest

from domain.values import ProductId
from testkit.catalogues import a_catalogue, load, look
from testkit.servers import PAPERWORK, Shopper, ShopServer
from testkit.waiting import wait_until

COMPOSED = "caf\u00e9.txt"
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)
SCREENSHOT = "Screenshot 2026-03-03 at 9.41\u202fAM.png"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467.png"
BAD = b"caf\xe9"
"""Latin-1: no UTF-8."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return a_catalogue(tmp_path / "catalogue", "book", "other")


def put(path: bytes) -> None:
    file = Path(os.fsdecode(path))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x")


def file_names(root: Path) -> list[str]:
    return [file.name for file in load(root).current().products[ProductId("book")].files]


# ------------------------------------------------------------------ what nobody sells

ANYWHERE = [
    b"/.git/objects/" + BAD, b"/" + BAD, b"/" + BAD + b"/x", b"/book/" + BAD, b"/book/.cache/" + BAD,
    b"/book/files/" + BAD + b".txt", b"/book/files/" + BAD + b"/x", b"/pages/" + BAD + b".md", b"/pages/" + BAD,
    b"/_drafts/" + BAD,
]  # fmt: skip


@pytest.mark.parametrize("where", ANYWHERE)
def test_a_name_that_is_no_utf8_stops_nothing(root: Path, where: bytes) -> None:
    running = load(root)
    put(os.fsencode(root) + where)
    look(running, times=3)
    for catalogue in (running, load(root)):
        edition = catalogue.current()
        assert [product.id for product in edition.products.values() if product.on_sale] == ["book", "other"]
        assert [file.name for file in edition.products[ProductId("book")].files] == ["a.txt"]
        assert list(edition.pages) == ["terms"]


NO_PRODUCTS = (
    "lost+found", "#recycle", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "#snapshot", ".Trash-1000", "~tmp",
    "New folder",
)  # fmt: skip


@pytest.mark.parametrize("folder", NO_PRODUCTS)
def test_folders_of_storage_systems_and_empty_ones_are_ignored(root: Path, folder: str) -> None:
    (root / folder).mkdir()
    if folder != "New folder":
        (root / folder / "something").write_text("of the system")
    catalogue = load(root)
    assert (list(catalogue.current().products), catalogue.problems, catalogue.warnings) == (
        ["book", "other"], (), (),
    )  # fmt: skip


@pytest.mark.parametrize("folder", ["drafts", "My Drafts"])
def test_a_folder_that_is_no_product_is_warned_of(root: Path, folder: str) -> None:
    (root / folder).mkdir()
    (root / folder / "content.md").write_text("Some day.")
    catalogue = load(root)
    assert (list(catalogue.current().products), catalogue.problems) == (["book", "other"], ())
    assert [words.partition(",")[0] for words in catalogue.warnings] == [f"catalogue/{folder}: is no product"]


def test_a_product_whose_folder_cannot_be_an_id_is_reported_and_holds_nothing_back(root: Path) -> None:
    (root / "My Book").mkdir()
    (root / "My Book" / "product.toml").write_text('name = "x"\nprice = "1"\n')
    catalogue = load(root)
    assert list(catalogue.current().products) == ["book", "other"]
    assert [words.partition(" is named")[0] for words in catalogue.problems] == [
        "catalogue/My Book: a product's folder"
    ]


def test_a_page_whose_name_cannot_be_in_an_address_is_reported_and_holds_nothing_back(root: Path) -> None:
    (root / "pages" / "Our Imprint.md").write_text("# Imprint\n")
    catalogue = load(root)
    assert (list(catalogue.current().pages), len(catalogue.current().present)) == (["terms"], 2)
    assert [words.partition(" is named")[0] for words in catalogue.problems] == [
        "catalogue/pages/Our Imprint.md: a page's file"
    ]


@pytest.mark.parametrize("name", ["._terms.md", ".terms.md.swp", "~$terms.md"])
def test_what_an_editor_leaves_beside_a_page_is_no_page(root: Path, name: str) -> None:
    (root / "pages" / name).write_bytes(b"\x00\xff")
    catalogue = load(root)
    assert (list(catalogue.current().pages), catalogue.problems) == (["terms"], ())


# ------------------------------------------------------------------ files of a product


@pytest.mark.parametrize(
    "name", [SCREENSHOT, FAMILY, "\u05e9\u200f.pdf", "a\u00a0b.txt", "50 % & more?.txt", "\ufeffbom.txt"]
)
def test_an_unusual_character_in_the_name_of_a_file_is_offered_as_it_is(root: Path, name: str) -> None:
    (root / "book" / "files" / name).write_text("x")
    assert sorted(file_names(root)) == sorted(["a.txt", name])
    (root / "book" / "product.toml").write_text(f'name = "x"\nprice = "1"\nfiles = ["{name}"]\n')
    assert file_names(root) == [name]


@pytest.mark.parametrize("name", ["a\nb.txt", "a\x1bb.txt", "a\u2028b.txt", "gpj.\u202eexe", "a\\b.txt"])
def test_a_name_that_no_page_can_show_holds_back_that_file_alone(root: Path, name: str) -> None:
    (root / "book" / "files" / name).write_text("x")
    catalogue = load(root)
    assert file_names(root) == ["a.txt"]
    assert catalogue.problems == ()
    [words] = catalogue.warnings
    assert words.endswith("has a name that no page can show, so it is not offered: rename it")


@pytest.mark.parametrize(
    ("on_disk", "written"), [(DECOMPOSED, COMPOSED), (COMPOSED, DECOMPOSED), (DECOMPOSED, DECOMPOSED)]
)
def test_composed_and_decomposed_names_match(root: Path, on_disk: str, written: str) -> None:
    (root / "book" / "files" / on_disk).write_text("x")
    (root / "book" / on_disk.replace("txt", "svg")).write_text("<svg/>")
    listed = (
        f'files = [{{ name = "{written}", title = "Menu" }}]\ncover = "{written.replace("txt", "svg")}"\n'
    )
    (root / "book" / "product.toml").write_text(f'name = "x"\nprice = "1"\n{listed}')
    catalogue = load(root)
    book = catalogue.current().products[ProductId("book")]
    assert [(file.name, file.title, file.size) for file in book.files] == [(COMPOSED, "Menu", 1)]
    assert book.file(DECOMPOSED) == book.file(COMPOSED) == book.files[0]
    assert catalogue.cover(ProductId("book")) == (b"<svg/>", "image/svg+xml")


def test_of_two_files_with_the_same_name_in_both_forms_one_is_offered_and_the_other_named(root: Path) -> None:
    for number, name in enumerate((DECOMPOSED, COMPOSED)):
        (root / "book" / "files" / name).write_text(str(number))
    catalogue = load(root)
    book = catalogue.current().products[ProductId("book")]
    assert [(file.name, file.sha256) for file in book.files][1:] == [(COMPOSED, sha256(b"0").hexdigest())]
    [words] = catalogue.warnings
    assert "has the same name as another file" in words


LITTER = ("Thumbs.db", "thumbs.db", "desktop.ini", ".DS_Store", "._a.txt", "~$a.docx", "a.txt~", "Icon\r")


@pytest.mark.parametrize("name", LITTER)
def test_what_a_desktop_leaves_behind_is_not_for_sale_unless_it_is_listed(root: Path, name: str) -> None:
    (root / "book" / "files" / name).write_text("x")
    assert (file_names(root), load(root).warnings) == (["a.txt"], ())
    if name.isprintable():
        (root / "book" / "product.toml").write_text(f'name = "x"\nprice = "1"\nfiles = ["{name}"]\n')
        assert file_names(root) == [name]


def test_a_folder_in_files_is_warned_of(root: Path) -> None:
    for folder in ("extra", "@eaDir", ".cache"):
        (root / "book" / "files" / folder).mkdir()
        (root / "book" / "files" / folder / "b.txt").write_text("x")
    catalogue = load(root)
    [words] = catalogue.warnings
    assert words.startswith("catalogue/book/files/extra: is a folder: what is in it is not offered")
    assert catalogue.problems == ()


# ------------------------------------------------------------------ over HTTP


@pytest.mark.long
def test_files_of_unusual_names_reach_their_owner_and_what_is_ignored_stops_no_restart(
    own_shop: ShopServer,
) -> None:
    files = own_shop.catalogue / PAPERWORK / "files"
    for name in (SCREENSHOT, FAMILY, DECOMPOSED, "Thumbs.db"):
        (files / name).write_text(f"in {name}")
    (own_shop.catalogue / PAPERWORK / "product.toml").write_text('name = "Forms"\nprice = "5.00"\n')
    root = os.fsencode(own_shop.catalogue)
    put(root + b"/.git/" + BAD)
    put(root + b"/" + os.fsencode(PAPERWORK) + b"/files/" + BAD)
    for folder in ("lost+found", "#recycle"):
        (own_shop.catalogue / folder).mkdir()
    anna = Shopper(own_shop)
    anna.buy_and_pay("anna@example.com", PAPERWORK)

    def holds() -> None:
        for name, on_disk in (
            (SCREENSHOT, SCREENSHOT),
            (FAMILY, FAMILY),
            (COMPOSED, DECOMPOSED),
            (DECOMPOSED, DECOMPOSED),
        ):
            answer = anna.get(f"/files/{PAPERWORK}/{quote(name)}")
            assert (answer.status_code, answer.text) == (200, f"in {on_disk}")
            named = answer.headers["content-disposition"].partition("filename*=UTF-8''")[2]
            assert named == quote(unicodedata.normalize("NFC", name), safe=named)
        assert "Thumbs.db" not in anna.get(f"/view/{PAPERWORK}").text

    wait_until(lambda: "Screenshot" in anna.get(f"/view/{PAPERWORK}").text)
    holds()
    own_shop.process.stop()
    own_shop.start()
    holds()
    doctor = own_shop.cli("doctor").stdout
    assert (
        f" !  catalogue: catalogue/{PAPERWORK}/files/caf\N{REPLACEMENT CHARACTER}: has a name that no page"
        in doctor
    )
    assert "Nothing is waiting for you." in own_shop.cli("status").stdout
