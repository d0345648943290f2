"""How the command line writes times and numbers of things, and what it says of rights."""

from __future__ import annotations

from datetime import datetime
from typing import Final

NOT_ALLOWED: Final = "nothing was done: the role of whoever asked does not allow it"
"""Nobody on the shop's machine reads this: they may do everything."""


NO_SUCH_PRODUCT: Final = (
    "there is no product {product!r} in the catalogue: a product is called like its folder there"
)


def minute(at: datetime) -> str:
    """`2026-03-01 12:00 UTC`."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def counted(number: int, thing: str) -> str:
    """`1 email`, `2 emails`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
