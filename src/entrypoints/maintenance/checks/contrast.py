"""Whether text can be read in the colours that a merchant's theme.css gives to the variables of shop.css."""

from __future__ import annotations

from typing import Final

from domain.colour import READABLE, Colour
from entrypoints.maintenance.checks.finding import Finding
from entrypoints.style_sheets import root_colours

_GROUNDS: Final = ("--paper", "--card", "--note")
_PAIRS: Final = (
    *((text, ground) for text in ("--ink", "--soft", "--brass", "--bad", "--good") for ground in _GROUNDS),
    ("--on-act", "--act"),
    ("--on-act", "--act-over"),
)
"""Of shop.css: the colours of text, and what each is read on."""


def contrast_findings(*sheets: str) -> list[Finding]:
    """A warning for each pair of colours below 4.5 (WCAG 2.2, success criterion 1.4.3), in light and in dark.

    `sheets`: the text of the style sheets, in the order in which pages name them. Only `:root` is read, and of colours
    those in hexadecimal; what other rules colour is not known here.
    """
    light, dark = root_colours(*sheets)
    return [
        Finding("theme.css", True, words, warns=True)
        for look, colours in (("light", light), ("dark", dark))
        for words in _too_little(look, colours)
    ]


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
