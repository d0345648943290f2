"""Pictures, sound and video in content.md: `![A talk](talk.mp4)` shows the file beside it, to owners alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote, unquote

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

_VIDEO: Final = frozenset({".mp4", ".m4v", ".webm"})
_AUDIO: Final = frozenset({".mp3", ".m4a", ".aac", ".ogg", ".oga", ".opus", ".wav", ".flac"})
_PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif", ".svg"})
KINDS: Final = _VIDEO | _AUDIO | _PICTURES
_OPTIONS: Final = MarkdownIt().options


def is_medium(name: str) -> bool:
    """Whether a file of this name can be shown in a text."""
    return PurePosixPath(name).suffix.lower() in KINDS


def show_media(tokens: Sequence[Token], address: str) -> Iterator[tuple[int, str]]:
    """Have a text show the files that it names, at `address` + name; yields each name with its line."""
    for token in tokens:
        for child in token.children or ():
            name = unquote(str(child.attrGet("src"))) if child.type == "image" else ""
            if "/" in name or not is_medium(name):
                continue
            yield (token.map or [0])[0] + 1, name
            source = address + quote(name)
            child.attrSet("src", source)
            element = _element(name)
            if element:
                child.type, child.content = "html_inline", _player(element, source, _plain(child))


def _plain(image: Token) -> str:
    """Its label without Markdown, as in the `alt` of a picture."""
    return RendererHTML().renderInlineAsText(image.children, _OPTIONS, {})


def _element(name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    return "video" if suffix in _VIDEO else "audio" if suffix in _AUDIO else ""


def _player(element: str, source: str, label: str) -> str:
    """Nothing is loaded before it is played. Inside: for the browser that knows no such element."""
    said = f' aria-label="{escape(label)}"' if label else ""
    shown = escape(label or unquote(source.rpartition("/")[2]))
    link = f'<a href="{escape(source)}">{shown}</a>'
    return f'<{element} controls preload="none" src="{escape(source)}"{said}>{link}</{element}>'
