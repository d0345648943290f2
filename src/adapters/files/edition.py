"""One reading of the catalogue folder: what is good as it is, and all else in its last good form, not for sale."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from adapters.files.email_templates import CheckEmails
from adapters.files.format import Shelve, read_page, read_product
from adapters.files.languages import CheckLanguage, language_of_page, only_as_written
from adapters.files.last_good import Form, LastGood, PageForm, ProductForm, ShopForm
from adapters.files.looking import (
    MOST_ENTRIES,
    MOST_PRODUCTS,
    PAGES,
    FolderState,
    is_empty,
    look_at,
    product_folders,
)
from adapters.files.names import is_litter
from adapters.files.offers import check_bundle
from adapters.files.reading import CatalogueRefused, Reader
from adapters.files.shop_file import read_shop
from domain.product import CatalogueEdition, Page
from domain.values import ProductId, is_product_id

_GONE: Final = (
    "there is no such folder any more: customers who own this product keep its last good form, and nobody can buy it. "
    'Put the folder back; status = "retired" in its product.toml ends the sale'
)
_NOT_FOR_SALE: Final = "until this is right, nothing is for sale"


@dataclass(frozen=True, slots=True)
class Loaded:
    """An edition and what is to be said about it."""

    edition: CatalogueEdition
    declared_id: str | None
    covers: Mapping[ProductId, bytes]
    pictures: Mapping[ProductId, Mapping[str, bytes]]
    logo: bytes | None
    state: FolderState
    problems: tuple[str, ...]
    """Mistakes, each of which holds something back."""
    gone: tuple[str, ...]
    """The same about products without a folder."""
    warnings: tuple[str, ...]
    passing: bool
    """Whether a problem may pass without another edit."""


def read_edition(
    root: Path,
    shelve: Shelve,
    kept: LastGood,
    *,
    check_emails: CheckEmails,
    check_language: CheckLanguage = only_as_written,
) -> Loaded:
    """Read the folder, and keep what is good. Raises CatalogueRefused if no shop.toml is good, nor ever was."""
    state, reader = look_at(root), Reader(root=root)
    folders = _folders(reader)
    held = kept.shop()
    shop = None
    if folders is not None:
        shop = read_shop(reader, held, check_emails=check_emails, check_language=check_language)
    if shop is None and held is not None:
        return _as_kept(reader, held, kept, state, folders)
    products = _read_products(reader, folders or [], shop.shop.currency if shop else "usd", shelve, kept)
    pages = _read_pages(reader, kept)
    if shop is None:
        raise CatalogueRefused(tuple(reader.problems), passing=reader.passing)
    _keep(reader, kept, "shop", shop)
    return _loaded(reader, shop, products, pages, state)


def _folders(reader: Reader) -> list[Path] | None:
    """None, and a problem noted, if the catalogue cannot be read as a whole."""
    root = reader.root
    try:
        folders = product_folders(root)
    except (FileNotFoundError, NotADirectoryError):
        what = f"there is no such folder ({root}): set CATALOGUE to the folder with shop.toml"
        reader.complain(root, what, passing=True)
        return None
    except OSError as error:
        reader.refuse(root, error)
        return None
    if len(folders) > MOST_PRODUCTS:
        reader.complain(root, f"has more than {MOST_PRODUCTS:,} products")
        return None
    return folders


# ------------------------------------------------------------------ products


def _read_products(
    reader: Reader, folders: list[Path], currency: str, shelve: Shelve, kept: LastGood
) -> dict[ProductId, ProductForm]:
    """Those that are good as they are, and the last good form of all others."""
    known, good, broken = kept.products(), dict[ProductId, ProductForm](), set[ProductId]()
    for folder in folders:
        if not _is_product(reader, folder, known=folder.name in known):
            continue
        pid = ProductId(folder.name)
        found = read_product(reader, folder, currency=currency, shelve=shelve)
        if found is None:
            broken.add(pid)
        else:
            good[pid] = found
    held = {pid: form for pid in known - good.keys() if (form := kept.product(pid)) is not None}
    inner = {
        pid: form.product for pid, form in (good | {p: f for p, f in held.items() if p in broken}).items()
    }
    for pid, form in tuple(good.items()):
        before = len(reader.problems)
        check_bundle(reader, form.product, inner)
        if len(reader.problems) == before:
            _keep(reader, kept, f"products/{pid}", form)
            continue
        broken.add(pid)
        del good[pid]
        if (last := kept.product(pid)) is not None:
            held[pid] = last
    for pid, form in held.items():
        good[pid] = _not_for_sale(form, present=pid in broken)
    return dict(sorted(good.items()))


def _is_product(reader: Reader, folder: Path, *, known: bool) -> bool:
    """Whether a folder is to be read as a product. What is none, and no empty folder, is reported."""
    try:
        if not known and not os.path.lexists(folder / "product.toml"):
            if not is_empty(folder):
                reader.warn(
                    folder, "is no product, since it has no product.toml: add one, or begin its name with _"
                )
            return False
    except OSError as error:
        reader.refuse(folder, error)
        return False
    if not is_product_id(folder.name):
        reader.complain(folder, "a product's folder is named in lower-case letters, digits and inner hyphens")
        return False
    return True


def _not_for_sale(form: ProductForm, *, present: bool) -> ProductForm:
    product = replace(form.product, held_back=True, present=present)
    return ProductForm(product=product, cover=form.cover, pictures=form.pictures)


# ------------------------------------------------------------------ pages


def _read_pages(reader: Reader, kept: LastGood) -> dict[str, Page]:
    """Those that are good, and the last good form of those that are not."""
    folder, before = reader.root / PAGES, len(reader.problems)
    names = [
        name
        for name in reader.entries(folder, at_most=MOST_ENTRIES)
        if name.endswith(".md") and not is_litter(name)
    ]
    if len(reader.problems) > before:
        return _kept_pages(kept)
    translated = {name for name in names if language_of_page(name) in reader.languages}
    names = [name for name in names if name not in translated]
    found: dict[str, Page] = {}
    for name in names:
        page = read_page(reader, folder / name, translated)
        if page is not None:
            _keep(reader, kept, f"pages/{page.slug}", PageForm(page=page))
        elif is_product_id(name[:-3]):
            page = kept.page(name[:-3])
        if page is not None:
            found[page.slug] = page
    for slug in kept.pages() - found.keys():
        with contextlib.suppress(OSError):
            kept.forget(f"pages/{slug}")
    return found


def _kept_pages(kept: LastGood) -> dict[str, Page]:
    return {slug: page for slug in sorted(kept.pages()) if (page := kept.page(slug)) is not None}


# ------------------------------------------------------------------ the edition


def _as_kept(
    reader: Reader, shop: ShopForm, kept: LastGood, state: FolderState, folders: list[Path] | None
) -> Loaded:
    """While shop.toml is broken, prices have no currency to be read in: everything as it was, and nothing for sale.

    `folders`: None if the catalogue cannot be looked into; then no product is taken for gone.
    """
    reader.problems[-1] += f" ({_NOT_FOR_SALE})"
    forms = {pid: form for pid in sorted(kept.products()) if (form := kept.product(pid)) is not None}
    there = forms.keys() if folders is None else {folder.name for folder in folders}
    products = {pid: _not_for_sale(form, present=pid in there) for pid, form in forms.items()}
    return _loaded(reader, shop, products, _kept_pages(kept), state)


def _loaded(
    reader: Reader,
    shop: ShopForm,
    products: Mapping[ProductId, ProductForm],
    pages: Mapping[str, Page],
    state: FolderState,
) -> Loaded:
    problems = tuple(reader.problems)
    # Part of the version: a product that is held back for a while has another page without another edit.
    gone = tuple(
        f"{reader.root.name}/{pid}: {_GONE}" for pid, form in products.items() if not form.product.present
    )
    said = hashlib.sha256("\n".join((state.all, *problems, *gone)).encode()).hexdigest()[:16]
    sections = (pid for section in shop.shop.sections for pid in section.products)
    first = {pid: place for place, pid in enumerate(dict.fromkeys((*sections, *shop.shop.order)))}
    in_order = sorted(products, key=lambda pid: (first.get(pid, len(first)), pid))
    edition = CatalogueEdition(
        version=said,
        shop=shop.shop,
        products={pid: products[pid].product for pid in in_order},
        pages=pages,
    )
    return Loaded(
        edition=edition,
        declared_id=shop.declared_id,
        logo=shop.logo,
        covers={pid: form.cover for pid, form in products.items() if form.cover is not None},
        pictures={pid: form.pictures for pid, form in products.items() if form.pictures},
        state=state,
        problems=problems,
        gone=gone,
        warnings=tuple(reader.warnings),
        passing=reader.passing,
    )


def _keep(reader: Reader, kept: LastGood, name: str, form: Form) -> None:
    try:
        kept.keep(name, form)
    except OSError as error:
        what = f"its last good form cannot be kept in DATA_DIR: {error.strerror}"
        reader.warn(reader.root / (name.removeprefix("products/") if "/" in name else "shop.toml"), what)
        reader.passing = True
