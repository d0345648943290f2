"""The colours of style sheets, as their `:root` variables say them."""

from __future__ import annotations

import re
from typing import Final

_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_PRINT: Final = re.compile(r"@media\s+print\s*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
_DARK: Final = re.compile(
    r"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)\s*\{((?:[^{}]*\{[^{}]*\})*)[^{}]*\}"
)
_ROOT: Final = re.compile(r"(?<![\w:.#-]):root\s*\{([^{}]*)\}")
_VARIABLE: Final = re.compile(r"(--[a-z-]+)\s*:\s*([^;{}]+)")


def root_colours(*sheets: str) -> tuple[dict[str, str], dict[str, str]]:
    """The variables of style sheets in the order in which they count, in light and in dark."""
    light: dict[str, str] = {}
    dark: dict[str, str] = {}
    for sheet in sheets:
        text = _PRINT.sub("", _COMMENT.sub("", sheet))
        # A later rule wins in dark as well, whether it is for dark alone or not.
        for part, for_dark in _parts(text):
            found = dict(pair for block in _ROOT.findall(part) for pair in _VARIABLE.findall(block))
            dark |= found
            if not for_dark:
                light |= found
    return light, dark


def _parts(text: str) -> list[tuple[str, bool]]:
    """The text in pieces, in order: what is for dark alone, and what is for both."""
    parts, at = [], 0
    for found in _DARK.finditer(text):
        parts += [(text[at : found.start()], False), (found[1], True)]
        at = found.end()
    return [*parts, (text[at:], False)]
