"""The merchant's look: a style sheet made from `accent`, followed by their own theme.css."""

from __future__ import annotations

import hashlib
from typing import Final

from minijinja import safe

from domain.colour import Colour, readable_on, text_on
from domain.product import ShopInfo

# The grounds of shop.css (--paper, --card, --note), on which links and prices are read.
_LIGHT: Final = (Colour(0xF6, 0xEF, 0xE2), Colour(0xFF, 0xFD, 0xF8), Colour(0xF0, 0xE4, 0xCB))
_DARK: Final = (Colour(0x17, 0x19, 0x1F), Colour(0x20, 0x23, 0x2B), Colour(0x2B, 0x2A, 0x28))
_OVER: Final = 0.15


def theme_of(shop: ShopInfo) -> bytes:
    """The style sheet that comes after shop.css; empty if the merchant chose no look.

    Whatever the accent is, buttons, links and prices keep a contrast of 4.5 in light and dark.
    """
    accent = Colour.parse(shop.accent)
    sheet = shop.theme
    if accent is not None:
        dark = ":root { " + _variables(accent, _DARK) + " }"
        sheet = f":root {{ {_variables(accent, _LIGHT)} }}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n{sheet}"
    return sheet.encode()


def theme_address(shop: ShopInfo) -> str:
    """Its URL, which changes with its content, so that it may be cached for ever."""
    return safe(f"/theme.css?v={hashlib.sha256(theme_of(shop)).hexdigest()[:10]}")


def _variables(accent: Colour, grounds: tuple[Colour, ...]) -> str:
    on_act = text_on(accent)
    over = accent.towards(text_on(on_act), _OVER)
    word = readable_on(accent, *grounds)
    return f"--act: {accent}; --on-act: {on_act}; --act-over: {over}; --brass: {word}; --gilt: {word}; --good: {word};"
