"""The merchant's look: a style sheet made from `accent`, followed by their own theme.css."""

from __future__ import annotations

import hashlib
from functools import lru_cache
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
    return _made(shop.accent, shop.theme)[0]


def theme_digest(shop: ShopInfo) -> str:
    """What its URL has as `v`."""
    return _made(shop.accent, shop.theme)[1]


@lru_cache(maxsize=2)
def _made(chosen: str, sheet: str) -> tuple[bytes, str]:
    """The style sheet and its digest, made once: every page names it."""
    accent = Colour.parse(chosen)
    if accent is not None:
        dark = ":root { " + _variables(accent, _DARK) + " }"
        sheet = f":root {{ {_variables(accent, _LIGHT)} }}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n{sheet}"
    made = sheet.encode()
    return made, hashlib.sha256(made).hexdigest()[:10]


def theme_address(shop: ShopInfo) -> str:
    """Its URL, which changes with its content, so that it may be cached for ever."""
    return safe(f"/theme.css?v={theme_digest(shop)}")


def _variables(accent: Colour, grounds: tuple[Colour, ...]) -> str:
    on_act = text_on(accent)
    over = accent.towards(text_on(on_act), _OVER)
    word = readable_on(accent, *grounds)
    return f"--act: {accent}; --on-act: {on_act}; --act-over: {over}; --brass: {word}; --gilt: {word}; --good: {word};"
