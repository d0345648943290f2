"""How a share picture is laid out: the cover on the left, the names on the right, all on the shop's paper."""

from __future__ import annotations

import unicodedata
from base64 import b64encode
from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from domain.ports.sharing import HEIGHT, WIDTH, ShareCard

FONT: Final = "DejaVu Serif"
_MARGIN: Final = 60
_BAND: Final = 18
COVER: Final = (560, HEIGHT - 2 * _MARGIN - _BAND)
_ALONE: Final = (WIDTH - 2 * _MARGIN, COVER[1])
"""The room of a cover beside the names, and of one without."""
_SIZES: Final = (72, 60, 50, 42)
_BELOW_SIZE: Final = 30
_MOST_BELOW: Final = 3
_LEADING: Final = 1.2
_MOST_LINES: Final = 5
_LONGEST: Final = 200
_TICKET: Final = (
    "M5 7h22a2 2 0 0 1 2 2v4a3 3 0 0 0 0 6v4a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-4a3 3 0 0 0 0-6V9a2 2 0 0 1 2-2z"
)
"""The ticket of the shop's header."""
_OTHERS: Final = frozenset("\u2013\u2014\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u2022\u2026\u20ac")
_NARROW: Final = frozenset("'(),-./:;IJ[\\]fijlrt|! ")
_SMALL: Final = frozenset("?acesvxyzàáâãäåçèéêë")
_WIDE: Final = frozenset("%@mwMW©®¼½¾ŒœæÆŵŴŉ\u2014\u2026")


def can_be_set(text: str) -> bool:
    """Whether the font that comes with us has every character: it is of Latin scripts."""
    return all(" " <= char <= "~" or "\xa0" <= char <= "\u017f" or char in _OTHERS for char in text)


def cover_room(name: str) -> tuple[int, int]:
    """Width and height that a cover is fitted into."""
    return COVER if can_be_set(_plain(name)) else _ALONE


def picture_as_svg(card: ShareCard, *, cover: bytes | None) -> str:
    """The whole picture. `cover`: a PNG that fits the room for it."""
    name, below, accent = _plain(card.name), _plain(card.below), card.accent
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{card.paper}"/>',
        f'<rect y="{HEIGHT - _BAND}" width="{WIDTH}" height="{_BAND}" fill="{accent}"/>',
    ]
    width, height = cover_room(name)
    if cover is None:
        parts.append(
            f'<g transform="translate({_MARGIN + width / 2 - 160} {_MARGIN + height / 2 - 160}) scale(10)">'
            f'<path d="{_TICKET}" fill="{accent}"/>'
            f'<path d="M20 9v14" stroke="{card.paper}" stroke-width="1.6" stroke-dasharray="2 2"/></g>'
        )
    else:
        held = b64encode(cover).decode()
        place = f'x="{_MARGIN}" y="{_MARGIN}" width="{width}" height="{height}"'
        parts.append(f'<image {place} href="data:image/png;base64,{held}"/>')
    if can_be_set(name):
        parts += _names(name, below if can_be_set(below) else "", ink=card.ink, soft=card.soft)
    return "".join([*parts, "</svg>"])


def _plain(text: str) -> str:
    """On one line, with accents as the font has them."""
    return " ".join(unicodedata.normalize("NFC", text[:_LONGEST]).split())


def _names(name: str, below: str, *, ink: str, soft: str) -> Iterator[str]:
    """The name in the largest size in which it fits, and what stands below; centred on the height."""
    left = _MARGIN + COVER[0] + _MARGIN
    room = WIDTH - left - _MARGIN
    for size in _SIZES:
        lines = wrapped(name, room / size)
        if len(lines) <= _MOST_LINES and all(breadth(word) <= room / size for word in name.split(" ")):
            break
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], shortened(" ".join(lines[_MOST_LINES - 1 :]), room / size)]
    more = wrapped(below, room / _BELOW_SIZE) if below else []
    if len(more) > _MOST_BELOW:
        more = [*more[: _MOST_BELOW - 1], shortened(" ".join(more[_MOST_BELOW - 1 :]), room / _BELOW_SIZE)]
    height = len(lines) * size * _LEADING + (_BELOW_SIZE * (0.8 + len(more) * _LEADING) if more else 0)
    top = (HEIGHT - _BAND - height) / 2
    for number, line in enumerate(lines, start=1):
        yield _text(line, left, top + number * size * _LEADING - size * 0.25, size, ink)
    for number, line in enumerate(reversed(more)):
        baseline = top + height - _BELOW_SIZE * (0.25 + number * _LEADING)
        yield _text(line, left, baseline, _BELOW_SIZE, soft)


def _text(text: str, left: float, baseline: float, size: int, colour: str) -> str:
    return (
        f'<text x="{left}" y="{baseline:.1f}" font-family="{FONT}" font-size="{size}" fill="{colour}">'
        f"{escape(text)}</text>"
    )


def wrapped(text: str, room: float) -> list[str]:
    """The lines of a text; `room` in multiples of the font's size. A word that is too long is broken."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if breadth(longer) <= room:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        for char in word:
            if breadth(lines[-1] + char) > room:
                lines.append("")
            lines[-1] += char
    return lines


def shortened(text: str, room: float) -> str:
    """As much of a text as fits, with an ellipsis if that is not all of it."""
    if breadth(text) <= room:
        return text
    while text and breadth(text + "\u2026") > room:
        text = text[:-1]
    return text.rstrip() + "\u2026"


def breadth(text: str) -> float:
    """At least how broad a text is set, in multiples of the font's size."""
    return sum(_breadth(char) for char in text)


def _breadth(char: str) -> float:
    if char in _NARROW:
        return 0.48
    if char in _WIDE:
        return 1.14
    if char in _SMALL:
        return 0.6
    return 0.7 if char.islower() or char.isdigit() else 0.9
