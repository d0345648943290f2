"""Markdown to HTML, within bounds: a long text is rendered in a process of its own, with limits.

The parser's time and memory depend on the text: at 1 MB from 1 s and 20 MB (prose) to minutes (brackets that never
close) and 600 MB (a table of small cells). No rule about the text bounds both; the limits of a process do.
So can the HTML: each use of a link reference repeats the address that is defined once.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

import msgspec
from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.files.media import show_media

# Raw HTML in a text is shown, not run; javascript: links are dropped by markdown-it itself.
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable(
    ["table", "strikethrough"]
)
# Only to find HTML: nothing of it is shown.
_WITH_HTML: Final = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_TAG: Final = re.compile(r"<[A-Za-z/!?]")
_SHOWN: Final = re.compile(r"/(?![/\\])|data:image/")
"""The address of an image that a page may load: the content security policy has no other."""
_NOT_SHOWN: Final = (
    "is not shown: pages load images from this shop alone. In content.md, write the plain name of one that lies "
    "beside it"
)
_NOT_RUN: Final = "HTML is not run: customers see its tags as text. Write it in Markdown"
_MOST_NOTES: Final = 10
_LONGEST_ADDRESS: Final = 100
SHORT: Final = 32_000
"""Characters that are rendered here: a second and 30 MB at the very worst."""
SHORT_WITH_REFERENCES: Final = 1_500
"""The same for a text that may define link references: its HTML is longest there, 2 MB."""
_MOST_HTML: Final = 4_000_000
_SECONDS: Final = 5
_MEMORY: Final = 256 * 1024 * 1024
_PATIENCE: Final = 60.0
_TOO_COSTLY, _TOO_LONG = 3, 4


class TooCostly(Exception):
    """A text takes more time or memory than any text should."""

    def __init__(self) -> None:
        super().__init__(
            f"takes more than {_SECONDS} s or {_MEMORY >> 20} MB to render: make it shorter or simpler"
        )


class TooLong(Exception):
    """A text becomes longer than any page should be."""

    def __init__(self) -> None:
        super().__init__(
            f"becomes more than {_MOST_HTML // 1_000_000} MB of HTML: make it shorter, or the links that it repeats"
        )


class Rendered(msgspec.Struct, frozen=True):
    """A text as HTML."""

    html: str
    heading: str | None = None
    """The first heading, if the text begins with one of the first level."""
    notes: tuple[tuple[int, str], ...] = ()
    """What a visitor will not see as it was meant, each with its line."""
    media: tuple[tuple[int, str], ...] = ()
    """The files that it shows, each with its line."""


def render(text: str, *, title: str | None = "", media_at: str = "") -> Rendered:
    """A text without its first heading if that repeats `title`; None: without it, whatever it is.

    The page has a title of its own. `media_at`: the address of the files that lie beside the text, which it may show;
    "" for none. Raises TooCostly, TooLong, OSError.
    """
    short = SHORT_WITH_REFERENCES if "]:" in text else SHORT
    try:
        work = _rendered if len(text) <= short else _render_apart
        return work(text, title, media_at)
    except (RecursionError, MemoryError) as error:
        raise TooCostly from error


def _rendered(text: str, title: str | None, media_at: str) -> Rendered:
    environment: dict[str, Any] = {}
    tokens = _MARKDOWN.parse(text, environment)
    heading = _heading_of(tokens)
    if heading is not None and (title is None or _folded(heading) == _folded(title)):
        del tokens[:3]
    media = tuple(show_media(tokens, media_at)) if media_at else ()
    notes = (*islice(_images(tokens), _MOST_NOTES), *islice(_raw_html(text), _MOST_NOTES))
    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, environment)
    return Rendered(html=str(html), heading=heading, notes=tuple(sorted(notes)), media=media)


def _heading_of(tokens: Sequence[Token]) -> str | None:
    """The text of the heading of the first level that comes first."""
    if not tokens or (tokens[0].type, tokens[0].tag) != ("heading_open", "h1"):
        return None
    return "".join(
        " " if child.type in {"softbreak", "hardbreak"} else child.content
        for child in tokens[1].children or ()
    ).strip()


def _folded(title: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", title).casefold().split())


def _images(tokens: Sequence[Token]) -> Iterator[tuple[int, str]]:
    for token in tokens:
        for child in token.children or ():
            address = str(child.attrGet("src")) if child.type == "image" else "/"
            if not _SHOWN.match(address):
                shown = address[:_LONGEST_ADDRESS]
                yield (token.map or [0])[0] + 1, f"the image {shown} {_NOT_SHOWN}"


def _raw_html(text: str) -> Iterator[tuple[int, str]]:
    if _TAG.search(text) is None:
        return
    for token in _WITH_HTML.parse(text):
        inner = any(child.type == "html_inline" for child in token.children or ())
        if inner or token.type == "html_block":
            yield (
                (token.map or [0])[0] + 1,
                _NOT_RUN,
            )


def _render_apart(text: str, title: str | None, media_at: str) -> Rendered:
    # The process gets nothing of our environment: that holds the shop's keys.
    command = [sys.executable, "-P", "-X", "utf8", "-m", "adapters.files.markdown"]
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        done = subprocess.run(  # noqa: S603 - our own module; the text is its standard input
            command,
            input=msgspec.json.encode((text, title, media_at)),
            capture_output=True,
            env=environment,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TooCostly from error
    if done.returncode in (_TOO_COSTLY, -signal.SIGXCPU, -signal.SIGKILL) or b"MemoryError" in done.stderr:
        raise TooCostly
    if done.returncode == _TOO_LONG:
        raise TooLong
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise OSError(done.returncode, f"rendering failed: {last}")
    return msgspec.json.decode(done.stdout, type=Rendered)


def _main() -> None:
    """Render standard input, within the limits."""
    _limit(resource.RLIMIT_CPU, _SECONDS)
    _limit(resource.RLIMIT_AS, _MEMORY)
    try:
        asked = msgspec.json.decode(sys.stdin.buffer.read(), type=tuple[str, str | None, str])
        rendered = _rendered(*asked)
        long = len(rendered.html.encode()) > _MOST_HTML
        written = b"" if long else msgspec.json.encode(rendered)
    except (RecursionError, MemoryError):
        os._exit(
            _TOO_COSTLY
        )  # at once: to end in order takes memory. (Where even this does, its last words tell.)
    if long:
        sys.exit(_TOO_LONG)
    sys.stdout.buffer.write(written)


def _limit(kind: int, at_most: int) -> None:
    """A lower limit that is set already stays."""
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (at_most if hard == resource.RLIM_INFINITY else min(at_most, hard), hard))


if __name__ == "__main__":
    _main()
