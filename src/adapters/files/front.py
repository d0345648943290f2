"""What shop.toml says of the list of products and of the foot of every page: order, sections, footer and links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from adapters.files.reading import Reader, line_of_key
from domain.product import Section, WebLink
from domain.values import ProductId, is_product_id, line_problem

_MOST_LINKS: Final = 12
_LONGEST_LINK: Final = 500
_SCHEMES: Final = frozenset({"https", "http", "mailto"})


class SectionTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[[sections]] in shop.toml."""

    title: str
    products: list[str]


def lines_of(text: str) -> list[str]:
    """Without empty ones."""
    return [line.strip() for line in text.replace("\r\n", "\n").split("\n") if line.strip()]


def lines_problem(lines: Sequence[str], *, longest: int) -> str | None:
    """Why lines cannot stand on a page, if so."""
    if len("\n".join(lines)) > longest:
        return f"is longer than {longest} characters"
    return next((why for line in lines if (why := line_problem(line)) is not None), None)


def read_order(
    reader: Reader, path: Path, text: str, order: Sequence[str], *, key: str = "order"
) -> tuple[ProductId, ...]:
    """The ids that have a folder; the others are reported, and hold nothing back."""
    there = [pid for pid in dict.fromkeys(order) if is_product_id(pid) and (reader.root / pid).is_dir()]
    if missing := [pid for pid in order if pid not in there]:
        words = f"{key} names {', '.join(map(repr, missing[:3]))}, and there is no such folder"
        reader.warn(path, words, line=line_of_key(text, key))
    return tuple(ProductId(pid) for pid in there)


def read_sections(
    reader: Reader, path: Path, text: str, sections: Sequence[SectionTable]
) -> tuple[Section, ...]:
    """Each product is in the first section that names it. A title that cannot be shown leaves its section out."""
    found: list[Section] = []
    seen: set[ProductId] = set()
    for section in sections:
        problem = line_problem(section.title) or ("" if section.title.strip() else "is empty")
        if problem:
            words = f"the title of a section {problem}: the section is left out"
            reader.warn(path, words, line=line_of_key(text, "title"))
            continue
        named = read_order(reader, path, text, section.products, key="products")
        products = tuple(pid for pid in named if pid not in seen)
        seen.update(products)
        found.append(Section(title=section.title.strip(), products=products))
    return tuple(found)


def read_links(reader: Reader, path: Path, text: str, links: Mapping[str, str]) -> tuple[WebLink, ...]:
    """Those that a page can show; the others are reported, and left out."""
    found: list[WebLink] = []
    for title, url in links.items():
        if line_problem(title) is not None or not title.strip():
            reader.warn(path, f"the name of the link {title[:40]!r} cannot be shown")
        elif not _is_address(url):
            words = f'{title} is {url[:80]!r}: write an address like "https://social.example/@shop"'
            reader.warn(path, words, line=line_of_key(text, title))
        else:
            found.append(WebLink(title=title.strip(), url=url))
    if len(found) > _MOST_LINKS:
        reader.warn(path, f"links has more than {_MOST_LINKS}: only the first are shown")
    return tuple(found[:_MOST_LINKS])


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    named = parts.hostname if parts.scheme != "mailto" else parts.path
    return parts.scheme in _SCHEMES and bool(named) and len(url) <= _LONGEST_LINK and url.isprintable()
