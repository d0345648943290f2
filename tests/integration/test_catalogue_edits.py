"""Every edit is taken: behind links, without a new size or time, and after a file could not be read for a moment."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path

import pytest

from adapters.files.catalogue import FolderCatalogue
from adapters.files.inside import open_inside
from domain.values import ProductId
from testkit.catalogues import a_catalogue, load, look

MOMENT = 1_700_000_000_000_000_000
NOBODY = 65_534


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return a_catalogue(tmp_path / "catalogue", "book", "other")


def name_of(catalogue: FolderCatalogue) -> str:
    return catalogue.current().products[ProductId("book")].name


def content_of(catalogue: FolderCatalogue) -> str:
    return catalogue.current().products[ProductId("book")].content_html


def a_release(folder: Path, name: str, of: Path) -> None:
    """A product with a name of four letters: all releases have the same sizes and times, as rsync and git leave them."""
    shutil.copytree(of, folder)
    (folder / "product.toml").write_text(f'name = "{name}"\nprice = "19.99"\n')
    for file in folder.rglob("*"):
        os.utime(file, ns=(MOMENT, MOMENT))


def point(link: Path, target: str | Path) -> None:
    """As deployments do it: the link is swapped at once."""
    new = link.with_name(f"{link.name}_tmp")
    new.symlink_to(target)
    new.rename(link)


# ------------------------------------------------------------------ links


def test_a_product_folder_that_is_a_link_is_followed_when_it_is_swapped(root: Path, tmp_path: Path) -> None:
    for name in ("Four", "Five"):
        a_release(tmp_path / "dropbox" / name, name, of=root / "book")
    shutil.rmtree(root / "book")
    point(root / "book", tmp_path / "dropbox" / "Four")
    catalogue = load(root)
    assert name_of(catalogue) == "Four"
    point(root / "book", tmp_path / "dropbox" / "Five")
    look(catalogue, times=2)
    assert name_of(catalogue) == "Five"


@pytest.mark.parametrize("where", ["in the product", "in a mount elsewhere"])
def test_a_product_of_links_to_data_is_followed_when_data_is_swapped(
    root: Path, tmp_path: Path, where: str
) -> None:
    volume = root / "book" if where == "in the product" else tmp_path / "mount"
    for name in ("Four", "Five"):
        a_release(volume / f"..{name}", name, of=root / "other")
    for entry in tuple((root / "book").iterdir()):
        if not entry.name.startswith(".."):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            entry.symlink_to(Path("..data") / entry.name)
    data = root / "book" / "..data"
    point(data, volume / "..Four")
    catalogue = load(root)
    assert (name_of(catalogue), catalogue.problems) == ("Four", ())
    assert [file.name for file in catalogue.current().products[ProductId("book")].files] == ["a.txt"]
    point(data, volume / "..Five")
    look(catalogue, times=2)
    assert (name_of(catalogue), catalogue.problems) == ("Five", ())


def test_a_file_that_is_edited_behind_its_link_is_taken(root: Path, tmp_path: Path) -> None:
    """A mount that is written to in place: no link and no folder of the catalogue changes."""
    volume, data = tmp_path / "mount", Path("..data")
    a_release(volume, "Four", of=root / "other")
    for entry in tuple((root / "book").iterdir()):
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        entry.symlink_to(data / entry.name)
    point(root / "book" / data, volume)
    catalogue = load(root)
    assert name_of(catalogue) == "Four"
    (volume / "product.toml").write_text('name = "Fifth"\nprice = "19.99"\n')
    look(catalogue)
    assert (name_of(catalogue), catalogue.problems) == ("Fifth", ())


def test_a_catalogue_of_links_to_data_in_a_mount_elsewhere_is_read(root: Path, tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    root.rename(mount)
    root.mkdir()
    point(root / "..data", mount)
    for entry in mount.iterdir():
        (root / entry.name).symlink_to(Path("..data") / entry.name)
    catalogue = load(root)
    assert (list(catalogue.current().products), catalogue.problems) == (["book", "other"], ())
    assert list(catalogue.current().pages) == ["terms"]


@pytest.mark.parametrize(
    "target", ["../../.env", "..data/../.env", "..data/secret.md", "..data/files/content.md"]
)
def test_a_link_through_data_reaches_no_file_of_another_name(root: Path, tmp_path: Path, target: str) -> None:
    """Git keeps links: `..data` may lead to where the keys are."""
    mount = tmp_path / "mount"
    shutil.copytree(root / "other", mount)
    for private in (tmp_path / ".env", mount / "secret.md", mount / "files" / "content.md"):
        private.write_text("SECRET")
    shutil.rmtree(root / "book")
    (root / "book").mkdir()
    (root / "book" / "..data").symlink_to(mount)
    (root / "book" / "product.toml").symlink_to("..data/product.toml")
    (root / "book" / "content.md").symlink_to(target)
    catalogue = load(root)
    assert ProductId("book") not in catalogue.current().products
    assert [words.partition(": put")[0] for words in catalogue.problems] == [
        "catalogue/book/content.md: cannot be read: it is a symbolic link to a place outside its folder"
    ]


def test_a_cover_beside_a_product_that_is_a_link_is_found_in_either_form_of_its_name(
    root: Path, tmp_path: Path
) -> None:
    (root / "book").rename(tmp_path / "elsewhere")
    (root / "book").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "cafe\u0301.svg").write_text("<svg/>")
    (root / "book" / "product.toml").write_text('name = "x"\nprice = "1"\ncover = "caf\u00e9.svg"\n')
    catalogue = load(root)
    assert (catalogue.problems, catalogue.cover(ProductId("book"))) == ((), (b"<svg/>", "image/svg+xml"))


# ------------------------------------------------------------------ neither a new size nor a new time


def test_an_edit_that_keeps_size_and_time_is_taken(root: Path) -> None:
    toml = root / "book" / "product.toml"
    os.utime(toml, ns=(MOMENT, MOMENT))
    catalogue = load(root)
    toml.write_text(toml.read_text().replace("The book", "Der Buch"))
    os.utime(toml, ns=(MOMENT, MOMENT))
    look(catalogue)
    assert name_of(catalogue) == "Der Buch"


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Permissions hold nobody back who is root."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_root() -> Iterator[Path]:
    """A catalogue that everybody may read."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield a_catalogue(Path(folder) / "catalogue", "book", "other")


UNREADABLE = (
    "book/content.md",
    "book/product.toml",
    "book/files",
    "book/files/a.txt",
    "book",
    "pages",
    "shop.toml",
    "",
)


@pytest.mark.parametrize("what", UNREADABLE)
@pytest.mark.parametrize("looks", [1, 3])
def test_what_cannot_be_read_for_a_moment_is_read_once_it_can_be(
    open_root: Path, what: str, looks: int
) -> None:
    told: list[str] = []
    catalogue, path = load(open_root, told=told), open_root / what
    mode = path.stat().st_mode
    (open_root / "other" / "content.md").write_text("Newer.\n")
    path.chmod(0)
    with as_nobody():
        look(catalogue, times=looks)
    path.chmod(mode)
    with as_nobody():
        look(catalogue, times=3)
    assert [product.on_sale for product in catalogue.current().present] == [True, True]
    assert catalogue.current().products[ProductId("other")].content_html == "<p>Newer.</p>\n"
    assert (catalogue.problems, catalogue.current().pages["terms"].title) == ((), "Our terms")
    assert [": cannot be read: Permission denied" in line for line in told] == [True] * len(told)
    assert bool(told) == (looks == 3), "a moment is not worth a line"


def test_a_file_of_a_drive_that_fails_for_a_moment_is_read_later_although_nothing_in_it_changed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network drive: neither time nor size of the file says that it can be read again."""

    def fails(_folder: Path, path: Path) -> BufferedReader:
        if path.name == "content.md":
            raise OSError(errno.EIO, "Input/output error")
        return open_inside(_folder, path)

    catalogue = load(root)
    with monkeypatch.context() as away:
        away.setattr("adapters.files.reading.open_inside", fails)
        (root / "book" / "product.toml").write_text('name = "Newer"\nprice = "5"\n')
        look(catalogue, times=3)
        assert [found.partition("content.md: ")[2] for found in catalogue.problems] == [
            "cannot be read: Input/output error"
        ] * 2
    look(catalogue, times=31)
    assert (name_of(catalogue), catalogue.problems) == ("Newer", ())


# ------------------------------------------------------------------ when something last changed


def at(day: int) -> datetime:
    return datetime(2026, 5, day, 12, tzinfo=UTC)


def date(file: Path, day: int) -> None:
    os.utime(file, (at(day).timestamp(), at(day).timestamp()))


def test_a_product_and_a_page_changed_when_the_newest_file_they_show_did(root: Path) -> None:
    book = root / "book"
    (book / "cover.svg").write_text("<svg/>")
    (book / "product.toml").write_text('name = "The book"\nprice = "19.99"\ncover = "cover.svg"\n')
    (book / "about.md").write_text("About it.\n")
    shown = [book / "product.toml", book / "about.md", book / "files" / "a.txt", book / "cover.svg"]
    for file in (path for path in root.rglob("*") if path.is_file()):
        date(file, 1)
    date(book / "content.md", 30)
    for day, file in enumerate(shown, start=2):
        date(file, day)
        assert load(root).current().products[ProductId("book")].changed == at(day), file.name
    date(root / "pages" / "terms.md", 9)
    edition = load(root).current()
    assert (edition.pages["terms"].changed, edition.shop.changed) == (at(9), at(1))
    assert edition.products[ProductId("other")].changed == at(1)


def test_a_copy_that_keeps_times_and_a_restart_tell_the_same_change(root: Path, tmp_path: Path) -> None:
    date(root / "book" / "product.toml", 3)
    copy = shutil.copytree(root, tmp_path / "another node")
    one, other = (load(folder).current().products for folder in (root, copy))
    assert {pid: product.changed for pid, product in one.items()} == {
        pid: product.changed for pid, product in other.items()
    }


def test_a_product_that_breaks_keeps_the_time_of_what_is_shown(root: Path, tmp_path: Path) -> None:
    for file in (root / "book" / "product.toml", root / "book" / "files" / "a.txt"):
        date(file, 4)
    load(root, kept=tmp_path / "kept")
    (root / "book" / "product.toml").write_text("broken")
    again = load(root, kept=tmp_path / "kept")
    assert again.current().products[ProductId("book")].changed == at(4)


def test_a_time_that_no_calendar_has_breaks_nothing(root: Path) -> None:
    toml = root / "book" / "product.toml"
    with contextlib.suppress(OSError, OverflowError):
        os.utime(toml, (2**40, 2**40))
    catalogue = load(root)
    assert catalogue.problems == ()
    moment = catalogue.current().products[ProductId("book")].changed
    assert moment is None or moment.tzinfo is UTC
