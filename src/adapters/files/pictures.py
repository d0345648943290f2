"""Pictures of the catalogue: covers, and the shop's logo."""

from __future__ import annotations

import contextlib
import mimetypes
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from adapters.files.names import can_be_shown, composed
from adapters.files.reading import Reader, line_of_key, names_in
from domain.media_types import shown_type
from domain.product import Picture

_KINDS: Final = frozenset({".svg", ".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif"})
LARGEST_COVER: Final = 5_000_000
LARGEST_PICTURE: Final = 1_000_000
MOST_PICTURES: Final = 8
LARGEST_LOGO: Final = 200_000
_MOST_ENTRIES: Final = 20_000
_SVG: Final = re.compile(rb"<([\w.-]+:)?svg[\s>/]")
# https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern, and AVIF's file type box.
_PIXELS: Final = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|RIFF....WEBPVP|....ftyp(avif|avis|mif1|msf1)", re.DOTALL
)


def picture_type(name: str) -> str:
    """The media type of a picture."""
    return shown_type(name) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def read_picture(
    reader: Reader, path: Path, text: str, name: str | None, *, key: str, at_most: int
) -> bytes | None:
    """The picture that a TOML file names under a key; None if it names none, or a problem is noted."""
    if name is None:
        return None
    line = line_of_key(text, key)
    if Path(name).name != name or not can_be_shown(name) or Path(name).suffix.lower() not in _KINDS:
        reader.complain(path, f"{key} is {name!r}: name a picture that lies beside this file", line=line)
        return None
    file = picture_file(path.parent, name)
    if not os.path.lexists(file):
        reader.complain(path, f"{key} {name!r} does not lie beside this file", line=line)
        return None
    raw = reader.raw(file, at_most=at_most)
    if raw is not None and not _is_picture(raw, file.suffix.lower()):
        reader.warn(file, "is damaged or no picture, so browsers cannot show it: save it anew")
    return raw


def _is_picture(raw: bytes, suffix: str) -> bool:
    """Whether a file begins as a picture does. Browsers show any kind of pixels under the name of any other."""
    if suffix == ".svg":
        return _SVG.search(raw.replace(b"\0", b"")) is not None  # UTF-16, too
    return _PIXELS.match(raw) is not None


class ListedPicture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of `pictures` in product.toml."""

    name: str
    alt: str = ""


def read_pictures(
    reader: Reader, path: Path, text: str, listed: Sequence[str | ListedPicture]
) -> dict[Picture, bytes]:
    """What `pictures` in product.toml names, in its order; a problem is noted of each that cannot be shown."""
    if len(listed) > MOST_PICTURES:
        words = f"a product has at most {MOST_PICTURES} pictures beside its cover"
        reader.complain(path, words, line=line_of_key(text, "pictures"))
        return {}
    found: dict[Picture, bytes] = {}
    for item in listed:
        named = ListedPicture(name=item) if isinstance(item, str) else item
        shown = read_picture(reader, path, text, named.name, key="pictures", at_most=LARGEST_PICTURE)
        if shown is not None:
            found[Picture(name=named.name, alt=named.alt)] = shown
    return found


def picture_file(folder: Path, name: str) -> Path:
    """Where a picture of that name lies in a folder, however its accents are encoded; it may be missing."""
    file = folder / name
    if not os.path.lexists(file):
        with contextlib.suppress(OSError):
            beside = names_in(folder, at_most=_MOST_ENTRIES)
            file = folder / next((entry for entry in beside if composed(entry) == composed(name)), name)
    return file
