"""The shop's colour: from one that the merchant names, those that text, links and buttons need to be readable."""

from __future__ import annotations

import re
from typing import Final

from domain.frozen import frozen

_HEX: Final = re.compile(
    r"#(?:([0-9a-f])([0-9a-f])([0-9a-f])|([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2}))", re.ASCII
)
READABLE: Final = 4.5
"""The least contrast of text with what is behind it (WCAG 2.2, success criterion 1.4.3)."""
_STEPS: Final = 50


@frozen
class Colour:
    """A colour of the screen (sRGB): red, green and blue from 0 to 255."""

    red: int
    green: int
    blue: int

    @classmethod
    def parse(cls, text: str) -> Colour | None:
        """`#1a6` or `#11aa66`, in either case; None for anything else."""
        found = _HEX.fullmatch(text.strip().lower())
        if found is None:
            return None
        return cls(*(int(part * (2 // len(part)), 16) for part in found.groups() if part))

    def __str__(self) -> str:
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    @property
    def luminance(self) -> float:
        """From 0 (black) to 1 (white), as WCAG 2.2 defines relative luminance."""
        red, green, blue = (_linear(part / 255) for part in (self.red, self.green, self.blue))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def contrast(self, other: Colour) -> float:
        """From 1 (none) to 21 (black on white), as WCAG 2.2 defines the contrast ratio."""
        lower, higher = sorted((self.luminance, other.luminance))
        return (higher + 0.05) / (lower + 0.05)

    def towards(self, other: Colour, share: float) -> Colour:
        """A mixture of both; `share` from 0 (this one) to 1 (the other)."""
        return Colour(
            *(
                round(mine + (theirs - mine) * share)
                for mine, theirs in zip(self.parts, other.parts, strict=True)
            )
        )

    @property
    def parts(self) -> tuple[int, int, int]:
        """Red, green and blue."""
        return self.red, self.green, self.blue


BLACK: Final = Colour(0, 0, 0)
WHITE: Final = Colour(255, 255, 255)


def text_on(ground: Colour) -> Colour:
    """Black or white, whichever is easier to read on it: never below 4.5."""
    return max(WHITE, BLACK, key=ground.contrast)


def readable_on(colour: Colour, *grounds: Colour) -> Colour:
    """The colour nearest to this one that can be read as text on all of these grounds, all light or all dark."""
    away = BLACK if grounds[0].luminance > 0.2 else WHITE
    for step in range(_STEPS + 1):
        tried = colour.towards(away, step / _STEPS)
        if all(tried.contrast(ground) >= READABLE for ground in grounds):
            return tried
    return away


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
