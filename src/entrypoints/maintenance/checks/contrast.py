"""Whether text can be read in the colours that a merchant's theme.css gives to the variables of shop.css."""

from __future__ import annotations

import re
from typing import Final

from domain.colour import READABLE, Colour
from entrypoints.maintenance.checks.finding import Finding

_GROUNDS: Final = ("--paper", "--card", "--note")
_PAIRS: Final = (
    *((text, ground) for text in ("--ink", "--soft", "--brass", "--bad", "--good") for ground in _GROUNDS),
    ("--on-act", "--act"),
    ("--on-act", "--act-over"),
)
"""Of shop.css: the colours of text, and what each is read on."""
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_PRINT: Final = re.compile(r"@media\s+print\s*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
_DARK: Final = re.compile(
    r"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)\s*\{((?:[^{}]*\{[^{}]*\})*)[^{}]*\}"
)
_ROOT: Final = re.compile(r"(?<![\w:.#-]):root\s*\{([^{}]*)\}")
_VARIABLE: Final = re.compile(r"(--[a-z-]+)\s*:\s*([^;{}]+)")


def contrast_findings(*sheets: str) -> list[Finding]:
    """A warning for each pair of colours below 4.5 (WCAG 2.2, success criterion 1.4.3), in light and in dark.

    `sheets`: the text of the style sheets, in the order in which pages name them. Only `:root` is read, and of colours
    those in hexadecimal; what other rules colour is not known here.
    """
    light, dark = _colours(*sheets)
    return [
        Finding("theme.css", True, words, warns=True)
        for look, colours in (("light", light), ("dark", dark))
        for words in _too_little(look, colours)
    ]


def _colours(*sheets: str) -> tuple[dict[str, str], dict[str, str]]:
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


def _too_little(look: str, colours: dict[str, str]) -> list[str]:
    said = []
    for text, ground in _PAIRS:
        ours, behind = Colour.parse(colours.get(text, "")), Colour.parse(colours.get(ground, ""))
        if ours is None or behind is None or ours.contrast(behind) >= READABLE:
            continue
        # Rounded down: 4.48 is not 4.5.
        contrast = int(ours.contrast(behind) * 10) / 10
        said.append(
            f"in {look} {text} ({ours}) on {ground} ({behind}) has a contrast of {contrast}, "
            f"which is hard to read: make it {READABLE} or more"
        )
    return said
