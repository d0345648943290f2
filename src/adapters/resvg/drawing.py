"""Draw a share picture: run in a process of its own, since a cover is whatever the merchant was sent.

A drawing of ten elements can take minutes, and a PNG of some kilobytes gigabytes: the limits of a process bound both.
"""

from __future__ import annotations

import os
import re
import resource
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

import msgspec

from adapters.resvg import MEMORY, SECONDS
from adapters.resvg.layout import FONT, cover_room, picture_as_svg
from domain.ports.sharing import HEIGHT, WIDTH, ShareCard, SharePicture

_FONT_FILE: Final = Path(__file__).parent / "DejaVuSerif-Latin.ttf"
_SVG: Final = "image/svg+xml"
_KINDS: Final = frozenset({_SVG, "image/png", "image/jpeg", "image/gif", "image/webp"})
_DATA: Final = re.compile(r"[ \t\r\n]*data:[^,]*,")
_WITHIN: Final = re.compile(r"[ \t\r\n]*#|" + _DATA.pattern)
"""References that stay within a drawing. resvg takes any other for the name of a file; of an image, `#…`, too."""


class NotDrawn(Exception):
    """A cover is nothing that can be drawn."""


def draw(card: ShareCard) -> SharePicture:
    """The picture of a card, without its cover if that cannot be drawn."""
    cover, whole = None, True
    if card.cover is not None:
        try:
            cover = _drawn_cover(*card.cover, room=cover_room(card.name))
        except (NotDrawn, ValueError, ET.ParseError):
            whole = False
    svg = picture_as_svg(card, cover=cover)
    return SharePicture(png=_as_png(svg), whole=whole)


def _drawn_cover(cover: bytes, kind: str, *, room: tuple[int, int]) -> bytes:
    """A cover as a PNG that fits the room. Raises NotDrawn, ValueError, ParseError."""
    if kind not in _KINDS:
        raise NotDrawn
    width, height = room
    if kind == _SVG:
        svg = closed_drawing(cover)
    else:
        address = quoteattr(f"data:{kind};base64,{b64encode(cover).decode()}")
        svg = _canvas(width, height, f'<image width="{width}" height="{height}" href={address}/>')
    drawn = _as_png(svg, width=width, height=height)
    # A picture that is damaged is left out without an error.
    if kind != _SVG and drawn == _as_png(_canvas(width, height, ""), width=width, height=height):
        raise NotDrawn
    return drawn


def _canvas(width: int, height: int, content: str) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">{content}</svg>'


def closed_drawing(svg: bytes) -> str:
    """An SVG without references to anything outside it: resvg would read them from the disk. Raises ParseError.

    It is parsed and written anew, so that neither entities nor encodings hide one.
    """
    root = ET.fromstring(svg)  # noqa: S314 - the process has limits, and expat loads nothing from outside
    for element in root.iter():
        within = _DATA if str(element.tag).rpartition("}")[2] == "image" else _WITHIN
        for name, value in tuple(element.attrib.items()):
            if name.rpartition("}")[2].lower() == "href" and within.match(value) is None:
                del element.attrib[name]
    return ET.tostring(root, encoding="unicode")


def _as_png(svg: str, *, width: int = WIDTH, height: int = HEIGHT) -> bytes:
    import resvg_py  # noqa: PLC0415 - only where something is drawn

    families: dict[str, Any] = dict.fromkeys(
        ("font_family", "serif_family", "sans_serif_family", "monospace_family", "cursive_family", "fantasy_family"),
        FONT,
    )  # fmt: skip
    return resvg_py.svg_to_bytes(
        svg_string=svg,
        width=width,
        height=height,
        skip_system_fonts=True,
        font_files=[str(_FONT_FILE)],
        **families,
    )


def _main() -> None:
    """Draw the card on standard input, within the limits."""
    for kind, most in (
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (least, least + 5 if kind == resource.RLIMIT_CPU else least))
    os.nice(10)  # a sale goes first
    card = msgspec.json.decode(sys.stdin.buffer.read(), type=ShareCard)
    sys.stdout.buffer.write(msgspec.json.encode(draw(card)))


if __name__ == "__main__":
    _main()
