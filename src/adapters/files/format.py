"""One product folder, one page: from files to the domain's values."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence, Set
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from adapters.files.inside import NotInside
from adapters.files.languages import read_texts
from adapters.files.last_good import ProductForm
from adapters.files.listing import FoundFile, ListedFile, find_files
from adapters.files.looking import last_change
from adapters.files.markdown import Rendered
from adapters.files.names import can_be_shown, composed
from adapters.files.offers import read_licences, read_prices
from adapters.files.pictures import LARGEST_COVER, ListedPicture, picture_file, read_picture, read_pictures
from adapters.files.reading import Reader, line_of_key
from adapters.files.selling import OLD_KEYS, read_opening, read_status
from adapters.files.shop_file import check_name
from domain.ports import GoodsUnavailable
from domain.product import GoodsFile, Page, Product
from domain.translated_texts import PageText
from domain.values import ProductId, is_product_id, line_problem

_LARGEST_STOCK: Final = 1_000_000_000
_MOST_MEDIA: Final = 500

Shelve = Callable[[Path], tuple[str, int]]
"""Takes a file into the goods; its SHA-256 and size. May raise OSError or GoodsUnavailable."""


class _ProductFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    price: str
    summary: str = ""
    cover: str | None = None
    cover_alt: str = ""
    pictures: list[str | ListedPicture] = []
    status: str = "on_sale"
    available_from: Any = None
    stock: int | None = None
    files: list[str | ListedFile] | None = None
    prices: dict[str, str] = {}
    pay_what_you_want: bool = False
    suggested: str | None = None
    contains: list[str] = []
    licence_keys: Literal["generate", "list"] | None = None
    tax_code: str = ""
    sample: str = ""
    sale_notice: bool = True
    names: dict[str, str] = {}
    summaries: dict[str, str] = {}


def read_product(reader: Reader, folder: Path, *, currency: str, shelve: Shelve) -> ProductForm | None:
    """One product with its pictures; None, and problems noted, if it cannot be sold."""
    path = folder / "product.toml"
    if not is_product_id(folder.name):
        reader.complain(folder, "a product's folder is named in lower-case letters, digits and inner hyphens")
        return None
    found = reader.toml(
        path, _ProductFile, missing="is missing: it holds at least name and price", replaced=OLD_KEYS
    )
    if found is None:
        return None
    told, text = found
    # Without a picture it is sold all the same.
    cover = read_picture(reader, path, text, told.cover, key="cover", at_most=LARGEST_COVER)
    pictures = read_pictures(reader, path, text, told.pictures)
    before = len(reader.problems)
    check_name(reader, path, text, name=told.name)
    if told.stock is not None and not 0 <= told.stock <= _LARGEST_STOCK:
        words = f"stock is a number from 0 to {_LARGEST_STOCK:,}, or left out"
        reader.complain(path, words, line=line_of_key(text, "stock"))
    status = read_status(reader, path, text, told.status)
    opening = read_opening(reader, path, text, told.available_from)
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
    found_files = find_files(reader, path, text, told.files)
    sample = composed(told.sample)
    if sample and sample not in [file.name for file in found_files]:
        words = f"sample is {told.sample!r}: name one of the product's files"
        reader.complain(path, words, line=line_of_key(text, "sample"))
    content = _content(reader, folder, title=told.name, needed=not told.contains)
    about = _markdown(reader, folder / "about.md", title=told.name).html
    media = _media(reader, folder / "content.md", content)

    def in_language(kind: str, title: str, language: str) -> str:
        path = folder / f"{kind}.{language}.md"
        rendered = _markdown(
            reader, path, title=title, media_at=_media_at(folder) if kind == "content" else ""
        )
        known = {file.name for file in media}
        media.extend(file for file in _media(reader, path, rendered) if file.name not in known)
        return rendered.html

    texts = read_texts(
        reader, folder, text, names=told.names, summaries=told.summaries, markdown=in_language, name=told.name
    )
    if prices is None or len(reader.problems) > before:
        return None
    files, shown = _shelved(reader, found_files, shelve), _shelved(reader, media, shelve)
    if len(reader.problems) > before:
        return None
    product = Product(
        id=ProductId(folder.name),
        name=told.name.strip(),
        summary=told.summary.strip(),
        price=prices.price,
        description_html=about,
        content_html=content.html,
        status=status,
        available_from=opening,
        stock=told.stock,
        cover=None if cover is None else told.cover,
        cover_alt=told.cover_alt,
        pictures=tuple(pictures),
        files=files,
        media=shown,
        other_prices=prices.others,
        pay_what_you_want=told.pay_what_you_want,
        suggested=prices.suggested,
        contains=tuple(ProductId(item) for item in dict.fromkeys(told.contains)),
        licences=licences,
        tax_code=told.tax_code,
        sample=sample,
        sale_notice=told.sale_notice,
        texts=texts,
        changed=_shown_since(folder, [told.cover, *(picture.name for picture in pictures)], found_files),
    )
    return ProductForm(
        product=product, cover=cover, pictures={picture.name: held for picture, held in pictures.items()}
    )


def _shown_since(folder: Path, pictures: Sequence[str | None], files: Sequence[FoundFile]) -> datetime | None:
    """When the newest of the files that make the public page changed; it names what is for sale, with its size."""
    shown = [folder / "product.toml", folder / "about.md", *(file.path for file in files)]
    shown += [picture_file(folder, name) for name in pictures if name is not None]
    return last_change(*shown)


def read_page(reader: Reader, path: Path, translated: Set[str] = frozenset()) -> Page | None:
    """One of the merchant's own pages; its title is its first heading. `translated`: the names of translated pages."""
    if not is_product_id(path.stem):
        reader.complain(path, "a page's file is named in lower-case letters, digits and inner hyphens")
        return None
    before = len(reader.problems)
    found = _titled(reader, path)
    there = {code: path.with_name(f"{path.stem}.{code}.md") for code in reader.languages}
    others = {code: _titled(reader, other) for code, other in there.items() if other.name in translated}
    if found is None or len(reader.problems) > before:
        return None
    texts = tuple(PageText(code, *words) for code, words in others.items() if words is not None)
    changed = last_change(path, *(there[code] for code in others))
    return Page(slug=path.stem, title=found[0], html=found[1], changed=changed, texts=texts)


def _titled(reader: Reader, path: Path) -> tuple[str, str] | None:
    """The title of a page and its HTML; None if it cannot be read."""
    text = reader.text(path)
    if text is None:
        return None
    rendered = reader.markdown(path, text, title=None)
    title = rendered.heading or path.stem.partition(".")[0].replace("-", " ").capitalize()
    problem = line_problem(title)
    if problem is not None:
        reader.complain(path, f"the title (its first heading) {problem}", line=1)
    return title, rendered.html


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


def _content(reader: Reader, folder: Path, *, title: str, needed: bool) -> Rendered:
    """What the buyer reads."""
    path = folder / "content.md"
    if needed and not os.path.lexists(path):
        reader.complain(path, "is missing: it is what the buyer reads")
    return _markdown(reader, path, title=title, media_at=_media_at(folder))


def _media_at(folder: Path) -> str:
    return f"/media/{folder.name}/"


def _markdown(reader: Reader, path: Path, *, title: str, media_at: str = "") -> Rendered:
    """A text; an empty one if there is none."""
    text = reader.text(path) if os.path.lexists(path) else None
    return Rendered(html="") if text is None else reader.markdown(path, text, title=title, media_at=media_at)


def _media(reader: Reader, path: Path, text: Rendered) -> list[FoundFile]:
    """The files that a text shows, each once."""
    found: dict[str, FoundFile] = {}
    for line, name in text.media:
        shown, file = composed(name), picture_file(path.parent, name)
        if not can_be_shown(name) or not os.path.lexists(file):
            reader.complain(path, f"shows {name!r}, which does not lie beside it", line=line)
        elif shown not in found and reader.opens(file):
            found[shown] = FoundFile(path=file, name=shown, title=shown)
    if len(found) > _MOST_MEDIA:
        reader.complain(path, f"shows more than {_MOST_MEDIA} pictures, sounds and videos")
        return []
    return list(found.values())
