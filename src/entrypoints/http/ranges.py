"""What a request wants of a file: all of it, one part, or nothing it has already (RFC 9110 §13 and §14)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# obs-text is taken, too: somebody else's tag may hold it (RFC 9110 §8.8.3).
_TAG: Final = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_BYTES: Final = re.compile(r"bytes=(.*)", re.IGNORECASE)
_SPAN: Final = re.compile(r"([0-9]*)-([0-9]*)")
_BLANKS: Final = " \t"
# More digits than any file has bytes; Python refuses to read thousands of them.
_MOST_DIGITS: Final = 18
_NAMES: Final = frozenset({b"if-match", b"if-none-match", b"if-range", b"range"})


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole file: 200."""


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes from `start` up to, but not including, `stop`: 206."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class HasIt:
    """Nothing: what the client has is still right. 304."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The client wants another version than there is: 412."""


@dataclass(frozen=True, slots=True)
class PastTheEnd:
    """No byte of the part exists: 416."""


Wish = Whole | Part | HasIt | Changed | PastTheEnd


def wish(headers: Iterable[tuple[bytes, bytes]], *, etag: str, size: int, ranged: bool) -> Wish:
    """What these headers ask of a file with this strong entity tag (in its quotes) and this size in bytes.

    In the order of RFC 9110 §13.2.2. `ranged`: whether the method knows ranges; GET does, HEAD ignores them
    (§14.2). What cannot be understood is as if it were not there, except where that could mix two versions.
    """
    told = _told(headers)
    match = told.get("if-match")
    if match is not None and not _names(match, etag, weakly=False):
        return Changed()
    none_match = told.get("if-none-match")
    if none_match is not None and _names(none_match, etag, weakly=True):
        return HasIt()
    wanted = told.get("range")
    if wanted is None or not ranged:
        return Whole()
    # §13.1.5: only a strong tag that is the same, octet by octet, keeps the range. We send no Last-Modified, so a
    # date is of somebody else's making.
    if told.get("if-range", etag) != etag:
        return Whole()
    return _span(wanted, size)


def names_tag(if_none_match: str, etag: str) -> bool:
    """Whether If-None-Match names this strong entity tag (in its quotes): the client has it already (§13.1.2)."""
    return _names(if_none_match.strip(_BLANKS), etag, weakly=True)


def _told(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The four fields that count; lines of one name are one list (RFC 9110 §5.3)."""
    told: dict[str, str] = {}
    for name, value in headers:
        if name in _NAMES:
            key, text = name.decode(), value.decode("latin-1").strip(_BLANKS)
            told[key] = f"{told[key]}, {text}" if key in told else text
    return told


def _names(field: str, etag: str, *, weakly: bool) -> bool:
    """Whether a list of entity tags, or `*`, names this one; a list that is none names nothing."""
    if field == "*":
        return True
    found, at = False, 0
    while at < len(field):
        if field[at] in ", \t":
            at += 1
            continue
        tag = _TAG.match(field, at)
        if tag is None:
            return False
        found |= tag[2] == etag and (weakly or tag[1] is None)
        at = tag.end()
    return found


def _span(field: str, size: int) -> Wish:
    """One range is served. Several, or what is no range of bytes, may be ignored, and are (§14.2)."""
    unit = _BYTES.fullmatch(field)
    if unit is None:
        return Whole()
    asked = [text for part in unit[1].split(",") if (text := part.strip(_BLANKS))]
    span = _SPAN.fullmatch(asked[0]) if len(asked) == 1 else None
    if span is None or span[0] == "-":
        return Whole()
    first, last = span[1], span[2]
    if not first:
        return _suffix(_number(last), size)
    start = _number(first)
    stop = _number(last) + 1 if last else size
    if last and stop <= start:
        return Whole()
    return Part(start=start, stop=min(stop, size)) if start < size else PastTheEnd()


def _suffix(length: int, size: int) -> Wish:
    """The last bytes. Of an empty file they are all there is, which no Content-Range can say: so the whole."""
    if length == 0:
        return PastTheEnd()
    return Part(start=max(0, size - length), stop=size) if size else Whole()


def _number(digits: str) -> int:
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS
