"""Symbolic links and special files in the catalogue: only what really lies in it is ever read."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import stat
from pathlib import Path

import pytest

from adapters.files.catalogue import FolderCatalogue
from adapters.files.goods import FolderGoods
from adapters.files.inside import NotInside, _open, open_inside
from adapters.memory.goods import MemoryGoods
from domain.values import ProductId
from testkit.catalogues import problems_of
from testkit.servers import BOOK, Shopper, ShopServer
from testkit.waiting import wait_until

SECRET = "sk_live_this_is_nobodys_business"
SHOP = 'name = "A shop"\ncurrency = "eur"\nsupport = "help@shop.example"\n'
PRODUCT = 'name = "Book"\nprice = "19.99"\ncover = "cover.svg"\nlicence_keys = "list"\n'
READ = (
    "shop.toml",
    "pages/terms.md",
    "book/product.toml",
    "book/about.md",
    "book/content.md",
    "book/cover.svg",
    "book/licences.txt",
    "book/files/a.txt",
)


def a_product(folder: Path, name: str = "Book") -> None:
    (folder / "files").mkdir(parents=True)
    (folder / "product.toml").write_text(PRODUCT.replace("Book", name))
    for text in ("about.md", "content.md", "cover.svg", "licences.txt", "files/a.txt"):
        (folder / text).write_text(f"of {name}")


def a_catalogue(root: Path, name: str = "Book") -> None:
    a_product(root / "book", name)
    (root / "pages").mkdir()
    (root / "pages" / "terms.md").write_text("# Our terms\n")
    (root / "shop.toml").write_text(SHOP)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "catalogue"
    a_catalogue(root)
    (tmp_path / ".env").write_text(SECRET)
    return root


def load(folder: Path) -> FolderCatalogue:
    return FolderCatalogue(folder, complain=lambda _: None, shelve=MemoryGoods().shelve)


def refused(folder: Path) -> str:
    return "\n".join(problems_of(folder))


def name_in(catalogue: FolderCatalogue) -> str:
    return catalogue.current().products[ProductId("book")].name


# ------------------------------------------------------------------ what leads out


@pytest.mark.parametrize("file", READ)
def test_a_file_that_is_a_link_to_the_outside_is_refused_by_name(folder: Path, file: str) -> None:
    outside = folder.parent / "outside"
    (folder / file).rename(outside)
    (folder / file).symlink_to(os.path.relpath(outside, (folder / file).parent))
    assert f"catalogue/{file}: cannot be read: it is a symbolic link to a place outside" in refused(folder)


SIDEWAYS = ("product.toml", "about.md", "content.md", "cover.svg", "licences.txt", "files/a.txt")


@pytest.mark.parametrize("target", ["..", "../deploy"])
@pytest.mark.parametrize("file", SIDEWAYS)
def test_a_product_that_is_a_link_to_a_private_folder_publishes_no_file_of_another_name(
    folder: Path, target: str, file: str
) -> None:
    """Git keeps both links: the product leads to where the keys are, and in there a file of a product's name to them."""
    private = (folder / target).resolve()
    a_product(private, "Evil")
    (private / ".env").write_text(f"# {SECRET}")
    (private / file).unlink()
    (private / file).symlink_to(private / ".env")
    (folder / "evil").symlink_to(target)
    words = refused(folder)
    assert re.search(rf"evil/{file}: cannot be read: .* under another name", words)
    assert SECRET not in words
    with pytest.raises(NotInside):
        open_inside(folder / "evil", folder / "evil" / file)


@pytest.mark.parametrize("inner", ["pages", "book/files"])
def test_a_folder_inside_that_is_a_link_to_the_outside_is_refused_by_name(folder: Path, inner: str) -> None:
    (folder / inner).rename(folder.parent / "outside")
    (folder / inner).symlink_to(folder.parent / "outside")
    words = refused(folder)
    assert (
        words
        == f"catalogue/{inner}: cannot be read: it is a symbolic link to a place outside its folder: put a copy here instead"
    )


def test_one_product_does_not_publish_what_another_sells(folder: Path) -> None:
    a_product(folder / "free")
    (folder / "free" / "about.md").unlink()
    (folder / "free" / "about.md").symlink_to("../book/content.md")
    assert "catalogue/free/about.md: cannot be read" in refused(folder)


def test_a_file_listed_by_name_is_judged_like_one_that_is_found(folder: Path) -> None:
    (folder / "book" / "product.toml").write_text(PRODUCT + 'files = ["a.txt", "env.txt"]\n')
    (folder / "book" / "files" / "env.txt").symlink_to("../../../.env")
    assert "catalogue/book/files/env.txt: cannot be read" in refused(folder)


# ------------------------------------------------------------------ what is no file


@pytest.mark.parametrize("file", READ)
@pytest.mark.parametrize("kind", ["fifo", "socket", "device", "loop", "dangling", "folder"])
def test_what_is_no_regular_file_is_refused_by_name_and_nothing_waits(
    folder: Path, file: str, kind: str
) -> None:
    path = folder / file
    path.unlink()
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "socket":
            os.mknod(path, stat.S_IFSOCK | 0o600)
        case "device":
            path.symlink_to("/dev/zero")
        case "loop":
            path.symlink_to(path.name)
        case "dangling":
            path.symlink_to("nothing")
        case "folder":
            path.mkdir()
    if (file, kind) == ("book/files/a.txt", "folder"):
        assert load(folder).current().products[ProductId("book")].files == ()  # sub-folders are left alone
    else:
        assert f"catalogue/{file}: cannot be read: it is " in refused(folder)


@pytest.mark.parametrize("swapped", ["book", "book/files", "book/files/a.txt"])
def test_a_link_that_is_put_in_place_after_the_real_path_was_found_is_not_followed(
    folder: Path, swapped: str
) -> None:
    real = (folder / "book" / "files" / "a.txt").resolve()
    with open_inside(folder, real) as file:
        assert file.read() == b"of Book"
    (folder / swapped).rename(folder.parent / "moved")
    (folder / swapped).symlink_to(folder.parent / "moved")
    with pytest.raises(NotInside):
        _open(folder, real.relative_to(folder).parts)


def test_goods_do_not_take_in_what_became_a_link_since_it_was_listed(folder: Path) -> None:
    goods = FolderGoods(folder.parent / "goods")
    path = folder / "book" / "files" / "a.txt"
    path.unlink()
    path.symlink_to(folder.parent / ".env")
    with pytest.raises(NotInside):
        goods.shelve(path)
    assert list(goods.blobs()) == []


# ------------------------------------------------------------------ what stays allowed


def test_the_catalogue_and_its_products_may_be_links_and_edits_in_them_are_seen(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "book").rename(tmp_path / "elsewhere")
    (folder / "book").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "linked").symlink_to(folder)
    catalogue = load(tmp_path / "linked")
    assert name_in(catalogue) == "Book"
    product = tmp_path / "elsewhere" / "product.toml"
    product.write_text(PRODUCT.replace("Book", "Better book"))
    asyncio.run(catalogue.refresh())
    assert name_in(catalogue) == "Better book"


def test_links_within_a_product_are_followed(folder: Path) -> None:
    (folder / "book" / "cover.svg").rename(folder / "book" / "files" / "cover.svg")
    (folder / "book" / "cover.svg").symlink_to("files/cover.svg")
    assert load(folder).cover(ProductId("book")) == (b"of Book", "image/svg+xml")


def mounted(root: Path, version: str, name: str) -> None:
    """What Kubernetes makes of a volume: the data in a folder of its own, `..data` a link to it, swapped at once."""
    if root.name == "book":
        a_product(root / version, name)
    else:
        a_catalogue(root / version, name)
    (root / "..data_tmp").symlink_to(version)
    (root / "..data_tmp").rename(root / "..data")
    for entry in (root / version).iterdir():
        if not (root / entry.name).is_symlink():
            (root / entry.name).symlink_to(Path("..data") / entry.name)


@pytest.mark.parametrize("what", ["catalogue", "product", "product elsewhere"])
def test_a_kubernetes_volume_is_read_and_its_updates_are_seen(folder: Path, what: str) -> None:
    root = folder if what == "catalogue" else folder / "book"
    shutil.rmtree(root)
    if what == "product elsewhere":
        elsewhere = folder.parent / "volume" / "book"
        root.symlink_to(elsewhere)
        root = elsewhere
    mounted(root, "..2026_11_28_1", "Book")
    catalogue = load(folder)
    assert name_in(catalogue) == "Book"
    assert [file.name for file in catalogue.current().products[ProductId("book")].files] == ["a.txt"]
    mounted(root, "..2026_11_28_2", "Second book")
    shutil.rmtree(root / "..2026_11_28_1")
    for _ in range(2):  # files are new, too: they must have stood still
        asyncio.run(catalogue.refresh())
    assert name_in(catalogue) == "Second book"


# ------------------------------------------------------------------ over HTTP


def until_logged(shop: ShopServer, words: str) -> None:
    wait_until(lambda: words in shop.log.read_text())


@pytest.mark.long
def test_a_running_shop_serves_no_linked_file_and_a_starting_one_names_it(own_shop: ShopServer) -> None:
    product = own_shop.catalogue / BOOK
    (own_shop.folder / ".env").write_text(SECRET)
    shopper = Shopper(own_shop)
    cover = shopper.get(f"/covers/{BOOK}/cover.svg").content
    (product / "cover.svg").unlink()
    (product / "cover.svg").symlink_to("../../.env")
    (product / "about.md").unlink()
    (product / "about.md").symlink_to("/proc/self/environ")
    until_logged(own_shop, f"{BOOK}/cover.svg: cannot be read: it is a symbolic link to a place outside")
    until_logged(own_shop, f"{BOOK}/about.md: cannot be read: it is a symbolic link to a place outside")
    page = shopper.get(f"/products/{BOOK}").text
    assert "sk_test_ofthetests" not in page
    assert shopper.get(f"/covers/{BOOK}/cover.svg").content == cover
    own_shop.process.stop()
    said = own_shop.cli("doctor", check=False).stdout
    for file in ("cover.svg", "about.md"):
        assert f"{BOOK}/{file}: cannot be read: it is a symbolic link to a place outside" in said
    own_shop.start()
    again = shopper.get(f"/products/{BOOK}").text
    assert "Not for sale at the moment" in again
    assert shopper.get(f"/covers/{BOOK}/cover.svg").content == cover
    log = own_shop.log.read_text()
    assert log.count(f"{BOOK}/about.md: cannot be read") == 2, "once for each start"
    assert "Traceback" not in log
    assert SECRET not in log + said + again
