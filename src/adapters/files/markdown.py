"""Markdown to HTML, within bounds: a long text is rendered in a process of its own, with limits.

The parser's time and memory depend on the text: at 1 MB from 1 s and 20 MB (prose) to minutes (brackets that never
close) and 600 MB (a table of small cells). No rule about the text bounds both; the limits of a process do.
So can the HTML: each use of a link reference repeats the address that is defined once.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from typing import Final

from markdown_it import MarkdownIt

# Raw HTML in a text is shown, not run; javascript: links are dropped by markdown-it itself.
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable(
    ["table", "strikethrough"]
)
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


def render(text: str) -> str:
    """The HTML of a text. Raises TooCostly, TooLong, OSError."""
    short = SHORT_WITH_REFERENCES if "]:" in text else SHORT
    try:
        return _MARKDOWN.render(text) if len(text) <= short else _render_apart(text)
    except (RecursionError, MemoryError) as error:
        raise TooCostly from error


def _render_apart(text: str) -> str:
    # The process gets nothing of our environment: that holds the shop's keys.
    command = [sys.executable, "-X", "utf8", "-m", "adapters.files.markdown"]
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        done = subprocess.run(  # noqa: S603 - our own module; the text is its standard input
            command, input=text.encode(), capture_output=True, env=environment, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise TooCostly from error
    if done.returncode in (_TOO_COSTLY, -signal.SIGXCPU, -signal.SIGKILL):
        raise TooCostly
    if done.returncode == _TOO_LONG:
        raise TooLong
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise OSError(done.returncode, f"rendering failed: {last}")
    return done.stdout.decode()


def _main() -> None:
    """Render standard input, within the limits."""
    _limit(resource.RLIMIT_CPU, _SECONDS)
    _limit(resource.RLIMIT_AS, _MEMORY)
    try:
        html = _MARKDOWN.render(sys.stdin.buffer.read().decode()).encode()
    except (RecursionError, MemoryError):
        sys.exit(_TOO_COSTLY)
    if len(html) > _MOST_HTML:
        sys.exit(_TOO_LONG)
    sys.stdout.buffer.write(html)


def _limit(kind: int, at_most: int) -> None:
    """A lower limit that is set already stays."""
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (at_most if hard == resource.RLIM_INFINITY else min(at_most, hard), hard))


if __name__ == "__main__":
    _main()
