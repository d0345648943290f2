"""One product folder, one page, one shop.toml: from files to the domain's values."""

from __future__ import annotations

import contextlib
import mimetypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import msgspec

from adapters.files.inside import NotInside
from adapters.files.listing import FoundFile, ListedFile, find_files
from adapters.files.names import can_be_shown, composed
from adapters.files.offers import PaymentTable, payment_terms, read_licences, read_prices
from adapters.files.reading import Reader, line_of_key, names_in
from domain.colour import Colour
from domain.currencies import CURRENCIES
from domain.ports import GoodsUnavailable
from domain.product import GoodsFile, Page, Product, ShopInfo
from domain.values import EmailAddress, InvalidEmail, ProductId, is_product_id, line_problem

_COVERS: Final = frozenset({".svg", ".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif"})
LARGEST_COVER: Final = 5_000_000
LARGEST_THEME: Final = 100_000
_LONGEST_NAME: Final = 200
_LONGEST_SELLER: Final = 500
_LARGEST_STOCK: Final = 1_000_000_000
_MOST_ENTRIES: Final = 20_000

Shelve = Callable[[Path], tuple[str, int]]
"""Takes a file into the goods; its SHA-256 and size. May raise OSError or GoodsUnavailable."""


class _ShopFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    currency: str
    support: str
    tagline: str = ""
    id: str | None = None
    payment: PaymentTable = PaymentTable()
    accent: str = ""
    order: list[str] = []
    seller: str = ""


class _ProductFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    price: str
    summary: str = ""
    cover: str | None = None
    cover_alt: str = ""
    on_sale: bool = True
    stock: int | None = None
    files: list[str | ListedFile] | None = None
    prices: dict[str, str] = {}
    pay_what_you_want: bool = False
    suggested: str | None = None
    contains: list[str] = []
    licence_keys: Literal["generate", "list"] | None = None
    tax_code: str = ""


def read_shop(reader: Reader, *, last_theme: str = "") -> tuple[ShopInfo, str | None] | None:
    """shop.toml with theme.css, and the id it declares; the id of the ShopInfo is still to be given."""
    path = reader.root / "shop.toml"
    missing = "is missing: it holds name, currency and support (an email address)"
    found = reader.toml(path, _ShopFile, missing=missing)
    if found is None:
        return None
    shop, text = found
    ok = True
    currency = shop.currency.lower()
    if currency not in CURRENCIES:
        words = f'currency is {shop.currency!r}, which Stripe does not charge: write it like "usd"'
        reader.complain(path, words, line=line_of_key(text, "currency"))
        ok = False
    ok &= _check_name(reader, path, text, name=shop.name)
    problem = line_problem(shop.tagline)
    if problem is not None:
        reader.complain(path, f"tagline {problem}", line=line_of_key(text, "tagline"))
        ok = False
    if shop.accent and Colour.parse(shop.accent) is None:
        words = f'accent is {shop.accent!r}: write a colour as "#24483e"'
        reader.complain(path, words, line=line_of_key(text, "accent"))
        ok = False
    if len(shop.seller) > _LONGEST_SELLER or not all(
        line_problem(line) is None for line in shop.seller.splitlines()
    ):
        words = f"seller is at most {_LONGEST_SELLER} characters of plain text, on several lines"
        reader.complain(path, words, line=line_of_key(text, "seller"))
        ok = False
    if shop.id is not None and not is_product_id(shop.id):
        reader.complain(
            path, "id is lower-case letters, digits and hyphens, at most 64", line=line_of_key(text, "id")
        )
        ok = False
    try:
        support = EmailAddress.parse(shop.support)
    except InvalidEmail as error:
        reader.complain(path, f"support is {shop.support!r}: {error}", line=line_of_key(text, "support"))
        return None
    if not ok:
        return None
    info = ShopInfo(
        id="",
        name=shop.name.strip(),
        tagline=shop.tagline.strip(),
        support=support,
        currency=currency,
        payment=payment_terms(shop.payment),
        accent=shop.accent.strip(),
        theme=_theme(reader, last_theme),
        order=_order(reader, path, text, shop.order),
        seller=shop.seller.strip(),
    )
    return info, shop.id


def _order(reader: Reader, path: Path, text: str, order: list[str]) -> tuple[ProductId, ...]:
    """The ids that have a folder; the others are reported, and hold nothing back."""
    there = [pid for pid in dict.fromkeys(order) if is_product_id(pid) and (reader.root / pid).is_dir()]
    if missing := [pid for pid in order if pid not in there]:
        words = f"order names {', '.join(map(repr, missing[:3]))}, and there is no such folder"
        reader.warn(path, words, line=line_of_key(text, "order"))
    return tuple(ProductId(pid) for pid in there)


def _theme(reader: Reader, last: str) -> str:
    """The merchant's own style sheet, or the last good one while it cannot be read."""
    path = reader.root / "theme.css"
    if not os.path.lexists(path):
        return ""
    text = reader.text(path, at_most=LARGEST_THEME)
    return last if text is None else text


def read_product(
    reader: Reader, folder: Path, *, currency: str, shelve: Shelve
) -> tuple[Product, bytes | None] | None:
    """One product and its cover's bytes; None, and problems noted, if it cannot be sold."""
    path = folder / "product.toml"
    if not is_product_id(folder.name):
        reader.complain(folder, "a product's folder is named in lower-case letters, digits and inner hyphens")
        return None
    found = reader.toml(path, _ProductFile, missing="is missing: it holds at least name and price")
    if found is None:
        return None
    told, text = found
    before = len(reader.problems)
    _check_name(reader, path, text, name=told.name)
    if told.stock is not None and not 0 <= told.stock <= _LARGEST_STOCK:
        words = f"stock is a number from 0 to {_LARGEST_STOCK:,}, or left out"
        reader.complain(path, words, line=line_of_key(text, "stock"))
    prices = read_prices(
        reader,
        path,
        text,
        price=told.price,
        others=told.prices,
        suggested=told.suggested,
        currency=currency,
    )
    licences = read_licences(reader, folder, text, kind=told.licence_keys)
    cover = _cover(reader, path, text, told.cover)
    found_files = find_files(reader, path, text, told.files)
    content = _markdown(reader, folder / "content.md", title=told.name, needed=not told.contains)
    about = _markdown(reader, folder / "about.md", title=told.name, needed=False)
    if prices is None or len(reader.problems) > before:
        return None
    files = _shelved(reader, found_files, shelve)
    if len(reader.problems) > before:
        return None
    product = Product(
        id=ProductId(folder.name),
        name=told.name.strip(),
        summary=told.summary.strip(),
        price=prices.price,
        description_html=about,
        content_html=content,
        on_sale=told.on_sale,
        stock=told.stock,
        cover=told.cover,
        cover_alt=told.cover_alt,
        files=files,
        other_prices=prices.others,
        pay_what_you_want=told.pay_what_you_want,
        suggested=prices.suggested,
        contains=tuple(ProductId(item) for item in dict.fromkeys(told.contains)),
        licences=licences,
        tax_code=told.tax_code,
    )
    return product, cover


def read_page(reader: Reader, path: Path) -> Page | None:
    """One of the merchant's own pages; its title is its first heading."""
    if not is_product_id(path.stem):
        reader.complain(path, "a page's file is named in lower-case letters, digits and inner hyphens")
        return None
    text = reader.text(path)
    if text is None:
        return None
    before = len(reader.problems)
    rendered = reader.markdown(path, text, title=None)
    title = rendered.heading or path.stem.replace("-", " ").capitalize()
    problem = line_problem(title)
    if problem is not None:
        reader.complain(path, f"the title (its first heading) {problem}", line=1)
    if len(reader.problems) > before:
        return None
    return Page(slug=path.stem, title=title, html=rendered.html)


def cover_type(name: str) -> str:
    """The media type of a cover."""
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _cover(reader: Reader, path: Path, text: str, name: str | None) -> bytes | None:
    if name is None:
        return None
    line = line_of_key(text, "cover")
    if Path(name).name != name or not can_be_shown(name) or Path(name).suffix.lower() not in _COVERS:
        reader.complain(path, f"cover is {name!r}: name a picture that lies beside this file", line=line)
        return None
    file = path.parent / name
    if not os.path.lexists(file):
        with contextlib.suppress(OSError):
            beside = names_in(path.parent, at_most=_MOST_ENTRIES)
            file = path.parent / next((entry for entry in beside if composed(entry) == composed(name)), name)
    if not os.path.lexists(file):
        reader.complain(path, f"cover {name!r} does not lie beside this file", line=line)
        return None
    return reader.raw(file, at_most=LARGEST_COVER)


def _check_name(reader: Reader, path: Path, text: str, *, name: str) -> bool:
    """Whether it can stand in the subject of a mail; otherwise a problem is noted."""
    empty = "is empty or too long" if not name.strip() or len(name) > _LONGEST_NAME else None
    problem = empty or line_problem(name)
    if problem is not None:
        reader.complain(path, f"name {problem}", line=line_of_key(text, "name"))
    return problem is None


def _shelved(reader: Reader, files: list[FoundFile], shelve: Shelve) -> tuple[GoodsFile, ...]:
    """Each file, taken into the goods."""
    found: list[GoodsFile] = []
    for file in files:
        if reader.storage_away:
            reader.complain(file.path, f"cannot be taken in: {reader.storage_away}", passing=True)
            break
        try:
            sha256, size = shelve(file.path)
        except NotInside as error:
            reader.refuse(file.path, error)
        except OSError as error:
            reader.complain(file.path, f"cannot be taken in: {error.strerror}", passing=True)
        except GoodsUnavailable as error:
            reader.storage_away = str(error)
            reader.complain(file.path, f"cannot be taken in: {error}", passing=True)
            break
        else:
            found.append(GoodsFile(name=file.name, title=file.title, size=size, sha256=sha256))
    return tuple(found)


def _markdown(reader: Reader, path: Path, *, title: str, needed: bool) -> str:
    if not os.path.lexists(path):
        if needed:
            reader.complain(path, "is missing: it is what the buyer reads")
        return ""
    text = reader.text(path)
    return "" if text is None else reader.markdown(path, text, title=title).html
