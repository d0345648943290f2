"""Files as answers: byte ranges (RFC 9110 §14) and their streams."""

from __future__ import annotations

import asyncio
import base64
import mimetypes
import re
import unicodedata
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from domain.media_types import shown_type
from domain.ports import GoodsUnavailable
from entrypoints.http.downloads import MadeRoom
from entrypoints.http.responses import RawResponse, until_gone
from entrypoints.run.logs import log

if TYPE_CHECKING:
    from litestar.types import Receive, Scope, Send

    from domain.ports import OpenFile
    from domain.product import GoodsFile
    from entrypoints.http.downloads import Download
    from entrypoints.http.responses import Header

# obs-text is accepted, too: foreign tags may contain it (RFC 9110 §8.8.3).
_TAG: Final = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_BYTES: Final = re.compile(r"bytes=(.*)", re.IGNORECASE)
_SPAN: Final = re.compile(r"([0-9]*)-([0-9]*)")
_BLANKS: Final = " \t"
# More digits than any file size has; Python refuses to parse thousands of them.
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
    """Nothing: the client's copy is current. 304."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The client asks for another version than the current one: 412."""


@dataclass(frozen=True, slots=True)
class PastTheEnd:
    """No byte of the part exists: 416."""


Wish = Whole | Part | HasIt | Changed | PastTheEnd


def wish(headers: Iterable[tuple[bytes, bytes]], *, etag: str, size: int, ranged: bool) -> Wish:
    """Evaluate these headers for a file with this strong entity tag (in its quotes) and this size in bytes.

    In the order of RFC 9110 §13.2.2. `ranged`: whether the method supports ranges; GET does, HEAD ignores them
    (§14.2). Invalid fields are ignored, except where that could mix two versions.
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
    # date cannot come from the shop.
    if told.get("if-range", etag) != etag:
        return Whole()
    return _span(wanted, size)


def names_tag(if_none_match: str, etag: str) -> bool:
    """Whether If-None-Match names this strong entity tag (in its quotes): the client already has it (§13.1.2)."""
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
    """Whether a list of entity tags, or `*`, names this one; an invalid list names nothing."""
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
    """One range is served. Several ranges, or units other than bytes, may be ignored, and are (§14.2)."""
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
    """The last bytes. For an empty file Content-Range cannot express them, so the whole file."""
    if length == 0:
        return PastTheEnd()
    return Part(start=max(0, size - length), stop=size) if size else Whole()


def _number(digits: str) -> int:
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS


# Browsers resume from the part on their own disk and the tag they noted, not from their cache; so nothing is
# gained by leaving goods in the cache of a shared computer.
UNKEPT: Final[Header] = ("cache-control", "private, no-store")
# Characters that old browsers may misread in the plain name; some decode %41 as A there (RFC 6266, appendix D).
_UNSAFE: Final = re.compile(r'[^ -~]|["\\%/]')


class FileAnswer(RawResponse):
    """The head of a file, and nothing else: for HEAD."""

    def __init__(self, file: GoodsFile, *, part: Part | None = None) -> None:
        media_type = shown_type(file.name) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        headers = [
            ("content-disposition", disposition(file.name)),
            ("etag", etag_of(file)),
            ("accept-ranges", "bytes"),
            ("repr-digest", f"sha-256=:{base64.b64encode(bytes.fromhex(file.sha256)).decode()}:"),
            UNKEPT,
            ("content-security-policy", "default-src 'none'; sandbox"),
        ]
        if part is not None:
            headers.append(("content-range", f"bytes {part.start}-{part.stop - 1}/{file.size}"))
        super().__init__(status=200 if part is None else 206, media_type=media_type, headers=headers)
        size = file.size if part is None else part.stop - part.start
        self.raw_headers[1] = (b"content-length", str(size).encode())


class FileResponse(FileAnswer):
    """A file, or a part of it; memory stays constant whatever its size."""

    def __init__(self, file: GoodsFile, opened: OpenFile, *, part: Part | None, download: Download) -> None:
        super().__init__(file, part=part)
        self._opened = opened
        self._download = download

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head, then the chunks as they are read.

        The server silently discards data for a disconnected client, so this method watches for that. If the bytes break
        off, the answer stays unfinished and the server closes the connection: the client sees that it is short.
        The connection of a client that reads nothing is closed, too (entrypoints.run.connections).
        """
        gone = asyncio.create_task(until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": self.status, "headers": self.raw_headers})
            async with aclosing(self._opened.chunks) as chunks:
                async for chunk in chunks:
                    await self._download.hand_over(chunk, send)
                    if gone.done():
                        return
        except GoodsUnavailable as error:
            fields = {"request_id": scope.get("request_id", ""), "error": str(error)}
            log.error("a download was cut short", extra={"fields": fields})
            return
        except MadeRoom:
            return
        finally:
            gone.cancel()
            self._download.leave()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Unchanged(RawResponse):
    """304: no content, and no header for its size or type (RFC 9110 §15.4.5)."""

    def __init__(self, file: GoodsFile) -> None:
        super().__init__(status=304, headers=[("etag", etag_of(file)), UNKEPT])
        del self.raw_headers[:2]


def etag_of(file: GoodsFile) -> str:
    """A strong entity tag: equal tags mean equal bytes, whatever the file name."""
    return f'"{file.sha256}"'


def disposition(name: str) -> str:
    """RFC 6266: an ASCII name for old browsers beside the real one, which every current browser uses."""
    bare = "".join(char for char in unicodedata.normalize("NFD", name) if not unicodedata.combining(char))
    return f"attachment; filename=\"{_UNSAFE.sub('_', bare)}\"; filename*=UTF-8''{quote(name, safe='')}"
