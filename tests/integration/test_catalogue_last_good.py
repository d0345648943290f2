"""What an edit breaks or removes: its owners keep the last good form, before and after a restart, and nothing else stops."""

from __future__ import annotations

import asyncio
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.files.catalogue import FolderCatalogue
from adapters.files.last_good import KEPT_FOR, LastGood
from adapters.files.reading import CatalogueRefused
from adapters.memory.goods import MemoryGoods
from adapters.templates.emails import PackagedTemplates
from domain.product import Product
from domain.values import Money, ProductId
from testkit.catalogues import a_catalogue, load, look
from testkit.servers import BOOK, PAPERWORK, Shopper, ShopServer
from testkit.waiting import wait_until

NOW = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
BROKEN_SHOP = 'name = "A shop"\ncurrency = "jpy"\nsupport = "nobody"\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return a_catalogue(tmp_path / "catalogue", "book", "other")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "data" / "catalogue"


def product(catalogue: FolderCatalogue, pid: str = "book") -> Product:
    return catalogue.current().products[ProductId(pid)]


def on_sale(catalogue: FolderCatalogue) -> list[str]:
    return [pid for pid, found in catalogue.current().products.items() if found.on_sale]


def listed(catalogue: FolderCatalogue) -> list[str]:
    return [found.id for found in catalogue.current().present]


def break_price(root: Path) -> str:
    (root / "book" / "product.toml").write_text('name = "The book"\nprice = 19.99\n')
    return "catalogue/book/product.toml:2: price is written in quotes"


def lose_content(root: Path) -> str:
    (root / "book" / "content.md").unlink()
    return "catalogue/book/content.md: is missing"


def lose_toml(root: Path) -> str:
    (root / "book" / "product.toml").unlink()
    return "catalogue/book/product.toml: is missing"


def empty_folder(root: Path) -> str:
    shutil.rmtree(root / "book")
    (root / "book").mkdir()
    return "catalogue/book/product.toml: is missing"


def lead_nowhere(root: Path) -> str:
    shutil.rmtree(root / "book")
    (root / "book").symlink_to("nowhere")
    return "catalogue/book/product.toml: cannot be read: its folder is a symbolic link that leads nowhere: mend or delete that link"


BREAK = (break_price, lose_content, lose_toml, empty_folder, lead_nowhere)


@pytest.mark.parametrize("broken", BREAK, ids=lambda f: f.__name__)
def test_a_broken_product_alone_is_not_for_sale_and_keeps_its_last_good_form_over_a_restart(
    root: Path, kept: Path, broken: object
) -> None:
    told: list[str] = []
    catalogue = load(root, kept=kept, told=told)
    before = product(catalogue)
    assert callable(broken)
    words = broken(root)
    (root / "other" / "product.toml").write_text('name = "Newer"\nprice = "5"\n')
    look(catalogue, times=4)
    for seen in (catalogue, load(root, kept=kept), load(root, kept=kept)):
        form = product(seen)
        assert (form.content_html, form.files, form.name) == (before.content_html, before.files, before.name)
        assert (on_sale(seen), listed(seen)) == (["other"], ["book", "other"])
        assert product(seen, "other").name == "Newer", "what is good is taken"
        assert [problem.startswith(words) for problem in seen.problems] == [True]
    assert [line.startswith(words) for line in told] == [True], "it is logged once"


def test_a_product_that_is_mended_is_for_sale_again_at_once(root: Path, kept: Path) -> None:
    catalogue, good = load(root, kept=kept), (root / "book" / "product.toml").read_text()
    break_price(root)
    look(catalogue, times=2)
    held_back = catalogue.current().version
    (root / "book" / "product.toml").write_text(good.replace("The book", "Mended"))
    look(catalogue)
    assert (product(catalogue).name, product(catalogue).on_sale, catalogue.problems) == ("Mended", True, ())
    assert catalogue.current().version != held_back


def test_half_an_edit_is_looked_at_again_before_anything_is_held_back(root: Path) -> None:
    told: list[str] = []
    catalogue, toml = load(root, told=told), root / "book" / "product.toml"
    good = toml.read_text()
    toml.write_text("")
    look(catalogue)
    assert (on_sale(catalogue), told) == (["book", "other"], [])
    toml.write_text(good)
    look(catalogue, times=3)
    assert (on_sale(catalogue), told) == (["book", "other"], [])


@pytest.mark.parametrize("renamed", [False, True])
def test_a_product_without_a_folder_is_open_to_its_owners_and_seen_by_nobody_else(
    root: Path, kept: Path, renamed: bool
) -> None:
    told: list[str] = []
    catalogue = load(root, kept=kept, told=told)
    before = product(catalogue)
    if renamed:
        (root / "book").rename(root / "novel")
    else:
        shutil.rmtree(root / "book")
    look(catalogue, times=3)
    others = ["novel", "other"] if renamed else ["other"]
    for seen in (catalogue, load(root, kept=kept, told=told)):
        assert product(seen).content_html == before.content_html
        assert (on_sale(seen), listed(seen)) == (others, others)
        assert seen.problems == ()
        assert before.files[0].sha256 in seen.current().contents, "its goods are not thrown out"
    assert [line.startswith("catalogue/book: there is no such folder any more") for line in told] == [
        True
    ] * 2
    (root / "book").mkdir(exist_ok=True)
    shutil.copytree(root / "other", root / "book", dirs_exist_ok=True)
    look(catalogue, times=2)
    assert product(catalogue).on_sale


def test_a_bundle_with_a_product_that_is_gone_is_held_back_alone(root: Path, kept: Path) -> None:
    shutil.copytree(root / "other", root / "pack")
    (root / "pack" / "product.toml").write_text('name = "Both"\nprice = "30"\ncontains = ["book", "other"]\n')
    catalogue = load(root, kept=kept)
    break_price(root)
    look(catalogue, times=2)
    assert on_sale(catalogue) == ["other", "pack"], "a broken product is delivered in its last good form"
    shutil.rmtree(root / "book")
    look(catalogue, times=3)
    for seen in (catalogue, load(root, kept=kept)):
        assert on_sale(seen) == ["other"]
        assert list(seen.problems) == [
            "catalogue/pack/product.toml:3: contains 'book', which is no other product of this shop"
        ]
        assert product(seen, "pack").contains == ("book", "other")


@pytest.mark.parametrize("how", ["broken", "missing", "no folder"])
def test_without_a_good_shop_toml_nothing_is_for_sale_and_owners_keep_everything(
    root: Path, kept: Path, how: str
) -> None:
    """The prices have no currency that is certain."""
    catalogue = load(root, kept=kept)
    catalogue.adopt("shop-1")
    if how == "broken":
        (root / "shop.toml").write_text(BROKEN_SHOP)
        (root / "book" / "product.toml").write_text('name = "The book"\nprice = "1200"\n')
    elif how == "missing":
        (root / "shop.toml").unlink()
    else:
        root.rename(root.with_name("moved"))
    look(catalogue, times=3)
    for seen in (catalogue, load(root, kept=kept)):
        assert (on_sale(seen), product(seen).price) == ([], Money(1999, "eur"))
        assert product(seen).content_html == "<p>Thank you.</p>\n"
        assert (seen.current().shop.name, seen.current().pages["terms"].title) == ("A shop", "Our terms")
        assert listed(seen) == ["book", "other"], "a disk that is away takes no product out of the shop"
        [problem] = seen.problems
        assert problem.startswith(
            "catalogue/shop.toml" if how != "no folder" else "catalogue: there is no such"
        )
        assert "nothing is for sale" in problem
    assert catalogue.current().shop.id == "shop-1"


def test_a_catalogue_that_never_was_good_is_refused_with_every_problem(root: Path, kept: Path) -> None:
    (root / "shop.toml").write_text(BROKEN_SHOP)
    break_price(root)
    with pytest.raises(CatalogueRefused) as refused:
        load(root, kept=kept)
    assert [problem.partition(": ")[0] for problem in refused.value.problems] == [
        "catalogue/shop.toml:3", "catalogue/book/product.toml:2",
    ]  # fmt: skip


def test_a_broken_page_keeps_its_last_good_form_and_a_deleted_one_is_gone(root: Path, kept: Path) -> None:
    (root / "pages" / "privacy.md").write_text("# Privacy\n")
    catalogue = load(root, kept=kept)
    (root / "pages" / "terms.md").write_bytes(b"\xff")
    (root / "pages" / "privacy.md").unlink()
    look(catalogue, times=2)
    for seen in (catalogue, load(root, kept=kept)):
        assert {slug: page.title for slug, page in seen.current().pages.items()} == {"terms": "Our terms"}
        assert on_sale(seen) == ["book", "other"]
        assert list(seen.problems) == ["catalogue/pages/terms.md:1: is not UTF-8 text: save it as UTF-8"]


def test_forms_that_cannot_be_read_back_are_as_good_as_none(root: Path, kept: Path) -> None:
    load(root, kept=kept)
    for file in kept.rglob("*.json"):
        file.write_text('{"product": {"name": 1}}')
    break_price(root)
    assert listed(load(root, kept=kept)) == ["other"]


def test_what_cannot_be_kept_is_reported_and_sold(root: Path, kept: Path) -> None:
    kept.parent.mkdir()
    kept.write_text("a file where the folder belongs")
    told: list[str] = []
    assert on_sale(load(root, kept=kept, told=told)) == ["book", "other"]
    assert sum("cannot be kept in DATA_DIR" in line for line in told) == 4, (
        "of shop.toml, two products and a page"
    )


def test_only_the_last_good_form_of_what_nobody_owns_is_thrown_out(root: Path, kept: Path) -> None:
    catalogue = load(root, kept=kept)
    shutil.rmtree(root / "book")
    shutil.rmtree(root / "other")
    look(catalogue, times=3)

    def tidy(after: timedelta) -> list[str]:
        asyncio.run(catalogue.forget(owned=frozenset({ProductId("book")}), now=NOW + after))
        return sorted(path.stem for path in (kept / "products").iterdir())

    for path in (kept / "products").iterdir():
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    assert tidy(KEPT_FOR - timedelta(days=1)) == ["book", "other"]
    assert tidy(KEPT_FOR + timedelta(days=1)) == ["book"]
    assert set(load(root, kept=kept).current().products) == {"book"}


# ------------------------------------------------------------------ over HTTP


@pytest.mark.long
def test_owners_read_on_and_the_merchant_hears_of_it_while_a_product_is_broken_or_gone(
    own_shop: ShopServer,
) -> None:
    anna, guest = Shopper(own_shop), Shopper(own_shop)
    anna.buy_and_pay("anna@example.com", BOOK)
    anna.buy_and_pay("anna@example.com", PAPERWORK)
    page, [file, *_] = anna.get(f"/view/{BOOK}").text, sorted((own_shop.catalogue / BOOK / "files").iterdir())
    toml = own_shop.catalogue / BOOK / "product.toml"
    good = toml.read_text()
    toml.write_text(good.replace('price = "', "price = "))
    (own_shop.catalogue / PAPERWORK).rename(own_shop.catalogue / "paperwork")
    told = own_shop.sandbox.wait_for_mail("help@cloakroom.example")["text"]
    assert f"{BOOK}/product.toml:" in told
    assert f"\n{PAPERWORK}\n" in told

    def holds_for_everybody() -> None:
        assert anna.get(f"/view/{BOOK}").text.count("<p>") == page.count("<p>")
        assert anna.get(f"/view/{PAPERWORK}").status_code == 200
        assert anna.get(f"/files/{BOOK}/{file.name}").content == file.read_bytes()
        assert anna.get(f"/products/{PAPERWORK}").status_code == 200
        assert guest.get(f"/products/{PAPERWORK}").status_code == 404
        assert f"/products/{PAPERWORK}<" not in guest.get("/sitemap.xml").text
        assert f'/products/{PAPERWORK}"' not in guest.get("/").text
        assert "Not for sale at the moment" in guest.get(f"/products/{BOOK}").text
        assert "cannot be bought right now. Nothing was charged." in guest.post(f"/buy/{BOOK}").text
        assert guest.post("/buy/paperwork").status_code == 303
        assert guest.post(f"/buy/{PAPERWORK}").status_code == 404
        for path in (
            f"/view/{PAPERWORK}",
            f"/files/{PAPERWORK}/invoice.html",
            f"/covers/{PAPERWORK}/cover.svg",
        ):
            assert guest.get(path).status_code == 404, "nobody but its owners learns of it"
        assert anna.get(f"/covers/{PAPERWORK}/cover.svg").status_code == 200

    holds_for_everybody()
    own_shop.process.stop()
    own_shop.start()
    holds_for_everybody()
    doctor = own_shop.cli("doctor", check=False)
    status = own_shop.cli("status", check=False)
    for said in (doctor, status):
        assert said.returncode == 1
        assert f"{BOOK}/product.toml:" in said.stdout
        assert "is not TOML" in said.stdout
        assert f"{PAPERWORK}: customers own it, but its folder is not in the catalogue" in said.stdout
        assert 'Put the folder back; to end the sale, set status = "retired" in product.toml' in said.stdout
    assert "\n\nMistakes in the catalogue:\n  " in status.stdout
    toml.write_text(good)
    (own_shop.catalogue / "paperwork").rename(own_shop.catalogue / PAPERWORK)
    wait_until(lambda: guest.post(f"/buy/{BOOK}").status_code == 303)
    assert "Nothing is waiting for you." in own_shop.cli("status").stdout


# ------------------------------------------------------------------ email templates


def test_a_broken_email_template_keeps_its_last_good_form_and_a_deleted_one_is_gone(
    root: Path, kept: Path
) -> None:
    good, folder = "Yours: {{ product_name }}\n\n{{ link }}", root / "emails"
    folder.mkdir()
    (folder / "access_link.txt").write_text(good)
    (folder / "sign_in.txt").write_text("Hello\n\n{{ link }} {{ nope }}")
    (folder / ".DS_Store").write_bytes(b"")

    def load() -> FolderCatalogue:
        return FolderCatalogue(
            root, complain=lambda _: None, shelve=MemoryGoods().shelve, kept=LastGood(kept),
            check_emails=PackagedTemplates().mistakes_in,
        )  # fmt: skip

    catalogue = load()
    assert catalogue.problems == ("catalogue/emails/sign_in.txt:3: undefined value: `nope` is undefined",)
    assert catalogue.current().shop.emails == (("access_link.txt", good),)
    assert on_sale(catalogue) == ["book", "other"], "a template says nothing about what is for sale"
    (folder / "sign_in.txt").unlink()
    (folder / "access_link.txt").write_text("Yours\n\nwithout it")
    for _ in range(3):
        asyncio.run(catalogue.refresh())
    lacks = ("catalogue/emails/access_link.txt: lacks {{ link }}, which the built-in template shows",)
    assert catalogue.problems == lacks
    for held in (catalogue, load()):
        assert held.current().shop.emails == (("access_link.txt", good),)
        assert held.problems == lacks
    (folder / "access_link.txt").write_bytes(b"\xff\xfe")
    assert load().current().shop.emails == (("access_link.txt", good),)
    (folder / "access_link.txt").unlink()
    assert load().current().shop.emails == ()
